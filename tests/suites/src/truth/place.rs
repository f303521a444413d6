//! Places in documents.

use serde_json::{Map, Value};

/// One step down.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub(super) enum Step {
    Field(String),
    At(usize),
}

/// From the top of a document.
pub(super) type Place = Vec<Step>;

/// A place made of fields only.
pub(super) fn fields(names: &[&str]) -> Place {
    names.iter().map(|name| Step::Field((*name).to_owned())).collect()
}

pub(super) fn get<'a>(document: &'a Value, place: &[Step]) -> Option<&'a Value> {
    place.iter().try_fold(document, |value, step| match step {
        Step::Field(name) => value.get(name),
        Step::At(index) => value.get(index),
    })
}

pub(super) fn get_mut<'a>(document: &'a mut Value, place: &[Step]) -> Option<&'a mut Value> {
    place.iter().try_fold(document, |value, step| match step {
        Step::Field(name) => value.get_mut(name),
        Step::At(index) => value.get_mut(index),
    })
}

/// Sets what is there, or adds a field; mappings on the way are made. False when a list is too short.
pub(super) fn set(document: &mut Value, place: &[Step], new: Value) -> bool {
    let mut value = document;
    for step in place {
        value = match step {
            Step::Field(name) => {
                if value.is_null() {
                    *value = Value::Object(Map::new());
                }
                match value.as_object_mut() {
                    Some(map) => map.entry(name.as_str()).or_insert(Value::Null),
                    None => return false,
                }
            }
            Step::At(index) => match value.get_mut(index) {
                Some(value) => value,
                None => return false,
            },
        };
    }
    *value = new;
    true
}

pub(super) fn remove(document: &mut Value, place: &[Step]) -> Option<Value> {
    let (last, parent) = place.split_last()?;
    let parent = get_mut(document, parent)?;
    match (last, parent) {
        (Step::Field(name), Value::Object(map)) => map.remove(name),
        (Step::At(index), Value::Array(list)) => (*index < list.len()).then(|| list.remove(*index)),
        _ => None,
    }
}
