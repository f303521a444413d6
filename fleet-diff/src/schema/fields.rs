//! The fields of a mapping, and finding them.

use std::ops::{Deref, DerefMut};

use super::types::{Field, MapType, TypeId};
use crate::document::{Node, Word, order};

/// Sorted by name.
#[derive(Clone, Default, PartialEq, Eq, Hash, Debug)]
pub(crate) struct Fields {
    all: Box<[Field]>,
    /// The names of all fields, where they are words: numbers are found faster than texts.
    words: Box<[Option<Word>]>,
}

impl From<Vec<Field>> for Fields {
    fn from(all: Vec<Field>) -> Self {
        Self {
            words: all.iter().map(|field| Word::of(&field.name)).collect(),
            all: all.into(),
        }
    }
}

/// What is changed in a field must not be its name.
impl DerefMut for Fields {
    fn deref_mut(&mut self) -> &mut [Field] {
        &mut self.all
    }
}

impl Deref for Fields {
    type Target = [Field];

    fn deref(&self) -> &[Field] {
        &self.all
    }
}

impl<'f> IntoIterator for &'f Fields {
    type Item = &'f Field;
    type IntoIter = std::slice::Iter<'f, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter()
    }
}

impl<'f> IntoIterator for &'f mut Fields {
    type Item = &'f mut Field;
    type IntoIter = std::slice::IterMut<'f, Field>;

    fn into_iter(self) -> Self::IntoIter {
        self.all.iter_mut()
    }
}

impl Fields {
    pub(crate) fn into_vec(self) -> Vec<Field> {
        self.all.into_vec()
    }

    pub(crate) fn find(&self, name: &str) -> Option<&Field> {
        let at = self.binary_search_by(|field| order(&field.name, name)).ok()?;
        self.get(at)
    }

    /// Fields with what they are in a document.
    pub(crate) fn words(&self) -> impl Iterator<Item = (&Field, Option<Word>)> {
        self.all.iter().zip(self.words.iter().copied())
    }
}

/// Finds the fields of a mapping for keys that come in their order, as those of a document do.
pub(crate) struct InOrder<'s> {
    of: &'s MapType,
    /// The first field that may come next.
    next: usize,
}

impl<'s> InOrder<'s> {
    pub(crate) fn new(of: &'s MapType) -> Self {
        Self { of, next: 0 }
    }

    /// The field that an entry of a mapping is.
    pub(crate) fn field(&mut self, entry: Node<'_>) -> Option<&'s Field> {
        match entry.word() {
            Some(word) => self.word(word),
            None => self.text(entry.key()),
        }
    }

    /// The field that an entry of `FieldsV1` names.
    pub(crate) fn named(&mut self, name: Node<'_>) -> Option<&'s Field> {
        match name.word().and_then(Word::of_field) {
            Some(word) => self.word(word),
            None => self.text(name.key().strip_prefix("f:")?),
        }
    }

    fn word(&mut self, word: Word) -> Option<&'s Field> {
        let rest = self.of.fields.words.get(self.next..)?;
        self.next += rest.iter().position(|known| *known == Some(word))? + 1;
        self.of.fields.get(self.next - 1)
    }

    fn text(&mut self, key: &str) -> Option<&'s Field> {
        let rest = self.of.fields.get(self.next..)?;
        match rest.binary_search_by(|field| order(&field.name, key)) {
            Ok(found) => self.next += found + 1,
            Err(after) => {
                self.next += after;
                return None;
            }
        }
        self.of.fields.get(self.next - 1)
    }

    /// The type of an entry; none when there may be no such key.
    pub(crate) fn of(&mut self, entry: Node<'_>) -> Option<TypeId> {
        self.field(entry).map(|field| field.of).or(self.of.element)
    }
}
