//! Whether two values in their stored form are the same to a server, which compares quantities by value.

use super::Quantity;
use crate::{
    FieldPath, PathElement,
    document::Node,
    schema::{Layer, Stored, TypeId},
};

/// The same, as values of the type that the path leads to.
pub(crate) fn is_same_at(layer: &Layer, root: TypeId, path: &FieldPath, a: Node<'_>, b: Node<'_>) -> bool {
    let of = path.elements().iter().fold(root, |id, element| {
        let of = layer.get(id);
        let inner = match element {
            PathElement::Key(key) => of.map.as_ref().and_then(|map| map.of(key)),
            _ => of.list.as_ref().map(|list| list.element),
        };
        inner.unwrap_or(TypeId::DEDUCED)
    });
    is_same(layer, of, a, b)
}

fn is_same(layer: &Layer, id: TypeId, a: Node<'_>, b: Node<'_>) -> bool {
    let of = layer.get(id);
    if of.stored == Stored::Quantity {
        let value = |of: Node<'_>| of.as_str()?.parse::<Quantity>().ok();
        return a == b || matches!((value(a), value(b)), (Some(a), Some(b)) if a == b);
    }
    if let (Some(map), true, true) = (&of.map, a.is_map(), b.is_map()) {
        let inner = |key: &str| map.of(key).unwrap_or(TypeId::DEDUCED);
        return a.len() == b.len()
            && a.entries()
                .zip(b.entries())
                .all(|((key, a), (other, b))| key == other && is_same(layer, inner(key), a, b));
    }
    if let (Some(list), true, true) = (&of.list, a.is_list(), b.is_list()) {
        let mut pairs = a.items().zip(b.items());
        return a.len() == b.len() && pairs.all(|(a, b)| is_same(layer, list.element, a, b));
    }
    a == b
}
