//! How the elements of sets and keyed lists are named.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    PathElement, Scalar,
    document::Node,
    schema::{Layer, ListKind, ListType},
};

/// The name of an element; an error when it cannot have one.
pub(crate) fn element_name(layer: &Layer, list: &ListType, item: Node<'_>) -> Result<PathElement, &'static str> {
    match &list.kind {
        ListKind::Atomic => Err("an element of a list that is replaced as a whole has no name"),
        ListKind::Set => match Scalar::from_node(item) {
            Some(Scalar::Null) => Err("a set may not hold null"),
            Some(scalar) => Ok(PathElement::Value(scalar)),
            None => Err("a set may hold scalars only"),
        },
        ListKind::Map(keys) => key_of(layer, list, keys, item).map(PathElement::ListKey),
    }
}

/// The key fields of an element. A key field that is absent takes the default of its schema; without one it is not
/// part of the name.
pub(crate) fn key_of(
    layer: &Layer,
    list: &ListType,
    keys: &[Arc<str>],
    item: Node<'_>,
) -> Result<BTreeMap<Arc<str>, Scalar>, &'static str> {
    if !item.is_map() {
        return Err("an element of a keyed list must be a mapping");
    }
    let mut fields = BTreeMap::new();
    for key in keys {
        let found = match item.get(key) {
            Some(value) => Some(Scalar::from_node(value).ok_or("a key field must be a scalar")?),
            None => default_of(layer, list, key),
        };
        if let Some(value) = found {
            fields.insert(key.clone(), value);
        }
    }
    if fields.is_empty() {
        return Err("an element without any of its key fields");
    }
    Ok(fields)
}

fn default_of(layer: &Layer, list: &ListType, key: &str) -> Option<Scalar> {
    let field = layer.get(list.element).map.as_ref()?.field(key)?;
    Scalar::from_node(field.default.as_ref()?.root())
}
