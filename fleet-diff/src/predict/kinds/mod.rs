//! What the server does by itself with single kinds, and refuses of them.

mod job;
mod pod;
mod service;

use serde_json::{Value, json};

use super::{Doubt, Prediction, refused};
use crate::{
    FieldPath, Gvk,
    document::Node,
    rules::{Broken, Fact, is_same},
    storage::{Draft, Tree, View},
};

/// What only the server can say of a new object, or refuses.
pub(super) fn check_create(object: &Draft<'_>, gvk: &Gvk) -> Result<(), Prediction> {
    match (gvk.group(), gvk.kind()) {
        // Tokens with random names, tolerations, priorities, limits of the namespace.
        ("", "Pod") => Err(Prediction::unsure(Doubt::Admission)),
        ("batch", "Job") => job::check_labels(object),
        _ => Ok(()),
    }
}

/// What strategies of registries and admission plugins do to a new object.
pub(super) fn on_create(object: &mut Draft<'_>, definition: Node<'_>, gvk: &Gvk) {
    match (gvk.group(), gvk.kind()) {
        ("batch", "Job") => job::label_job(object, definition),
        ("", "Namespace") => object.set("spec", json!({"finalizers": ["kubernetes"]})),
        ("", "PersistentVolumeClaim") => finalizer(object, "kubernetes.io/pvc-protection"),
        ("", "PersistentVolume") => finalizer(object, "kubernetes.io/pv-protection"),
        ("storage.k8s.io", "VolumeAttributesClass") => finalizer(object, "kubernetes.io/vac-protection"),
        ("", "Node") => {
            drop_config_source(object, None);
            // The admission plugin `TaintNodesByCondition`.
            let taint = json!({"effect": "NoSchedule", "key": "node.kubernetes.io/not-ready"});
            if let Some(taints) = object.inner("spec").and_then(|spec| spec.list("taints"))
                && !taints.iter().any(|known| known.to_json() == taint)
            {
                taints.push(Tree::Json(taint));
            }
        }
        ("apps", "DaemonSet") => annotate(object, TEMPLATE_GENERATION, "1"),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            let versions = object
                .at(&["spec", "versions"])
                .map(View::items)
                .unwrap_or_default();
            let stored = versions
                .iter()
                .filter(|version| version.get("storage").and_then(View::as_bool) == Some(true));
            let stored: Vec<Value> = stored
                .filter_map(|version| Some(version.get("name")?.to_json()))
                .collect();
            let status = json!({
                "acceptedNames": {"kind": "", "plural": ""}, "conditions": null, "storedVersions": stored,
            });
            object.set("status", status);
        }
        _ => {}
    }
}

pub(super) fn on_update<'n>(object: &mut Draft<'n>, before: Node<'n>, gvk: &Gvk) {
    match (gvk.group(), gvk.kind()) {
        ("", "Pod") => {
            pod::tolerate_lost_nodes(object);
            pod::keep_priority(object, before);
        }
        ("", "Service") => {
            service::keep_allocated(object, before);
            service::drop_by_type(object, before);
        }
        ("", "Node") => drop_config_source(object, Some(before)),
        // Only the endpoint `finalize` writes it, and nobody what was asked to be signed.
        ("", "Namespace") | ("certificates.k8s.io", "CertificateSigningRequest") => {
            match before.get("spec") {
                Some(spec) => object.put("spec", Tree::Node(spec)),
                None => {
                    object.remove("spec");
                }
            }
        }
        ("apps", "DaemonSet") => {
            let template = |of: Option<View<'_, '_>>| of.map(View::to_json).unwrap_or_default();
            let is = template(object.at(&["spec", "template"]));
            let was = template(
                before
                    .get("spec")
                    .and_then(|spec| spec.get("template"))
                    .map(View::Node),
            );
            let annotation = before
                .get("metadata")
                .and_then(|metadata| metadata.get("annotations")?.get(TEMPLATE_GENERATION));
            let generation: i64 = annotation
                .and_then(|text| text.as_str()?.parse().ok())
                .unwrap_or(0);
            let generation = generation + i64::from(!is_same(&is, &was));
            if object
                .at(&["metadata", "annotations", TEMPLATE_GENERATION])
                .and_then(View::as_str)
                != Some(&generation.to_string())
            {
                annotate(object, TEMPLATE_GENERATION, &generation.to_string());
            }
        }
        _ => {}
    }
}

/// What only shows before an object is stored. An immutable object may not even get an empty mapping.
pub(super) fn check_merged(merged: Node<'_>, live: Node<'_>, gvk: &Gvk) -> Result<(), Prediction> {
    match (gvk.group(), gvk.kind()) {
        ("", "Service") => return service::check_ports(merged),
        ("", "Pod") => return pod::check_node_selector(merged, live),
        ("apiextensions.k8s.io", "CustomResourceDefinition") => {
            return refused::check_certificates(merged, live);
        }
        ("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding") => return check_actions(merged),
        _ => {}
    }
    match emptied_data(merged, live, gvk) {
        Some((field, rule)) => Err(Prediction::blocked(vec![Broken {
            rule,
            fact: Fact::Immutable,
            path: FieldPath::keys([field]),
        }])),
        None => Ok(()),
    }
}

/// True for kinds that a server completes on every write, also on one that changes nothing.
pub(super) fn is_completed_on_every_write(gvk: &Gvk) -> bool {
    gvk.group().is_empty() && gvk.kind() == "Pod"
}

/// The field of an immutable object that is an empty mapping here and not in the live object, and the rule against it.
/// It means nothing, and still a server refuses it.
pub(crate) fn emptied_data(of: Node<'_>, live: Node<'_>, gvk: &Gvk) -> Option<(&'static str, &'static str)> {
    let (field, rule) = match (gvk.group(), gvk.kind()) {
        ("", "ConfigMap") => ("binaryData", "configmap/immutable-binary-data"),
        ("", "Secret") => ("data", "secret/immutable-data"),
        _ => return None,
    };
    let immutable = live.get("immutable").and_then(Node::as_bool) == Some(true);
    let is_empty = |of: Node<'_>| of.get(field).is_some_and(|data| data.is_map() && data.is_empty());
    (immutable && is_empty(of) && !is_empty(live)).then_some((field, rule))
}

/// Two managers may each set one of two actions that exclude one another.
fn check_actions(merged: Node<'_>) -> Result<(), Prediction> {
    let actions = merged.at(&["spec", "validationActions"]);
    let has =
        |wanted| actions.is_some_and(|actions| actions.items().any(|action| action.as_str() == Some(wanted)));
    if has("Deny") && has("Warn") {
        Err(Prediction::refused(
            ".spec.validationActions".to_owned(),
            "must not have both Deny and Warn",
        ))
    } else {
        Ok(())
    }
}

/// Kubelets are no longer configured by it: it is dropped where it is not there already (`core/node`,
/// `dropDisabledFields`).
fn drop_config_source(object: &mut Draft<'_>, before: Option<Node<'_>>) {
    const SOURCE: &str = "configSource";
    let known = before.is_some_and(|before| before.at(&["spec", SOURCE]).is_some_and(|was| !was.is_null()));
    if !known && let Some(spec) = object.existing("spec").filter(|spec| spec.contains(SOURCE)) {
        spec.remove(SOURCE);
    }
}

const TEMPLATE_GENERATION: &str = "deprecated.daemonset.template.generation";

fn finalizer(object: &mut Draft<'_>, name: &str) {
    if let Some(list) = object
        .inner("metadata")
        .and_then(|metadata| metadata.list("finalizers"))
        && !list.iter().any(|known| known.view().as_str() == Some(name))
    {
        list.push(Tree::Json(name.into()));
    }
}

fn annotate(object: &mut Draft<'_>, key: &str, value: &str) {
    if let Some(map) = object
        .inner("metadata")
        .and_then(|metadata| metadata.inner("annotations"))
    {
        map.set(key, value);
    }
}
