//! Lays a partial value over another.

use std::collections::{BTreeMap, BTreeSet};

use super::{Shape, element_name, is_aligned, shape};
use crate::{
    Document, PathElement,
    document::{Builder, Node, Part, Zipped, zip},
    schema::{Layer, ListKind, ListType, MapType, TypeId},
};

/// The live value with everything the applied one says; none when no part changes. Nothing goes by this; the
/// elements of lists are in the order of the applied one where it says something of the order.
///
/// The result is based on the live document: what does not change is taken over from it as it is.
pub(crate) fn merge(layer: &Layer, id: TypeId, live: &Document, applied: &Document) -> Option<Document> {
    let mut walk = Walk {
        layer,
        live,
        out: None,
    };
    match walk.values(id, live.root(), applied.root()) {
        Merged::Same => None,
        Merged::Nothing => Some(Document::null()),
        Merged::New(part) => {
            let mut out = walk.out.take()?;
            out.part(part);
            Some(out.finish())
        }
    }
}

/// What became of a value that both have.
enum Merged {
    /// The live one.
    Same,
    New(Part),
    Nothing,
}

struct Walk<'s, 'b> {
    layer: &'s Layer,
    live: &'b Document,
    /// Made when something differs.
    out: Option<Builder<'b>>,
}

impl<'s, 'b> Walk<'s, 'b> {
    fn out(&mut self) -> &mut Builder<'b> {
        self.out.get_or_insert_with(|| Builder::based_on(self.live))
    }

    fn values(&mut self, id: TypeId, live: Node<'b>, applied: Node<'_>) -> Merged {
        match shape(self.layer, id, Some(applied)) {
            Shape::Map(of) => self.map(of, live, applied),
            Shape::List(of) => self.list(of, live, applied),
            Shape::Scalar(_) => self.whole(live, applied),
            Shape::Nothing => Merged::Nothing,
        }
    }

    fn whole(&mut self, live: Node<'b>, applied: Node<'_>) -> Merged {
        if live == applied {
            return Merged::Same;
        }
        self.out().node(applied);
        self.built()
    }

    fn built(&mut self) -> Merged {
        self.out().take().map_or(Merged::Nothing, Merged::New)
    }

    fn map(&mut self, of: &'s MapType, live: Node<'b>, applied: Node<'_>) -> Merged {
        let empty = |value: Node<'_>| !value.is_map() || value.is_empty();
        if of.atomic || (empty(live) && empty(applied)) {
            return self.whole(live, applied);
        }
        // What is built for keys that both have and that change, by how many of these came before.
        let mut parts: Vec<(usize, Option<Part>)> = Vec::new();
        let mut added = !live.is_map();
        let mut fields = of.in_order();
        let mut both = 0;
        zip(live.values(), applied.values(), |pair| match pair {
            Zipped::Left(_) => {}
            Zipped::Right(_) => added = true,
            Zipped::Both(live, applied) => {
                let merged = fields
                    .of(applied)
                    .map_or(Merged::Nothing, |id| self.values(id, live, applied));
                match merged {
                    Merged::Same => {}
                    Merged::New(part) => parts.push((both, Some(part))),
                    Merged::Nothing => parts.push((both, None)),
                }
                both += 1;
            }
        });
        if parts.is_empty() && !added {
            return Merged::Same;
        }
        let mut parts = parts.into_iter().peekable();
        let out = self.out();
        out.begin();
        both = 0;
        zip(live.values(), applied.values(), |pair| match pair {
            Zipped::Left(value) => out.kept(value),
            Zipped::Right(value) => out.entry(value.key(), value),
            Zipped::Both(live, _) => {
                match parts.next_if(|(changed, _)| *changed == both) {
                    None => out.kept(live),
                    Some((_, Some(part))) => out.part_as(live, part),
                    Some((_, None)) => {}
                }
                both += 1;
            }
        });
        if out.children() == 0 {
            out.abandon();
            return Merged::Nothing;
        }
        out.end_map();
        self.built()
    }

    fn list(&mut self, of: &'s ListType, live: Node<'b>, applied: Node<'_>) -> Merged {
        let empty = |value: Node<'_>| !value.is_list() || value.is_empty();
        if of.kind == ListKind::Atomic || (empty(live) && empty(applied)) {
            return self.whole(live, applied);
        }
        if is_aligned(self.layer, of, live, applied) {
            return self.aligned(of, live, applied);
        }
        let elements = self.elements(of, live, applied);
        let out = self.out();
        out.begin();
        for element in elements {
            match element {
                Element::Node(node) => out.node(node),
                Element::Part(part) => out.part(part),
            }
        }
        if out.children() == 0 {
            out.abandon();
            return Merged::Nothing;
        }
        out.end_list();
        self.built()
    }

    fn aligned(&mut self, of: &'s ListType, live: Node<'b>, applied: Node<'_>) -> Merged {
        let mut parts: Vec<(usize, Option<Part>)> = Vec::new();
        for (i, (live, applied)) in live.items().zip(applied.items()).enumerate() {
            match self.values(of.element, live, applied) {
                Merged::Same => {}
                Merged::New(part) => parts.push((i, Some(part))),
                Merged::Nothing => parts.push((i, None)),
            }
        }
        if parts.is_empty() {
            return Merged::Same;
        }
        let mut parts = parts.into_iter().peekable();
        let out = self.out();
        out.begin();
        for (i, live) in live.items().enumerate() {
            match parts.next_if(|(changed, _)| *changed == i) {
                None => out.kept(live),
                Some((_, Some(part))) => out.part(part),
                Some((_, None)) => {}
            }
        }
        out.end_list();
        self.built()
    }

    /// The order of the result: elements of the applied list in its order; those that only the live list has keep their
    /// place between their neighbours (structured-merge-diff, `typed/merge.go`, `visitListItems`).
    fn elements<'n>(&mut self, of: &'s ListType, live: Node<'b>, applied: Node<'n>) -> Vec<Element<'n>>
    where
        'b: 'n,
    {
        let layer = self.layer;
        let name = |item: Node<'_>| element_name(layer, of, item).ok();
        let lefts: Vec<(PathElement, Node<'b>)> = live
            .items()
            .filter_map(|item| Some((name(item)?, item)))
            .collect();
        let rights: Vec<(PathElement, Node<'n>)> = applied
            .items()
            .filter_map(|item| Some((name(item)?, item)))
            .collect();
        // What is there twice in the live list is not merged with: it is replaced.
        let mut in_live: BTreeMap<&PathElement, Option<Node<'b>>> = BTreeMap::new();
        for (name, item) in &lefts {
            in_live
                .entry(name)
                .and_modify(|known| *known = None)
                .or_insert(Some(*item));
        }
        let in_applied: BTreeSet<&PathElement> = rights.iter().map(|(name, _)| name).collect();
        let mut shared = rights
            .iter()
            .map(|(name, _)| name)
            .filter(|name| in_live.contains_key(name));
        let mut next_shared = shared.next();
        let mut merged: BTreeSet<&PathElement> = BTreeSet::new();
        let mut out = Vec::with_capacity(lefts.len().max(rights.len()));
        let (mut l, mut r) = (0, 0);
        while l < lefts.len() || r < rights.len() {
            if let (Some((left, _)), Some((right, item))) = (lefts.get(l), rights.get(r)) {
                if left == right {
                    merged.insert(left);
                    out.extend(self.element(of, in_live.get(left).copied().flatten(), *item));
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
                    out.push(Element::Node(*item));
                    l += 1;
                    continue;
                }
                if merged.contains(left) {
                    l += 1;
                }
            }
            if let Some((right, item)) = rights.get(r) {
                merged.insert(right);
                out.extend(self.element(of, in_live.get(right).copied().flatten(), *item));
                r += 1;
                if next_shared == Some(right) {
                    next_shared = shared.next();
                }
            }
        }
        out
    }

    fn element<'n>(
        &mut self,
        of: &'s ListType,
        live: Option<Node<'b>>,
        applied: Node<'n>,
    ) -> Option<Element<'n>>
    where
        'b: 'n,
    {
        let Some(live) = live else {
            return Some(Element::Node(applied));
        };
        match self.values(of.element, live, applied) {
            Merged::Same => Some(Element::Node(live)),
            Merged::New(part) => Some(Element::Part(part)),
            Merged::Nothing => None,
        }
    }
}

enum Element<'n> {
    Node(Node<'n>),
    Part(Part),
}
