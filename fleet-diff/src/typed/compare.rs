//! Which fields differ between two values of one type.

use std::collections::BTreeMap;

use super::{Shape, element_name, is_aligned, shape};
use crate::{
    FieldSet, PathElement,
    document::{Node, Zipped, zip},
    schema::{Layer, ListKind, ListType, MapType, TypeId},
};

/// The fields that differ; no field is in more than one of the sets.
#[derive(Default, Debug, PartialEq, Eq)]
pub(crate) struct Comparison {
    pub(crate) removed: FieldSet,
    pub(crate) modified: FieldSet,
    pub(crate) added: FieldSet,
}

/// Compares by schema. Where the values are equal as JSON nothing differs.
pub(crate) fn compare(layer: &Layer, id: TypeId, before: Node<'_>, after: Node<'_>) -> Comparison {
    run(layer, id, before, after, false)
}

/// [`compare`] of a document with one that was made of it: what was taken over is not looked at.
pub(crate) fn compare_based(layer: &Layer, id: TypeId, before: Node<'_>, after: Node<'_>) -> Comparison {
    run(layer, id, before, after, true)
}

fn run(layer: &Layer, id: TypeId, before: Node<'_>, after: Node<'_>, based: bool) -> Comparison {
    let mut walk = Walk {
        layer,
        based,
        path: Vec::new(),
        found: Comparison::default(),
    };
    walk.values(id, Some(before), Some(after));
    walk.found
}

/// A step of the path, an entry or an element; turned into an element only when something differs there.
#[derive(Clone)]
enum Step<'a> {
    Key(Node<'a>),
    Element(PathElement),
}

struct Walk<'s, 'a> {
    layer: &'s Layer,
    based: bool,
    path: Vec<Step<'a>>,
    found: Comparison,
}

impl<'s, 'a> Walk<'s, 'a> {
    fn values(&mut self, id: TypeId, before: Option<Node<'a>>, after: Option<Node<'a>>) {
        if let (Some(before), Some(after)) = (before, after) {
            if self.based && after.is_taken_from(before) {
                return;
            }
            // What was built anew differs somewhere: only leaves need a look.
            if (!self.based || before.is_empty() || after.is_empty()) && before == after {
                return;
            }
        }
        // A form that the later value does not have is walked through too: its fields went.
        let (old, new) = (shape(self.layer, id, before), shape(self.layer, id, after));
        let leaf = match (before, after) {
            (_, None) => self.by_shape(old, before, after),
            (None, Some(_)) => self.by_shape(new, before, after),
            (Some(_), Some(_)) if old == new => self.by_shape(new, before, after),
            (Some(_), Some(_)) => {
                self.by_shape(old, before, after);
                self.by_shape(new, before, after)
            }
        };
        if !leaf {
            match (before, after) {
                (None, _) => self.added(),
                (_, None) => self.removed(),
                _ => {}
            }
        }
    }

    /// True when the value is one field, which then is dealt with.
    fn by_shape(&mut self, shape: Shape<'s>, before: Option<Node<'a>>, after: Option<Node<'a>>) -> bool {
        match shape {
            Shape::Nothing => false,
            Shape::Scalar(_) => self.leaf(before, after),
            Shape::Map(of) => {
                let (old, new) = (before.filter(|v| v.is_map()), after.filter(|v| v.is_map()));
                if of.atomic || (is_empty(old) && is_empty(new)) {
                    return self.leaf(before, after);
                }
                self.map(of, old, new);
                false
            }
            Shape::List(of) => {
                let (old, new) = (before.filter(|v| v.is_list()), after.filter(|v| v.is_list()));
                if of.kind == ListKind::Atomic || (is_empty(old) && is_empty(new)) {
                    return self.leaf(before, after);
                }
                self.list(of, old, new);
                false
            }
        }
    }

    fn leaf(&mut self, before: Option<Node<'a>>, after: Option<Node<'a>>) -> bool {
        match (before, after) {
            (None, _) => self.added(),
            (_, None) => self.removed(),
            (Some(before), Some(after)) if before != after => self.modified(),
            _ => {}
        }
        true
    }

    fn map(&mut self, of: &MapType, before: Option<Node<'a>>, after: Option<Node<'a>>) {
        let old = before.into_iter().flat_map(Node::values);
        let new = after.into_iter().flat_map(Node::values);
        let mut fields = of.in_order();
        zip(old, new, |pair| {
            let (entry, before, after) = match pair {
                Zipped::Both(before, after) if self.based && after.is_taken_from(before) => return,
                Zipped::Left(before) => (before, Some(before), None),
                Zipped::Right(after) => (after, None, Some(after)),
                Zipped::Both(before, after) => (after, Some(before), Some(after)),
            };
            if let Some(id) = fields.of(entry) {
                self.path.push(Step::Key(entry));
                self.values(id, before, after);
                self.path.pop();
            }
        });
    }

    fn list(&mut self, of: &ListType, before: Option<Node<'a>>, after: Option<Node<'a>>) {
        if let (Some(before), Some(after)) = (before, after)
            && self.based
            && is_aligned(self.layer, of, before, after)
        {
            for (before, after) in before.items().zip(after.items()) {
                if !after.is_taken_from(before)
                    && let Ok(name) = element_name(self.layer, of, after)
                {
                    self.path.push(Step::Element(name));
                    self.values(of.element, Some(before), Some(after));
                    self.path.pop();
                }
            }
            return;
        }
        let mut items: BTreeMap<PathElement, (Vec<Node<'a>>, Vec<Node<'a>>)> = BTreeMap::new();
        for item in before.into_iter().flat_map(Node::items) {
            if let Ok(name) = element_name(self.layer, of, item) {
                items.entry(name).or_default().0.push(item);
            }
        }
        for item in after.into_iter().flat_map(Node::items) {
            if let Ok(name) = element_name(self.layer, of, item) {
                items.entry(name).or_default().1.push(item);
            }
        }
        for (name, (old, new)) in items {
            self.path.push(Step::Element(name));
            match (&*old, &*new) {
                ([] | [_], [] | [_]) => self.values(of.element, old.first().copied(), new.first().copied()),
                // Elements that are there twice are compared as a whole.
                ([_, _, ..], [_, _, ..]) if old != new => self.modified(),
                ([_, _, ..], [_, _, ..]) => {}
                ([_, _, ..], _) => {
                    if let Some(new) = new.first() {
                        self.values(of.element, None, Some(*new));
                    }
                    self.removed();
                }
                (_, [_, _, ..]) => {
                    if let Some(old) = old.first() {
                        self.values(of.element, Some(*old), None);
                    }
                    self.added();
                }
            }
            self.path.pop();
        }
    }

    fn added(&mut self) {
        let path = self.here();
        self.found.added.insert_elements(&path);
    }

    fn removed(&mut self) {
        let path = self.here();
        self.found.removed.insert_elements(&path);
    }

    fn modified(&mut self) {
        let path = self.here();
        self.found.modified.insert_elements(&path);
    }

    fn here(&self) -> Vec<PathElement> {
        let element = |step: &Step<'_>| match step {
            Step::Key(entry) => PathElement::key(entry.key()),
            Step::Element(element) => element.clone(),
        };
        self.path.iter().map(element).collect()
    }
}

fn is_empty(value: Option<Node<'_>>) -> bool {
    value.is_none_or(Node::is_empty)
}
