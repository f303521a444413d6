//! The annotation in which client-side applies remember what they applied, and what an apply as `kubectl` makes of it
//! (apimachinery, `managedfields/internal/lastappliedmanager.go` and `lastappliedupdater.go`).

use crate::{
    Document, FieldSet, Gvk,
    document::Node,
    schema::KindSchema,
    typed::{self, Duplicates},
};

pub(crate) const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

/// The only manager that takes over from client-side applies.
pub(crate) const MANAGER: &str = "kubectl";

/// All annotations of an object together may have this many bytes.
const LARGEST: usize = 256 * 1024;

pub(crate) fn of(object: Node<'_>) -> Option<&str> {
    let annotations = object.get("metadata")?.get("annotations")?;
    annotations
        .get(ANNOTATION)?
        .as_str()
        .filter(|text| !text.is_empty())
}

/// The fields that the last client-side apply set and that are still as it set them: conflicts about them do not count.
pub(crate) fn still_applied(kind: KindSchema<'_>, gvk: &Gvk, live: &Document) -> Option<FieldSet> {
    let last: Document = of(live.root())?.parse().ok()?;
    if last.root().get("apiVersion").and_then(Node::as_str) != Some(&gvk.api_version()) {
        return None;
    }
    for object in [live, &last] {
        typed::validate(kind.layer, kind.root, object.root(), Duplicates::Refused).ok()?;
    }
    let found = typed::compare(kind.layer, kind.root, last.root(), live.root());
    let fields = typed::field_set(kind.layer, kind.root, last.root());
    Some(
        fields
            .difference(&found.modified)
            .difference(&found.added)
            .difference(&found.removed),
    )
}

/// What the annotation becomes: what was applied, without the annotation itself. None when there is no annotation to
/// keep up to date, an empty text when it would be too large and goes.
pub(crate) fn renewed(merged: Node<'_>, applied: &Document) -> Option<String> {
    of(merged)?;
    let mut object = applied.to_json();
    if let Some(metadata) = object
        .get_mut("metadata")
        .and_then(serde_json::Value::as_object_mut)
    {
        match metadata.get_mut("annotations") {
            Some(serde_json::Value::Object(annotations)) => drop(annotations.remove(ANNOTATION)),
            // Written back, a null is nothing.
            Some(serde_json::Value::Null) => drop(metadata.remove("annotations")),
            _ => {}
        }
    }
    let mut text = crate::set::escaped(&object.to_string());
    text.push('\n');
    let annotations = merged
        .get("metadata")
        .and_then(|metadata| metadata.get("annotations"));
    let others: usize = annotations
        .into_iter()
        .flat_map(Node::entries)
        .filter(|(key, _)| *key != ANNOTATION)
        .map(|(key, value)| key.len() + value.as_str().map_or(0, str::len))
        .sum();
    Some(if others + ANNOTATION.len() + text.len() > LARGEST {
        String::new()
    } else {
        text
    })
}
