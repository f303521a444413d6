//! Edits of objects, by JSON pointers.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

/// Values for places, as JSON pointers, and places to be emptied.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Edits {
    pub(crate) set: BTreeMap<String, Value>,
    pub(crate) without: Vec<String>,
}

impl Edits {
    pub(crate) fn edit(&self, object: &Value) -> Value {
        let mut object = object.clone();
        for pointer in &self.without {
            remove(&mut object, pointer);
        }
        for (pointer, value) in &self.set {
            set(&mut object, pointer, value.clone());
        }
        object
    }
}

/// Key and place outside of it.
fn last_of(pointer: &str) -> (&str, String) {
    let (outer, key) = pointer
        .rsplit_once('/')
        .unwrap_or_else(|| panic!("{pointer} is no pointer"));
    (outer, key.replace("~1", "/").replace("~0", "~"))
}

fn set(object: &mut Value, pointer: &str, value: Value) {
    if pointer.is_empty() {
        *object = value;
        return;
    }
    let (outer, key) = last_of(pointer);
    if object.pointer(outer).is_none() {
        set(object, outer, json!({}));
    }
    match object.pointer_mut(outer) {
        Some(Value::Array(list)) if key == "-" => list.push(value),
        Some(Value::Array(list)) => list[key.parse::<usize>().expect("an index")] = value,
        Some(Value::Object(map)) => drop(map.insert(key, value)),
        other => panic!("{pointer}: nothing can be in {other:?}"),
    }
}

fn remove(object: &mut Value, pointer: &str) {
    let (outer, key) = last_of(pointer);
    let removed = match object.pointer_mut(outer) {
        Some(Value::Array(list)) => Some(list.remove(key.parse::<usize>().expect("an index"))),
        Some(Value::Object(map)) => map.remove(&key),
        _ => None,
    };
    assert!(removed.is_some(), "{pointer}: there is nothing to remove");
}
