//! What a schema knows of a type.

use std::sync::Arc;

use super::fields::{Fields, InOrder};
use crate::Document;

/// A type in the table of its [`Layer`](super::Layer).
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, PartialOrd, Ord)]
pub(crate) struct TypeId(pub(crate) u32);

impl TypeId {
    /// Anything, replaced as a whole.
    pub(crate) const UNTYPED: Self = Self(0);
    /// Anything: mappings merge key by key, lists are replaced as a whole.
    pub(crate) const DEDUCED: Self = Self(1);
}

/// What values a type takes, and how they merge. A type that takes several forms has several of the three parts; the
/// value decides (structured-merge-diff, `schema/elements.go`, where this is an "atom").
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Type {
    pub(crate) scalar: Option<ScalarType>,
    pub(crate) list: Option<ListType>,
    pub(crate) map: Option<MapType>,
    /// How a server whose types are Go types stores a value.
    pub(crate) stored: Stored,
    /// What only custom resources have.
    pub(crate) custom: Custom,
}

#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub(crate) enum ScalarType {
    Number,
    Text,
    Bool,
    /// Any of them.
    Any,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct ListType {
    pub(crate) element: TypeId,
    pub(crate) kind: ListKind,
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) enum ListKind {
    /// Replaced as a whole.
    Atomic,
    /// Each value once.
    Set,
    /// Each element is named by these fields, sorted.
    Map(Box<[Arc<str>]>),
}

#[derive(Clone, PartialEq, Eq, Hash, Debug)]
pub(crate) struct MapType {
    pub(crate) fields: Fields,
    /// What other keys hold; none when there may be no others.
    pub(crate) element: Option<TypeId>,
    /// Replaced as a whole.
    pub(crate) atomic: bool,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Field {
    pub(crate) name: Arc<str>,
    pub(crate) of: TypeId,
    /// The `default` of its schema.
    pub(crate) default: Option<Arc<Document>>,
    pub(crate) form: Form,
    /// Its schema says that it must be there.
    pub(crate) required: bool,
}

impl std::hash::Hash for Field {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        (&self.name, self.of, self.form, self.required).hash(state);
    }
}

/// What the Go field of a built-in type does with the absence of a value.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Form {
    /// A pointer: absent and zero are told apart.
    pub(crate) pointer: bool,
    pub(crate) omit: Omit,
}

/// When a field is left out of the JSON.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Omit {
    #[default]
    Never,
    /// `omitempty`: zero numbers, empty texts, lists, mappings, nil pointers; not structs.
    Empty,
    /// `omitzero`: a struct with nothing in it too.
    Zero,
}

/// The Go type behind a built-in field, as far as it changes values.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) enum Stored {
    /// As it is written: custom resources, and types nothing is known of.
    #[default]
    AsIs,
    Int32,
    Int64,
    Float,
    Bool,
    Text,
    /// Base64.
    Bytes,
    Quantity,
    IntOrString,
    Time,
    MicroTime,
    Duration,
    /// Any JSON.
    Json,
    Struct,
    List,
    Map,
}

/// Properties of structural schemas of custom resources.
#[derive(Clone, Copy, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Custom {
    pub(crate) nullable: bool,
    pub(crate) preserve_unknown: bool,
    pub(crate) embedded: bool,
    pub(crate) int_or_string: bool,
    /// It has validation rules that look at the old value.
    pub(crate) watches_changes: bool,
}

impl MapType {
    pub(crate) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.find(name)
    }

    /// Finds the fields of keys that come in order.
    pub(crate) fn in_order(&self) -> InOrder<'_> {
        InOrder::new(self)
    }

    /// The type of a key; none when there may be no such key.
    pub(crate) fn of(&self, name: &str) -> Option<TypeId> {
        self.field(name).map(|field| field.of).or(self.element)
    }
}

impl Type {
    /// Anything, all of it one value.
    pub(crate) fn untyped() -> Self {
        Self::of_any(TypeId::UNTYPED, true)
    }

    /// Anything, mappings key by key.
    pub(crate) fn deduced() -> Self {
        Self::of_any(TypeId::DEDUCED, false)
    }

    fn of_any(inside: TypeId, atomic: bool) -> Self {
        Self {
            scalar: Some(ScalarType::Any),
            list: Some(ListType {
                element: TypeId::UNTYPED,
                kind: ListKind::Atomic,
            }),
            map: Some(MapType {
                fields: Fields::default(),
                element: Some(inside),
                atomic,
            }),
            ..Self::default()
        }
    }
}
