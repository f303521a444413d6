//! What is left of a struct of which we define less than before, when others own a part of it.

use std::collections::BTreeMap;

use crate::{
    FieldPath, FieldSet, PathElement,
    document::Node,
    schema::{Layer, ListType, MapType, TypeId},
    set::Entry,
    typed::{Shape, element_name, shape},
};

/// What was taken out.
pub(super) struct Pruned<'a> {
    /// What we owned before, with every struct on the way.
    pub(super) before: &'a FieldSet,
    /// The fields that went.
    pub(super) gone: &'a FieldSet,
    /// The object without them.
    pub(super) object: Node<'a>,
    /// What we define now.
    pub(super) config: Node<'a>,
}

/// The first struct, or element of a list, that lost a field, and of which more is left than we define: because it is not
/// in the configuration any more, or because others own something in it that we dropped too. Nobody has asked for it as it
/// is now, and only validation in the server knows whether it can be that way. Metadata can be any way.
pub(super) fn of(layer: &Layer, root: TypeId, pruned: &Pruned<'_>) -> Option<FieldPath> {
    let walk = Walk { layer };
    let at = At {
        before: Some(pruned.before),
        gone: pruned.gone,
        object: pruned.object,
        config: Some(pruned.config),
    };
    let mut path = Vec::new();
    walk.value(root, &at, &mut path).then(|| FieldPath::new(path))
}

struct Walk<'s> {
    layer: &'s Layer,
}

/// One value on the way.
struct At<'a> {
    before: Option<&'a FieldSet>,
    gone: &'a FieldSet,
    object: Node<'a>,
    config: Option<Node<'a>>,
}

impl<'a> At<'a> {
    fn inside(&self, entry: &'a Entry, object: Node<'a>, config: Option<Node<'a>>) -> At<'a> {
        At {
            before: self.before.and_then(|before| before.inside(&entry.element)),
            gone: &entry.inside,
            object,
            config,
        }
    }

    /// A field of this struct went, and more of it is left than we define.
    fn is_left_over(&self) -> bool {
        let more = || {
            let dropped = |entry: &Entry| match &entry.element {
                PathElement::Key(key) => {
                    self.object.get(key).is_some()
                        && self.config.is_some_and(|config| config.get(key).is_none())
                }
                _ => false,
            };
            self.config.is_none()
                || self
                    .before
                    .is_some_and(|before| before.entries().iter().any(dropped))
        };
        self.gone.entries().iter().any(|entry| entry.member) && more()
    }
}

impl Walk<'_> {
    /// True when it was found: `path` is where.
    fn value(&self, id: TypeId, at: &At<'_>, path: &mut Vec<PathElement>) -> bool {
        match shape(self.layer, id, Some(at.object)) {
            Shape::Map(of) if at.object.is_map() => self.map(of, at, path),
            Shape::List(of) if at.object.is_list() => self.list(of, at, path),
            _ => false,
        }
    }

    fn map(&self, of: &MapType, at: &At<'_>, path: &mut Vec<PathElement>) -> bool {
        if !of.fields.is_empty() && at.is_left_over() {
            return true;
        }
        at.gone.entries().iter().any(|entry| {
            let PathElement::Key(key) = &entry.element else {
                return false;
            };
            let Some(inner) = at.object.get(key).filter(|_| !entry.inside.is_empty()) else {
                return false;
            };
            if path.is_empty() && **key == *"metadata" {
                return false;
            }
            let config = at.config.and_then(|config| config.get(key));
            let id = of.of(key).unwrap_or(TypeId::DEDUCED);
            self.step(id, entry, &at.inside(entry, inner, config), path)
        })
    }

    fn list(&self, of: &ListType, at: &At<'_>, path: &mut Vec<PathElement>) -> bool {
        let mut parts = at
            .gone
            .entries()
            .iter()
            .filter(|entry| !entry.inside.is_empty())
            .peekable();
        if parts.peek().is_none() {
            return false;
        }
        let objects = self.named(of, at.object);
        let configs = at.config.map(|config| self.named(of, config)).unwrap_or_default();
        parts.any(|entry| {
            let Some(inner) = objects.get(&entry.element) else {
                return false;
            };
            let config = configs.get(&entry.element).copied();
            self.step(of.element, entry, &at.inside(entry, *inner, config), path)
        })
    }

    fn step(&self, id: TypeId, entry: &Entry, at: &At<'_>, path: &mut Vec<PathElement>) -> bool {
        path.push(entry.element.clone());
        let found = self.value(id, at, path);
        if !found {
            path.pop();
        }
        found
    }

    fn named<'v>(&self, of: &ListType, list: Node<'v>) -> BTreeMap<PathElement, Node<'v>> {
        let name = |item| Some((element_name(self.layer, of, item).ok()?, item));
        list.items().filter_map(name).collect()
    }
}
