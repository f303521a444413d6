//! Values without what their type does not know.

use super::{Shape, shape};
use crate::{
    Document,
    document::{Builder, Node},
    schema::{Layer, TypeId},
};

/// The value without the fields that its type does not have; none when it has none of those.
pub(crate) fn known(layer: &Layer, id: TypeId, value: &Document) -> Option<Document> {
    if is_known(layer, id, value.root()) {
        return None;
    }
    let mut out = Builder::based_on(value);
    write(layer, id, value.root(), &mut out);
    Some(out.finish())
}

fn is_known(layer: &Layer, id: TypeId, value: Node<'_>) -> bool {
    match shape(layer, id, Some(value)) {
        Shape::Map(of) => {
            let mut fields = of.in_order();
            value
                .values()
                .all(|inner| fields.of(inner).is_some_and(|id| is_known(layer, id, inner)))
        }
        Shape::List(of) => value.items().all(|item| is_known(layer, of.element, item)),
        Shape::Scalar(_) | Shape::Nothing => true,
    }
}

fn write(layer: &Layer, id: TypeId, value: Node<'_>, out: &mut Builder<'_>) {
    match shape(layer, id, Some(value)) {
        Shape::Map(of) if value.is_map() => {
            let mut fields = of.in_order();
            out.begin();
            for inner in value.values() {
                if let Some(id) = fields.of(inner) {
                    out.same_key(inner);
                    write(layer, id, inner, out);
                }
            }
            out.end_map();
        }
        Shape::List(of) if value.is_list() => {
            out.begin();
            value.items().for_each(|item| write(layer, of.element, item, out));
            out.end_list();
        }
        _ => out.node(value),
    }
}
