//! Which shard a key belongs to: the first bits of its hash.

use std::{fmt, str::FromStr};

use fleet_diff::{Digest, ObjectKey};

/// The first bits of a hash of keys: all keys whose hash starts with them are in one shard.
///
/// Printed and parsed as bits, such as `0110`; [`Prefix::ROOT`] is the empty text and holds every key. Ordered so
/// that a prefix comes right before everything it contains.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Prefix {
    // Left-aligned; bits beyond `length` are zero. The order of the fields makes the order documented above.
    bits: u64,
    length: u8,
}

impl Prefix {
    /// No bits: every key.
    pub const ROOT: Self = Self { bits: 0, length: 0 };
    /// Longest prefix, in bits.
    pub const BITS_MAX: u8 = 64;

    /// The longest prefix that contains `hash`.
    pub(super) fn of(hash: u64) -> Self {
        Self {
            bits: hash,
            length: Self::BITS_MAX,
        }
    }

    /// How many bits it has.
    pub fn length(self) -> u8 {
        self.length
    }

    /// Whether `hash` starts with it.
    pub fn contains(self, hash: u64) -> bool {
        (hash ^ self.bits) & self.mask() == 0
    }

    /// Whether `other` is longer and starts with it.
    pub fn is_above(self, other: Self) -> bool {
        self.length < other.length && self.contains(other.bits)
    }

    /// Its two halves, or none when it is as long as can be.
    pub fn halves(self) -> Option<[Self; 2]> {
        if self.length == Self::BITS_MAX {
            return None;
        }
        let half = |bit: u64| Self {
            bits: self.bits | bit << (63 - self.length),
            length: self.length + 1,
        };
        Some([half(0), half(1)])
    }

    /// The first hash in it.
    pub(super) fn start(self) -> u128 {
        u128::from(self.bits)
    }

    /// The first hash after it.
    pub(super) fn end(self) -> u128 {
        self.start() + (1_u128 << (Self::BITS_MAX - self.length))
    }

    fn mask(self) -> u64 {
        u64::MAX
            .checked_shl(u32::from(Self::BITS_MAX - self.length))
            .unwrap_or(0)
    }
}

/// The hash that chooses a key's shard: stable across versions and machines.
pub fn key_hash(key: &ObjectKey) -> u64 {
    let digest = Digest::of_bytes(key.to_path().as_bytes());
    digest
        .as_bytes()
        .iter()
        .take(8)
        .fold(0, |hash, byte| hash << 8 | u64::from(*byte))
}

impl fmt::Display for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        (0..self.length).try_for_each(|i| write!(f, "{}", self.bits >> (63 - i) & 1))
    }
}

impl fmt::Debug for Prefix {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prefix({self})")
    }
}

/// The text is not a list of at most [`Prefix::BITS_MAX`] bits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("not a shard's prefix: expected at most {max} characters `0` and `1`", max = Prefix::BITS_MAX)]
pub struct ParsePrefixError;

impl FromStr for Prefix {
    type Err = ParsePrefixError;

    fn from_str(text: &str) -> Result<Self, ParsePrefixError> {
        text.chars().try_fold(Self::ROOT, |prefix, bit| {
            let [zero, one] = prefix.halves().ok_or(ParsePrefixError)?;
            match bit {
                '0' => Ok(zero),
                '1' => Ok(one),
                _ => Err(ParsePrefixError),
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn prefix(text: &str) -> Prefix {
        text.parse().unwrap()
    }

    #[test]
    fn prints_parses_and_refuses() {
        let long = "01".repeat(32);
        for text in ["", "0", "1", "0110", &long] {
            assert_eq!(prefix(text).to_string(), text);
        }
        for bad in ["2", "0 ", "0x1", &format!("{long}0")] {
            assert_eq!(bad.parse::<Prefix>(), Err(ParsePrefixError), "{bad}");
        }
        assert_eq!(prefix(&long).halves(), None);
    }

    #[test]
    fn order_puts_a_prefix_right_before_its_contents() {
        let order = ["", "0", "00", "000", "001", "01", "1", "10", "100", "11"];
        let mut sorted: Vec<Prefix> = order.iter().rev().map(|t| prefix(t)).collect();
        sorted.sort();
        assert_eq!(sorted.iter().map(ToString::to_string).collect::<Vec<_>>(), order);
    }

    #[test]
    fn contains_what_starts_with_it() {
        let high = 1 << 63;
        let cases = [
            ("", 7, true),
            ("0", 7, true),
            ("1", 7, false),
            ("1", high, true),
            ("10", high, true),
            ("11", high, false),
        ];
        for (text, hash, expect) in cases {
            assert_eq!(prefix(text).contains(hash), expect, "{text} {hash}");
        }
        assert!(prefix("").is_above(prefix("0")) && prefix("01").is_above(prefix("0110")));
        assert!(!prefix("01").is_above(prefix("01")) && !prefix("01").is_above(prefix("0")));
        assert_eq!((prefix("1").start(), prefix("1").end()), (1 << 63, 1 << 64));
    }

    #[test]
    fn the_hash_never_changes() {
        // Stored ledgers depend on it.
        let key: ObjectKey = "apps/Deployment/shop/web".parse().unwrap();
        assert_eq!(key_hash(&key), 13_731_821_741_006_695_816);
    }
}
