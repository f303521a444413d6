//! Lists whose elements change their order.

use std::collections::BTreeMap;

use super::{Shape, element_name, shape};
use crate::{
    FieldPath, PathElement,
    document::{Node, Zipped, zip},
    schema::{Layer, ListKind, ListType, TypeId},
};

/// The keyed lists and sets in which elements that stay change their order, or no longer stand there more than once.
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
    fn named<'n>(&self, of: &ListType, list: Node<'n>) -> Vec<(PathElement, Node<'n>)> {
        list.items().filter_map(|item| Some((element_name(self.layer, of, item).ok()?, item))).collect()
    }

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
                let old = self.named(of, before);
                let mut new: BTreeMap<PathElement, (usize, Node<'_>)> = BTreeMap::new();
                let mut times: BTreeMap<PathElement, isize> = BTreeMap::new();
                for (place, (name, item)) in self.named(of, after).into_iter().enumerate() {
                    *times.entry(name.clone()).or_default() += 1;
                    new.entry(name).or_insert((place, item));
                }
                let places: Vec<usize> = old.iter().filter_map(|(name, _)| Some(new.get(name)?.0)).collect();
                for (name, _) in &old {
                    times.entry(name.clone()).and_modify(|times| *times -= 1);
                }
                let as_often = old.iter().all(|(name, _)| times.get(name).is_none_or(|times| *times == 0));
                if !places.is_sorted() || !as_often {
                    self.found.push(FieldPath::new(self.path.iter().cloned()));
                }
                for (name, before) in old {
                    if let Some((_, after)) = new.get(&name) {
                        self.path.push(name);
                        self.values(of.element, before, *after);
                        self.path.pop();
                    }
                }
            }
            _ => {}
        }
    }
}
