//! Defaults that depend on other fields.

use serde_json::{Value, json};

use super::{
    super::tree::{Draft, View},
    default, inherit_labels, is_unset, pods,
};

/// By the type they belong to.
pub(super) fn apply(type_name: &str, map: &mut Draft<'_>, gate: &dyn Fn(&str) -> bool) {
    match type_name {
        "core.v1.Container" | "core.v1.EphemeralContainer" => pull_policy(map, "image", "imagePullPolicy"),
        "core.v1.ImageVolumeSource" => pull_policy(map, "reference", "pullPolicy"),
        "core.v1.Volume" if map.keys().all(|key| key == "name") => {
            map.set("emptyDir", json!({}));
        }
        "core.v1.ServicePort" => {
            let target = map.get("targetPort");
            if target.is_none_or(|target| target.as_i64() == Some(0) || target.as_str() == Some("")) {
                let port = map.get("port").map_or(Value::from(0), View::to_json);
                map.set("targetPort", port);
            }
        }
        "core.v1.ServiceSpec" => service_spec(map),
        "core.v1.Namespace" => {
            let name = map
                .at(&["metadata", "name"])
                .and_then(View::as_str)
                .unwrap_or("")
                .to_owned();
            let known = map
                .at(&["metadata", "labels", "kubernetes.io/metadata.name"])
                .and_then(View::as_str);
            if !name.is_empty()
                && known != Some(&name)
                && let Some(labels) = map
                    .inner("metadata")
                    .and_then(|metadata| metadata.inner("labels"))
            {
                labels.set("kubernetes.io/metadata.name", name);
            }
        }
        "core.v1.ReplicationController" => {
            let own = map
                .at(&["spec", "template", "metadata", "labels"])
                .map(View::to_json);
            if let Some(own @ Value::Object(_)) = own {
                if map
                    .at(&["spec", "selector"])
                    .is_none_or(|selector| selector.len() == 0)
                    && let Some(spec) = map.existing("spec")
                {
                    spec.set("selector", own.clone());
                }
                inherit_labels(map, own);
            }
        }
        "core.v1.Pod" => pods::pod(map),
        "core.v1.LimitRangeItem" => limit_range_item(map),
        "core.v1.NodeStatus" => {
            if is_unset(map, "allocatable")
                && let Some(capacity) = map.get("capacity").map(View::to_json)
            {
                map.set("allocatable", capacity);
            }
        }
        "apps.v1.DeploymentStrategy" if map.text("type") == Some("RollingUpdate") => {
            default(map, "rollingUpdate", "maxUnavailable", json!("25%"));
            default(map, "rollingUpdate", "maxSurge", json!("25%"));
        }
        "apps.v1.DaemonSetUpdateStrategy" if map.text("type") == Some("RollingUpdate") => {
            default(map, "rollingUpdate", "maxUnavailable", json!(1));
            default(map, "rollingUpdate", "maxSurge", json!(0));
        }
        // No defaults, but in the server's own type these are no pointers.
        "apps.v1.DaemonSetUpdateStrategy" if !is_unset(map, "rollingUpdate") => {
            default(map, "rollingUpdate", "maxUnavailable", json!(0));
            default(map, "rollingUpdate", "maxSurge", json!(0));
        }
        "apps.v1.StatefulSetUpdateStrategy" => {
            if is_unset(map, "type") {
                map.set("type", "RollingUpdate");
                map.inner("rollingUpdate");
            }
            if map.text("type") == Some("RollingUpdate") && !is_unset(map, "rollingUpdate") {
                default(map, "rollingUpdate", "partition", json!(0));
                if gate("MaxUnavailableStatefulSet") {
                    default(map, "rollingUpdate", "maxUnavailable", json!(1));
                }
            }
        }
        "apps.v1.StatefulSetSpec" => {
            default(
                map,
                "persistentVolumeClaimRetentionPolicy",
                "whenDeleted",
                json!("Retain"),
            );
            default(
                map,
                "persistentVolumeClaimRetentionPolicy",
                "whenScaled",
                json!("Retain"),
            );
        }
        "batch.v1.Job" => {
            // Not of the template in a CronJob.
            job_spec(map);
            let own = map
                .at(&["spec", "template", "metadata", "labels"])
                .map(View::to_json);
            if let Some(own @ Value::Object(_)) = own {
                inherit_labels(map, own);
            }
        }
        "autoscaling.v2.HorizontalPodAutoscalerSpec" => autoscaler_spec(map),
        "networking.v1.NetworkPolicySpec" if is_unset(map, "policyTypes") => {
            let egress = map.get("egress").is_some_and(|egress| egress.len() > 0);
            map.set(
                "policyTypes",
                if egress {
                    json!(["Ingress", "Egress"])
                } else {
                    json!(["Ingress"])
                },
            );
        }
        "networking.v1.IngressClassSpec" if !is_unset(map, "parameters") => {
            default(map, "parameters", "scope", json!("Cluster"));
        }
        "rbac.v1.Subject"
            if is_unset(map, "apiGroup") && matches!(map.text("kind"), Some("User" | "Group")) =>
        {
            map.set("apiGroup", "rbac.authorization.k8s.io");
        }
        "storage.v1.CSIDriverSpec" if is_unset(map, "volumeLifecycleModes") => {
            map.set("volumeLifecycleModes", json!(["Persistent"]));
        }
        "resource.v1.ExactDeviceRequest" | "resource.v1.DeviceSubRequest"
            if map.text("allocationMode") == Some("ExactCount") && is_unset(map, "count") =>
        {
            map.set("count", 1);
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionNames" => {
            let kind = map.text("kind").unwrap_or("").to_owned();
            if is_unset(map, "singular") && !kind.is_empty() {
                map.set("singular", kind.to_lowercase());
            }
            if is_unset(map, "listKind") && !kind.is_empty() {
                map.set("listKind", format!("{kind}List"));
            }
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinition"
            if map.contains("status") =>
        {
            stored_versions(map);
        }
        "apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec"
            if is_unset(map, "conversion") =>
        {
            map.set("conversion", json!({"strategy": "None"}));
        }
        _ => {}
    }
}

/// What no status says was stored at the version that is stored now.
fn stored_versions(map: &mut Draft<'_>) {
    let versions = map.at(&["spec", "versions"]).map(View::items).unwrap_or_default();
    let stored: Vec<Value> = versions
        .into_iter()
        .filter(|version| version.get("storage").and_then(View::as_bool) == Some(true))
        .filter_map(|version| Some(version.get("name")?.to_json()))
        .collect();
    if let Some(status) = map.existing("status")
        && status.get("storedVersions").is_none_or(|known| known.len() == 0)
    {
        status.set("storedVersions", stored);
    }
}

fn pull_policy(map: &mut Draft<'_>, image: &str, policy: &str) {
    if is_unset(map, policy) {
        let always = tag(map.text(image).unwrap_or("")) == Some("latest");
        map.set(policy, if always { "Always" } else { "IfNotPresent" });
    }
}

/// The tag of an image; `latest` when it has neither tag nor digest, none when only a digest.
fn tag(image: &str) -> Option<&str> {
    let (name, digest) = match image.split_once('@') {
        Some((name, _)) => (name, true),
        None => (image, false),
    };
    let last = name.rsplit('/').next().unwrap_or(name);
    match last.split_once(':') {
        Some((_, tag)) => Some(tag),
        None => (!digest).then_some("latest"),
    }
}

fn service_spec(map: &mut Draft<'_>) {
    match map.text("sessionAffinity") {
        Some("None") => {
            map.remove("sessionAffinityConfig");
        }
        Some("ClientIP") => {
            let known = map.at(&["sessionAffinityConfig", "clientIP", "timeoutSeconds"]);
            if known.is_none_or(View::is_null) {
                map.set(
                    "sessionAffinityConfig",
                    json!({"clientIP": {"timeoutSeconds": 10800}}),
                );
            }
        }
        _ => {}
    }
    let kind = map.text("type").unwrap_or("").to_owned();
    let external_ips = map.get("externalIPs").is_some_and(|ips| ips.len() > 0);
    let external = matches!(&*kind, "LoadBalancer" | "NodePort") || (kind == "ClusterIP" && external_ips);
    if external && is_unset(map, "externalTrafficPolicy") {
        map.set("externalTrafficPolicy", "Cluster");
    }
    if matches!(&*kind, "LoadBalancer" | "NodePort" | "ClusterIP") && is_unset(map, "internalTrafficPolicy") {
        map.set("internalTrafficPolicy", "Cluster");
    }
    if kind == "ExternalName" && map.contains("internalTrafficPolicy") {
        // It does not show (`core/service/storage`, `defaultOnReadInternalTrafficPolicy`).
        map.remove("internalTrafficPolicy");
    }
    if kind == "LoadBalancer" && is_unset(map, "allocateLoadBalancerNodePorts") {
        map.set("allocateLoadBalancerNodePorts", true);
    }
}

fn limit_range_item(map: &mut Draft<'_>) {
    if map.text("type") != Some("Container") {
        return;
    }
    let list = |map: &Draft<'_>, key: &str| match map.get(key).map(View::to_json) {
        Some(Value::Object(list)) => list,
        _ => serde_json::Map::new(),
    };
    let (mut defaults, mut requests) = (list(map, "default"), list(map, "defaultRequest"));
    for (name, value) in list(map, "max") {
        defaults.entry(name).or_insert(value);
    }
    for (name, value) in defaults.clone().into_iter().chain(list(map, "min")) {
        requests.entry(name).or_insert(value);
    }
    for (key, list) in [("default", defaults), ("defaultRequest", requests)] {
        if !list.is_empty() {
            map.set(key, list);
        }
    }
}

fn job_spec(map: &mut Draft<'_>) {
    let Some(spec) = map.existing("spec") else { return };
    if is_unset(spec, "completions") && is_unset(spec, "parallelism") {
        spec.set("completions", 1);
    }
    let limit = if is_unset(spec, "backoffLimitPerIndex") {
        6
    } else {
        i32::MAX
    };
    let replacement = if is_unset(spec, "podFailurePolicy") {
        "TerminatingOrFailed"
    } else {
        "Failed"
    };
    let defaults = [
        ("parallelism", json!(1)),
        ("backoffLimit", json!(limit)),
        ("completionMode", json!("NonIndexed")),
        ("suspend", json!(false)),
        ("podReplacementPolicy", json!(replacement)),
        ("manualSelector", json!(false)),
    ];
    for (field, value) in defaults {
        if is_unset(spec, field) {
            spec.set(field, value);
        }
    }
}

fn autoscaler_spec(map: &mut Draft<'_>) {
    if is_unset(map, "metrics") {
        let metric = json!([{"type": "Resource", "resource": {
            "name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80},
        }}]);
        map.set("metrics", metric);
    }
    if is_unset(map, "behavior") {
        return;
    }
    let Some(behavior) = map.existing("behavior") else {
        return;
    };
    let percent = json!({"type": "Percent", "value": 100, "periodSeconds": 15});
    let pods = json!({"type": "Pods", "value": 4, "periodSeconds": 15});
    default(behavior, "scaleUp", "stabilizationWindowSeconds", json!(0));
    default(behavior, "scaleUp", "selectPolicy", json!("Max"));
    default(behavior, "scaleUp", "policies", json!([pods, percent]));
    default(behavior, "scaleDown", "selectPolicy", json!("Max"));
    default(behavior, "scaleDown", "policies", json!([percent]));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tags_are_found() {
        let cases = [
            ("nginx", Some("latest")),
            ("nginx:1.2", Some("1.2")),
            ("host:5000/nginx", Some("latest")),
            ("host:5000/nginx:latest", Some("latest")),
            ("nginx@sha256:ab", None),
            ("nginx:1@sha256:ab", Some("1")),
        ];
        for (image, expect) in cases {
            assert_eq!(tag(image), expect, "{image}");
        }
    }
}
