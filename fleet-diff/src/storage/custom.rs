//! Custom resources: stored as JSON, with what their schema drops and fills in.

use serde_json::{Map, Value};

use super::native::{Unstorable, store_struct};
use crate::{
    Document,
    schema::{KindSchema, Layer, MapType, Type, TypeId},
};

/// The object as the server holds it: nulls that the schema does not allow take the default, what is absent too
/// (apiextensions-apiserver, `pkg/apiserver/schema/defaulting`), and metadata is the server's own type.
///
/// An error names a field that is null and must not be.
pub(crate) fn store_custom(kind: KindSchema<'_>, object: &mut Value) -> Result<(), Unstorable> {
    if kind.deduced {
        return Ok(());
    }
    if let Value::Object(map) = object {
        let metadata = map.remove("metadata");
        let filled = fill(kind.layer, kind.root, object);
        if let (Value::Object(map), Some(metadata)) = (object, metadata) {
            map.insert("metadata".into(), metadata);
        }
        filled?;
    }
    Ok(())
}

fn fill(layer: &Layer, id: TypeId, value: &mut Value) -> Result<(), Unstorable> {
    let of = layer.get(id);
    match value {
        Value::Object(map) => {
            let metadata = if of.custom.embedded { embedded(layer, of, map)? } else { None };
            if let Some(fields) = &of.map {
                members(layer, fields, map)?;
            }
            if let Some(metadata) = metadata {
                map.insert("metadata".into(), metadata);
            }
        }
        Value::Array(items) => {
            if let Some(list) = &of.list {
                for (i, item) in items.iter_mut().enumerate() {
                    fill(layer, list.element, item).map_err(|wrong| wrong.within(&format!("[{i}]")))?;
                }
            }
        }
        Value::Null if !of.custom.nullable && !takes_anything(of) => return Err(Unstorable::null()),
        _ => {}
    }
    Ok(())
}

/// No `type` in the schema: null is a value like others.
fn takes_anything(of: &Type) -> bool {
    of.scalar.is_some() && of.map.is_some() && !of.custom.int_or_string
}

fn members(layer: &Layer, of: &MapType, map: &mut Map<String, Value>) -> Result<(), Unstorable> {
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
            fill(layer, id, value).map_err(|wrong| wrong.within(&format!(".{key}")))?;
        }
    }
    Ok(())
}

/// Takes the metadata of an embedded object out, in its stored form: it is the server's own type too.
fn embedded(layer: &Layer, of: &Type, map: &mut Map<String, Value>) -> Result<Option<Value>, Unstorable> {
    let field = of.map.as_ref().and_then(|of| of.field("metadata"));
    let (Some(field), Some(metadata)) = (field, map.remove("metadata")) else { return Ok(None) };
    let document = Document::from_json(&metadata);
    store_struct(layer, field.of, document.root()).map(Some)
}
