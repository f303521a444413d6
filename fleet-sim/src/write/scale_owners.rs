//! Who owns the replicas after a write of a `Scale` (`apimachinery/pkg/util/managedfields/scalehandler.go`).
//!
//! The server shows the owners of the replicas as owners of the `Scale`, lets them be changed there, and takes them back.
//! As owners by update bear the version of what they wrote, none of them is recognized then: each is taken for a new one,
//! with the replicas alone and without a time. If it owns more than that it has two entries, of which the second counts.

use serde_json::{Value, json};

use super::scale::ScalePaths;

/// The owners after `manager` wrote the replicas through `scale`; `changed` says whether they are others now.
pub(super) fn after(
    paths: &ScalePaths,
    api_version: &str,
    before: &Value,
    manager: &str,
    changed: bool,
) -> Vec<Value> {
    let entries = known(before);
    let path = paths.owned_as();
    let owns = |entry: &Value| entry["fieldsV1"].pointer(&path).is_some();
    // Those that own replicas in the `Scale`, after the write.
    let mut scale: Vec<Value> = entries.iter().filter(|entry| owns(entry)).cloned().collect();
    if changed {
        let own = json!({"manager": manager, "operation": "Update", "apiVersion": api_version, "subresource": "scale"});
        scale = vec![own];
    }
    let mut after = Vec::new();
    for entry in entries {
        // Entries of other versions are dropped.
        if entry["apiVersion"] != api_version {
            continue;
        }
        let is_kept = |other: &Value| other["operation"] == "Apply" && same_owner(other, &entry);
        if !owns(&entry) {
            after.push(entry);
        } else if scale.iter().any(is_kept) {
            scale.retain(|other| !is_kept(other));
            after.push(entry);
        } else {
            let mut left = entry;
            paths.disown(&mut left["fieldsV1"]);
            if left["fieldsV1"]
                .as_object()
                .is_some_and(|fields| !fields.is_empty())
            {
                after.push(left);
            }
        }
    }
    after.extend(scale.into_iter().map(|mut entry| {
        entry["apiVersion"] = api_version.into();
        entry["fieldsType"] = "FieldsV1".into();
        entry["fieldsV1"] = paths.owned_alone();
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
        entry
    }));
    after.sort_by_key(order);
    after
}

/// The entries as they are read: of two of the same owner the second counts.
fn known(entries: &Value) -> Vec<Value> {
    let mut known: Vec<Value> = Vec::new();
    for entry in entries.as_array().into_iter().flatten() {
        let same = |other: &Value| same_owner(other, entry);
        known.retain(|other| !same(other));
        known.push(entry.clone());
    }
    known
}

fn same_owner(a: &Value, b: &Value) -> bool {
    let same = |key: &str| a[key] == b[key];
    same("manager")
        && same("operation")
        && same("subresource")
        && (a["operation"] == "Apply" || same("apiVersion"))
}

/// As they are stored (`sortEncodedManagedFields`).
fn order(entry: &Value) -> [String; 5] {
    ["operation", "time", "manager", "apiVersion", "subresource"]
        .map(|key| entry[key].as_str().unwrap_or("").to_owned())
}
