//! Lays a partial value over another.

use std::collections::{BTreeMap, BTreeSet};

use super::{Shape, element_name, shape};
use crate::{
    Document, PathElement,
    document::{Builder, Node, Zipped, zip},
    schema::{Layer, ListKind, ListType, MapType, TypeId},
};

/// The live value with everything the applied one says. Nothing goes by this; the elements of lists are in the order of
/// the applied one where it says something of the order.
pub(crate) fn merge(layer: &Layer, id: TypeId, live: &Document, applied: &Document) -> Document {
    let mut walk = Walk { layer, out: Builder::based_on(live) };
    if !walk.values(id, Some(live.root()), Some(applied.root())) {
        walk.out.null();
    }
    walk.out.finish()
}

struct Walk<'s, 'b> {
    layer: &'s Layer,
    out: Builder<'b>,
}

impl<'s> Walk<'s, '_> {
    /// Writes the merged value; false when there is none. The key is set by the caller.
    fn values(&mut self, id: TypeId, live: Option<Node<'_>>, applied: Option<Node<'_>>) -> bool {
        let (live, applied) = match (live, applied) {
            (None, None) => return false,
            // What only one of them has is taken as it is.
            (Some(only), None) | (None, Some(only)) => {
                self.out.node(only);
                return true;
            }
            (Some(live), Some(applied)) => (live, applied),
        };
        match shape(self.layer, id, Some(applied)) {
            Shape::Map(of) => self.map(of, live, applied),
            Shape::List(of) => self.list(of, live, applied),
            Shape::Scalar(_) => self.whole(applied),
            Shape::Nothing => false,
        }
    }

    fn whole(&mut self, value: Node<'_>) -> bool {
        self.out.node(value);
        true
    }

    fn map(&mut self, of: &'s MapType, live: Node<'_>, applied: Node<'_>) -> bool {
        let empty = |value: Node<'_>| !value.is_map() || value.is_empty();
        if of.atomic || (empty(live) && empty(applied)) {
            return self.whole(applied);
        }
        self.out.begin();
        zip(live.entries(), applied.entries(), |pair| match pair {
            Zipped::Left(key, value) | Zipped::Right(key, value) => self.out.entry(key, value),
            Zipped::Both(key, live, applied) => {
                self.out.key(key);
                if let Some(id) = of.of(key) {
                    self.values(id, Some(live), Some(applied));
                }
            }
        });
        if self.out.children() == 0 {
            self.out.abandon();
            return false;
        }
        self.out.end_map();
        true
    }

    fn list(&mut self, of: &'s ListType, live: Node<'_>, applied: Node<'_>) -> bool {
        let empty = |value: Node<'_>| !value.is_list() || value.is_empty();
        if of.kind == ListKind::Atomic || (empty(live) && empty(applied)) {
            return self.whole(applied);
        }
        self.out.begin();
        self.elements(of, live, applied);
        if self.out.children() == 0 {
            self.out.abandon();
            return false;
        }
        self.out.end_list();
        true
    }

    /// The order of the result: elements of the applied list in its order; those that only the live list has keep their
    /// place between their neighbours (structured-merge-diff, `typed/merge.go`, `visitListItems`).
    fn elements(&mut self, of: &'s ListType, live: Node<'_>, applied: Node<'_>) {
        let name = |item: Node<'_>| element_name(self.layer, of, item).ok();
        let lefts: Vec<(PathElement, Node<'_>)> =
            live.items().filter_map(|item| Some((name(item)?, item))).collect();
        let rights: Vec<(PathElement, Node<'_>)> =
            applied.items().filter_map(|item| Some((name(item)?, item))).collect();
        // What is there twice in the live list is not merged with: it is replaced.
        let mut in_live: BTreeMap<&PathElement, Option<Node<'_>>> = BTreeMap::new();
        for (name, item) in &lefts {
            in_live.entry(name).and_modify(|known| *known = None).or_insert(Some(*item));
        }
        let in_applied: BTreeSet<&PathElement> = rights.iter().map(|(name, _)| name).collect();
        let mut shared = rights.iter().map(|(name, _)| name).filter(|name| in_live.contains_key(name));
        let mut next_shared = shared.next();
        let mut merged: BTreeSet<&PathElement> = BTreeSet::new();
        let (mut l, mut r) = (0, 0);
        while l < lefts.len() || r < rights.len() {
            if let (Some((left, _)), Some((right, item))) = (lefts.get(l), rights.get(r)) {
                if left == right {
                    merged.insert(left);
                    self.element(of, in_live.get(left).copied().flatten(), *item);
                    (l, r) = (l + 1, r + 1);
                    next_shared = shared.next();
                    continue;
                }
                if in_applied.contains(left) && next_shared.is_some_and(|next| next != left) {
                    // Shared, but its turn comes later.
                    l += 1;
                    continue;
                }
            }
            if let Some((left, item)) = lefts.get(l) {
                if !in_applied.contains(left) {
                    self.out.node(*item);
                    l += 1;
                    continue;
                }
                if merged.contains(left) {
                    l += 1;
                }
            }
            if let Some((right, item)) = rights.get(r) {
                merged.insert(right);
                self.element(of, in_live.get(right).copied().flatten(), *item);
                r += 1;
                if next_shared == Some(right) {
                    next_shared = shared.next();
                }
            }
        }
    }

    fn element(&mut self, of: &ListType, live: Option<Node<'_>>, applied: Node<'_>) {
        self.values(of.element, live, Some(applied));
    }
}
