//! Server-side apply on maps of fields.

use std::collections::BTreeSet;

use fleet_core::FieldConflict;
use serde_json::{Map, Value, json};

/// A field by its names.
pub type Path = Vec<String>;

/// All fields of a document, identity aside. Lists are fields as a whole.
pub fn leaves(document: &Value) -> BTreeSet<Path> {
    let mut found = BTreeSet::new();
    walk(document, &mut Vec::new(), &mut found);
    found.retain(|path| {
        let dotted = path.join(".");
        !matches!(
            dotted.as_str(),
            "apiVersion"
                | "kind"
                | "metadata.name"
                | "metadata.namespace"
                | "metadata.uid"
                | "metadata.resourceVersion"
        ) && path.get(1).is_none_or(|p| p != "managedFields")
    });
    found
}

fn walk(value: &Value, path: &mut Path, found: &mut BTreeSet<Path>) {
    match value {
        Value::Object(map) => {
            for (key, value) in map {
                path.push(key.clone());
                walk(value, path, found);
                path.pop();
            }
        }
        _ => {
            found.insert(path.clone());
        }
    }
}

pub fn get<'a>(value: &'a Value, path: &Path) -> Option<&'a Value> {
    path.iter().try_fold(value, |v, key| v.get(key))
}

pub fn set(value: &mut Value, path: &Path, leaf: Value) {
    let mut at = value;
    for key in path {
        if !at.is_object() {
            *at = Value::Object(Map::new());
        }
        at = at
            .as_object_mut()
            .unwrap()
            .entry(key.clone())
            .or_insert(Value::Null);
    }
    *at = leaf;
}

pub fn remove(value: &mut Value, path: &Path) {
    let (last, parents) = path.split_last().unwrap();
    if let Some(map) = parents
        .iter()
        .try_fold(value, |v, key| v.get_mut(key))
        .and_then(Value::as_object_mut)
    {
        map.remove(last);
    }
}

pub fn fields_v1(paths: &BTreeSet<Path>) -> Value {
    let mut root = json!({});
    for path in paths {
        let names: Path = path.iter().map(|p| format!("f:{p}")).collect();
        set(&mut root, &names, json!({}));
    }
    root
}

/// All fields of a set, as managedFields write it.
fn fields_of(set: &Value, path: &mut Path, found: &mut BTreeSet<Path>) {
    match set.as_object() {
        Some(map) if !map.is_empty() => {
            for (key, inner) in map {
                path.push(key[2..].to_owned());
                fields_of(inner, path, found);
                path.pop();
            }
        }
        _ if path.is_empty() => {}
        _ => {
            found.insert(path.clone());
        }
    }
}

pub fn owned(live: &Value, manager: &str) -> BTreeSet<Path> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    let mut found = BTreeSet::new();
    for entry in entries.into_iter().flatten().filter(|e| e["manager"] == manager) {
        fields_of(&entry["fieldsV1"], &mut Vec::new(), &mut found);
    }
    found
}

pub fn managers(live: &Value) -> Vec<String> {
    let entries = live.pointer("/metadata/managedFields").and_then(Value::as_array);
    entries
        .into_iter()
        .flatten()
        .map(|e| e["manager"].as_str().unwrap().to_owned())
        .collect()
}

fn set_owned(live: &mut Value, manager: &str, operation: &str, paths: &BTreeSet<Path>) {
    let entries = live["metadata"]
        .as_object_mut()
        .unwrap()
        .entry("managedFields")
        .or_insert(json!([]));
    let entries = entries.as_array_mut().unwrap();
    entries.retain(|e| e["manager"] != manager);
    if !paths.is_empty() {
        entries.push(json!({"manager": manager, "operation": operation, "apiVersion": "v1", "fieldsV1": fields_v1(paths)}));
    }
}

/// Applies `document` as `manager`, or says who minds.
pub fn apply(
    live: &Value,
    document: &Value,
    manager: &str,
    force: bool,
) -> Result<Value, Vec<FieldConflict>> {
    let mut after = live.clone();
    let wanted = leaves(document);
    let before = owned(live, manager);
    let mut conflicts = Vec::new();
    for other in managers(live).into_iter().filter(|m| m != manager) {
        let theirs = owned(live, &other);
        let disputed: BTreeSet<Path> = wanted
            .iter()
            .filter(|p| theirs.contains(*p) && get(live, p) != get(document, p))
            .cloned()
            .collect();
        conflicts.extend(
            disputed
                .iter()
                .map(|p| FieldConflict::new(other.clone(), format!(".{}", p.join(".")))),
        );
        if force {
            let left = theirs.difference(&disputed).cloned().collect();
            set_owned(&mut after, &other, "Update", &left);
        }
    }
    if !conflicts.is_empty() && !force {
        return Err(conflicts);
    }
    for path in before.difference(&wanted) {
        let shared = managers(live)
            .iter()
            .any(|m| m != manager && owned(live, m).contains(path));
        if !shared {
            remove(&mut after, path);
        }
    }
    for path in &wanted {
        set(&mut after, path, get(document, path).unwrap().clone());
    }
    set_owned(&mut after, manager, "Apply", &wanted);
    Ok(after)
}

/// Writes one field as `manager` does with an update: it becomes the field's only owner.
pub fn update(live: &mut Value, path: &Path, value: Value, manager: &str) {
    for other in managers(live) {
        let mut theirs = owned(live, &other);
        if theirs.remove(path) {
            let operation = if other == manager { "Update" } else { "Apply" };
            set_owned(live, &other, operation, &theirs);
        }
    }
    let mut ours = owned(live, manager);
    ours.insert(path.clone());
    set_owned(live, manager, "Update", &ours);
    set(live, path, value);
}

/// Replaces a whole object as `manager`: what differs is its, and it alone owns that. Owners that are sent count in place of
/// those that were.
pub fn put(live: &Value, sent: &Value, manager: &str) -> Value {
    let mut base = live.clone();
    if let Some(owners) = sent.pointer("/metadata/managedFields") {
        base["metadata"]["managedFields"] = owners.clone();
    }
    let live = &base;
    let mut after = live.clone();
    let (had, has) = (leaves(live), leaves(sent));
    let differing: BTreeSet<Path> = has
        .iter()
        .filter(|path| get(live, path) != get(sent, path))
        .cloned()
        .collect();
    if differing.is_empty() && had == has {
        return after;
    }
    for path in had.difference(&has) {
        remove(&mut after, path);
    }
    for path in &differing {
        set(&mut after, path, get(sent, path).unwrap().clone());
    }
    for other in managers(live) {
        let mut theirs = owned(live, &other);
        theirs.retain(|path| has.contains(path) && !differing.contains(path));
        let entries = live["metadata"]["managedFields"].as_array().unwrap();
        let operation = entries.iter().find(|e| e["manager"] == other.as_str()).unwrap()["operation"].clone();
        set_owned(&mut after, &other, operation.as_str().unwrap(), &theirs);
    }
    let mut ours = owned(&after, manager);
    ours.extend(differing);
    set_owned(&mut after, manager, "Update", &ours);
    after
}
