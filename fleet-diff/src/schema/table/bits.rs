//! Parts of types, fields and kinds that are a few bits each, both ways.

use crate::schema::{Custom, Form, Omit, ScalarType, Stored};

const STORED: [Stored; 16] = [
    Stored::AsIs,
    Stored::Int32,
    Stored::Int64,
    Stored::Float,
    Stored::Bool,
    Stored::Text,
    Stored::Bytes,
    Stored::Quantity,
    Stored::IntOrString,
    Stored::Time,
    Stored::MicroTime,
    Stored::Duration,
    Stored::Json,
    Stored::Struct,
    Stored::List,
    Stored::Map,
];

const SCALARS: [Option<ScalarType>; 5] = [
    None,
    Some(ScalarType::Number),
    Some(ScalarType::Text),
    Some(ScalarType::Bool),
    Some(ScalarType::Any),
];

const OMITS: [Omit; 3] = [Omit::Never, Omit::Empty, Omit::Zero];

const SCOPES: [Option<bool>; 3] = [None, Some(false), Some(true)];

/// The list of a type, without its element and keys.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ListBits {
    None,
    Atomic,
    Set,
    Map,
}

const LISTS: [ListBits; 4] = [ListBits::None, ListBits::Atomic, ListBits::Set, ListBits::Map];

/// The mapping of a type, without its element and fields.
#[derive(Clone, Copy)]
pub(super) struct MapBits {
    pub(super) has_element: bool,
    pub(super) atomic: bool,
}

/// All of a type but what it refers to.
pub(super) struct TypeBits {
    pub(super) stored: Stored,
    pub(super) scalar: Option<ScalarType>,
    pub(super) list: ListBits,
    pub(super) map: Option<MapBits>,
    pub(super) custom: Custom,
}

/// Takes bits off the lower end.
struct Taking(u32);

impl Taking {
    fn flag(&mut self) -> bool {
        self.bits(1) == 1
    }

    fn bits(&mut self, count: u32) -> usize {
        let bits = self.0 & ((1 << count) - 1);
        self.0 >>= count;
        bits as usize
    }

    /// Everything was taken.
    fn end(self) -> Option<()> {
        (self.0 == 0).then_some(())
    }
}

/// None when no type has these bits.
pub(super) fn read_type(bits: u32) -> Option<TypeBits> {
    let mut bits = Taking(bits);
    let of = TypeBits {
        stored: *STORED.get(bits.bits(4))?,
        scalar: *SCALARS.get(bits.bits(3))?,
        list: *LISTS.get(bits.bits(2))?,
        map: {
            let (there, has_element, atomic) = (bits.flag(), bits.flag(), bits.flag());
            if !there && (has_element || atomic) {
                return None;
            }
            there.then_some(MapBits { has_element, atomic })
        },
        custom: Custom {
            nullable: bits.flag(),
            preserve_unknown: bits.flag(),
            embedded: bits.flag(),
            int_or_string: bits.flag(),
            watches_changes: bits.flag(),
        },
    };
    bits.end()?;
    Some(of)
}

/// What is said of a field beside its type.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct FieldBits {
    pub(super) form: Form,
    pub(super) has_default: bool,
    pub(super) required: bool,
}

pub(super) fn read_field(bits: u32) -> Option<FieldBits> {
    let mut bits = Taking(bits);
    let (pointer, has_default) = (bits.flag(), bits.flag());
    let omit = *OMITS.get(bits.bits(2))?;
    let required = bits.flag();
    bits.end()?;
    Some(FieldBits {
        form: Form { pointer, omit },
        has_default,
        required,
    })
}

/// How many bits that takes: above them is the type of the field.
pub(super) const FIELD: u32 = 5;

/// Whether a kind is native, and whether it is in namespaces.
pub(super) fn read_kind(bits: u32) -> Option<(bool, Option<bool>)> {
    let mut bits = Taking(bits);
    let native = bits.flag();
    let namespaced = *SCOPES.get(bits.bits(2))?;
    bits.end()?;
    Some((native, namespaced))
}

#[cfg(any(test, feature = "table-writer"))]
pub(super) mod write {
    use super::{Custom, FieldBits, LISTS, ListBits, OMITS, SCALARS, SCOPES, STORED};
    use crate::schema::{ListKind, Type};

    /// Puts bits above those before.
    #[derive(Default)]
    struct Putting {
        bits: u32,
        count: u32,
    }

    impl Putting {
        fn flag(&mut self, flag: bool) {
            self.bits(1, usize::from(flag));
        }

        fn bits(&mut self, count: u32, value: usize) {
            self.bits |= u32::try_from(value).unwrap_or(0) << self.count;
            self.count += count;
        }

        /// The place in a list of all values there are. A value that is not in it is noticed when the table is read
        /// back, which the writer does.
        fn one_of<T: PartialEq>(&mut self, count: u32, all: &[T], value: &T) {
            self.bits(count, all.iter().position(|one| one == value).unwrap_or(0));
        }
    }

    pub(in super::super) fn type_bits(of: &Type) -> u32 {
        let Custom {
            nullable,
            preserve_unknown,
            embedded,
            int_or_string,
            watches_changes,
        } = of.custom;
        let mut out = Putting::default();
        out.one_of(4, &STORED, &of.stored);
        out.one_of(3, &SCALARS, &of.scalar);
        let list = of.list.as_ref().map_or(ListBits::None, |list| match list.kind {
            ListKind::Atomic => ListBits::Atomic,
            ListKind::Set => ListBits::Set,
            ListKind::Map(_) => ListBits::Map,
        });
        out.one_of(2, &LISTS, &list);
        out.flag(of.map.is_some());
        out.flag(of.map.as_ref().is_some_and(|map| map.element.is_some()));
        out.flag(of.map.as_ref().is_some_and(|map| map.atomic));
        for flag in [
            nullable,
            preserve_unknown,
            embedded,
            int_or_string,
            watches_changes,
        ] {
            out.flag(flag);
        }
        out.bits
    }

    pub(in super::super) fn field_bits(field: FieldBits) -> u32 {
        let mut out = Putting::default();
        out.flag(field.form.pointer);
        out.flag(field.has_default);
        out.one_of(2, &OMITS, &field.form.omit);
        out.flag(field.required);
        out.bits
    }

    pub(in super::super) fn kind_bits(native: bool, namespaced: Option<bool>) -> u32 {
        let mut out = Putting::default();
        out.flag(native);
        out.one_of(2, &SCOPES, &namespaced);
        out.bits
    }
}
