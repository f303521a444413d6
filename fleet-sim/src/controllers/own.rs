//! What controllers of workloads have in common.

use std::sync::Arc;

use fleet_diff::{Digest, Node, Object};
use serde_json::{Value, json};

use crate::{
    resources::Resource,
    server::{Server, table_of},
    store::{Key, Stored},
    write::LETTERS,
};

impl Server {
    /// The resource at its preferred version.
    pub(super) fn resource(&self, group: &str, plural: &str) -> Option<Arc<Resource>> {
        self.resources.of_resource(group, plural).cloned()
    }

    /// All objects of a resource.
    pub(super) fn each(&self, group: &str, plural: &str) -> Vec<(Key, Arc<Stored>)> {
        let Some(resource) = self.resources.of_resource(group, plural) else {
            return Vec::new();
        };
        let all = self.store.all(&table_of(resource), None);
        all.map(|(key, stored)| (key.clone(), stored.clone())).collect()
    }

    /// The objects of a resource that an object controls.
    pub(super) fn owned(&self, group: &str, plural: &str, owner: &Object) -> Vec<Object> {
        let Some(resource) = self.resources.of_resource(group, plural) else {
            return Vec::new();
        };
        let uid = owner.metadata_text("uid");
        let is_owned = |object: &&Object| {
            let references = object.metadata().get("ownerReferences");
            references
                .into_iter()
                .flat_map(Node::items)
                .any(|one| one.get("uid").and_then(Node::as_str) == uid)
        };
        let all = self.store.all(&table_of(resource), owner.namespace());
        all.map(|(_, stored)| &stored.object)
            .filter(is_owned)
            .cloned()
            .collect()
    }
}

/// As the controller of what it makes.
pub(super) fn reference(owner: &Value) -> Value {
    json!({
        "apiVersion": owner["apiVersion"], "kind": owner["kind"], "name": owner["metadata"]["name"],
        "uid": owner["metadata"]["uid"], "controller": true, "blockOwnerDeletion": true,
    })
}

/// Whether a pod has come to its end.
pub(super) fn has_ended(pod: &Object) -> bool {
    let phase = pod.root().at(&["status", "phase"]).and_then(Node::as_str);
    matches!(phase, Some("Succeeded" | "Failed"))
}

/// A number, or none of it.
pub(super) fn number(object: &Object, path: &[&str]) -> i64 {
    object.root().at(path).and_then(Node::as_i64).unwrap_or(0)
}

/// Writes numbers that are not zero, as Go's `omitempty` does.
pub(super) fn count(status: &mut Value, counts: &[(&str, i64)]) {
    for (field, count) in counts.iter().filter(|(_, count)| *count != 0) {
        status[*field] = (*count).into();
    }
}

/// A condition: type, status, reason and message. Its times move only when it does.
pub(super) fn condition(
    before: &Value,
    (kind, status, reason, message): (&str, &str, &str, &str),
    time: &str,
) -> Value {
    let before = before
        .as_array()
        .into_iter()
        .flatten()
        .find(|one| one["type"] == kind);
    let same = |field: &str, wanted: &str| before.is_some_and(|before| before[field] == wanted);
    let kept = |field: &str| before.map_or_else(|| time.into(), |before| before[field].clone());
    let turned = if same("status", status) {
        kept("lastTransitionTime")
    } else {
        time.into()
    };
    let updated = if same("status", status) && same("reason", reason) {
        kept("lastUpdateTime")
    } else {
        time.into()
    };
    json!({"type": kind, "status": status, "reason": reason, "message": message, "lastTransitionTime": turned,
        "lastUpdateTime": updated})
}

/// The first letters that a digest gives for a name.
pub(super) fn letters(digest: &Digest, count: usize) -> String {
    let bytes = digest.as_bytes().iter().take(count);
    bytes
        .map(|byte| char::from(LETTERS[usize::from(*byte) % LETTERS.len()]))
        .collect()
}
