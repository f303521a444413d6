//! What kinds that are served at several versions say at each (`pkg/apis/autoscaling/v1/conversion.go`).

use serde_json::{Value, json};

/// Where the older version keeps what it has no fields for.
const KEPT: [(&str, &[&str]); 2] = [
    ("autoscaling.alpha.kubernetes.io/metrics", &["spec", "metrics"]),
    ("autoscaling.alpha.kubernetes.io/behavior", &["spec", "behavior"]),
];

/// An object at another version of its kind. Of custom resources only the version itself is another.
pub(super) fn to_version(value: &mut Value, api_version: &str) {
    let before = value["apiVersion"].as_str().unwrap_or("").to_owned();
    value["apiVersion"] = api_version.into();
    if value["kind"] != "HorizontalPodAutoscaler" {
        return;
    }
    match (&*before, api_version) {
        ("autoscaling/v1", "autoscaling/v2") => to_v2(value),
        ("autoscaling/v2", "autoscaling/v1") => to_v1(value),
        _ => {}
    }
}

fn to_v2(value: &mut Value) {
    let mut metrics = Vec::new();
    for (annotation, path) in KEPT {
        let kept = value["metadata"]["annotations"]
            .as_object_mut()
            .and_then(|annotations| annotations.remove(annotation));
        let kept: Option<Value> = kept.and_then(|text| serde_json::from_str(text.as_str()?).ok());
        match kept {
            Some(Value::Array(more)) => metrics.extend(more),
            Some(other) => value[path[0]][path[1]] = other,
            None => {}
        }
    }
    let Some(spec) = value["spec"].as_object_mut() else {
        return;
    };
    if let Some(target) = spec.remove("targetCPUUtilizationPercentage") {
        let target = json!({"type": "Utilization", "averageUtilization": target});
        metrics.push(json!({"type": "Resource", "resource": {"name": "cpu", "target": target}}));
    }
    if !metrics.is_empty() {
        spec.insert("metrics".to_owned(), metrics.into());
    }
    drop_empty_annotations(value);
}

fn to_v1(value: &mut Value) {
    let Some(spec) = value["spec"].as_object_mut() else {
        return;
    };
    let metrics = spec.remove("metrics");
    let behavior = spec.remove("behavior");
    let (mut others, mut target) = (Vec::new(), None);
    for metric in metrics.as_ref().and_then(Value::as_array).into_iter().flatten() {
        let wanted = &metric["resource"]["target"]["averageUtilization"];
        match metric["resource"]["name"] == "cpu" && target.is_none() && wanted.is_number() {
            true => target = Some(wanted.clone()),
            false => others.push(metric.clone()),
        }
    }
    if let Some(target) = target {
        spec.insert("targetCPUUtilizationPercentage".to_owned(), target);
    }
    let others = Some(Value::Array(others)).filter(|others| others != &json!([]));
    for ((annotation, _), kept) in KEPT.into_iter().zip([others, behavior]) {
        if let Some(kept) = kept {
            value["metadata"]["annotations"][annotation] = kept.to_string().into();
        }
    }
}

fn drop_empty_annotations(value: &mut Value) {
    if let Some(metadata) = value["metadata"].as_object_mut()
        && metadata
            .get("annotations")
            .is_some_and(|all| all == &json!({}) || all.is_null())
    {
        metadata.remove("annotations");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_autoscaler_says_the_same_at_both_versions() {
        let memory = json!({"type": "Resource", "resource": {"name": "memory",
            "target": {"type": "Utilization", "averageUtilization": 50}}});
        let newer = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"},
            "spec": {"maxReplicas": 3, "metrics": [memory, {"type": "Resource", "resource": {"name": "cpu",
                "target": {"type": "Utilization", "averageUtilization": 80}}}]}});
        let mut value = newer.clone();
        to_version(&mut value, "autoscaling/v1");
        assert_eq!(
            value["spec"],
            json!({"maxReplicas": 3, "targetCPUUtilizationPercentage": 80})
        );
        to_version(&mut value, "autoscaling/v2");
        assert_eq!(value, newer);
    }
}
