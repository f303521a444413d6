//! Who owns a field, according to `metadata.managedFields`.

mod extract;
mod hand_over;
mod memory;
mod update;
mod write;

use serde::Serialize;

use crate::{
    FieldPath, FieldSet, Node, Object, PathElement,
    managed_fields::{Entry, entries},
    set,
};

pub use extract::extract;
pub use hand_over::{migrate_updates, rename_manager, repair_versions};
pub use memory::{Memory, MemoryError, without_updates};
pub use update::Update;
pub use write::OwnersError;

/// A field manager, as one entry of `metadata.managedFields` names it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldManager {
    /// The manager's name, such as `kubectl-client-side-apply`.
    pub name: String,
    /// `Apply` or `Update`.
    pub operation: String,
    /// The subresource it wrote through, such as `status`; empty for the object itself.
    pub subresource: String,
    /// The API version its paths are written in.
    pub api_version: String,
    /// When its entry last changed, as the server wrote it.
    pub time: Option<String>,
}

/// The managers that own the field at `path`, in the order of the object's entries.
///
/// A manager owns a field when its entry lists the field itself, or lists a field around it as a whole. The latter is
/// how the server records lists and mappings it never splits; a mapping that was applied empty looks the same, so
/// fields later put into it count as its applier's too. A manager that owns only parts of the field is not named: see
/// [`managers_within`].
///
/// List elements may be given by key fields, by value or by position, whichever way the entry names them: both are
/// looked up in `live`. Entries that make no sense are passed over.
///
/// ```
/// use fleet_diff::{FieldPath, Object, managers_of};
/// use serde_json::json;
///
/// let live = Object::from_json(json!({
///     "apiVersion": "apps/v1", "kind": "Deployment",
///     "metadata": {"name": "web", "managedFields": [
///         {"manager": "autoscaler", "operation": "Update", "subresource": "scale", "apiVersion": "apps/v1",
///          "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {"f:replicas": {}}}},
///     ]},
///     "spec": {"replicas": 3},
/// }))?;
/// let owners = managers_of(&live, &FieldPath::keys(["spec", "replicas"]));
/// assert_eq!(owners[0].name, "autoscaler");
/// # Ok::<(), fleet_diff::ObjectError>(())
/// ```
pub fn managers_of(live: &Object, path: &FieldPath) -> Vec<FieldManager> {
    managers(live, path, |claim| claim == Claim::Whole)
}

/// The managers that own the field at `path` or anything inside it, in the order of the object's entries.
///
/// This is the question to ask before a whole mapping or list element goes.
pub fn managers_within(live: &Object, path: &FieldPath) -> Vec<FieldManager> {
    managers(live, path, |claim| claim != Claim::None)
}

fn managers(live: &Object, path: &FieldPath, counts: impl Fn(Claim) -> bool) -> Vec<FieldManager> {
    entries(live)
        .filter(|entry| {
            let set = entry.fields.map(FieldSet::from_node_leniently);
            let claim = set.map(|set| claim(&set, live.root(), path));
            counts(claim.unwrap_or(Claim::None))
        })
        .map(|entry| manager(&entry))
        .collect()
}

fn manager(entry: &Entry<'_>) -> FieldManager {
    FieldManager {
        name: entry.manager.to_owned(),
        operation: entry.operation.to_owned(),
        subresource: entry.subresource.to_owned(),
        api_version: entry.api_version.to_owned(),
        time: entry.time.map(str::to_owned),
    }
}

/// What one entry claims of a field.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Claim {
    None,
    Parts,
    Whole,
}

fn claim(set: &FieldSet, live: Node<'_>, path: &FieldPath) -> Claim {
    let Some((last, outer)) = path.elements().split_last() else {
        return if set.is_empty() { Claim::None } else { Claim::Parts };
    };
    let (mut set, mut value) = (set, Some(live));
    for element in outer {
        match child(set, element, value) {
            None => return Claim::None,
            Some(entry) if entry.inside.is_empty() => return Claim::Whole,
            Some(entry) => set = &entry.inside,
        }
        value = value.and_then(|value| FieldPath::new([element.clone()]).find(value));
    }
    match child(set, last, value) {
        None => Claim::None,
        Some(entry) if entry.member => Claim::Whole,
        Some(_) => Claim::Parts,
    }
}

/// The part of a set that is about one element of `value`, whichever way the set names it.
fn child<'a>(set: &'a FieldSet, element: &PathElement, value: Option<Node<'_>>) -> Option<&'a set::Entry> {
    if let Some(entry) = set.find(element) {
        return Some(entry);
    }
    let list = value.filter(|value| value.is_list())?;
    let wanted = element.position(list)?;
    set.entries()
        .iter()
        .find(|entry| entry.element.position(list) == Some(wanted))
}
