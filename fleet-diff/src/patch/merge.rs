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

/// What a merge patch makes of a value. As with API servers (`evanphx/json-patch`, `merge.go`), nulls inside lists that
/// are new go too.
pub(crate) fn merge(into: &mut Value, patch: &Value) {
    let (map, patch) = match (into, patch) {
        (Value::Object(map), Value::Object(patch)) => (map, patch),
        (into @ Value::Object(_), _) => return into.clone_from(patch),
        (into, _) => {
            *into = without_nulls(patch);
            return;
        }
    };
    for (key, value) in patch {
        match map.get_mut(key) {
            _ if value.is_null() => drop(map.remove(key)),
            Some(known) if !known.is_null() => merge(known, value),
            _ => drop(map.insert(key.clone(), without_nulls(value))),
        }
    }
}

fn without_nulls(value: &Value) -> Value {
    match value {
        Value::Object(map) => {
            let rest = map.iter().filter(|(_, value)| !value.is_null());
            rest.map(|(key, value)| (key.clone(), without_nulls(value)))
                .collect()
        }
        Value::Array(items) => {
            let item = |item: &Value| match item {
                Value::Null => Value::Null,
                other => without_nulls(other),
            };
            items.iter().map(item).collect()
        }
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// The table of RFC 7386, appendix A, and what API servers do differently.
    #[test]
    fn a_merge_patch_makes_what_the_standard_says() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b"}), json!({"a": null}), json!({})),
            (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
            (json!({"a": [1]}), json!({"a": [{"b": null}]}), json!({"a": [{}]})),
            (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
            (json!([1, 2]), json!({"a": "b", "c": null}), json!({"a": "b"})),
            (
                json!({}),
                json!({"a": {"bb": {"ccc": null}}}),
                json!({"a": {"bb": {}}}),
            ),
            (
                json!({}),
                json!({"a": [{"b": null}, null]}),
                json!({"a": [{}, null]}),
            ),
        ];
        for (before, patch, after) in cases {
            let mut value = before.clone();
            merge(&mut value, &patch);
            assert_eq!(value, after, "{before} {patch}");
        }
    }
}
