//! Texts that most objects have, once for all documents: names of fields, also as `managedFields` writes them, and constants
//! of the API.
//!
//! Places in the text of a document begin with these: what is beyond them is its own.

use std::{num::NonZeroU32, sync::LazyLock};

use super::{Slot, texts::hash};

/// One word a line. A word that begins with `f:` stands for the rest of it too.
const WORDS: &str = include_str!("words.txt");

/// Where the own text of a document begins. In bytes.
pub(super) const END: usize = WORDS.len();

/// Whether a word stands at a place in the text of a document.
pub(super) fn is_word(at: u32) -> bool {
    (at as usize) < END
}

/// A text of a document with this text of its own; empty when there is none.
pub(super) fn resolve(own: &str, at: usize, len: usize) -> &str {
    let found = match at.checked_sub(END) {
        Some(at) => own.get(at..at + len),
        None => WORDS.get(at..at + len),
    };
    found.unwrap_or("")
}

/// A key that is among the words. Two keys of which one is a word are equal just when the other is the same word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Word(NonZeroU32);

impl Word {
    /// None for keys that are no words, and for those too long to be told apart without their text.
    pub(crate) fn of(key: &str) -> Option<Self> {
        let at = ALL.find(key, hash(key.as_bytes()))?;
        let len = Slot::short_name(key)?;
        Self::of_name((at << Slot::NAME_LEN_BITS) | len)
    }

    /// The key that `managedFields` writes as this one: `spec` for `f:spec`.
    pub(crate) fn of_field(self) -> Option<Self> {
        const PREFIX: &str = "f:";
        let (at, skipped) = (self.0.get() >> Slot::NAME_LEN_BITS, PREFIX.len() as u32);
        let is_field = WORDS
            .as_bytes()
            .get(at as usize..)?
            .starts_with(PREFIX.as_bytes());
        let name = self.0.get() + (skipped << Slot::NAME_LEN_BITS) - skipped;
        NonZeroU32::new(name).filter(|_| is_field).map(Self)
    }

    /// The word that the name of a slot is.
    pub(super) fn of_name(name: u32) -> Option<Self> {
        NonZeroU32::new(name)
            .filter(|_| is_word(name >> Slot::NAME_LEN_BITS))
            .map(Self)
    }
}

/// Finds words.
pub(super) struct Words {
    /// By the lowest bits of the hash, or in the next free place after it.
    table: Vec<Place>,
}

#[derive(Clone, Copy, Default)]
struct Place {
    hash: u32,
    at: u16,
    /// 0 is a free place.
    len: u16,
}

pub(super) static ALL: LazyLock<Words> = LazyLock::new(Words::new);

impl Words {
    fn new() -> Self {
        let count = WORDS.lines().count() * 2;
        let mut words = Self {
            table: vec![Place::default(); (count * 2).next_power_of_two()],
        };
        let mut at = 0;
        for word in WORDS.lines() {
            words.add(at, word);
            if let Some(name) = word.strip_prefix("f:") {
                words.add(at + 2, name);
            }
            at += word.len() + 1;
        }
        words
    }

    fn add(&mut self, at: usize, word: &str) {
        let hash = hash(word.as_bytes());
        if let (Err(free), Ok(at), Ok(len)) = (
            self.place(word, hash),
            u16::try_from(at),
            u16::try_from(word.len()),
        ) {
            self.table[free] = Place { hash, at, len };
        }
    }

    /// Where this text with this hash is among the words.
    pub(super) fn find(&self, text: &str, hash: u32) -> Option<u32> {
        self.place(text, hash).ok()
    }

    /// Where it is, or the free place in the table.
    fn place(&self, text: &str, hash: u32) -> Result<u32, usize> {
        let mask = self.table.len() - 1;
        let mut i = hash as usize & mask;
        loop {
            let word = self.table[i];
            if word.len == 0 {
                return Err(i);
            }
            let (at, len) = (usize::from(word.at), usize::from(word.len));
            if word.hash == hash && WORDS.as_bytes().get(at..at + len) == Some(text.as_bytes()) {
                return Ok(u32::from(word.at));
            }
            i = (i + 1) & mask;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_is_found_where_it_is() {
        assert!(END < usize::from(u16::MAX));
        for word in WORDS.lines() {
            for name in std::iter::once(word).chain(word.strip_prefix("f:")) {
                let at = ALL.find(name, hash(name.as_bytes())).unwrap();
                assert_eq!(resolve("own", at as usize, name.len()), name);
            }
        }
        assert_eq!(Word::of("f:spec").and_then(Word::of_field), Word::of("spec"));
        assert_eq!(Word::of("kind").and_then(Word::of_field), None);
        assert_eq!(ALL.find("no word", hash(b"no word")), None);
        assert_eq!(resolve("own", END, 3), "own");
    }

    #[test]
    fn no_word_is_there_twice() {
        let mut words: Vec<&str> = WORDS.lines().collect();
        let ends: Vec<&str> = words.iter().filter_map(|word| word.strip_prefix("f:")).collect();
        words.extend(ends);
        let count = words.len();
        words.sort_unstable();
        words.dedup();
        assert_eq!(words.len(), count);
        assert!(
            words
                .iter()
                .all(|word| !word.is_empty() && word.len() <= super::super::texts::SHARED_BYTES_MAX)
        );
    }
}
