//! Numbers and texts in a table.

use super::LONGEST_WORD;
use crate::SchemaError;

/// What is left to read. Everything that was promised and is not there is an error.
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
    length: usize,
}

type Read<T> = Result<T, SchemaError>;

impl<'a> Bytes<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self {
            rest: bytes,
            length: bytes.len(),
        }
    }

    /// Names the byte after what was read last.
    pub(super) fn error(&self, problem: &str) -> SchemaError {
        SchemaError {
            place: format!("schema table, byte {}", self.length - self.rest.len()),
            problem: problem.to_owned(),
        }
    }

    pub(super) fn number(&mut self) -> Read<u32> {
        let mut number = 0;
        for shift in (0..32).step_by(7) {
            let Some((byte, rest)) = self.rest.split_first() else {
                return Err(self.error("ends too early"));
            };
            self.rest = rest;
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return u32::try_from(number).map_err(|_| self.error("a number is too large"));
            }
        }
        Err(self.error("a number is too large"))
    }

    /// How many things follow. Each takes a byte at least, so that this is no more than there are bytes.
    pub(super) fn count(&mut self) -> Read<usize> {
        let count = self.number()? as usize;
        if count > self.rest.len() {
            return Err(self.error("says that more follows than there is"));
        }
        Ok(count)
    }

    pub(super) fn take(&mut self, count: usize) -> Read<&'a [u8]> {
        let Some((taken, rest)) = self.rest.split_at_checked(count) else {
            return Err(self.error("ends too early"));
        };
        self.rest = rest;
        Ok(taken)
    }

    pub(super) fn text(&mut self) -> Read<&'a str> {
        let count = self.count()?;
        let text = self.take(count)?;
        str::from_utf8(text).map_err(|_| self.error("a text is not UTF-8"))
    }

    /// Texts in ascending order, each written as its difference from the one before.
    pub(super) fn words<T: for<'w> From<&'w str>>(&mut self) -> Read<Vec<T>> {
        let count = self.count()?;
        let mut words = Vec::with_capacity(count);
        let (mut before, mut word) = (Vec::new(), Vec::new());
        for i in 0..count {
            let shared = self.number()? as usize;
            let rest = self.count()?;
            let rest = self.take(rest)?;
            let Some(shared) = before.get(..shared) else {
                return Err(self.error("a word shares more than there is"));
            };
            word.clear();
            word.extend_from_slice(shared);
            word.extend_from_slice(rest);
            if word.len() > LONGEST_WORD {
                return Err(self.error("a word is too long"));
            }
            if i > 0 && word <= before {
                return Err(self.error("words are not in order"));
            }
            let text = str::from_utf8(&word).map_err(|_| self.error("a word is not UTF-8"))?;
            words.push(text.into());
            std::mem::swap(&mut before, &mut word);
        }
        Ok(words)
    }

    pub(super) fn end(&self) -> Read<()> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(self.error("something follows the end"))
        }
    }
}

#[cfg(any(test, feature = "table-writer"))]
pub(super) mod write {
    pub(in super::super) fn number(out: &mut Vec<u8>, mut number: u32) {
        loop {
            let [low, ..] = number.to_le_bytes();
            number >>= 7;
            if number == 0 {
                return out.push(low);
            }
            out.push(low | 0x80);
        }
    }

    /// Nothing in a table comes near the largest number; if it did, the writer would notice.
    pub(in super::super) fn count(out: &mut Vec<u8>, count: usize) {
        number(out, u32::try_from(count).unwrap_or(u32::MAX));
    }

    pub(in super::super) fn text(out: &mut Vec<u8>, text: &str) {
        count(out, text.len());
        out.extend_from_slice(text.as_bytes());
    }

    pub(in super::super) fn words(out: &mut Vec<u8>, words: &[&str]) {
        count(out, words.len());
        let mut before: &[u8] = &[];
        for word in words {
            let word = word.as_bytes();
            let shared = word.iter().zip(before).take_while(|(a, b)| a == b).count();
            count(out, shared);
            count(out, word.len() - shared);
            out.extend_from_slice(&word[shared..]);
            before = word;
        }
    }
}
