//! What of a stored object a server's validation would refuse. Not all that it checks: what an apply can leave behind
//! that none of the definitions says, when a field goes and somebody else still owns what is around it.

use serde_json::Value;

use super::Prediction;
use crate::{
    Gvk,
    document::Kind,
    storage::{Draft, Quantity, View},
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
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => return check_actions(object),
        ("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration") => return check_queuing(object),
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
    if let Some(field) = object.at(pods).and_then(above_limit) {
        return refused(
            format!(".{}{field}", pods.join(".")),
            "must not be above the limit",
        );
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

/// Two managers may each set one of two actions that exclude one another, and no action may be there twice, though to
/// those who merge it the list is none of single elements (`admissionregistration/validation`,
/// `validateValidationActions`).
fn check_actions(object: &Draft<'_>) -> Result<(), Prediction> {
    let actions = object.at(&["spec", "validationActions"]).map(View::items);
    let actions: Vec<&str> = actions
        .iter()
        .flatten()
        .filter_map(|action| action.as_str())
        .collect();
    let refused = |problem| Err(Prediction::refused(".spec.validationActions".to_owned(), problem));
    if actions.contains(&"Deny") && actions.contains(&"Warn") {
        return refused("must not have both Deny and Warn");
    }
    if actions
        .iter()
        .enumerate()
        .any(|(i, action)| actions[..i].contains(action))
    {
        return refused("must not have the same action twice");
    }
    Ok(())
}

/// What is limited by queues says how (`flowcontrol/validation`, `ValidateLimitResponse`).
fn check_queuing(object: &Draft<'_>) -> Result<(), Prediction> {
    let Some(response) = object.at(&["spec", "limited", "limitResponse"]) else {
        return Ok(());
    };
    let has_queues = response.get("queuing").is_some_and(|queuing| !queuing.is_null());
    let problem = match response.get("type").and_then(View::as_str) {
        Some("Queue") if !has_queues => "is required",
        Some("Reject") if has_queues => "must not be there when the type is Reject",
        _ => return Ok(()),
    };
    let path = ".spec.limited.limitResponse.queuing".to_owned();
    Err(Prediction::refused(path, problem))
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

/// What a container asks for that it may not have (`core/validation`, `validateResourceRequirements`).
fn above_limit(spec: View<'_, '_>) -> Option<String> {
    ["containers", "initContainers"].into_iter().find_map(|list| {
        let containers = spec.get(list).map(View::items).unwrap_or_default();
        containers.into_iter().enumerate().find_map(|(i, container)| {
            let resources = container.get("resources")?;
            let (requests, limits) = (resources.get("requests")?.to_json(), resources.get("limits")?);
            let quantity = |text: Option<&str>| text?.parse::<Quantity>().ok();
            requests.as_object()?.iter().find_map(|(name, request)| {
                let request = quantity(request.as_str())?;
                let limit = quantity(limits.get(name).and_then(View::as_str))?;
                // Others than these have to be equal (`helper.IsOvercommitAllowed`).
                let is_shared = !name.starts_with("hugepages-")
                    && (!name.contains('/') || name.contains("kubernetes.io/"));
                let is_wrong = request > limit || request != limit && !is_shared;
                is_wrong.then(|| format!(".{list}[{i}].resources.requests.{name}"))
            })
        })
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
