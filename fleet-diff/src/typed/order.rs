//! Lists whose elements change their order.

use super::{Shape, element_name, shape};
use crate::{
    FieldPath, PathElement,
    document::{Node, Zipped, zip},
    schema::{Layer, ListKind, TypeId},
};

/// The keyed lists and sets in which elements that stay change their order.
pub(crate) fn reordered(layer: &Layer, root: TypeId, before: Node<'_>, after: Node<'_>) -> Vec<FieldPath> {
    let mut walk = Walk { layer, path: Vec::new(), found: Vec::new() };
    walk.values(root, before, after);
    walk.found
}

struct Walk<'s> {
    layer: &'s Layer,
    path: Vec<PathElement>,
    found: Vec<FieldPath>,
}

impl Walk<'_> {
    fn values(&mut self, id: TypeId, before: Node<'_>, after: Node<'_>) {
        if before == after {
            return;
        }
        match shape(self.layer, id, Some(after)) {
            Shape::Map(of) if !of.atomic => zip(before.entries(), after.entries(), |pair| {
                if let Zipped::Both(key, before, after) = pair
                    && let Some(id) = of.of(key)
                {
                    self.path.push(PathElement::key(key));
                    self.values(id, before, after);
                    self.path.pop();
                }
            }),
            Shape::List(of) if of.kind != ListKind::Atomic => {
                let name = |item: Node<'_>| element_name(self.layer, of, item).ok();
                let old: Vec<_> = before.items().filter_map(|item| Some((name(item)?, item))).collect();
                let new: Vec<_> = after.items().filter_map(|item| Some((name(item)?, item))).collect();
                let place = |name: &PathElement| new.iter().position(|(other, _)| other == name);
                let places: Vec<usize> = old.iter().filter_map(|(name, _)| place(name)).collect();
                if !places.is_sorted() {
                    self.found.push(FieldPath::new(self.path.iter().cloned()));
                }
                for (name, before) in &old {
                    if let Some(at) = place(name) {
                        self.path.push(name.clone());
                        self.values(of.element, *before, new[at].1);
                        self.path.pop();
                    }
                }
            }
            _ => {}
        }
    }
}
