//! Takes fields out of a value, or keeps only them.

use super::{Shape, element_name, shape};
use crate::{
    Document, FieldSet, PathElement,
    document::{Builder, Node},
    schema::{Layer, ListKind, ListType, MapType, TypeId},
    set::Entry,
};

/// The value without these fields. Of a list or mapping that is replaced as a whole nothing goes; a mapping or list
/// that is emptied becomes `null`.
pub(crate) fn remove(layer: &Layer, id: TypeId, value: &Document, fields: &FieldSet) -> Document {
    run(layer, id, value, fields, Keep::TheRest)
}

/// The value with only these fields.
pub(crate) fn extract(layer: &Layer, id: TypeId, value: &Document, fields: &FieldSet) -> Document {
    run(layer, id, value, fields, Keep::TheFields)
}

fn run(layer: &Layer, id: TypeId, value: &Document, fields: &FieldSet, keep: Keep) -> Document {
    let mut walk = Walk {
        layer,
        keep,
        out: Builder::based_on(value),
    };
    walk.value(id, value.root(), fields);
    walk.out.finish()
}

#[derive(Clone, Copy, PartialEq)]
enum Keep {
    TheRest,
    TheFields,
}

struct Walk<'s, 'b> {
    layer: &'s Layer,
    keep: Keep,
    out: Builder<'b>,
}

impl<'s> Walk<'s, '_> {
    fn value(&mut self, id: TypeId, value: Node<'_>, fields: &FieldSet) {
        match shape(self.layer, id, Some(value)) {
            Shape::Scalar(_) => self.out.node(value),
            Shape::Map(of) => self.map(of, value, fields),
            Shape::List(of) => self.list(of, value, fields),
            Shape::Nothing => self.out.null(),
        }
    }

    /// What becomes of something that is empty or one field as a whole.
    fn whole(&mut self, value: Node<'_>) {
        match self.keep {
            Keep::TheFields => self.out.node(value),
            Keep::TheRest => self.out.null(),
        }
    }

    fn map(&mut self, of: &'s MapType, value: Node<'_>, fields: &FieldSet) {
        if value.is_empty() || of.atomic {
            return self.whole(value);
        }
        if self.keep == Keep::TheRest && fields.is_empty() {
            return self.out.node(value);
        }
        self.out.begin();
        let mut known = of.in_order();
        for (key, inner) in value.entries() {
            let entry = fields.find(&PathElement::key(key));
            let id = known.of(inner).unwrap_or(TypeId::DEDUCED);
            match (self.keep, entry) {
                (Keep::TheRest, None) => self.out.entry(key, inner),
                (Keep::TheFields, None) | (Keep::TheRest, Some(Entry { member: true, .. })) => {}
                (Keep::TheFields, Some(Entry { member: true, .. })) => {
                    // The set is not narrowed here, as in the original: only leaves are whole.
                    self.out.key(key);
                    self.value(id, inner, fields);
                }
                (_, Some(Entry { inside, .. })) => {
                    self.out.key(key);
                    self.value(id, inner, inside);
                }
            }
        }
        if self.out.children() == 0 {
            self.out.abandon();
            return self.out.null();
        }
        self.out.end_map();
    }

    fn list(&mut self, of: &'s ListType, value: Node<'_>, fields: &FieldSet) {
        if value.is_empty() || of.kind == ListKind::Atomic {
            return self.whole(value);
        }
        self.out.begin();
        for item in value.items() {
            let name = element_name(self.layer, of, item).ok();
            match (self.keep, name.and_then(|name| fields.find(&name))) {
                (Keep::TheRest, None) => self.out.node(item),
                (Keep::TheFields, None) | (Keep::TheRest, Some(Entry { member: true, .. })) => {}
                (Keep::TheFields, Some(entry)) if entry.inside.is_empty() => self.out.node(item),
                (_, Some(entry)) => self.value(of.element, item, &entry.inside),
            }
        }
        if self.out.children() == 0 {
            self.out.abandon();
            return self.out.null();
        }
        self.out.end_list();
    }
}

/// The set with every field of a schema that leads to one of its members as a member too.
pub(crate) fn named_fields_as_members(layer: &Layer, id: Option<TypeId>, set: &FieldSet) -> FieldSet {
    let of = id.map(|id| layer.get(id));
    let map = of.and_then(|of| of.map.as_ref());
    let list = of.and_then(|of| of.list.as_ref());
    let mut out = FieldSet::new();
    for entry in set.entries() {
        let (named, inner) = match &entry.element {
            PathElement::Key(key) => {
                let field = map.and_then(|map| map.field(key));
                (
                    field.is_some(),
                    field.map(|field| field.of).or(map.and_then(|map| map.element)),
                )
            }
            PathElement::ListKey(_) => (false, list.map(|list| list.element)),
            PathElement::Value(_) | PathElement::Index(_) => (false, None),
        };
        let member = entry.member || (named && !entry.inside.is_empty());
        out.add(
            entry.element.clone(),
            member,
            named_fields_as_members(layer, inner, &entry.inside),
        );
    }
    out
}
