//! What of a stored object a server's validation would refuse. Not all that it checks: what an apply can leave behind
//! that none of the definitions says, when a field goes and somebody else still owns what is around it.

use serde_json::Value;

use super::Prediction;
use crate::{
    Gvk,
    document::Kind,
    storage::{Draft, View},
};

pub(super) fn check(object: &Draft<'_>, gvk: &Gvk) -> Result<(), Prediction> {
    let refused = |path: String, problem: &str| Err(Prediction::refused(path, problem));
    let text = |path: &[&str]| object.at(path).and_then(View::as_str);
    match (gvk.group(), gvk.kind()) {
        ("", "Secret") if text(&["type"]) == Some("kubernetes.io/tls") => {
            let missing = ["tls.crt", "tls.key"]
                .into_iter()
                .find(|key| object.at(&["data", key]).is_none());
            return missing.map_or(Ok(()), |key| refused(format!(".data.{key}"), "is required"));
        }
        ("apps", "Deployment")
            if text(&["spec", "strategy", "type"]) == Some("Recreate")
                && object
                    .at(&["spec", "strategy", "rollingUpdate"])
                    .is_some_and(|update| !update.is_null()) =>
        {
            return refused(
                ".spec.strategy.rollingUpdate".to_owned(),
                "must not be there when the type is Recreate",
            );
        }
        ("apps", "StatefulSet")
            if text(&["spec", "updateStrategy", "type"]) == Some("OnDelete")
                && object
                    .at(&["spec", "updateStrategy", "rollingUpdate"])
                    .is_some_and(|update| !update.is_null()) =>
        {
            return refused(
                ".spec.updateStrategy.rollingUpdate".to_owned(),
                "must not be there when the type is OnDelete",
            );
        }
        _ => {}
    }
    let pods: &[&str] = match (gvk.group(), gvk.kind()) {
        ("", "Pod") => &["spec"],
        ("", "PodTemplate") => &["template", "spec"],
        ("", "ReplicationController")
        | ("apps", "Deployment" | "ReplicaSet" | "StatefulSet" | "DaemonSet")
        | ("batch", "Job") => &["spec", "template", "spec"],
        ("batch", "CronJob") => &["spec", "jobTemplate", "spec", "template", "spec"],
        _ => return Ok(()),
    };
    if let Some(field) = object.at(pods).and_then(wrong_in_pod) {
        return refused(format!(".{}{field}", pods.join(".")), "is required");
    }
    let labels = ["spec", "template", "metadata", "labels"];
    match object.at(&["spec", "selector"]).filter(|_| pods.len() == 3) {
        Some(selector) if !selects(selector, object.at(&labels), gvk.group().is_empty()) => refused(
            format!(".{}", labels.join(".")),
            "must be what the selector asks for",
        ),
        _ => Ok(()),
    }
}

/// Whether a selector selects these labels. A `plain` one is a mapping of labels, others are of type `LabelSelector`
/// (apimachinery, `meta/v1`, `LabelSelectorAsSelector`). What it does not say selects everything.
fn selects(selector: View<'_, '_>, labels: Option<View<'_, '_>>, plain: bool) -> bool {
    let label = |key: &str| labels.and_then(|labels| labels.get(key)?.as_str());
    let wanted = if plain {
        Some(selector)
    } else {
        selector.get("matchLabels")
    };
    if let Some(Value::Object(wanted)) = wanted.map(View::to_json)
        && !wanted.iter().all(|(key, value)| label(key) == value.as_str())
    {
        return false;
    }
    let expressions = selector.get("matchExpressions").filter(|_| !plain);
    expressions
        .map(View::items)
        .unwrap_or_default()
        .into_iter()
        .all(|expression| {
            let text = |field: &str| expression.get(field).and_then(View::as_str).unwrap_or("");
            let is = label(text("key"));
            let values = expression.get("values").map(View::items).unwrap_or_default();
            let among = || values.iter().any(|value| value.as_str() == is);
            match text("operator") {
                "In" => is.is_some() && among(),
                "NotIn" => is.is_none() || !among(),
                "Exists" => is.is_some(),
                "DoesNotExist" => is.is_none(),
                _ => true,
            }
        })
}

/// The field that must not be empty and is (`core/validation`, `ValidatePodSpec`).
fn wrong_in_pod(spec: View<'_, '_>) -> Option<String> {
    let list = |field: &str| {
        spec.get(field)
            .filter(|list| list.kind() == Kind::List)
            .map(View::items)
    };
    let is_empty =
        |of: View<'_, '_>, field: &str| of.get(field).and_then(View::as_str).unwrap_or("").is_empty();
    for field in ["containers", "initContainers"] {
        for (i, container) in list(field).unwrap_or_default().into_iter().enumerate() {
            if is_empty(container, "image") {
                return Some(format!(".{field}[{i}].image"));
            }
            for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
                let handlers = ["exec", "httpGet", "tcpSocket", "grpc"];
                let has_none =
                    |probe: View<'_, '_>| handlers.iter().all(|handler| probe.get(handler).is_none());
                if container
                    .get(probe)
                    .filter(|probe| !probe.is_null())
                    .is_some_and(has_none)
                {
                    return Some(format!(".{field}[{i}].{probe}"));
                }
            }
        }
    }
    for (i, constraint) in list("topologySpreadConstraints")
        .unwrap_or_default()
        .into_iter()
        .enumerate()
    {
        if constraint.get("maxSkew").and_then(View::as_i64).unwrap_or(0) < 1 {
            return Some(format!(".topologySpreadConstraints[{i}].maxSkew"));
        }
    }
    for (i, volume) in list("volumes").unwrap_or_default().into_iter().enumerate() {
        if volume
            .get("configMap")
            .filter(|map| !map.is_null())
            .is_some_and(|map| is_empty(map, "name"))
        {
            return Some(format!(".volumes[{i}].configMap.name"));
        }
        let claim = volume
            .get("ephemeral")
            .and_then(|ephemeral| ephemeral.get("volumeClaimTemplate"));
        if let Some(spec) = claim.and_then(|claim| claim.get("spec"))
            && spec.get("accessModes").is_none_or(|modes| modes.len() == 0)
        {
            return Some(format!(
                ".volumes[{i}].ephemeral.volumeClaimTemplate.spec.accessModes"
            ));
        }
    }
    None
}
