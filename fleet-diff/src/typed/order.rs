//! Lists whose elements change their order.

use std::collections::BTreeMap;

use super::{Shape, element_name, is_aligned, shape};
use crate::{
    FieldPath, PathElement,
    document::{Node, Zipped, zip},
    schema::{Layer, ListKind, ListType, TypeId},
};

/// The keyed lists and sets in which elements that stay change their order, or no longer stand there more than once.
pub(crate) fn reordered(layer: &Layer, root: TypeId, before: Node<'_>, after: Node<'_>) -> Vec<FieldPath> {
    run(layer, root, before, after, false)
}

/// [`reordered`] of a document and one that was made of it: what was taken over is not looked at.
pub(crate) fn reordered_based(
    layer: &Layer,
    root: TypeId,
    before: Node<'_>,
    after: Node<'_>,
) -> Vec<FieldPath> {
    run(layer, root, before, after, true)
}

fn run(layer: &Layer, root: TypeId, before: Node<'_>, after: Node<'_>, based: bool) -> Vec<FieldPath> {
    let mut walk = Walk {
        layer,
        based,
        path: Vec::new(),
        found: Vec::new(),
    };
    walk.values(root, before, after);
    walk.found
}

/// A step of the path, an entry or an element; turned into an element only when something is found there.
enum Step<'s, 'n> {
    Key(Node<'n>),
    Item(&'s ListType, Node<'n>),
}

struct Walk<'s, 'n> {
    layer: &'s Layer,
    based: bool,
    path: Vec<Step<'s, 'n>>,
    found: Vec<FieldPath>,
}

impl<'s, 'n> Walk<'s, 'n> {
    fn named<'m>(&self, of: &ListType, list: Node<'m>) -> Vec<(PathElement, Node<'m>)> {
        list.items()
            .filter_map(|item| Some((element_name(self.layer, of, item).ok()?, item)))
            .collect()
    }

    fn here(&self) -> FieldPath {
        let element = |step: &Step<'_, '_>| match step {
            Step::Key(entry) => Some(PathElement::key(entry.key())),
            Step::Item(of, item) => element_name(self.layer, of, *item).ok(),
        };
        FieldPath::new(self.path.iter().filter_map(element))
    }

    fn inside(&mut self, step: Step<'s, 'n>, id: TypeId, before: Node<'n>, after: Node<'_>) {
        self.path.push(step);
        self.values(id, before, after);
        self.path.pop();
    }

    fn values(&mut self, id: TypeId, before: Node<'n>, after: Node<'_>) {
        if self.based && after.is_taken_from(before) {
            return;
        }
        match shape(self.layer, id, Some(after)) {
            Shape::Map(of) if !of.atomic && (self.based || before != after) => {
                let mut fields = of.in_order();
                zip(before.values(), after.values(), |pair| {
                    if let Zipped::Both(before, after) = pair
                        && !(self.based && after.is_taken_from(before))
                        && let Some(id) = fields.of(after)
                    {
                        self.inside(Step::Key(before), id, before, after);
                    }
                });
            }
            Shape::List(of) if of.kind != ListKind::Atomic && before != after => {
                if is_aligned(self.layer, of, before, after) {
                    for (before, after) in before.items().zip(after.items()) {
                        self.inside(Step::Item(of, before), of.element, before, after);
                    }
                    return;
                }
                let old = self.named(of, before);
                // The first of each name: where it is, and how often the name is there.
                let mut new: BTreeMap<PathElement, (usize, Node<'_>, isize)> = BTreeMap::new();
                for (place, (name, item)) in self.named(of, after).into_iter().enumerate() {
                    new.entry(name).or_insert((place, item, 0)).2 += 1;
                }
                let places: Vec<usize> = old
                    .iter()
                    .filter_map(|(name, _)| Some(new.get(name)?.0))
                    .collect();
                for (name, _) in &old {
                    if let Some((_, _, times)) = new.get_mut(name) {
                        *times -= 1;
                    }
                }
                let as_often = old
                    .iter()
                    .all(|(name, _)| new.get(name).is_none_or(|(_, _, times)| *times == 0));
                if !places.is_sorted() || !as_often {
                    self.found.push(self.here());
                }
                for (name, before) in old {
                    if let Some((_, after, _)) = new.get(&name) {
                        self.inside(Step::Item(of, before), of.element, before, *after);
                    }
                }
            }
            _ => {}
        }
    }
}
