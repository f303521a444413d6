//! What a server refuses to write over the object that there is.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::Prediction;
use crate::{
    FieldPath, Object,
    document::Node,
    rules::is_established,
    schema::{Conversion, KindSchema},
};

/// A definition that names another object, or another state of it, is refused
/// (`apimachinery/pkg/api/validation/objectmeta.go`, `ValidateObjectMetaAccessorUpdate`; `registry/store.go`, `Update`).
pub(super) fn check_identity(desired: Node<'_>, live: Option<Node<'_>>) -> Result<(), Prediction> {
    const FIXED: [&str; 4] = [
        "uid",
        "resourceVersion",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
    ];
    let field = |of: Node<'_>, name: &str| {
        let value = of.at(&["metadata", name]).filter(|value| !value.is_null());
        value
            .filter(|value| value.as_str() != Some(""))
            .map(Node::to_json)
    };
    let fixed: &[&str] = if live.is_some() { &FIXED } else { &FIXED[..1] };
    let differs = |name: &&&str| {
        let asked = field(desired, name);
        asked.is_some() && asked != live.and_then(|live| field(live, name))
    };
    match fixed.iter().find(differs) {
        Some(name) => Err(Prediction::refused(
            format!(".metadata.{name}"),
            "is not that of the object",
        )),
        None => Ok(()),
    }
}

/// Fields of `metadata` that a server chooses when an object is made, whatever was sent (apiserver, `rest/meta.go`,
/// `WipeObjectMetaSystemFields`).
pub(super) const SYSTEM: [&str; 5] = [
    "creationTimestamp",
    "deletionGracePeriodSeconds",
    "deletionTimestamp",
    "selfLink",
    "uid",
];

/// Built-in kinds that are only updated with a `resourceVersion` (`AllowUnconditionalUpdate` of their strategies).
const CONDITIONAL: [(&str, &[&str]); 12] = [
    (
        "admissionregistration.k8s.io",
        &[
            "MutatingAdmissionPolicy",
            "MutatingAdmissionPolicyBinding",
            "MutatingWebhookConfiguration",
            "ValidatingAdmissionPolicy",
            "ValidatingAdmissionPolicyBinding",
            "ValidatingWebhookConfiguration",
        ],
    ),
    ("apiextensions.k8s.io", &["CustomResourceDefinition"]),
    ("apiregistration.k8s.io", &["APIService"]),
    (
        "certificates.k8s.io",
        &["ClusterTrustBundle", "PodCertificateRequest"],
    ),
    ("coordination.k8s.io", &["Lease", "LeaseCandidate"]),
    ("internal.apiserver.k8s.io", &["StorageVersion"]),
    ("lifecycle.k8s.io", &["Eviction", "EvictionRequest"]),
    ("node.k8s.io", &["RuntimeClass"]),
    ("policy", &["PodDisruptionBudget"]),
    ("resource.k8s.io", &["ResourcePoolStatusRequest"]),
    (
        "scheduling.k8s.io",
        &["CompositePodGroup", "PodGroup", "Workload"],
    ),
    (
        "storage.k8s.io",
        &["CSIDriver", "CSINode", "CSIStorageCapacity", "VolumeAttachment"],
    ),
];

/// An update that is about another object, or another state of it (`registry/store.go`, `Update`, and
/// `ValidateObjectMetaAccessorUpdate`); a creation that says it is about something that is there.
pub(super) fn check_sent(
    sent: &Object,
    live: Option<&Object>,
    kind: &KindSchema<'_>,
) -> Result<(), Prediction> {
    let text = |of: &Object, name: &str| {
        let text = of.metadata_text(name).unwrap_or("");
        text.to_owned()
    };
    let field = |of: &Object, name: &str| {
        of.metadata()
            .get(name)
            .filter(|value| !value.is_null())
            .map(Node::to_json)
    };
    let refused = |name: &str, problem: &str| Err(Prediction::refused(format!(".metadata.{name}"), problem));
    let version = text(sent, "resourceVersion");
    let has_version = !matches!(&*version, "" | "0");
    let Some(live) = live else {
        return match has_version {
            true => refused("resourceVersion", "must not be set of what is new"),
            false => Ok(()),
        };
    };
    let uid = text(sent, "uid");
    if !uid.is_empty() && uid != text(live, "uid") {
        return Err(Prediction::conflict(".metadata.uid"));
    }
    if has_version && version != text(live, "resourceVersion") {
        return Err(Prediction::conflict(".metadata.resourceVersion"));
    }
    // What was read from no server has none.
    let was_read = !text(live, "resourceVersion").is_empty();
    if !has_version && was_read && is_conditional(sent, kind) {
        return refused("resourceVersion", "must be set for an update");
    }
    let is_deleted = field(live, "deletionTimestamp").is_some();
    if !is_deleted && field(sent, "deletionTimestamp").is_some() {
        return refused("deletionTimestamp", "must not change");
    }
    let grace = field(sent, "deletionGracePeriodSeconds");
    if grace.is_some() && grace != field(live, "deletionGracePeriodSeconds") {
        return refused("deletionGracePeriodSeconds", "must not change");
    }
    let finalizers = |of: &Object| {
        let list = of.metadata().get("finalizers").into_iter().flat_map(Node::items);
        list.map(Node::to_json).collect::<Vec<_>>()
    };
    if is_deleted {
        let known = finalizers(live);
        if finalizers(sent)
            .iter()
            .any(|finalizer| !known.contains(finalizer))
        {
            return refused(
                "finalizers",
                "must not get more while the object is being deleted",
            );
        }
    }
    Ok(())
}

fn is_conditional(object: &Object, kind: &KindSchema<'_>) -> bool {
    let (group, name) = (object.gvk().group(), object.gvk().kind());
    let is_listed = || {
        CONDITIONAL
            .iter()
            .any(|(of, kinds)| *of == group && kinds.contains(&name))
    };
    match kind.native {
        true => is_listed(),
        // What is only known from an OpenAPI document may be of a server that does otherwise.
        false => !kind.deduced && kind.conversion != Conversion::Unknown,
    }
}

/// What is no certificate may stay in a definition, but not come (`apiextensions/validation`, `allowInvalidCABundle`).
pub(super) fn check_certificates(merged: Node<'_>, live: Node<'_>) -> Result<(), Prediction> {
    const BUNDLE: [&str; 5] = ["spec", "conversion", "webhook", "clientConfig", "caBundle"];
    let bundle = |of: Node<'_>| {
        let text = of.at(&BUNDLE).and_then(Node::as_str).unwrap_or_default();
        BASE64.decode(text).unwrap_or_default()
    };
    let is_valid = |bundle: &[u8]| {
        let begin = b"-----BEGIN CERTIFICATE-----";
        bundle.is_empty() || bundle.windows(begin.len()).any(|part| part == begin)
    };
    if is_established(live) && is_valid(&bundle(live)) && !is_valid(&bundle(merged)) {
        let path = FieldPath::keys(BUNDLE).to_string();
        return Err(Prediction::refused(path, "must be certificates"));
    }
    Ok(())
}
