//! Definitions that a server refuses to merge into the object that there is.

use base64::{Engine as _, engine::general_purpose::STANDARD as BASE64};

use super::Prediction;
use crate::{FieldPath, document::Node, rules::is_established};

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
