//! Merge patches (RFC 7386).

use serde_json::{Map, Value};

/// The merge patch that makes `after` of `before`; an empty mapping when they are equal.
///
/// A value of `null` inside `after` cannot be written by such a patch: it is removed instead, which is the same to an
/// API server.
///
/// ```
/// use serde_json::json;
///
/// let before = json!({"spec": {"replicas": 1, "paused": true}});
/// let after = json!({"spec": {"replicas": 2}});
/// assert_eq!(fleet_diff::merge_patch(&before, &after), json!({"spec": {"paused": null, "replicas": 2}}));
/// ```
pub fn merge_patch(before: &Value, after: &Value) -> Value {
    match (before, after) {
        (Value::Object(before), Value::Object(after)) => Value::Object(mappings(before, after)),
        _ if before == after => Value::Object(Map::new()),
        _ => after.clone(),
    }
}

fn mappings(before: &Map<String, Value>, after: &Map<String, Value>) -> Map<String, Value> {
    let mut patch = Map::new();
    for (key, old) in before {
        match after.get(key) {
            None => {
                patch.insert(key.clone(), Value::Null);
            }
            Some(new) if new == old => {}
            Some(new) => {
                patch.insert(key.clone(), merge_patch(old, new));
            }
        }
    }
    for (key, new) in after.iter().filter(|(key, _)| !before.contains_key(*key)) {
        patch.insert(key.clone(), new.clone());
    }
    patch
}
