//! What single kinds do with themselves between JSON and storage: conversions that are written by hand in the server.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Map, Value, json};

/// Conversions of one struct, by the name of its type.
pub(super) fn structure(name: &str, map: &mut Map<String, Value>) {
    match name {
        "io.k8s.api.core.v1.PodSpec" => pod_spec(map),
        "io.k8s.api.core.v1.Pod" | "io.k8s.api.core.v1.PodTemplateSpec" => old_init_containers(map),
        "io.k8s.api.apps.v1.StatefulSetSpec" => claim_templates(map),
        _ => {}
    }
}

/// Conversions of a whole object.
pub(super) fn object(map: &mut Map<String, Value>) {
    let is = |version: &str, kind: &str| {
        map.get("apiVersion").and_then(Value::as_str) == Some(version)
            && map.get("kind").and_then(Value::as_str) == Some(kind)
    };
    if is("v1", "Secret") {
        fold_string_data(map);
    } else if is("autoscaling/v1", "HorizontalPodAutoscaler") {
        cpu_target(map);
    } else if is("v1", "Node") {
        pod_cidrs(map);
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are written (`core/v1/conversion.go`).
fn pod_spec(map: &mut Map<String, Value>) {
    let text = |key: &str| map.get(key).and_then(Value::as_str).filter(|text| !text.is_empty()).map(str::to_owned);
    match text("serviceAccountName").or_else(|| text("serviceAccount")) {
        Some(name) => {
            map.insert("serviceAccountName".into(), name.clone().into());
            map.insert("serviceAccount".into(), name.into());
        }
        None => {
            map.remove("serviceAccount");
        }
    }
}

/// Annotations that once held init containers are dropped (`core/v1/conversion.go`, `dropInitContainerAnnotations`).
fn old_init_containers(map: &mut Map<String, Value>) {
    const OLD: [&str; 4] = [
        "pod.beta.kubernetes.io/init-containers",
        "pod.alpha.kubernetes.io/init-containers",
        "pod.beta.kubernetes.io/init-container-statuses",
        "pod.alpha.kubernetes.io/init-container-statuses",
    ];
    let Some(metadata) = map.get_mut("metadata").and_then(Value::as_object_mut) else { return };
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        OLD.iter().for_each(|key| {
            annotations.remove(*key);
        });
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// Templates of claims say what they are (`apps/v1/conversion.go`).
fn claim_templates(map: &mut Map<String, Value>) {
    let templates = map.get_mut("volumeClaimTemplates").and_then(Value::as_array_mut);
    for template in templates.into_iter().flatten().filter_map(Value::as_object_mut) {
        let empty = |value: Option<&Value>| value.and_then(Value::as_str).is_none_or(str::is_empty);
        if empty(template.get("apiVersion")) {
            template.insert("apiVersion".into(), "v1".into());
        }
        if empty(template.get("kind")) {
            template.insert("kind".into(), "PersistentVolumeClaim".into());
        }
    }
}

/// Kept as `autoscaling/v2`, where no metric means the usual one.
fn cpu_target(map: &mut Map<String, Value>) {
    let metrics = map.get("metadata").and_then(|m| m.get("annotations")?.get("autoscaling.alpha.kubernetes.io/metrics"));
    if metrics.is_none()
        && let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut)
    {
        spec.entry("targetCPUUtilizationPercentage").or_insert(json!(80));
    }
}

/// One network is the first of several (`core/v1/conversion.go`).
fn pod_cidrs(map: &mut Map<String, Value>) {
    let Some(spec) = map.get_mut("spec").and_then(Value::as_object_mut) else { return };
    let one = spec.get("podCIDR").and_then(Value::as_str).map(str::to_owned);
    let first = spec.get("podCIDRs").and_then(|list| list.get(0)?.as_str()).map(str::to_owned);
    match (one, first) {
        // The old field counts where they disagree.
        (Some(one), first) if first.as_ref() != Some(&one) => {
            spec.insert("podCIDRs".into(), json!([one]));
        }
        (None, Some(first)) => {
            spec.insert("podCIDR".into(), first.into());
        }
        _ => {}
    }
}

/// `stringData` is written only: it becomes `data`.
fn fold_string_data(map: &mut Map<String, Value>) {
    let Some(Value::Object(plain)) = map.remove("stringData") else { return };
    let data = map.entry("data").or_insert_with(|| json!({}));
    if let Some(data) = data.as_object_mut() {
        for (key, value) in plain {
            let encoded = BASE64.encode(value.as_str().unwrap_or(""));
            data.insert(key, encoded.into());
        }
    }
}
