//! Whether a set of fields is just what a definition mentions, without making a set of the definition.

use crate::{
    FieldSet, PathElement,
    document::{Node, Word},
    schema::{Field, Layer, ListKind, ListType, MapType, TypeId},
    set::name_of,
    typed::{Shape, element_name, shape},
};

/// True when `fields`, in `FieldsV1` form, are the fields that `config` mentions, without those of `reset` and the
/// identity. False when it is not sure.
pub(crate) fn is_set_of(
    layer: &Layer,
    root: TypeId,
    fields: Node<'_>,
    config: Node<'_>,
    reset: &FieldSet,
) -> bool {
    let walk = Walk { layer };
    let Shape::Map(of) = shape(layer, root, Some(config)) else {
        return false;
    };
    let mut names = names_in(fields).peekable();
    let mut known = of.in_order();
    for value in config.values() {
        let (key, field) = (value.key(), known.field(value));
        if matches!(key, "apiVersion" | "kind") {
            continue;
        }
        if reset.contains_key(key) {
            // What of it counts depends on more than the key.
            if reset.is_member(key) {
                continue;
            }
            return false;
        }
        let Some(id) = field.map(|field| field.of).or(of.element) else {
            return false;
        };
        let inner = names.peek().copied().filter(|name| is_field(*name, value));
        if key == "metadata" {
            match walk.metadata(id, inner, value) {
                Some(true) => {
                    names.next();
                }
                Some(false) => {}
                None => return false,
            }
            continue;
        }
        match walk.entry(id, field.is_some(), inner, value) {
            Some(true) => {
                names.next();
            }
            Some(false) => {}
            None => return false,
        }
    }
    names.peek().is_none()
}

struct Walk<'s> {
    layer: &'s Layer,
}

impl Walk<'_> {
    /// Whether the name is used up, or none when it is not what the value mentions. `known` is a field of the schema.
    fn entry(&self, id: TypeId, known: bool, fields: Option<Node<'_>>, value: Node<'_>) -> Option<bool> {
        let (itself, has_inside) = self.mentions(id, value);
        let empty = value.is_null() || (value.is_map() && value.is_empty());
        let member = itself || empty || !known;
        match fields {
            None => (!member && !has_inside).then_some(false),
            Some(fields) => self
                .matches(id, fields, value, member, has_inside)
                .then_some(true),
        }
    }

    /// Whether the value itself is one field, and whether it mentions fields inside it.
    fn mentions(&self, id: TypeId, value: Node<'_>) -> (bool, bool) {
        match shape(self.layer, id, Some(value)) {
            Shape::Scalar(_) => (true, false),
            Shape::Map(of) if of.atomic => (true, false),
            Shape::List(of) if of.kind == ListKind::Atomic => (true, false),
            Shape::Map(of) => {
                let mut known = of.in_order();
                let mentioned = value
                    .values()
                    .any(|inner| self.is_mentioned(of, known.field(inner), inner));
                (false, mentioned)
            }
            Shape::List(_) => (false, value.is_list() && !value.is_empty()),
            Shape::Nothing => (false, false),
        }
    }

    /// `field` is what the value is one of, if the schema has such a field.
    fn is_mentioned(&self, of: &MapType, field: Option<&Field>, value: Node<'_>) -> bool {
        let Some(id) = field.map(|field| field.of).or(of.element) else {
            return false;
        };
        let (itself, inside) = self.mentions(id, value);
        itself || inside || field.is_none() || value.is_null() || (value.is_map() && value.is_empty())
    }

    fn matches(&self, id: TypeId, fields: Node<'_>, value: Node<'_>, member: bool, has_inside: bool) -> bool {
        if !has_inside {
            return member && fields.is_empty();
        }
        if fields.get(".").is_some() != member {
            return false;
        }
        match shape(self.layer, id, Some(value)) {
            Shape::Map(of) => self.map(of, fields, value),
            Shape::List(of) => self.list(of, fields, value),
            _ => false,
        }
    }

    fn map(&self, of: &MapType, fields: Node<'_>, value: Node<'_>) -> bool {
        let mut names = names_in(fields).peekable();
        let mut known = of.in_order();
        for inner in value.values() {
            let field = known.field(inner);
            let Some(id) = field.map(|field| field.of).or(of.element) else {
                continue;
            };
            let named = names.peek().copied().filter(|name| is_field(*name, inner));
            match self.entry(id, field.is_some(), named, inner) {
                Some(true) => {
                    names.next();
                }
                Some(false) => {}
                None => return false,
            }
        }
        names.peek().is_none()
    }

    fn list(&self, of: &ListType, fields: Node<'_>, value: Node<'_>) -> bool {
        if names_in(fields).count() != value.len() {
            return false;
        }
        value.items().all(|item| {
            let Ok(name) = element_name(self.layer, of, item) else {
                return false;
            };
            let Some(fields) = fields.get(&name_of(&name)) else {
                return false;
            };
            let (_, has_inside) = self.mentions(of.element, item);
            self.matches(of.element, fields, item, true, has_inside)
        })
    }

    /// Metadata, of which the identity belongs to nobody.
    fn metadata(&self, id: TypeId, fields: Option<Node<'_>>, value: Node<'_>) -> Option<bool> {
        let Shape::Map(of) = shape(self.layer, id, Some(value)) else {
            return None;
        };
        let mut names = fields.into_iter().flat_map(Node::values).peekable();
        let mut known = of.in_order();
        for inner in value.values() {
            let field = known.field(inner);
            if super::target::IDENTITY.contains(&inner.key()) {
                continue;
            }
            let id = field.map(|field| field.of).or(of.element)?;
            let named = names.peek().copied().filter(|name| is_field(*name, inner));
            if self.entry(id, field.is_some(), named, inner)? {
                names.next();
            }
        }
        names.peek().is_none().then_some(fields.is_some())
    }
}

/// The names of fields inside one.
fn names_in(fields: Node<'_>) -> impl Iterator<Item = Node<'_>> {
    fields.values().filter(|name| name.key() != ".")
}

/// Whether the name of a set stands for an entry of a mapping.
fn is_field(name: Node<'_>, entry: Node<'_>) -> bool {
    match name.word().and_then(Word::of_field) {
        Some(word) => entry.word() == Some(word),
        None => name.key().strip_prefix("f:") == Some(entry.key()),
    }
}

impl FieldSet {
    fn contains_key(&self, key: &str) -> bool {
        !self.is_empty() && self.find(&PathElement::key(key)).is_some()
    }

    fn is_member(&self, key: &str) -> bool {
        self.find(&PathElement::key(key))
            .is_some_and(|entry| entry.member)
    }
}
