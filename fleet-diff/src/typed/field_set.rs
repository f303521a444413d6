//! The fields a value mentions.

use std::collections::BTreeMap;

use super::{Shape, element_name, shape};
use crate::{
    FieldSet, PathElement,
    document::{Node, order},
    schema::{Layer, ListKind, ListType, MapType, TypeId},
};

/// Every leaf a value mentions, every element of a list, and every key of a mapping that is no field of its schema.
pub(crate) fn field_set(layer: &Layer, id: TypeId, value: Node<'_>) -> FieldSet {
    fields(layer, id, value).1
}

/// Whether the value itself is one field, and the fields inside it.
fn fields(layer: &Layer, id: TypeId, value: Node<'_>) -> (bool, FieldSet) {
    match shape(layer, id, Some(value)) {
        Shape::Scalar(_) => (true, FieldSet::new()),
        Shape::Map(of) if of.atomic => (true, FieldSet::new()),
        Shape::List(of) if of.kind == ListKind::Atomic => (true, FieldSet::new()),
        Shape::Map(of) => (false, map(layer, of, value)),
        Shape::List(of) => list(layer, of, value),
        Shape::Nothing => (false, FieldSet::new()),
    }
}

fn map(layer: &Layer, of: &MapType, value: Node<'_>) -> FieldSet {
    let mut set = FieldSet::new();
    let mut known = of.fields.iter().peekable();
    for (key, inner) in value.entries() {
        while known.next_if(|field| order(&field.name, key).is_lt()).is_some() {}
        let field = known.next_if(|field| *field.name == *key);
        let Some(id) = field.map(|field| field.of).or(of.element) else {
            continue;
        };
        let (itself, inside) = fields(layer, id, inner);
        let empty = inner.is_null() || (inner.is_map() && inner.is_empty());
        let element = match field {
            Some(field) => PathElement::Key(field.name.clone()),
            None => PathElement::key(key),
        };
        set.add(element, itself || empty || field.is_none(), inside);
    }
    set
}

/// An element without a name, which removal leaves where every key of an element has a default, is kept by the list as
/// a whole.
fn list(layer: &Layer, of: &ListType, value: Node<'_>) -> (bool, FieldSet) {
    let mut items: BTreeMap<PathElement, Option<Node<'_>>> = BTreeMap::new();
    let mut nameless = false;
    for item in value.items() {
        match element_name(layer, of, item) {
            // What is there twice is one field, without anything inside it.
            Ok(name) => drop(
                items
                    .entry(name)
                    .and_modify(|known| *known = None)
                    .or_insert(Some(item)),
            ),
            Err(_) => nameless = true,
        }
    }
    let mut set = FieldSet::new();
    for (name, item) in items {
        let inside = item.map_or_else(FieldSet::new, |item| fields(layer, of.element, item).1);
        set.add(name, true, inside);
    }
    (nameless, set)
}
