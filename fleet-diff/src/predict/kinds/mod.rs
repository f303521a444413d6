//! What the server does by itself with single kinds, and refuses of them.

mod daemon_set;
mod job;
mod pod;
mod service;
mod spelled;

use serde_json::{Value, json};

pub(super) use spelled::has_two_spellings;

use super::{Doubt, Prediction, Step, course::Course, refused};
use crate::{
    FieldPath, Gvk,
    document::Node,
    rules::{Broken, Fact},
    storage::{Draft, Tree, View},
};

/// What only the server can say of a new object, or refuses.
pub(super) fn check_create(course: &Course<'_>, object: &Draft<'_>) -> Step<()> {
    match (course.gvk.group(), course.gvk.kind()) {
        // Tokens with random names, tolerations, priorities, limits of the namespace.
        ("", "Pod") => course.doubt(Doubt::Admission),
        ("batch", "Job") => job::check_labels(object),
        _ => Ok(()),
    }
}

/// What admission plugins would do to a new object in a cluster in which nothing says otherwise.
pub(super) fn guess(object: &mut Draft<'_>, gvk: &Gvk) {
    if (gvk.group(), gvk.kind()) == ("", "Pod") {
        pod::admit(object);
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
        ("apps", "DaemonSet") => daemon_set::begin(object),
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

/// True of the kind that notes in an annotation how often its template has changed.
pub(super) fn counts_its_templates(gvk: &Gvk) -> bool {
    (gvk.group(), gvk.kind()) == ("apps", "DaemonSet")
}

/// What the server's own type of a kind says that the object did not: seen by whoever looks at who wrote what, before
/// strategies put it right (`apps/v1/conversion.go`, `Convert_apps_DaemonSet_To_v1_DaemonSet`).
pub(super) fn as_read(object: &mut Draft<'_>, gvk: &Gvk) -> Step<()> {
    check_read(object, gvk)?;
    if counts_its_templates(gvk) {
        daemon_set::write_out(object);
    }
    Ok(())
}

/// What of an object a server's own type cannot hold, whatever its schema says.
pub(super) fn check_read(object: &Draft<'_>, gvk: &Gvk) -> Step<()> {
    if counts_its_templates(gvk) {
        daemon_set::check_read(object)?;
    }
    Ok(())
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
        ("apps", "DaemonSet") => daemon_set::count(object, before),
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

/// What a status must not become after what it was.
pub(super) fn check_status(before: Node<'_>, after: Node<'_>, gvk: &Gvk) -> Result<(), Prediction> {
    match (gvk.group(), gvk.kind()) {
        ("batch", "Job") => job::check_status(before, after),
        _ => Ok(()),
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

/// Kubelets are no longer configured by it: it is dropped where it is not there already (`core/node`,
/// `dropDisabledFields`).
fn drop_config_source(object: &mut Draft<'_>, before: Option<Node<'_>>) {
    const SOURCE: &str = "configSource";
    let known = before.is_some_and(|before| before.at(&["spec", SOURCE]).is_some_and(|was| !was.is_null()));
    if !known && let Some(spec) = object.existing("spec").filter(|spec| spec.contains(SOURCE)) {
        spec.remove(SOURCE);
    }
}

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
