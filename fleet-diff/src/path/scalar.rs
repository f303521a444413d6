//! Values that can name an element of a list.

use std::{cmp::Ordering, fmt, hash, sync::Arc};

use serde_json::Value;

use crate::document::{Kind, Node, Number};

/// A JSON value that is neither a mapping nor a list, with the total order that the API server sorts sets of fields
/// by: numbers, texts, truth values, null.
///
/// Printed as the API server prints it in a conflict: texts quoted, everything else bare.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Scalar {
    /// A number without a fraction, anywhere in the range of `i64` and `u64`.
    Integer(i128),
    /// Any other number.
    Float(Float),
    /// A text.
    Text(Arc<str>),
    /// `true` or `false`.
    Bool(bool),
    /// `null`.
    Null,
}

impl Scalar {
    /// The scalar a JSON value is; `None` for a mapping or a list.
    pub fn from_json(value: &Value) -> Option<Self> {
        Some(match value {
            Value::Null => Self::Null,
            Value::Bool(b) => Self::Bool(*b),
            Value::Number(n) => match n.as_i128() {
                Some(i) => Self::Integer(i),
                None => Self::float(n.as_f64()?),
            },
            Value::String(s) => Self::Text(s.as_str().into()),
            Value::Array(_) | Value::Object(_) => return None,
        })
    }

    /// The scalar a node is; `None` for a mapping or a list.
    pub fn from_node(node: Node<'_>) -> Option<Self> {
        Some(match node.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(node.as_bool()?),
            Kind::Text => Self::Text(node.as_str()?.into()),
            Kind::Number => match node.as_number()? {
                Number::Integer(i) => Self::Integer(i),
                Number::Float(f) => Self::float(f),
            },
            Kind::List | Kind::Map => return None,
        })
    }

    /// A float without a fraction is the same number as the integer.
    fn float(value: f64) -> Self {
        #[expect(clippy::cast_possible_truncation)]
        if value.fract() == 0.0 && value.abs() < 9e15 {
            Self::Integer(value as i128)
        } else {
            Self::Float(Float::new(value))
        }
    }

    /// As JSON. What JSON cannot express (an integer beyond `u64`, an infinite number) becomes `null`; neither
    /// comes out of [`Scalar::from_json`].
    pub fn to_json(&self) -> Value {
        match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Integer(i) => serde_json::Number::from_i128(*i).map_or(Value::Null, Value::Number),
            Self::Float(f) => serde_json::Number::from_f64(f.get()).map_or(Value::Null, Value::Number),
            Self::Text(s) => Value::String(s.to_string()),
        }
    }

    /// True when `value` is this scalar.
    pub fn is(&self, value: Node<'_>) -> bool {
        match (self, value.as_str()) {
            (Self::Text(a), Some(b)) => **a == *b,
            (Self::Text(_), None) | (_, Some(_)) => false,
            _ => Self::from_node(value).is_some_and(|other| *self == other),
        }
    }
}

impl From<&str> for Scalar {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl From<bool> for Scalar {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

impl From<i64> for Scalar {
    fn from(value: i64) -> Self {
        Self::Integer(value.into())
    }
}

impl fmt::Display for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(b) => write!(f, "{b}"),
            Self::Integer(i) => write!(f, "{i}"),
            Self::Float(x) => write!(f, "{x}"),
            Self::Text(s) => write_quoted(f, s),
        }
    }
}

impl fmt::Debug for Scalar {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A 64-bit float with a total order. Both zeros are one value, as they are in JSON comparisons.
#[derive(Clone, Copy)]
pub struct Float(f64);

impl Float {
    /// From a number; minus zero becomes zero.
    pub fn new(value: f64) -> Self {
        Self(if value == 0.0 { 0.0 } else { value })
    }

    /// The number.
    pub fn get(self) -> f64 {
        self.0
    }
}

impl PartialEq for Float {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Float {}

impl PartialOrd for Float {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Float {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl hash::Hash for Float {
    fn hash<H: hash::Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

impl fmt::Display for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

impl fmt::Debug for Float {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// Quotes a text as Go's `%q` does, which is what the API server uses.
fn write_quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    use fmt::Write as _;
    f.write_char('"')?;
    for c in text.chars() {
        match c {
            '"' | '\\' => write!(f, "\\{c}")?,
            '\u{7}' => f.write_str("\\a")?,
            '\u{8}' => f.write_str("\\b")?,
            '\u{c}' => f.write_str("\\f")?,
            '\n' => f.write_str("\\n")?,
            '\r' => f.write_str("\\r")?,
            '\t' => f.write_str("\\t")?,
            '\u{b}' => f.write_str("\\v")?,
            c if is_printable(c) => f.write_char(c)?,
            c if c.is_ascii() => write!(f, "\\x{:02x}", u32::from(c))?,
            c if u32::from(c) < 0x10000 => write!(f, "\\u{:04x}", u32::from(c))?,
            c => write!(f, "\\U{:08x}", u32::from(c))?,
        }
    }
    f.write_char('"')
}

/// True for a character that shows as itself: no control, format, private-use, unassigned or separator character
/// except the plain space.
pub(crate) fn is_printable(c: char) -> bool {
    if c.is_ascii() {
        return !c.is_ascii_control();
    }
    // `str::escape_debug` escapes exactly the unprintable ones; a combining mark only at the start of the text.
    let mut text = String::from("a");
    text.push(c);
    text.escape_debug().nth(1) == Some(c)
}
