//! Hiding what a Secret holds.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use crate::{FieldChange, FieldPath, FieldVerdict, ObjectKey, PathElement};

/// What stands for a hidden value.
pub(crate) const HIDDEN: &str = "(secret)";
/// What stands for a hidden value that is not the one before.
pub(super) const HIDDEN_AND_CHANGED: &str = "(secret, changed)";

/// Fields of a Secret's `metadata` that are shown. Annotations are not among them: they may repeat the whole Secret, as
/// `kubectl.kubernetes.io/last-applied-configuration` does.
const SHOWN_METADATA: &[&str] = &[
    "name",
    "namespace",
    "generateName",
    "labels",
    "uid",
    "resourceVersion",
    "generation",
    "creationTimestamp",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "finalizers",
    "ownerReferences",
    "managedFields",
    "selfLink",
];

/// Hides the values of a Secret in changes of it; changes of other objects stay as they are.
///
/// Everything but the identity, the type and the plain parts of `metadata` is hidden, so a misspelt or misplaced field
/// is too. Names of entries stay. A hidden value becomes the text `(secret)`, and `(secret, changed)` where it differs
/// from the one before; neither its length nor any part of it is left. Changes inside one entry become one change.
///
/// ```
/// use fleet_diff::{ObjectKey, json_changes, masked};
/// use serde_json::json;
///
/// let found = json_changes(&json!({"data": {"password": "YQ=="}}), &json!({"data": {"password": "Yg=="}}));
/// let hidden = masked(&ObjectKey::new("", "Secret", Some("shop"), "db"), found);
/// assert_eq!(serde_json::to_value(hidden).unwrap(), json!([
///     {"path": ".data.password", "before": "(secret)", "after": "(secret, changed)"},
/// ]));
/// ```
pub fn masked(key: &ObjectKey, changes: Vec<FieldChange>) -> Vec<FieldChange> {
    if !key.is_secret() {
        return changes;
    }
    let mut seen = BTreeSet::new();
    changes
        .into_iter()
        .map(hide_change)
        .filter(|change| seen.insert(change.path.clone()))
        .collect()
}

/// Hides the values of a Secret in verdicts on its fields, and those that a rule calls sensitive in any object's.
pub fn masked_fields(
    key: &ObjectKey,
    fields: Vec<FieldVerdict>,
    is_sensitive: impl Fn(&FieldPath) -> bool,
) -> Vec<FieldVerdict> {
    let hide_one = |field: FieldVerdict| {
        if key.is_secret() {
            let FieldVerdict {
                path, before, after, ..
            } = field.clone();
            // An unchanged value has no other side to differ from.
            let hidden = hide_change(FieldChange { path, before, after });
            return FieldVerdict {
                path: hidden.path,
                before: hidden.before.filter(|_| field.before.is_some()),
                after: hidden.after.filter(|_| field.after.is_some()),
                ..field
            };
        }
        if is_sensitive(&field.path) {
            let (before, after) = hide(Zone::Nothing, field.before.clone(), field.after.clone());
            return FieldVerdict {
                before,
                after,
                ..field
            };
        }
        field
    };
    fields.into_iter().map(hide_one).collect()
}

/// As [`masked`], and of any object what is sensitive.
pub(crate) fn masked_changes(
    key: &ObjectKey,
    changes: Vec<FieldChange>,
    is_sensitive: impl Fn(&FieldPath) -> bool,
) -> Vec<FieldChange> {
    let hide_one = |change: FieldChange| {
        if !is_sensitive(&change.path) {
            return change;
        }
        let (before, after) = hide(Zone::Nothing, change.before, change.after);
        FieldChange {
            path: change.path,
            before,
            after,
        }
    };
    masked(key, changes).into_iter().map(hide_one).collect()
}

/// Hides the values of a Secret in the whole object, such as one to be created; other objects stay as they are.
pub fn masked_value(key: &ObjectKey, value: Value) -> Value {
    if !key.is_secret() {
        return value;
    }
    hide(Zone::Object, None, Some(value)).1.unwrap_or_default()
}

/// What a part of a Secret may show.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    Object,
    Metadata,
    /// The names of its entries.
    Entries,
    /// Itself if it is no mapping or list.
    Scalar,
    /// Everything.
    Open,
    Nothing,
}

impl Zone {
    fn entry(self, name: &str) -> Self {
        match (self, name) {
            (Self::Object, "apiVersion" | "kind" | "type" | "immutable") => Self::Scalar,
            (Self::Object, "metadata") => Self::Metadata,
            (Self::Metadata, name) if SHOWN_METADATA.contains(&name) => Self::Open,
            (Self::Object | Self::Metadata, _) => Self::Entries,
            (Self::Open, _) => Self::Open,
            (Self::Entries | Self::Scalar | Self::Nothing, _) => Self::Nothing,
        }
    }
}

fn hide_change(change: FieldChange) -> FieldChange {
    let mut zone = Zone::Object;
    for (depth, element) in change.path.elements().iter().enumerate() {
        let shown = match element {
            PathElement::Key(name) => {
                zone = zone.entry(name);
                depth + 1
            }
            _ if zone == Zone::Open => continue,
            // The element itself may be named by what is hidden.
            _ => {
                zone = Zone::Nothing;
                depth
            }
        };
        if zone == Zone::Nothing && shown < change.path.elements().len() {
            return FieldChange {
                path: FieldPath::new(change.path.elements()[..shown].iter().cloned()),
                before: Some(HIDDEN.into()),
                after: Some(HIDDEN_AND_CHANGED.into()),
            };
        }
    }
    let (before, after) = hide(zone, change.before, change.after);
    FieldChange {
        path: change.path,
        before,
        after,
    }
}

/// Hides two states of one part; of a mapping only as much as needed.
fn hide(zone: Zone, before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    match (zone, before, after) {
        (Zone::Open, before, after) => (before, after),
        (Zone::Scalar, before, after) if is_scalar(before.as_ref()) && is_scalar(after.as_ref()) => {
            (before, after)
        }
        (Zone::Object | Zone::Metadata | Zone::Entries, before, after)
            if is_mapping(before.as_ref()) && is_mapping(after.as_ref()) =>
        {
            hide_entries(zone, before, after)
        }
        (_, before, after) => {
            let changed = before.is_some() && before != after;
            let mark = if changed { HIDDEN_AND_CHANGED } else { HIDDEN };
            (before.map(|_| HIDDEN.into()), after.map(|_| mark.into()))
        }
    }
}

fn hide_entries(zone: Zone, before: Option<Value>, after: Option<Value>) -> (Option<Value>, Option<Value>) {
    let (mut before, mut after) = (before, after);
    let names: BTreeSet<String> = [&before, &after]
        .into_iter()
        .flatten()
        .filter_map(Value::as_object)
        .flat_map(|map| map.keys().cloned())
        .collect();
    for name in names {
        let (old, new) = (take(&mut before, &name), take(&mut after, &name));
        let (old, new) = hide(zone.entry(&name), old, new);
        put(&mut before, &name, old);
        put(&mut after, &name, new);
    }
    (before, after)
}

fn mapping(side: &mut Option<Value>) -> Option<&mut Map<String, Value>> {
    side.as_mut().and_then(Value::as_object_mut)
}

fn take(side: &mut Option<Value>, name: &str) -> Option<Value> {
    mapping(side).and_then(|map| map.get_mut(name).map(Value::take))
}

fn put(side: &mut Option<Value>, name: &str, value: Option<Value>) {
    if let (Some(map), Some(value)) = (mapping(side), value) {
        map.insert(name.to_owned(), value);
    }
}

/// A mapping, or nothing that could be hidden.
fn is_mapping(value: Option<&Value>) -> bool {
    matches!(value, None | Some(Value::Object(_) | Value::Null))
}

fn is_scalar(value: Option<&Value>) -> bool {
    !matches!(value, Some(Value::Object(_) | Value::Array(_)))
}
