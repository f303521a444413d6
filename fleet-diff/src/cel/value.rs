//! Values while an expression is evaluated.

use std::{cmp::Ordering, rc::Rc};

use super::{EvaluationError, meter::Meter};
use crate::document::{Kind, Node, Number};

#[derive(Clone)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Int(i64),
    Uint(u64),
    Double(f64),
    Text(&'a str),
    /// A text that was made.
    Made(Rc<str>),
    /// A list or mapping of an object.
    Part(Node<'a>),
    List(Rc<[Value<'a>]>),
    Map(Rc<[(Value<'a>, Value<'a>)]>),
}

/// A number of any type.
#[derive(Clone, Copy)]
enum Any {
    Integer(i128),
    Double(f64),
}

impl<'a> Value<'a> {
    pub(super) fn of(node: Node<'a>) -> Self {
        match node.kind() {
            Kind::Null => Self::Null,
            Kind::Bool => Self::Bool(node.as_bool() == Some(true)),
            Kind::Text => Self::Text(node.as_str().unwrap_or("")),
            Kind::List | Kind::Map => Self::Part(node),
            Kind::Number => match node.as_number() {
                Some(Number::Integer(value)) => match (i64::try_from(value), u64::try_from(value)) {
                    (Ok(value), _) => Self::Int(value),
                    (_, Ok(value)) => Self::Uint(value),
                    _ => Self::Null,
                },
                Some(Number::Float(value)) => Self::Double(value),
                None => Self::Null,
            },
        }
    }

    pub(super) fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Made(text) => Some(text),
            _ => None,
        }
    }

    pub(super) fn is_list(&self) -> bool {
        match self {
            Self::List(_) => true,
            Self::Part(node) => node.is_list(),
            _ => false,
        }
    }

    pub(super) fn is_map(&self) -> bool {
        match self {
            Self::Map(_) => true,
            Self::Part(node) => node.is_map(),
            _ => false,
        }
    }

    /// Of a list or mapping: how many elements or entries.
    pub(super) fn count(&self) -> usize {
        match self {
            Self::List(items) => items.len(),
            Self::Map(entries) => entries.len(),
            Self::Part(node) => node.len(),
            _ => 0,
        }
    }

    /// The elements of a list, the keys of a mapping.
    pub(super) fn range(&self) -> Option<Range<'a>> {
        Some(match self {
            Self::List(items) => Range::List(items.clone(), 0),
            Self::Map(entries) => Range::Keys(entries.clone(), 0),
            Self::Part(node) if node.is_map() => Range::Fields(node.entries()),
            Self::Part(node) => Range::Items(node.items()),
            _ => return None,
        })
    }

    /// The value under a text key.
    pub(super) fn field(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Self::Part(node) => node.get(name).map(Self::of),
            Self::Map(entries) => {
                let entry = entries.iter().find(|(key, _)| key.as_text() == Some(name));
                entry.map(|(_, value)| value.clone())
            }
            _ => None,
        }
    }

    fn number(&self) -> Option<Any> {
        Some(match self {
            Self::Int(value) => Any::Integer((*value).into()),
            Self::Uint(value) => Any::Integer((*value).into()),
            Self::Double(value) => Any::Double(*value),
            _ => return None,
        })
    }

    /// The whole number it is, whatever its type.
    pub(super) fn whole(&self) -> Option<i128> {
        match self.number()? {
            Any::Integer(value) => Some(value),
            Any::Double(value) => whole(value),
        }
    }

    /// Numbers of all types, texts, and truth values have an order among themselves. None also for what is no number.
    pub(super) fn order(&self, other: &Self, meter: &mut Meter) -> Result<Option<Ordering>, EvaluationError> {
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return Ok(order_of(a, b));
        }
        if let (Some(a), Some(b)) = (self.as_text(), other.as_text()) {
            meter.bytes(a.len().min(b.len()))?;
            return Ok(Some(a.cmp(b)));
        }
        match (self, other) {
            (Self::Bool(a), Self::Bool(b)) => Ok(Some(a.cmp(b))),
            _ => Err(EvaluationError::WrongType("<".into())),
        }
    }

    /// Values of different types are unequal, but for numbers.
    pub(super) fn equals(&self, other: &Self, meter: &mut Meter) -> Result<bool, EvaluationError> {
        meter.step()?;
        if let (Some(a), Some(b)) = (self.number(), other.number()) {
            return Ok(order_of(a, b) == Some(Ordering::Equal));
        }
        if let (Some(a), Some(b)) = (self.as_text(), other.as_text()) {
            meter.bytes(a.len().min(b.len()))?;
            return Ok(a == b);
        }
        match (self, other) {
            (Self::Null, Self::Null) => return Ok(true),
            (Self::Bool(a), Self::Bool(b)) => return Ok(a == b),
            _ => {}
        }
        if self.count() != other.count() {
            return Ok(false);
        }
        if self.is_list() && other.is_list() {
            let (Some(ours), Some(theirs)) = (self.range(), other.range()) else {
                return Ok(false);
            };
            for (a, b) in ours.zip(theirs) {
                if !a.equals(&b, meter)? {
                    return Ok(false);
                }
            }
            return Ok(true);
        }
        if self.is_map() && other.is_map() {
            for key in self.range().into_iter().flatten() {
                let (ours, theirs) = (self.at(&key, meter)?, other.at(&key, meter)?);
                match (ours, theirs) {
                    (Some(a), Some(b)) if a.equals(&b, meter)? => {}
                    _ => return Ok(false),
                }
            }
            return Ok(true);
        }
        Ok(false)
    }

    /// The value under a key of a mapping.
    pub(super) fn at(&self, key: &Self, meter: &mut Meter) -> Result<Option<Value<'a>>, EvaluationError> {
        match self {
            Self::Part(_) => Ok(key.as_text().and_then(|name| self.field(name))),
            Self::Map(entries) => {
                for (own, value) in entries.iter() {
                    if own.equals(key, meter)? {
                        return Ok(Some(value.clone()));
                    }
                }
                Ok(None)
            }
            _ => Ok(None),
        }
    }
}

/// The elements of a list, or the keys of a mapping.
pub(super) enum Range<'a> {
    List(Rc<[Value<'a>]>, usize),
    Keys(Rc<[(Value<'a>, Value<'a>)]>, usize),
    Items(crate::document::Items<'a>),
    Fields(crate::document::Entries<'a>),
}

impl<'a> Iterator for Range<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Value<'a>> {
        match self {
            Self::List(items, at) => {
                *at += 1;
                items.get(*at - 1).cloned()
            }
            Self::Keys(entries, at) => {
                *at += 1;
                entries.get(*at - 1).map(|(key, _)| key.clone())
            }
            Self::Items(items) => items.next().map(Value::of),
            Self::Fields(entries) => entries.next().map(|(key, _)| Value::Text(key)),
        }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it has no fraction and is in range"
)]
fn whole(value: f64) -> Option<i128> {
    // Beyond this every float is whole, and beyond all integers there are.
    (value.fract() == 0.0 && value.abs() < 1e30).then_some(value as i128)
}

/// A float and an integer compare as floats do, as in other implementations.
#[expect(clippy::cast_precision_loss, reason = "that is how")]
fn order_of(a: Any, b: Any) -> Option<Ordering> {
    match (a, b) {
        (Any::Integer(a), Any::Integer(b)) => Some(a.cmp(&b)),
        (Any::Double(a), Any::Double(b)) => a.partial_cmp(&b),
        (Any::Integer(a), Any::Double(b)) => (a as f64).partial_cmp(&b),
        (Any::Double(a), Any::Integer(b)) => a.partial_cmp(&(b as f64)),
    }
}
