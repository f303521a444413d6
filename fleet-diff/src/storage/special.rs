//! What single kinds do with themselves between JSON and storage: conversions that are written by hand in the server.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};
use serde_json::{Value, json};

use super::{
    native::Stage,
    tree::{Draft, View},
};

/// Conversions of one struct, by the name of its type.
pub(super) fn structure(name: &str, map: &mut Draft<'_>) {
    match name {
        "io.k8s.api.core.v1.PodSpec" => pod_spec(map),
        "io.k8s.api.apps.v1.StatefulSetSpec" => claim_templates(map),
        "io.k8s.api.core.v1.PodStatus" => pod_ips(map),
        _ => {}
    }
}

/// Conversions of a whole object.
pub(super) fn object(map: &mut Draft<'_>) {
    match (map.text("apiVersion"), map.text("kind")) {
        (Some("v1"), Some("Secret")) => fold_string_data(map),
        (Some("autoscaling/v1"), Some("HorizontalPodAutoscaler")) => cpu_target(map),
        (Some("v1"), Some("Node")) => pod_cidrs(map),
        _ => {}
    }
}

/// What the strategy of a kind makes of an object when that stage is reached. True when it makes something else of it.
pub(super) fn prepare_object(map: &mut Draft<'_>, gate: &dyn Fn(&str) -> bool, stage: Stage) -> bool {
    if (map.text("apiVersion"), map.text("kind")) != (Some("v1"), Some("PersistentVolumeClaim")) {
        return false;
    }
    let has_source = ["dataSource", "dataSourceRef"]
        .iter()
        .any(|source| map.at(&["spec", source]).is_some());
    if has_source && stage == Stage::Prepared {
        drop_foreign_source(map, gate);
        data_sources(map);
    }
    has_source
}

/// Other namespaces are sources only with a feature gate (`core/persistentvolumeclaim`, `DropDisabledFields`).
fn drop_foreign_source(map: &mut Draft<'_>, gate: &dyn Fn(&str) -> bool) {
    const SOURCE: &str = "dataSourceRef";
    let namespace = map.at(&["spec", SOURCE, "namespace"]).and_then(View::as_str);
    if namespace.is_some_and(|namespace| !namespace.is_empty())
        && !gate("CrossNamespaceVolumeDataSource")
        && let Some(spec) = map.existing("spec")
    {
        spec.remove(SOURCE);
    }
}

/// The two names of the source of a claim say the same, where the new one says nothing more
/// (`core/persistentvolumeclaim`, `NormalizeDataSources`).
fn data_sources(map: &mut Draft<'_>) {
    const OLD: &str = "dataSource";
    const NEW: &str = "dataSourceRef";
    let Some(spec) = map.existing("spec") else { return };
    let json = |key: &str| {
        spec.get(key)
            .filter(|source| !source.is_null())
            .map(View::to_json)
    };
    match (json(OLD), json(NEW)) {
        (Some(old), None) => spec.set(NEW, old),
        (None, Some(new)) if new.get("namespace").is_none_or(Value::is_null) => spec.set(OLD, new),
        _ => {}
    }
}

/// `serviceAccount` is the old name of `serviceAccountName`; both are written (`core/v1/conversion.go`).
fn pod_spec(map: &mut Draft<'_>) {
    let text = |key: &str| map.text(key).filter(|text| !text.is_empty()).map(str::to_owned);
    match text("serviceAccountName").or_else(|| text("serviceAccount")) {
        Some(name) => {
            for key in ["serviceAccountName", "serviceAccount"] {
                if map.text(key) != Some(&name) {
                    map.set(key, name.as_str());
                }
            }
        }
        None => {
            map.remove("serviceAccount");
        }
    }
}

/// Annotations that once held init containers.
const OLD_INIT_CONTAINERS: [&str; 4] = [
    "pod.beta.kubernetes.io/init-containers",
    "pod.alpha.kubernetes.io/init-containers",
    "pod.beta.kubernetes.io/init-container-statuses",
    "pod.alpha.kubernetes.io/init-container-statuses",
];

/// Whether this is a pod or a template of pods with such annotations.
pub(super) fn has_old_init_containers(name: &str, map: &Draft<'_>) -> bool {
    matches!(
        name,
        "io.k8s.api.core.v1.Pod" | "io.k8s.api.core.v1.PodTemplateSpec"
    ) && OLD_INIT_CONTAINERS
        .iter()
        .any(|key| map.at(&["metadata", "annotations", key]).is_some())
}

/// They are dropped (`core/v1/conversion.go`, `dropInitContainerAnnotations`; since 1.37 `pkg/api/pod/util.go`,
/// `DropInitContainerAnnotations`).
pub(super) fn drop_old_init_containers(map: &mut Draft<'_>) {
    let Some(metadata) = map.existing("metadata") else {
        return;
    };
    if let Some(annotations) = metadata.existing("annotations") {
        for key in OLD_INIT_CONTAINERS {
            annotations.remove(key);
        }
        if annotations.is_empty() {
            metadata.remove("annotations");
        }
    }
}

/// Templates of claims say what they are, whatever was written (`apps/v1/conversion.go`).
fn claim_templates(map: &mut Draft<'_>) {
    if !map.contains("volumeClaimTemplates") {
        return;
    }
    for template in map.list("volumeClaimTemplates").into_iter().flatten() {
        for (key, value) in [("apiVersion", "v1"), ("kind", "PersistentVolumeClaim")] {
            let says = template.view().get(key).and_then(View::as_str);
            if says != Some(value)
                && let Some(draft) = template.as_draft()
            {
                draft.set(key, value);
            }
        }
    }
}

/// Kept as `autoscaling/v2`, where no metric means the usual one.
fn cpu_target(map: &mut Draft<'_>) {
    if map
        .at(&[
            "metadata",
            "annotations",
            "autoscaling.alpha.kubernetes.io/metrics",
        ])
        .is_none()
        && map.at(&["spec", "targetCPUUtilizationPercentage"]).is_none()
        && let Some(spec) = map.existing("spec")
    {
        spec.set("targetCPUUtilizationPercentage", 80);
    }
}

/// One address is the first of several, and counts where they disagree (`core/v1/conversion.go`).
fn pod_ips(map: &mut Draft<'_>) {
    let one = map.text("podIP").filter(|ip| !ip.is_empty()).map(str::to_owned);
    let first = map
        .get("podIPs")
        .and_then(|list| list.items().first()?.get("ip")?.as_str().map(str::to_owned));
    match (one, first) {
        (Some(one), first) if first.as_ref() != Some(&one) => map.set("podIPs", json!([{"ip": one}])),
        (None, Some(first)) => map.set("podIP", first),
        _ => {}
    }
}

/// One network is the first of several (`core/v1/conversion.go`).
fn pod_cidrs(map: &mut Draft<'_>) {
    let Some(spec) = map.existing("spec") else { return };
    let one = spec.text("podCIDR").map(str::to_owned);
    let first = spec
        .get("podCIDRs")
        .and_then(|list| list.items().first()?.as_str().map(str::to_owned));
    match (one, first) {
        // The old field counts where they disagree.
        (Some(one), first) if first.as_ref() != Some(&one) => spec.set("podCIDRs", json!([one])),
        (None, Some(first)) => spec.set("podCIDR", first),
        _ => {}
    }
}

/// `stringData` is written only: it becomes `data`.
fn fold_string_data(map: &mut Draft<'_>) {
    let Some(plain) = map.remove("stringData") else {
        return;
    };
    let Value::Object(plain) = plain.to_json() else {
        return;
    };
    if let Some(data) = map.inner("data") {
        for (key, value) in plain {
            data.set(&key, BASE64.encode(value.as_str().unwrap_or("")));
        }
    }
}
