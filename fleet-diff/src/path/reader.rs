//! Reading paths and patterns of paths, step by step.

use std::sync::Arc;

use crate::{PathElement, Scalar};

/// Why a text is no path and no pattern of paths.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a path: {problem} at character {at}")]
pub struct PathError {
    /// Counted from 1.
    at: usize,
    problem: &'static str,
}

impl PathError {
    #[cfg(test)]
    pub(crate) fn at(&self) -> usize {
        self.at
    }
}

/// One step, as it is written.
pub(crate) enum ReadStep {
    Key(Arc<str>),
    AnyElement,
    Element(PathElement),
}

pub(crate) struct PathReader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> PathReader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest().is_empty()
    }

    /// Passes over so many bytes, which must end between characters.
    pub(crate) fn skip(&mut self, bytes: usize) {
        self.at += bytes;
    }

    pub(crate) fn rest(&self) -> &'a str {
        &self.text[self.at..]
    }

    pub(crate) fn error(&self, problem: &'static str) -> PathError {
        PathError {
            at: self.text[..self.at].chars().count() + 1,
            problem,
        }
    }

    fn take(&mut self, wanted: &str) -> bool {
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len();
        }
        found
    }

    fn until(&mut self, ends: &[char]) -> &'a str {
        let rest = self.rest();
        let len = rest.find(ends).unwrap_or(rest.len());
        self.at += len;
        &rest[..len]
    }

    /// One step that names a single element.
    pub(crate) fn element(&mut self) -> Result<PathElement, PathError> {
        match self.step()? {
            ReadStep::Key(key) => Ok(PathElement::Key(key)),
            ReadStep::Element(element) => Ok(element),
            ReadStep::AnyElement => Err(self.error("`[*]` names no single element")),
        }
    }

    pub(crate) fn step(&mut self) -> Result<ReadStep, PathError> {
        if self.take(".") {
            let key = self.until(&['.', '[']);
            return if key.is_empty() {
                Err(self.error("a key is missing after `.`"))
            } else {
                Ok(ReadStep::Key(key.into()))
            };
        }
        if !self.take("[") {
            return Err(self.error("a step begins with `.` or `[`"));
        }
        let step = if self.take("*") {
            ReadStep::AnyElement
        } else if self.take("=") {
            ReadStep::Element(PathElement::Value(self.scalar()?))
        } else if self.rest().starts_with('"') {
            match self.scalar()? {
                Scalar::Text(key) => ReadStep::Key(key),
                _ => return Err(self.error("a key must be a text")),
            }
        } else if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
            let position = self.until(&[']']).parse();
            ReadStep::Element(PathElement::Index(
                position.map_err(|_| self.error("a position must be a number"))?,
            ))
        } else {
            let mut fields = std::collections::BTreeMap::new();
            loop {
                let name = self.until(&['=', ']']).trim();
                if name.is_empty() || !self.take("=") {
                    return Err(self.error("expected `name=value`"));
                }
                fields.insert(name.into(), self.scalar()?);
                if !self.take(",") {
                    break;
                }
            }
            ReadStep::Element(PathElement::ListKey(fields))
        };
        if self.take("]") {
            Ok(step)
        } else {
            Err(self.error("expected `]`"))
        }
    }

    /// One JSON scalar.
    fn scalar(&mut self) -> Result<Scalar, PathError> {
        let mut values = serde_json::Deserializer::from_str(self.rest()).into_iter::<serde_json::Value>();
        let value = match values.next() {
            Some(Ok(value)) => Scalar::from_json(&value),
            _ => None,
        };
        let read = values.byte_offset();
        let value = value.ok_or(self.error("expected a text in quotes, a number, true, false or null"))?;
        self.at += read;
        Ok(value)
    }
}
