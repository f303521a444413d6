//! The texts of a document that is being made, each written once.

use super::words::{self, Words};

/// Texts longer than this are rarely there twice.
pub(super) const SHARED_BYTES_MAX: usize = 64;

/// The text of a document, and a table of what stands where in it.
pub(super) struct Texts {
    words: &'static Words,
    /// What is no word.
    pub(super) text: String,
    /// By the lowest bits of the hash, or in the next free place after it.
    table: Vec<Place>,
    known: usize,
    /// Places of documents before have others.
    stamp: u32,
}

#[derive(Clone, Copy, Default)]
struct Place {
    stamp: u32,
    hash: u32,
    at: u32,
    len: u32,
}

impl Default for Texts {
    fn default() -> Self {
        Self {
            words: &words::ALL,
            text: String::new(),
            table: Vec::new(),
            known: 0,
            stamp: 0,
        }
    }
}

impl Texts {
    /// Where this text stands; it is added unless it is there already. `None` when it would be beyond 4 GiB.
    pub(super) fn place(&mut self, text: &str) -> Option<u32> {
        if text.len() > SHARED_BYTES_MAX {
            return self.append(text);
        }
        let hash = hash(text.as_bytes());
        if let Some(at) = self.words.find(text, hash) {
            return Some(at);
        }
        match self.find(text, hash) {
            Ok(at) => Some(at),
            Err(free) => {
                let at = self.append(text)?;
                self.know(free, hash, at, text.len());
                // Owned fields are named after keys.
                if let Some(key) = text.strip_prefix("f:") {
                    let hash = self::hash(key.as_bytes());
                    if let Err(free) = self.find(key, hash) {
                        self.know(free, hash, at + 2, key.len());
                    }
                }
                Some(at)
            }
        }
    }

    fn append(&mut self, text: &str) -> Option<u32> {
        let at = u32::try_from(words::END + self.text.len()).ok()?;
        self.text.push_str(text);
        Some(at)
    }

    /// Where it stands, or the free place in the table.
    fn find(&mut self, text: &str, hash: u32) -> Result<u32, usize> {
        if self.known * 2 >= self.table.len() {
            self.grow();
        }
        let mask = self.table.len() - 1;
        let mut i = hash as usize & mask;
        loop {
            let place = self.table[i];
            if place.stamp != self.stamp {
                return Err(i);
            }
            if place.hash == hash && place.len as usize == text.len() {
                let at = place.at as usize - words::END;
                if self.text.as_bytes().get(at..at + text.len()) == Some(text.as_bytes()) {
                    return Ok(place.at);
                }
            }
            i = (i + 1) & mask;
        }
    }

    fn know(&mut self, free: usize, hash: u32, at: u32, len: usize) {
        self.known += 1;
        self.table[free] = Place {
            stamp: self.stamp,
            hash,
            at,
            // Not more than `SHARED_BYTES_MAX`.
            len: u32::try_from(len).unwrap_or(u32::MAX),
        };
    }

    fn grow(&mut self) {
        let size = (self.table.len() * 2).max(128);
        let before = std::mem::replace(&mut self.table, vec![Place::default(); size]);
        self.stamp = self.stamp.max(1);
        for place in before.into_iter().filter(|place| place.stamp == self.stamp) {
            let mut i = place.hash as usize & (size - 1);
            while self.table[i].stamp == self.stamp {
                i = (i + 1) & (size - 1);
            }
            self.table[i] = place;
        }
    }

    /// Forgets everything, and keeps the memory.
    pub(super) fn clear(&mut self) {
        self.text.clear();
        self.known = 0;
        self.stamp = self.stamp.checked_add(1).unwrap_or_else(|| {
            self.table.clear();
            1
        });
    }

    /// In bytes.
    pub(super) fn capacity(&self) -> usize {
        self.text.capacity() + self.table.len() * size_of::<Place>()
    }
}

pub(super) fn hash(text: &[u8]) -> u32 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let (words, rest) = text.as_chunks::<8>();
    let mut state = (text.len() as u64).wrapping_mul(FACTOR);
    for word in words {
        state = (state ^ u64::from_le_bytes(*word)).wrapping_mul(FACTOR);
        state ^= state >> 32;
    }
    let mut last = [0; 8];
    last[..rest.len()].copy_from_slice(rest);
    state = (state ^ u64::from_le_bytes(last)).wrapping_mul(FACTOR);
    (state >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_text_stands_once() {
        let mut texts = Texts::default();
        for round in 0..3 {
            let words: Vec<String> = (0..1000).map(|i| format!("word-{}", i * 7)).collect();
            let places: Vec<u32> = words.iter().map(|word| texts.place(word).unwrap()).collect();
            let length = texts.text.len();
            for (word, place) in words.iter().zip(places) {
                assert_eq!(texts.place(word), Some(place), "round {round}");
                assert_eq!(words::resolve(&texts.text, place as usize, word.len()), word);
            }
            let field = texts.place("f:special").unwrap();
            assert_eq!(texts.place("special"), Some(field + 2));
            assert_eq!(texts.text.len(), length + 9);
            let word = texts.place("f:spec").unwrap() as usize;
            assert!(word < words::END && texts.text.len() == length + 9);
            assert_eq!(texts.place("spec"), u32::try_from(word + 2).ok());
            assert_eq!(texts.place(""), texts.place(""));
            texts.clear();
        }
    }
}
