//! What is left of a struct that we no longer define, when others own a part of it.

use std::collections::BTreeMap;

use crate::{
    FieldPath, FieldSet, PathElement,
    document::Node,
    schema::{Layer, ListType, TypeId},
    typed::{Shape, element_name, shape},
};

/// The first struct, or element of a list, that lost these fields, is still there, and is not in the configuration any
/// more. Nobody has asked for it as it is now, and only validation in the server knows whether it can be that way.
pub(super) fn of(
    layer: &Layer,
    root: TypeId,
    gone: &FieldSet,
    pruned: Node<'_>,
    config: Node<'_>,
) -> Option<FieldPath> {
    let mut path = Vec::new();
    Walk { layer }
        .value(root, gone, pruned, Some(config), &mut path)
        .then(|| FieldPath::new(path))
}

struct Walk<'s> {
    layer: &'s Layer,
}

impl Walk<'_> {
    /// True when it was found: `path` is where.
    fn value(
        &self,
        id: TypeId,
        gone: &FieldSet,
        pruned: Node<'_>,
        config: Option<Node<'_>>,
        path: &mut Vec<PathElement>,
    ) -> bool {
        match shape(self.layer, id, Some(pruned)) {
            Shape::Map(of) if pruned.is_map() => {
                let is_struct = !of.fields.is_empty();
                if is_struct && config.is_none() && gone.entries().iter().any(|entry| entry.member) {
                    return true;
                }
                gone.entries().iter().any(|entry| {
                    let PathElement::Key(key) = &entry.element else {
                        return false;
                    };
                    let Some(inner) = pruned.get(key).filter(|_| !entry.inside.is_empty()) else {
                        return false;
                    };
                    let config = config.and_then(|config| config.get(key));
                    let id = of.of(key).unwrap_or(TypeId::DEDUCED);
                    path.push(entry.element.clone());
                    let found = self.value(id, &entry.inside, inner, config, path);
                    if !found {
                        path.pop();
                    }
                    found
                })
            }
            Shape::List(of) if pruned.is_list() => self.list(of, gone, pruned, config, path),
            _ => false,
        }
    }

    fn list(
        &self,
        of: &ListType,
        gone: &FieldSet,
        pruned: Node<'_>,
        config: Option<Node<'_>>,
        path: &mut Vec<PathElement>,
    ) -> bool {
        let mut parts = gone
            .entries()
            .iter()
            .filter(|entry| !entry.inside.is_empty())
            .peekable();
        if parts.peek().is_none() {
            return false;
        }
        let (pruned, config) = (
            self.named(of, pruned),
            config.map(|config| self.named(of, config)),
        );
        parts.any(|entry| {
            let Some(inner) = pruned.get(&entry.element) else {
                return false;
            };
            let config = config
                .as_ref()
                .and_then(|config| config.get(&entry.element).copied());
            path.push(entry.element.clone());
            let found = self.value(of.element, &entry.inside, *inner, config, path);
            if !found {
                path.pop();
            }
            found
        })
    }

    fn named<'v>(&self, of: &ListType, list: Node<'v>) -> BTreeMap<PathElement, Node<'v>> {
        let name = |item| Some((element_name(self.layer, of, item).ok()?, item));
        list.items().filter_map(name).collect()
    }
}
