//! When `metadata.generation` counts up: with what is asked of an object, not with what became of it.

use serde_json::Value;

use crate::resources::Resource;

/// Built-in kinds that count: those whose strategies set it (`pkg/registry/*/strategy.go` of Kubernetes).
const COUNTED: [(&str, &str); 23] = [
    ("", "pods"),
    ("", "podtemplates"),
    ("", "replicationcontrollers"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicies"),
    ("admissionregistration.k8s.io", "mutatingadmissionpolicybindings"),
    ("admissionregistration.k8s.io", "mutatingwebhookconfigurations"),
    ("admissionregistration.k8s.io", "validatingadmissionpolicies"),
    (
        "admissionregistration.k8s.io",
        "validatingadmissionpolicybindings",
    ),
    ("admissionregistration.k8s.io", "validatingwebhookconfigurations"),
    ("apiextensions.k8s.io", "customresourcedefinitions"),
    ("apps", "daemonsets"),
    ("apps", "deployments"),
    ("apps", "replicasets"),
    ("apps", "statefulsets"),
    ("batch", "cronjobs"),
    ("batch", "jobs"),
    ("discovery.k8s.io", "endpointslices"),
    ("flowcontrol.apiserver.k8s.io", "flowschemas"),
    ("flowcontrol.apiserver.k8s.io", "prioritylevelconfigurations"),
    ("networking.k8s.io", "ingressclasses"),
    ("networking.k8s.io", "ingresses"),
    ("networking.k8s.io", "networkpolicies"),
    ("policy", "poddisruptionbudgets"),
];

/// Kinds whose objects have a generation that never counts up.
const CONSTANT: [(&str, &str); 1] = [("scheduling.k8s.io", "priorityclasses")];

/// The annotation that counts the templates of a DaemonSet, as a field that is no more is kept.
const TEMPLATES: &str = "deprecated.daemonset.template.generation";

/// Whether objects of this resource have a generation.
pub(super) fn has(resource: &Resource) -> bool {
    let name = (&*resource.group, &*resource.plural);
    resource.is_custom || COUNTED.contains(&name) || CONSTANT.contains(&name)
}

/// Counts up when something is asked that was not asked before.
pub(crate) fn count(resource: &Resource, before: &Value, after: &mut Value) {
    let name = (&*resource.group, &*resource.plural);
    if !has(resource) || CONSTANT.contains(&name) {
        return;
    }
    let Some(now) = before["metadata"]["generation"].as_i64() else {
        return;
    };
    let asked = |object: &Value| -> Value {
        let mut asked = object.clone();
        if let Some(asked) = asked.as_object_mut() {
            asked.remove("metadata");
            asked.remove("apiVersion");
            if resource.has_subresource("status") || !resource.is_custom {
                asked.remove("status");
            }
        }
        asked
    };
    // Two kinds also count a part of their metadata.
    let part = match name {
        ("apps", "deployments") => Some("annotations"),
        ("discovery.k8s.io", "endpointslices") => Some("labels"),
        _ => None,
    };
    let notes = |object: &Value| {
        let notes = object["metadata"][part?].as_object()?;
        (!notes.is_empty()).then(|| notes.clone())
    };
    let counts = asked(before) != asked(after) || notes(before) != notes(after);
    after["metadata"]["generation"] = (now + i64::from(counts)).into();
}

/// Counts the templates of a DaemonSet.
pub(super) fn write_template_generation(resource: &Resource, before: &Value, after: &mut Value) {
    if (&*resource.group, &*resource.plural) != ("apps", "daemonsets") {
        return;
    }
    let now = before["metadata"]["annotations"][TEMPLATES]
        .as_str()
        .and_then(|text| text.parse::<u64>().ok());
    let changes = before["spec"]["template"] != after["spec"]["template"];
    let next = now.unwrap_or(1) + u64::from(changes);
    after["metadata"]["annotations"][TEMPLATES] = next.to_string().into();
}
