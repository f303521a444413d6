//! JSON values, stored compactly.
//!
//! One [`Document`] is two allocations, whatever its size: slots (12 bytes for each value) and the text of all
//! strings and keys but those that all documents share. It is immutable, its mappings are sorted by key, and a [`Node`] borrows any value in it.

mod build;
mod node;
mod serde;
mod texts;
mod words;

use std::{cmp::Ordering, fmt};

pub(crate) use build::{Builder, Part};
pub use node::{Entries, Items, Kind, Node, Number};
pub(crate) use words::Word;

/// One JSON value with everything in it: immutable, ordered, and small (about as large as its JSON text).
///
/// Keys of a mapping are unique and sorted; of duplicate keys the last one counts. Numbers keep their value: every
/// integer of `i64` and `u64` exactly, others as `f64`.
///
/// ```
/// use fleet_diff::Document;
///
/// let document: Document = r#"{"spec": {"replicas": 3}}"#.parse()?;
/// assert_eq!(document.root().get("spec").and_then(|spec| spec.get("replicas")?.as_i64()), Some(3));
/// assert_eq!(document.to_string(), r#"{"spec":{"replicas":3}}"#);
/// # Ok::<(), fleet_diff::DocumentError>(())
/// ```
#[derive(Clone)]
pub struct Document {
    slots: Box<[Slot]>,
    text: Box<str>,
}

/// Why a text is not a document: not JSON, nested too deeply, or larger than 64 MiB. The message quotes nothing of
/// the text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not JSON that can be read: line {line}, column {column}: {problem}")]
pub struct DocumentError {
    line: usize,
    column: usize,
    problem: &'static str,
}

/// One value. Children of a list or mapping are neighbours in the table of slots.
#[derive(Clone, Copy)]
struct Slot {
    /// Where the key of this value is in the text, and in the lowest six bits its length, or that it is a
    /// [long name](long_name); [`Slot::NAMELESS`] for elements of lists and for the root.
    name: u32,
    /// The kind in the lowest four bits, above them the length: bytes of a string, children of a container, or the
    /// high bits of an integer.
    meta: u32,
    /// Where the string begins in the text, where the children begin in the slots, or the low bits of an integer.
    at: u32,
}

impl Slot {
    const NAMELESS: u32 = u32::MAX;
    const NAME_LEN_BITS: u32 = 6;
    const LONG_NAME: u32 = (1 << Self::NAME_LEN_BITS) - 1;
    /// Where texts begin is less. In bytes.
    const TEXT_MAX: u32 = (1 << (32 - Self::NAME_LEN_BITS)) - 1;
    const MAX_LEN: usize = (1 << 28) - 1;

    /// The length of a name that is not [long](long_name).
    fn short_name(name: &str) -> Option<u32> {
        u32::try_from(name.len())
            .ok()
            .filter(|len| *len < Self::LONG_NAME)
    }

    fn tag(self) -> Tag {
        match self.meta & 0xf {
            0 => Tag::Null,
            1 => Tag::False,
            2 => Tag::True,
            3 => Tag::Integer,
            4 => Tag::Wide,
            5 => Tag::Float,
            6 => Tag::Text,
            7 => Tag::List,
            _ => Tag::Map,
        }
    }

    fn len(self) -> usize {
        (self.meta >> 4) as usize
    }

    fn new(name: u32, tag: Tag, len: usize, at: usize) -> Self {
        // The builder refuses what does not fit before it comes here.
        let len = u32::try_from(len.min(Self::MAX_LEN)).unwrap_or(0);
        Self {
            name,
            meta: (len << 4) | tag as u32,
            at: u32::try_from(at).unwrap_or(0),
        }
    }

    /// The integer, when it fits into the 60 bits of a slot.
    #[expect(
        clippy::cast_sign_loss,
        clippy::cast_possible_truncation,
        reason = "its bits are taken apart"
    )]
    fn integer(name: u32, value: i64) -> Option<Self> {
        if !(-(1 << 59)..(1 << 59)).contains(&value) {
            return None;
        }
        let bits = value as u64;
        Some(Self {
            name,
            meta: (((bits >> 32) as u32) << 4) | Tag::Integer as u32,
            at: bits as u32,
        })
    }

    #[expect(clippy::cast_possible_wrap, reason = "the sign is in the highest bits")]
    fn as_integer(self) -> i64 {
        let high = i64::from((self.meta as i32) >> 4);
        (high << 32) | i64::from(self.at)
    }
}

/// The kinds of slots.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Tag {
    Null = 0,
    False = 1,
    True = 2,
    /// In the slot itself.
    Integer = 3,
    /// An integer beyond 60 bits, as decimal text.
    Wide = 4,
    /// Any other number, as the shortest text that reads back as the same `f64`.
    Float = 5,
    Text = 6,
    List = 7,
    Map = 8,
}

/// The length of a long key stands before it in the text, in ASCII, so that the text stays valid UTF-8: six bits a
/// byte, highest first, `0x40` marks all bytes but the last.
fn long_name(name: &str) -> String {
    let digit = |shift: u32| u8::try_from((name.len() >> shift) & 0x3f).unwrap_or(0);
    let mut text = String::with_capacity(name.len() + 6);
    let highest = (6..=30).rev().step_by(6).find(|shift| name.len() >> shift > 0);
    if let Some(highest) = highest {
        let shifts = (6..=highest).rev().step_by(6);
        text.extend(shifts.map(|shift| char::from(0x40 | digit(shift))));
    }
    text.push(char::from(digit(0)));
    text.push_str(name);
    text
}

fn read_name(text: &str, name: u32) -> &str {
    let (at, len) = ((name >> Slot::NAME_LEN_BITS) as usize, name & Slot::LONG_NAME);
    if len == Slot::LONG_NAME {
        return read_long_name(text, at);
    }
    words::resolve(text, at, len as usize)
}

fn read_long_name(text: &str, at: usize) -> &str {
    // Long names are never among the words.
    let (bytes, mut i, mut len) = (text.as_bytes(), at.saturating_sub(words::END), 0);
    while let Some(byte) = bytes.get(i) {
        i += 1;
        len = (len << 6) | (byte & 0x3f) as usize;
        if byte & 0x40 == 0 {
            return text.get(i..i + len).unwrap_or("");
        }
    }
    ""
}

impl Document {
    /// The whole value.
    pub fn root(&self) -> Node<'_> {
        Node::new(
            self,
            self.slots
                .last()
                .copied()
                .unwrap_or(Slot::new(Slot::NAMELESS, Tag::Null, 0, 0)),
        )
    }

    /// The value `null`.
    pub(crate) fn null() -> Self {
        Self {
            slots: [Slot::new(Slot::NAMELESS, Tag::Null, 0, 0)].into(),
            text: "".into(),
        }
    }

    /// From a `serde_json` value; `null` from one that does not fit (64 MiB of text, 4 GiB in all).
    pub fn from_json(value: &serde_json::Value) -> Self {
        let mut builder = Builder::new();
        builder.json(value);
        builder.finish()
    }

    /// As a `serde_json` value.
    pub fn to_json(&self) -> serde_json::Value {
        self.root().to_json()
    }

    /// Bytes on the heap.
    pub fn heap_size(&self) -> usize {
        self.slots.len() * size_of::<Slot>() + self.text.len()
    }
}

impl std::str::FromStr for Document {
    type Err = DocumentError;

    fn from_str(text: &str) -> Result<Self, DocumentError> {
        serde_json::from_str(text).map_err(|error| DocumentError::of(&error))
    }
}

impl DocumentError {
    fn of(error: &serde_json::Error) -> Self {
        use serde_json::error::Category;
        let problem = match error.classify() {
            Category::Eof => "the text ends early",
            Category::Syntax if error.to_string().starts_with("recursion limit") => "nested too deeply",
            Category::Syntax => "not JSON",
            Category::Data => "too large, or a number out of range",
            Category::Io => "it cannot be read",
        };
        Self {
            line: error.line(),
            column: error.column(),
            problem,
        }
    }
}

impl PartialEq for Document {
    fn eq(&self, other: &Self) -> bool {
        self.root() == other.root()
    }
}

impl Eq for Document {}

impl fmt::Display for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.root(), f)
    }
}

/// Shows no content, so that a Secret cannot slip into a log.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Document({} values)", self.slots.len())
    }
}

/// Walks the [entries](Node::values) of two mappings side by side.
pub(crate) fn zip<'a, 'b>(
    left: impl Iterator<Item = Node<'a>>,
    right: impl Iterator<Item = Node<'b>>,
    mut each: impl FnMut(Zipped<'a, 'b>),
) {
    let (mut left, mut right) = (left.peekable(), right.peekable());
    loop {
        let order = match (left.peek(), right.peek()) {
            (None, None) => return,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(a), Some(b)) => a.order_of_keys(*b),
        };
        let a = if order.is_le() { left.next() } else { None };
        let b = if order.is_ge() { right.next() } else { None };
        match (a, b) {
            (Some(a), Some(b)) => each(Zipped::Both(a, b)),
            (Some(a), None) => each(Zipped::Left(a)),
            (None, Some(b)) => each(Zipped::Right(b)),
            (None, None) => return,
        }
    }
}

/// The order of two texts. Most keys differ in their first letters, which costs less to see than a call does.
#[inline]
pub(crate) fn order(a: &str, b: &str) -> Ordering {
    const SEEN: usize = 4;
    // Words that documents share are in one place.
    if std::ptr::eq(a, b) {
        return Ordering::Equal;
    }
    for (x, y) in a.bytes().zip(b.bytes()).take(SEEN) {
        if x != y {
            return x.cmp(&y);
        }
    }
    a.cmp(b)
}

/// The entries of two mappings that have the same key.
pub(crate) enum Zipped<'a, 'b> {
    Left(Node<'a>),
    Right(Node<'b>),
    Both(Node<'a>, Node<'b>),
}
