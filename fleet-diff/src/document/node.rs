//! A borrowed value.

use std::{cmp::Ordering, fmt};

use serde_json::{Map, Value};

use super::{Document, Slot, Tag, Word, order, read_name, words};

/// One value inside a [`Document`]; as cheap to copy as a reference.
///
/// Two nodes are equal when they are the same JSON: mappings whatever the order they were written in, numbers by
/// value (`1` equals `1.0`).
#[derive(Clone, Copy)]
pub struct Node<'a> {
    document: &'a Document,
    slot: Slot,
}

/// Of more entries than these, one is found by its place in their order.
const FEW: usize = 16;

/// What a [`Node`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number.
    Number,
    /// A text.
    Text,
    /// A list.
    List,
    /// A mapping.
    Map,
}

/// A number as JSON has it.
#[derive(Clone, Copy, Debug)]
pub enum Number {
    /// Without a fraction or exponent, in the range of `i64` and `u64`.
    Integer(i128),
    /// Any other.
    Float(f64),
}

impl<'a> Node<'a> {
    pub(super) fn new(document: &'a Document, slot: Slot) -> Self {
        Self { document, slot }
    }

    pub(super) fn document(self) -> &'a Document {
        self.document
    }

    pub(super) fn slot(self) -> Slot {
        self.slot
    }

    /// Its key, when it was reached as an entry of a mapping; otherwise empty.
    pub(crate) fn key(self) -> &'a str {
        match self.slot.name {
            Slot::NAMELESS => "",
            name => read_name(&self.document.text, name),
        }
    }

    /// The order of the keys of two entries.
    #[inline]
    pub(super) fn order_of_keys(self, other: Self) -> Ordering {
        if self.slot.name == other.slot.name && self.word().is_some() {
            return Ordering::Equal;
        }
        order(self.key(), other.key())
    }

    /// Its key, when that is a word that all documents share.
    pub(crate) fn word(self) -> Option<Word> {
        Word::of_name(self.slot.name)
    }

    /// What it is.
    pub fn kind(self) -> Kind {
        match self.slot.tag() {
            Tag::Null => Kind::Null,
            Tag::False | Tag::True => Kind::Bool,
            Tag::Integer | Tag::Wide | Tag::Float => Kind::Number,
            Tag::Text => Kind::Text,
            Tag::List => Kind::List,
            Tag::Map => Kind::Map,
        }
    }

    /// True for `null`.
    pub fn is_null(self) -> bool {
        self.slot.tag() == Tag::Null
    }

    /// True for a mapping.
    pub fn is_map(self) -> bool {
        self.slot.tag() == Tag::Map
    }

    /// True for a list.
    pub fn is_list(self) -> bool {
        self.slot.tag() == Tag::List
    }

    /// The text; none when it is no text.
    pub fn as_str(self) -> Option<&'a str> {
        (self.slot.tag() == Tag::Text).then(|| self.bytes_of_text())
    }

    /// The truth value; none when it is no truth value.
    pub fn as_bool(self) -> Option<bool> {
        match self.slot.tag() {
            Tag::False => Some(false),
            Tag::True => Some(true),
            _ => None,
        }
    }

    /// The number; none when it is no number.
    pub fn as_number(self) -> Option<Number> {
        match self.slot.tag() {
            Tag::Integer => Some(Number::Integer(self.slot.as_integer().into())),
            Tag::Wide => self.bytes_of_text().parse().ok().map(Number::Integer),
            Tag::Float => self.bytes_of_text().parse().ok().map(Number::Float),
            _ => None,
        }
    }

    /// The integer, when it is one in the range of `i64`.
    pub fn as_i64(self) -> Option<i64> {
        match self.as_number()? {
            Number::Integer(i) => i64::try_from(i).ok(),
            Number::Float(_) => None,
        }
    }

    /// Of a number: as JSON writes it.
    pub(crate) fn with_digits<T>(self, then: impl FnOnce(&str) -> T) -> T {
        match self.slot.tag() {
            Tag::Integer => then(&self.slot.as_integer().to_string()),
            _ => then(self.bytes_of_text()),
        }
    }

    fn bytes_of_text(self) -> &'a str {
        let at = self.slot.at as usize;
        words::resolve(&self.document.text, at, self.slot.len())
    }

    /// How many elements or entries; 0 for a scalar.
    pub fn len(self) -> usize {
        match self.slot.tag() {
            Tag::List | Tag::Map => self.slot.len(),
            _ => 0,
        }
    }

    /// True for a list or mapping with nothing in it, and for every scalar.
    pub fn is_empty(self) -> bool {
        self.len() == 0
    }

    fn children(self) -> &'a [Slot] {
        let at = self.slot.at as usize;
        self.document.slots.get(at..at + self.len()).unwrap_or(&[])
    }

    /// Where in memory its elements or entries are: tells lists of one document apart that are not empty.
    pub(crate) fn place(self) -> usize {
        self.children().as_ptr() as usize
    }

    /// The elements of a list; nothing when it is no list.
    pub fn items(self) -> Items<'a> {
        let slots = if self.is_list() { self.children() } else { &[] };
        Items {
            document: self.document,
            slots: slots.iter(),
        }
    }

    /// The element at this position of a list.
    pub fn item(self, position: usize) -> Option<Node<'a>> {
        self.items().nth(position)
    }

    /// The entries of a mapping, whose keys are read [only where needed](Node::key).
    pub(crate) fn values(self) -> Items<'a> {
        let slots = if self.is_map() { self.children() } else { &[] };
        Items {
            document: self.document,
            slots: slots.iter(),
        }
    }

    /// The entries of a mapping, sorted by key; nothing when it is no mapping.
    pub fn entries(self) -> Entries<'a> {
        let slots = if self.is_map() { self.children() } else { &[] };
        Entries {
            document: self.document,
            slots: slots.iter(),
        }
    }

    /// The value of a key of a mapping.
    pub fn get(self, key: &str) -> Option<Node<'a>> {
        if !self.is_map() {
            return None;
        }
        let (slots, text) = (self.children(), &*self.document.text);
        let found = match Slot::short_name(key) {
            // Most keys have another length, which costs least to see.
            Some(len) if slots.len() <= FEW => slots
                .iter()
                .find(|slot| slot.name & Slot::LONG_NAME == len && read_name(text, slot.name) == key)?,
            _ => {
                let found = slots.binary_search_by(|slot| order(read_name(text, slot.name), key));
                slots.get(found.ok()?)?
            }
        };
        Some(Self::new(self.document, *found))
    }

    /// The value under these keys of nested mappings, outermost first.
    pub fn at(self, keys: &[&str]) -> Option<Node<'a>> {
        keys.iter().try_fold(self, |node, key| node.get(key))
    }

    /// As a `serde_json` value.
    pub fn to_json(self) -> Value {
        match self.slot.tag() {
            Tag::Null => Value::Null,
            Tag::False => Value::Bool(false),
            Tag::True => Value::Bool(true),
            Tag::Text => Value::String(self.bytes_of_text().to_owned()),
            Tag::List => Value::Array(self.items().map(Node::to_json).collect()),
            Tag::Map => {
                let entries = self
                    .entries()
                    .map(|(key, value)| (key.to_owned(), value.to_json()));
                Value::Object(entries.collect::<Map<_, _>>())
            }
            Tag::Integer | Tag::Wide | Tag::Float => {
                let number = match self.as_number() {
                    Some(Number::Integer(i)) => serde_json::Number::from_i128(i),
                    Some(Number::Float(f)) => serde_json::Number::from_f64(f),
                    None => None,
                };
                number.map_or(Value::Null, Value::Number)
            }
        }
    }

    /// True when this is the other value itself, taken over into a document that was
    /// [based on](super::Builder::based_on) the other's. Says nothing of documents that were not.
    pub(crate) fn is_taken_from(self, base: Self) -> bool {
        self.slot.meta == base.slot.meta && self.slot.at == base.slot.at && self.slot.name == base.slot.name
    }

    /// True for a list or mapping that is not empty and was taken over, with all that is in it, from a document that this
    /// value's own document was based on.
    pub(crate) fn is_container_of(self, base: &Document) -> bool {
        let end = self.slot.at as usize + self.len();
        !self.is_empty() && end <= base.slots.len() && self.document.slots.len() >= base.slots.len()
    }

    /// True when both are in the same document and are the same place in it.
    fn is_same_place(self, other: Self) -> bool {
        std::ptr::eq(self.document, other.document)
            && self.slot.meta == other.slot.meta
            && self.slot.at == other.slot.at
    }

    /// Equal, and every number written the same way: `1` is not `1.0`.
    pub(crate) fn is_exactly(self, other: Self) -> bool {
        self.equals(other, |a, b| match (a, b) {
            (Number::Integer(a), Number::Integer(b)) => a == b,
            (Number::Float(_), Number::Float(_)) => a == b,
            _ => false,
        })
    }

    fn equals(self, other: Self, numbers: fn(Number, Number) -> bool) -> bool {
        let (a, b) = (self.slot.tag(), other.slot.tag());
        match (a, b) {
            (Tag::Text, Tag::Text) => self.is_same_text(other),
            (Tag::Integer, Tag::Integer) => self.slot.as_integer() == other.slot.as_integer(),
            (Tag::List, Tag::List) | (Tag::Map, Tag::Map) => {
                self.slot.len() == other.slot.len()
                    && (self.is_same_place(other) || {
                        let is_map = a == Tag::Map;
                        let mut pairs = self.children().iter().zip(other.children());
                        pairs.all(|(a, b)| {
                            let (a, b) = (Self::new(self.document, *a), Self::new(other.document, *b));
                            (!is_map || a.has_same_key(b)) && a.equals(b, numbers)
                        })
                    })
            }
            _ => match (self.as_number(), other.as_number()) {
                (Some(a), Some(b)) => numbers(a, b),
                (None, None) => a == b,
                _ => false,
            },
        }
    }

    /// Of texts. Words stand in one place for all documents.
    fn is_same_text(self, other: Self) -> bool {
        self.slot.meta == other.slot.meta
            && (words::is_word(self.slot.at) && self.slot.at == other.slot.at
                || self.bytes_of_text() == other.bytes_of_text())
    }

    /// Of entries of mappings.
    fn has_same_key(self, other: Self) -> bool {
        match (self.word(), other.word()) {
            (None, None) => self.key() == other.key(),
            (a, b) => a == b,
        }
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.equals(*other, |a, b| a == b)
    }
}

impl PartialEq for Number {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a == b,
            (Self::Float(a), Self::Float(b)) => a == b,
            (Self::Integer(a), Self::Float(b)) | (Self::Float(b), Self::Integer(a)) => {
                #[expect(clippy::cast_precision_loss)]
                let same = *a as f64 == *b;
                same
            }
        }
    }
}

impl fmt::Display for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&text)
    }
}

/// Shows the kind only, so that a Secret cannot slip into a log.
impl fmt::Debug for Node<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?}", self.kind())
    }
}

/// The elements of a list.
#[derive(Clone)]
pub struct Items<'a> {
    document: &'a Document,
    slots: std::slice::Iter<'a, Slot>,
}

impl<'a> Iterator for Items<'a> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        self.slots.next().map(|slot| Node::new(self.document, *slot))
    }

    fn nth(&mut self, n: usize) -> Option<Node<'a>> {
        self.slots.nth(n).map(|slot| Node::new(self.document, *slot))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl ExactSizeIterator for Items<'_> {}

/// The entries of a mapping, sorted by key.
#[derive(Clone)]
pub struct Entries<'a> {
    document: &'a Document,
    slots: std::slice::Iter<'a, Slot>,
}

impl<'a> Iterator for Entries<'a> {
    type Item = (&'a str, Node<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let slot = self.slots.next()?;
        Some((
            read_name(&self.document.text, slot.name),
            Node::new(self.document, *slot),
        ))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        self.slots.size_hint()
    }
}

impl ExactSizeIterator for Entries<'_> {}

impl Number {
    /// By value.
    pub fn compare(self, other: Self) -> Ordering {
        match (self, other) {
            (Self::Integer(a), Self::Integer(b)) => a.cmp(&b),
            (a, b) => a.as_f64().total_cmp(&b.as_f64()),
        }
    }

    /// As a float; an integer beyond 53 bits loses its lowest bits.
    #[expect(clippy::cast_precision_loss)]
    pub fn as_f64(self) -> f64 {
        match self {
            Self::Integer(i) => i as f64,
            Self::Float(f) => f,
        }
    }
}
