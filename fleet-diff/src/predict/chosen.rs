//! What a server chooses itself, and what stays as it is: left out of every comparison, or taken over.

use serde_json::{Map, Value};

use crate::{
    FieldPath, Gvk, LEFT_OUT, Object, PathElement,
    document::Node,
    storage::{Draft, Tree, View},
};

/// Fields whose values a server chooses itself, as group, kind and path; `*` is every element of a list. An empty group
/// and kind mean all. A dry run does not show the values that the write will have.
pub const CHOSEN: &[(&str, &str, &[&str])] = &[
    ("", "", &["metadata", "uid"]),
    ("", "", &["metadata", "creationTimestamp"]),
    ("", "Service", &["spec", "clusterIP"]),
    ("", "Service", &["spec", "clusterIPs"]),
    ("", "Service", &["spec", "healthCheckNodePort"]),
    ("", "Service", &["spec", "ipFamilies"]),
    ("", "Service", &["spec", "ipFamilyPolicy"]),
    ("", "Service", &["spec", "ports", "*", "nodePort"]),
    ("", "PersistentVolume", &["status", "lastPhaseTransitionTime"]),
    (
        "batch",
        "Job",
        &["metadata", "labels", "batch.kubernetes.io/controller-uid"],
    ),
    ("batch", "Job", &["metadata", "labels", "controller-uid"]),
    ("batch", "Job", &["spec", "selector"]),
    (
        "batch",
        "Job",
        &[
            "spec",
            "template",
            "metadata",
            "labels",
            "batch.kubernetes.io/controller-uid",
        ],
    ),
    (
        "batch",
        "Job",
        &["spec", "template", "metadata", "labels", "controller-uid"],
    ),
    (
        "batch",
        "Job",
        &[
            "spec",
            "template",
            "metadata",
            "labels",
            "batch.kubernetes.io/job-name",
        ],
    ),
    (
        "batch",
        "Job",
        &["spec", "template", "metadata", "labels", "job-name"],
    ),
];

/// What of a server's answer can be compared with a prediction: without [`LEFT_OUT`], and without the fields of
/// [`CHOSEN`] that the prediction leaves open.
pub fn comparable(answer: &Object, prediction: &Object) -> Value {
    let (mut value, prediction) = (answer.to_json(), prediction.to_json());
    if let Some(metadata) = value.get_mut("metadata").and_then(Value::as_object_mut) {
        for field in LEFT_OUT {
            metadata.remove(*field);
        }
    }
    let gvk = answer.gvk();
    for (group, kind, path) in CHOSEN {
        if kind.is_empty() || (*group == gvk.group() && *kind == gvk.kind()) {
            take(&mut value, &prediction, path);
        }
    }
    value
}

/// True for a field of [`CHOSEN`].
pub(crate) fn is_chosen(gvk: &Gvk, path: &FieldPath) -> bool {
    let of_kind = CHOSEN
        .iter()
        .filter(|(group, kind, _)| kind.is_empty() || (*group == gvk.group() && *kind == gvk.kind()));
    let agrees = |wanted: &[&str]| {
        wanted.len() <= path.elements().len()
            && wanted
                .iter()
                .zip(path.elements())
                .all(|(wanted, element)| match element {
                    PathElement::Key(key) => **key == **wanted,
                    _ => *wanted == "*",
                })
    };
    of_kind.map(|(_, _, wanted)| *wanted).any(agrees)
}

/// Removes the value at the path where the other has none.
fn take(value: &mut Value, other: &Value, path: &[&str]) {
    match (path, value) {
        (["*", rest @ ..], Value::Array(items)) => {
            for (i, item) in items.iter_mut().enumerate() {
                take(item, other.get(i).unwrap_or(&Value::Null), rest);
            }
        }
        ([key], Value::Object(map)) if other.get(*key).is_none() => {
            map.remove(*key);
        }
        ([key, rest @ ..], Value::Object(map)) => {
            if let Some(inner) = map.get_mut(*key) {
                take(inner, other.get(*key).unwrap_or(&Value::Null), rest);
                if inner.as_object().is_some_and(Map::is_empty) && other.get(*key).is_none() {
                    map.remove(*key);
                }
            }
        }
        _ => {}
    }
}

/// Fields of `metadata` that an apply does not change.
const KEPT: [&str; 6] = [
    "uid",
    "creationTimestamp",
    "generation",
    "deletionTimestamp",
    "deletionGracePeriodSeconds",
    "resourceVersion",
];

pub(super) fn keep_identity<'n>(object: &mut Draft<'n>, before: Node<'n>) {
    let before = before.get("metadata");
    let same = |field: &str| {
        let was = before.and_then(|before| before.get(field));
        match (object.at(&["metadata", field]), was) {
            (Some(View::Node(is)), Some(was)) => is == was,
            (None, None) => true,
            _ => false,
        }
    };
    if KEPT.iter().all(|field| same(field)) {
        return;
    }
    let Some(metadata) = object.existing("metadata") else {
        return;
    };
    for field in KEPT {
        match before.and_then(|before| before.get(field)) {
            Some(value) => metadata.put(field, Tree::Node(value)),
            None => {
                metadata.remove(field);
            }
        }
    }
}
