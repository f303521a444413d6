//! The fields a value mentions.

use std::collections::BTreeMap;

use super::{Shape, element_name, shape};
use crate::{
    FieldSet, PathElement,
    document::Node,
    schema::{Layer, ListKind, ListType, MapType, TypeId},
};

/// Every leaf a value mentions, every element of a list, and every key of a mapping that is no field of its schema.
pub(crate) fn field_set(layer: &Layer, id: TypeId, value: Node<'_>) -> FieldSet {
    fields(layer, id, value).1
}

/// How much of an element counts.
pub(crate) enum Part<P> {
    Nothing,
    Everything,
    Inside(P),
}

/// As [`field_set`], of the fields only that `next` chooses, which says step by step what counts inside `part`.
pub(crate) fn field_set_of<P>(
    layer: &Layer,
    id: TypeId,
    value: Node<'_>,
    part: &P,
    next: &impl Fn(&P, &PathElement) -> Part<P>,
) -> FieldSet {
    let mut set = FieldSet::new();
    let mut add = |element: PathElement, member: bool, id: TypeId, inner: Node<'_>| match next(part, &element)
    {
        Part::Nothing => {}
        Part::Everything => {
            let (itself, inside) = fields(layer, id, inner);
            set.add(element, member || itself, inside);
        }
        Part::Inside(part) => {
            let inside = field_set_of(layer, id, inner, &part, next);
            if !inside.is_empty() {
                set.add(element, false, inside);
            }
        }
    };
    match shape(layer, id, Some(value)) {
        Shape::Map(of) if !of.atomic => {
            let mut known = of.in_order();
            for inner in value.values() {
                let (field, empty) = (known.field(inner), is_empty(inner));
                let element = field.map_or_else(
                    || PathElement::key(inner.key()),
                    |field| PathElement::Key(field.name.clone()),
                );
                if let Some(id) = field.map(|field| field.of).or(of.element) {
                    add(element, empty || field.is_none(), id, inner);
                }
            }
        }
        Shape::List(of) if of.kind != ListKind::Atomic => {
            for item in value.items() {
                if let Ok(name) = element_name(layer, of, item) {
                    add(name, true, of.element, item);
                }
            }
        }
        Shape::Map(_) | Shape::List(_) | Shape::Scalar(_) | Shape::Nothing => {}
    }
    set
}

/// Nothing, or a mapping with nothing in it: one field as a whole.
fn is_empty(value: Node<'_>) -> bool {
    value.is_null() || (value.is_map() && value.is_empty())
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
    let mut known = of.in_order();
    for inner in value.values() {
        let field = known.field(inner);
        let Some(id) = field.map(|field| field.of).or(of.element) else {
            continue;
        };
        let (itself, inside) = fields(layer, id, inner);
        let element = match field {
            Some(field) => PathElement::Key(field.name.clone()),
            None => PathElement::key(inner.key()),
        };
        set.add(element, itself || is_empty(inner) || field.is_none(), inside);
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
