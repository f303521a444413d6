//! Operations on values by their schema, with the semantics of the API server's own merge library
//! (structured-merge-diff v6, `typed/`).

mod compare;
mod field_set;
mod items;
mod known;
mod lost;
mod merge;
#[cfg(feature = "typed-operations")]
pub mod operations;
mod order;
mod reconcile;
mod remove;
mod validate;

pub(crate) use compare::{Comparison, compare, compare_based};
pub(crate) use field_set::{Part, field_set, field_set_of};
pub(crate) use items::{element_name, is_aligned};
pub(crate) use known::known;
pub(crate) use lost::lost;
pub(crate) use merge::merge;
pub(crate) use order::{reordered, reordered_based};
pub(crate) use reconcile::{may_need_reconciling, reconcile};
pub(crate) use remove::{extract, named_fields_as_members, remove};
pub(crate) use validate::{Duplicates, Misfit, validate};

use crate::{
    FieldPath,
    document::{Kind, Node},
    schema::{Layer, ListType, MapType, ScalarType, Type, TypeId},
};

/// A comparison of two values of a type.
pub(crate) type Compare = fn(&Layer, TypeId, Node<'_>, Node<'_>) -> Comparison;

/// The lists whose elements are in another order.
pub(crate) type Reordered = fn(&Layer, TypeId, Node<'_>, Node<'_>) -> Vec<FieldPath>;

/// Elements of lists that are compared with one another; of more than these, names are looked up.
const FEW: usize = 32;

/// The part of a type that applies to a value.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Shape<'s> {
    Map(&'s MapType),
    Scalar(ScalarType),
    List(&'s ListType),
    /// The type takes nothing.
    Nothing,
}

/// A value decides among the forms its type takes; `null` and values of a wrong form leave the first of mapping,
/// scalar and list.
pub(crate) fn shape<'s>(layer: &'s Layer, id: TypeId, value: Option<Node<'_>>) -> Shape<'s> {
    let of = layer.get(id);
    let deduced = match value.map(Node::kind) {
        Some(Kind::Map) => of.map.as_ref().map(Shape::Map),
        Some(Kind::List) => of.list.as_ref().map(Shape::List),
        Some(Kind::Bool | Kind::Number | Kind::Text) => of.scalar.map(Shape::Scalar),
        Some(Kind::Null) | None => None,
    };
    deduced.unwrap_or_else(|| first(of))
}

fn first(of: &Type) -> Shape<'_> {
    match (&of.map, of.scalar, &of.list) {
        (Some(map), ..) => Shape::Map(map),
        (None, Some(scalar), _) => Shape::Scalar(scalar),
        (None, None, Some(list)) => Shape::List(list),
        (None, None, None) => Shape::Nothing,
    }
}
