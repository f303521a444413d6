//! The endpoint of the status: it writes the status, of some kinds metadata too, and nothing else.

use crate::{
    Document, FieldPath, FieldSet, Gvk, Object,
    document::Node,
    schema::KindSchema,
    storage::{Draft, Tree, View},
};

/// What of the metadata this endpoint leaves as it is.
enum Kept {
    Everything,
    /// These fields.
    Fields(&'static [&'static str]),
}

/// From the `PrepareForUpdate` of the strategies for a status (`pkg/registry`, `apiextensions-apiserver`,
/// `kube-aggregator`).
fn kept(kind: KindSchema<'_>, gvk: &Gvk) -> Kept {
    match (gvk.group(), gvk.kind()) {
        _ if !kind.native => Kept::Everything,
        ("", "Pod") => Kept::Fields(&["deletionTimestamp", "ownerReferences"]),
        ("apps", "Deployment") => Kept::Fields(&["labels"]),
        ("" | "apps" | "autoscaling" | "batch" | "policy" | "apiextensions.k8s.io", _)
        | ("networking.k8s.io", "Ingress")
        | ("certificates.k8s.io", "CertificateSigningRequest") => Kept::Fields(&[]),
        _ => Kept::Everything,
    }
}

/// The fields that this endpoint does not write, whatever is sent (`GetResetFields` of the same strategies).
pub(super) fn resets(kind: KindSchema<'_>, gvk: &Gvk) -> FieldSet {
    let mut paths = vec![FieldPath::keys(["spec"])];
    match kept(kind, gvk) {
        Kept::Everything => paths.push(FieldPath::keys(["metadata"])),
        Kept::Fields(fields) => paths.extend(fields.iter().map(|field| FieldPath::keys(["metadata", field]))),
    }
    if gvk.kind() == "CertificateSigningRequest" {
        paths.push(FieldPath::keys(["status", "conditions"]));
    }
    paths.into_iter().collect()
}

/// What is written of what was sent: the live object with another status, and the metadata that this endpoint takes.
pub(super) fn written(kind: KindSchema<'_>, live: &Object, sent: Node<'_>) -> Document {
    let mut object = Draft::of(live.root());
    match sent.get("status") {
        Some(status) => object.put("status", Tree::Node(status)),
        None => drop(object.remove("status")),
    }
    if let Kept::Fields(fields) = kept(kind, live.gvk()) {
        let mut metadata = sent.get("metadata").map(Draft::of).unwrap_or_default();
        for field in fields {
            match live.metadata().get(field) {
                Some(value) => metadata.put(field, Tree::Node(value)),
                None => drop(metadata.remove(field)),
            }
        }
        object.put("metadata", Tree::Map(metadata));
    }
    object.finish(live.document())
}

/// What of a status a server keeps by itself.
pub(super) fn keep_parts(object: &mut Draft<'_>, live: &Object) {
    let (field, only_with) = match (live.gvk().group(), live.gvk().kind()) {
        ("", "Pod") => ("qosClass", None),
        ("", "PersistentVolume") => ("lastPhaseTransitionTime", Some("phase")),
        _ => return,
    };
    let was = |field: &str| live.root().at(&["status", field]);
    let is = |object: &Draft<'_>, field: &str| object.at(&["status", field]).map(View::to_json);
    if is(object, field).is_none()
        && only_with.is_none_or(|with| is(object, with) == was(with).map(Node::to_json))
        && let Some(value) = was(field).map(Node::to_json)
        && let Some(status) = object.inner("status")
    {
        status.set(field, value);
    }
}
