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
    /// Nobody has described it.
    pub(super) is_deduced: bool,
    /// It is there only because defaults were spelled out.
    pub(super) is_default: bool,
    pub(super) enumerated: Vec<Value>,
    pub(super) default: Option<Value>,
}

impl Site {
    pub(super) fn is_leaf(&self) -> bool {
        !matches!(self.sort, Sort::Mapping { .. } | Sort::List(_) | Sort::Unknown)
    }

    /// It has one owner as a whole, though it has parts.
    pub(super) fn is_whole(&self) -> bool {
        matches!(
            self.sort,
            Sort::List(ListSort::Atomic) | Sort::Mapping { atomic: true, .. }
        )
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
        is_deduced: false,
        is_default: false,
        enumerated: Vec::new(),
        default: None,
    };
    walk(document, schema, &top, &[], &mut found);
    found.retain(|site| is_of_interest(&site.path));
    found
}

/// Known fields that are not there, of what is there.
pub(super) fn absent(document: &Value, schema: Schema<'_>) -> Vec<Site> {
    let mut found = Vec::new();
    walk_absent(document, schema, &mut Vec::new(), "", false, &mut found);
    found.retain(|site| is_of_interest(&site.path));
    found
}

fn walk_absent(
    value: &Value,
    schema: Schema<'_>,
    place: &mut Place,
    path: &str,
    in_atomic: bool,
    found: &mut Vec<Site>,
) {
    let sort = schema.sort_of(value);
    let atomic = in_atomic
        || matches!(
            sort,
            Sort::Mapping { atomic: true, .. } | Sort::List(ListSort::Atomic)
        );
    match value {
        Value::Object(map) => {
            let free = schema.known_fields().is_empty();
            for name in schema.known_fields() {
                let below = schema.field(name);
                if let Some(below) = below.filter(|_| !map.contains_key(name)) {
                    let mut at = place.clone();
                    at.push(Step::Field(name.to_owned()));
                    let mut site = make(at, format!("{path}.{name}"), below, below.sort(), atomic);
                    site.required = schema.requires(name);
                    found.push(site);
                }
            }
            for (name, value) in map {
                let Some(below) = schema.field(name) else { continue };
                let shown = if free { "*" } else { name };
                place.push(Step::Field(name.clone()));
                walk_absent(value, below, place, &format!("{path}.{shown}"), atomic, found);
                place.pop();
            }
        }
        Value::Array(list) => {
            let Some(below) = schema.items() else { return };
            for (index, value) in list.iter().enumerate() {
                place.push(Step::At(index));
                walk_absent(value, below, place, &format!("{path}[]"), atomic, found);
                place.pop();
            }
        }
        _ => {}
    }
}

/// It neither says which object it is nor is chosen by servers.
fn is_of_interest(path: &str) -> bool {
    const METADATA: [&str; 10] = [
        "name",
        "namespace",
        "generateName",
        "uid",
        "resourceVersion",
        "generation",
        "managedFields",
        "selfLink",
        "creationTimestamp",
        "deletion",
    ];
    if let Some(name) = path.strip_prefix(".metadata.") {
        return !METADATA.iter().any(|not| name.starts_with(not));
    }
    !matches!(path, "" | ".apiVersion" | ".kind" | ".metadata" | ".spec") && !path.starts_with(".status")
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
                let mut next = make(place, path, below, below.sort_of(value), atomic);
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
                let next = make(
                    place,
                    format!("{}[]", site.path),
                    below,
                    below.sort_of(value),
                    atomic,
                );
                walk(value, below, &next, &keys, found);
            }
        }
        _ => {}
    }
}

fn make(place: Place, path: String, schema: Schema<'_>, sort: Sort, in_atomic: bool) -> Site {
    Site {
        place,
        path,
        sort,
        in_atomic,
        required: false,
        is_key: false,
        is_deduced: schema.is_deduced(),
        is_default: false,
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
        schema.sort_of(value),
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
