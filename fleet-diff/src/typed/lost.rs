//! The fields that went from a value.

use super::{Shape, field_set, is_aligned, named_fields_as_members, shape};
use crate::{
    FieldSet, PathElement,
    document::{Node, Zipped, zip},
    schema::{Layer, ListKind, ListType, MapType, TypeId},
};

/// The fields that `before` mentions and `after`, which was made of it, does not; fields of a schema that lead to any
/// count as mentioned. What was taken over is not looked at.
pub(crate) fn lost(layer: &Layer, id: TypeId, before: Node<'_>, after: Node<'_>) -> FieldSet {
    if after.is_taken_from(before) {
        return FieldSet::new();
    }
    match (shape(layer, id, Some(before)), shape(layer, id, Some(after))) {
        (Shape::Map(of), Shape::Map(_)) if !of.atomic && before.is_map() && after.is_map() => {
            map(layer, of, before, after)
        }
        (Shape::List(of), Shape::List(_))
            if of.kind != ListKind::Atomic && is_aligned(layer, of, before, after) =>
        {
            list(layer, of, before, after)
        }
        _ => mentioned(layer, id, before).difference(&mentioned(layer, id, after)),
    }
}

fn mentioned(layer: &Layer, id: TypeId, value: Node<'_>) -> FieldSet {
    named_fields_as_members(layer, Some(id), &field_set(layer, id, value))
}

fn map(layer: &Layer, of: &MapType, before: Node<'_>, after: Node<'_>) -> FieldSet {
    let mut set = FieldSet::new();
    let mut fields = of.in_order();
    zip(before.values(), after.values(), |pair| {
        let (before, after) = match pair {
            Zipped::Right(_) => return,
            Zipped::Both(before, after) if after.is_taken_from(before) => return,
            Zipped::Both(before, after) => (before, Some(after)),
            Zipped::Left(before) => (before, None),
        };
        let field = fields.field(before);
        let Some(id) = field.map(|field| field.of).or(of.element) else {
            return;
        };
        let is_member = |value| field.is_none() || is_mentioned(layer, id, value);
        let (member, inside) = match after {
            None => (is_member(before), mentioned(layer, id, before)),
            Some(after) => (
                is_member(before) && !is_member(after),
                lost(layer, id, before, after),
            ),
        };
        let element = field.map_or_else(
            || PathElement::key(before.key()),
            |field| PathElement::Key(field.name.clone()),
        );
        set.add(element, member, inside);
    });
    set
}

/// The same elements, none of them twice.
fn list(layer: &Layer, of: &ListType, before: Node<'_>, after: Node<'_>) -> FieldSet {
    let mut set = FieldSet::new();
    for (before, after) in before.items().zip(after.items()) {
        let inside = lost(layer, of.element, before, after);
        if !inside.is_empty()
            && let Ok(name) = super::element_name(layer, of, before)
        {
            set.add(name, false, inside);
        }
    }
    set
}

/// Whether a field of a schema with this value is mentioned: itself, or something inside it.
fn is_mentioned(layer: &Layer, id: TypeId, value: Node<'_>) -> bool {
    if value.is_null() || (value.is_map() && value.is_empty()) {
        return true;
    }
    match shape(layer, id, Some(value)) {
        Shape::Map(of) if !of.atomic => {
            let mut fields = of.in_order();
            value.values().any(|inner| match fields.field(inner) {
                Some(field) => is_mentioned(layer, field.of, inner),
                None => of.element.is_some(),
            })
        }
        Shape::List(of) if of.kind != ListKind::Atomic => value.is_list() && !value.is_empty(),
        Shape::Scalar(_) | Shape::Map(_) | Shape::List(_) => true,
        Shape::Nothing => false,
    }
}
