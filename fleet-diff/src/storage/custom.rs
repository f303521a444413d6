//! Custom resources: stored as JSON, with what their schema drops and fills in.

use serde_json::{Map, Value};

use crate::schema::{KindSchema, Layer, MapType, TypeId};

/// The object as the server holds it: without nulls that the schema does not allow and that have a default, and with
/// defaults (apiextensions-apiserver, `pkg/apiserver/schema/defaulting`).
pub(crate) fn store_custom(kind: KindSchema<'_>, object: &mut Value) {
    if kind.deduced {
        return;
    }
    if let Value::Object(map) = object {
        // Metadata is the server's own type, and has no defaults.
        let metadata = map.remove("metadata");
        fill(kind.layer, kind.root, object);
        if let (Value::Object(map), Some(metadata)) = (object, metadata) {
            map.insert("metadata".into(), metadata);
        }
    }
}

fn fill(layer: &Layer, id: TypeId, value: &mut Value) {
    let of = layer.get(id);
    match value {
        Value::Object(map) => {
            if let Some(fields) = &of.map {
                members(layer, fields, map);
            }
        }
        Value::Array(items) => {
            if let Some(list) = &of.list {
                items.iter_mut().for_each(|item| fill(layer, list.element, item));
            }
        }
        _ => {}
    }
}

fn members(layer: &Layer, of: &MapType, map: &mut Map<String, Value>) {
    for field in &of.fields {
        let nullable = layer.get(field.of).custom.nullable;
        let Some(default) = &field.default else { continue };
        match map.get(&*field.name) {
            None => {}
            Some(Value::Null) if !nullable => {}
            Some(_) => continue,
        }
        map.insert(field.name.to_string(), default.to_json());
    }
    for (key, value) in map.iter_mut() {
        if let Some(id) = of.of(key) {
            fill(layer, id, value);
        }
    }
}
