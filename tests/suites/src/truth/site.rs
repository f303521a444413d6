//! The places of a document at which something can be edited.

use serde_json::Value;

use super::{
    place::{Place, Step},
    schema::{ListSort, Schema, Sort},
};

/// One of them.
#[derive(Clone, Debug)]
pub(super) struct Site {
    pub(super) place: Place,
    /// The place without indexes and names that are free: `.spec.ports[].name`.
    pub(super) path: String,
    pub(super) sort: Sort,
    /// It is part of something that has one owner as a whole.
    pub(super) in_atomic: bool,
    /// What holds it cannot be without it.
    pub(super) required: bool,
    /// It is one of the keys of an element of a list.
    pub(super) is_key: bool,
    /// Its type's name.
    pub(super) type_name: Option<String>,
    pub(super) enumerated: Vec<Value>,
    pub(super) default: Option<Value>,
}

impl Site {
    pub(super) fn is_leaf(&self) -> bool {
        !matches!(self.sort, Sort::Mapping { .. } | Sort::List(_) | Sort::Unknown)
    }

    /// The last field's name.
    pub(super) fn name(&self) -> &str {
        match self.place.last() {
            Some(Step::Field(name)) => name,
            _ => "",
        }
    }

    pub(super) fn is_element(&self) -> bool {
        matches!(self.place.last(), Some(Step::At(_)))
    }

    pub(super) fn is_metadata(&self) -> bool {
        self.path.starts_with(".metadata")
    }
}

/// All of them, but those that say which object it is, and status.
pub(super) fn sites(document: &Value, schema: Schema<'_>) -> Vec<Site> {
    let mut found = Vec::new();
    let top = Site {
        place: Vec::new(),
        path: String::new(),
        sort: schema.sort(),
        in_atomic: false,
        required: true,
        is_key: false,
        type_name: None,
        enumerated: Vec::new(),
        default: None,
    };
    walk(document, schema, &top, &[], &mut found);
    found.retain(|site| {
        !matches!(
            site.path.as_str(),
            "" | ".apiVersion"
                | ".kind"
                | ".metadata"
                | ".metadata.name"
                | ".metadata.namespace"
                | ".spec"
                | ".status"
        ) && !site.path.starts_with(".status.")
            && !site.path.starts_with(".status[")
    });
    found
}

fn walk(value: &Value, schema: Schema<'_>, site: &Site, keys: &[String], found: &mut Vec<Site>) {
    found.push(site.clone());
    let atomic = site.in_atomic
        || matches!(
            site.sort,
            Sort::Mapping { atomic: true, .. } | Sort::List(ListSort::Atomic)
        );
    match value {
        Value::Object(map) => {
            let free = schema.known_fields().is_empty();
            for (name, value) in map {
                let Some(below) = schema.field(name) else { continue };
                // Of resources the names are few and mean something.
                let shown = if free && below.sort() != Sort::Quantity {
                    "*"
                } else {
                    name
                };
                let mut place = site.place.clone();
                place.push(Step::Field(name.clone()));
                let path = format!("{}.{shown}", site.path);
                let mut next = make(place, path, below, atomic);
                next.required = schema.requires(name);
                next.is_key = keys.contains(name);
                walk(value, below, &next, &[], found);
            }
        }
        Value::Array(list) => {
            let Some(below) = schema.items() else { return };
            let keys = match &site.sort {
                Sort::List(ListSort::Keyed(keys)) => keys.clone(),
                _ => Vec::new(),
            };
            for (index, value) in list.iter().enumerate() {
                let mut place = site.place.clone();
                place.push(Step::At(index));
                let next = make(place, format!("{}[]", site.path), below, atomic);
                walk(value, below, &next, &keys, found);
            }
        }
        _ => {}
    }
}

fn make(place: Place, path: String, schema: Schema<'_>, in_atomic: bool) -> Site {
    Site {
        place,
        path,
        sort: schema.sort(),
        in_atomic,
        required: false,
        is_key: false,
        type_name: schema.type_name().map(str::to_owned),
        enumerated: schema.enumerated().to_vec(),
        default: schema.default_value().cloned(),
    }
}

/// The part of a document that holds only these places, with what names the object and elements of lists.
pub(super) fn part(document: &Value, schema: Schema<'_>, places: &[Place]) -> Value {
    let below: Vec<&[Step]> = places.iter().map(Vec::as_slice).collect();
    let mut part = part_of(document, schema, &below);
    for name in ["apiVersion", "kind"] {
        part[name] = document[name].clone();
    }
    for name in ["name", "namespace"] {
        if let Some(value) = document["metadata"].get(name) {
            part["metadata"][name] = value.clone();
        }
    }
    part
}

fn part_of(value: &Value, schema: Schema<'_>, places: &[&[Step]]) -> Value {
    let is_whole = matches!(
        schema.sort(),
        Sort::Mapping { atomic: true, .. } | Sort::List(ListSort::Atomic | ListSort::Set) | Sort::Unknown
    );
    if is_whole || places.iter().any(|place| place.is_empty()) {
        return value.clone();
    }
    match value {
        Value::Object(map) => {
            let parts = map.iter().filter_map(|(name, value)| {
                let below: Vec<&[Step]> = places
                    .iter()
                    .filter(|place| matches!(&place[0], Step::Field(field) if field == name))
                    .map(|place| &place[1..])
                    .collect();
                if below.is_empty() {
                    return None;
                }
                let part = match schema.field(name) {
                    Some(schema) => part_of(value, schema, &below),
                    None => value.clone(),
                };
                Some((name.clone(), part))
            });
            Value::Object(parts.collect())
        }
        Value::Array(list) => {
            let Sort::List(ListSort::Keyed(keys)) = schema.sort() else {
                return value.clone();
            };
            let Some(items) = schema.items() else {
                return value.clone();
            };
            let parts = list.iter().enumerate().filter_map(|(index, element)| {
                let below: Vec<&[Step]> = places
                    .iter()
                    .filter(|place| place[0] == Step::At(index))
                    .map(|place| &place[1..])
                    .collect();
                if below.is_empty() {
                    return None;
                }
                let mut part = part_of(element, items, &below);
                for key in &keys {
                    if let Some(value) = element.get(key) {
                        part[key] = value.clone();
                    }
                }
                Some(part)
            });
            Value::Array(parts.collect())
        }
        other => other.clone(),
    }
}
