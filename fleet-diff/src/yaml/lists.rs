//! Objects inside `List` documents.

use serde_json::{Map, Value};

use super::{Located, LocatedValue, ReadError, ReadLimits, ReadProblem};
use crate::{Object, ObjectError};

/// Collects the objects of documents, expanding lists.
pub(super) struct Objects<'l> {
    limits: &'l ReadLimits,
    found: Vec<Located>,
    /// Positions in the lists around the value at hand.
    at: Vec<usize>,
}

impl<'l> Objects<'l> {
    pub(super) fn new(limits: &'l ReadLimits) -> Self {
        Self {
            limits,
            found: Vec::new(),
            at: Vec::new(),
        }
    }

    pub(super) fn into_found(self) -> Vec<Located> {
        self.found
    }

    pub(super) fn add_document(&mut self, document: LocatedValue) -> Result<(), ReadError> {
        let line = document.line;
        self.add(document.value, line)
            .map_err(|reason| ReadError::new(line, None, reason))
    }

    fn add(&mut self, value: Value, line: usize) -> Result<(), ReadProblem> {
        let mut value = value;
        if let Some(list) = value.as_object_mut().and_then(take_list) {
            let items = list.items.map_err(|error| self.not_an_object(error))?;
            for (position, mut item) in items.into_iter().enumerate() {
                list.origin.fill_in(&mut item);
                self.at.push(position);
                self.add(item, line)?;
                self.at.pop();
            }
            return Ok(());
        }
        if self.found.len() == self.limits.max_objects {
            return Err(ReadProblem::TooMuch {
                unit: "objects",
                limit: self.limits.max_objects,
            });
        }
        let object = Object::from_json(value).map_err(|error| self.not_an_object(error))?;
        self.found.push(Located { object, line });
        Ok(())
    }

    fn not_an_object(&self, error: ObjectError) -> ReadProblem {
        ReadProblem::NotAnObject {
            item: self.at.clone(),
            error,
        }
    }
}

struct List {
    items: Result<Vec<Value>, ObjectError>,
    origin: ItemType,
}

/// What the elements of a typed list are when they do not say it themselves, as in a server's answer.
struct ItemType(Option<(Value, Value)>);

impl ItemType {
    fn fill_in(&self, item: &mut Value) {
        if let (Some((api_version, kind)), Some(map)) = (&self.0, item.as_object_mut())
            && !map.contains_key("apiVersion")
            && !map.contains_key("kind")
        {
            map.insert("apiVersion".into(), api_version.clone());
            map.insert("kind".into(), kind.clone());
        }
    }
}

/// The elements of `map` if it is a list of objects and not an object whose kind only ends so.
fn take_list(map: &mut Map<String, Value>) -> Option<List> {
    let kind = map.get("kind")?.as_str()?;
    let item_kind = kind.strip_suffix("List")?;
    let api_version = map.get("apiVersion").cloned().unwrap_or_default();
    let plain = item_kind.is_empty() && api_version == "v1";
    let named = map
        .get("metadata")
        .and_then(|metadata| metadata.get("name"))
        .is_some_and(|name| !name.is_null());
    if !(plain || map.contains_key("items") && (api_version == "v1" || !named)) {
        return None;
    }
    let origin = (!item_kind.is_empty()).then(|| (api_version, item_kind.into()));
    let items = match map.remove("items") {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(items)) => Ok(items),
        Some(_) => Err(ObjectError::Invalid {
            field: "items",
            problem: "is not a list",
        }),
    };
    Some(List {
        items,
        origin: ItemType(origin),
    })
}
