//! Content digests that do not depend on the order of keys, the build or the machine.

use std::fmt;

use crate::document::{Kind, Node};

/// A 128-bit digest of content (BLAKE3, truncated). Equal content gives equal digests on every machine.
///
/// It is printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Digest of a JSON value. The order of keys does not matter, how numbers are written does: `1` is not `1.0`.
    pub fn of(value: Node<'_>) -> Self {
        DigestBuilder::new().node(value).finish()
    }

    /// Digest of plain bytes.
    pub fn of_bytes(bytes: &[u8]) -> Self {
        DigestBuilder::new().bytes(bytes).finish()
    }

    /// The first 12 hexadecimal digits: enough to tell a handful of things apart on a screen.
    pub fn short(&self) -> String {
        self.to_string()[..12].to_owned()
    }

    /// The raw bytes.
    pub fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }

    /// Reads what [`fmt::Display`] prints: 32 hexadecimal digits.
    pub fn parse(text: &str) -> Option<Self> {
        let raw = text.as_bytes();
        if raw.len() != 32 || !raw.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
        let mut bytes = [0; 16];
        for (i, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[2 * i..2 * i + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|b| write!(f, "{b:02x}"))
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Digests several parts into one [`Digest`]; parts are delimited, so `"ab","c"` differs from `"a","bc"`.
#[derive(Default)]
pub struct DigestBuilder {
    hasher: blake3::Hasher,
    /// What comes next: hashing many small parts one by one takes three times as long.
    held: Vec<u8>,
}

impl DigestBuilder {
    /// Nothing added yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a text.
    #[must_use]
    pub fn text(self, text: &str) -> Self {
        self.bytes(text.as_bytes())
    }

    /// Adds bytes.
    #[must_use]
    pub fn bytes(mut self, bytes: &[u8]) -> Self {
        self.add(b's', bytes);
        self
    }

    /// Adds another digest.
    #[must_use]
    pub fn digest(self, digest: &Digest) -> Self {
        self.bytes(&digest.0)
    }

    /// Adds a JSON value.
    #[must_use]
    pub fn node(mut self, value: Node<'_>) -> Self {
        self.add_value(value);
        self
    }

    /// Adds a JSON mapping as if these keys were not in it.
    #[must_use]
    pub fn map_without(mut self, map: Node<'_>, left_out: &[&str]) -> Self {
        self.add_map(map, left_out);
        self
    }

    /// Adds `null`.
    #[must_use]
    pub(crate) fn null(mut self) -> Self {
        self.held.push(b'n');
        self
    }

    /// The digest of all parts.
    pub fn finish(&self) -> Digest {
        let mut hasher = self.hasher.clone();
        hasher.update(&self.held);
        let mut out = [0; 16];
        out.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        Digest(out)
    }

    fn add(&mut self, tag: u8, bytes: &[u8]) {
        const HELD_MAX: usize = 1 << 14;
        if self.held.len() + bytes.len() > HELD_MAX {
            self.hasher.update(&self.held);
            self.held.clear();
        }
        self.held.push(tag);
        self.held.extend_from_slice(&(bytes.len() as u64).to_le_bytes());
        if bytes.len() > HELD_MAX {
            self.hasher.update(&self.held);
            self.held.clear();
            self.hasher.update(bytes);
        } else {
            self.held.extend_from_slice(bytes);
        }
    }

    fn add_value(&mut self, value: Node<'_>) {
        match value.kind() {
            Kind::Null => self.held.push(b'n'),
            Kind::Bool => self
                .held
                .push(if value.as_bool() == Some(true) { b't' } else { b'f' }),
            Kind::Number => value.with_digits(|digits| self.add(b'#', digits.as_bytes())),
            Kind::Text => self.add(b's', value.as_str().unwrap_or("").as_bytes()),
            Kind::List => {
                self.add(b'[', &(value.len() as u64).to_le_bytes());
                value.items().for_each(|item| self.add_value(item));
            }
            Kind::Map => self.add_map(value, &[]),
        }
    }

    fn add_map(&mut self, map: Node<'_>, left_out: &[&str]) {
        let kept = || map.entries().filter(|(key, _)| !left_out.contains(key));
        self.add(b'{', &(kept().count() as u64).to_le_bytes());
        for (key, value) in kept() {
            self.add(b'k', key.as_bytes());
            self.add_value(value);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Document;

    fn document(text: &str) -> Document {
        text.parse().unwrap()
    }

    fn of(text: &str) -> Digest {
        Digest::of(document(text).root())
    }

    #[test]
    fn key_order_does_not_matter_and_everything_else_does() {
        let one = of(r#"{"a":1,"b":[1,2]}"#);
        assert_eq!(one, of(r#"{"b":[1,2],"a":1}"#));
        let others = [
            r#"{"a":1,"b":[2,1]}"#,
            r#"{"a":"1","b":[1,2]}"#,
            r#"{"a":1,"b":[[1,2]]}"#,
            r#"{"a":1.0,"b":[1,2]}"#,
            r#"{"a":1}"#,
        ];
        for other in others {
            assert_ne!(one, of(other), "{other}");
        }
    }

    /// Ledgers and plan tokens hold digests: those of a release before must be found again.
    #[test]
    fn digests_never_change() {
        let cases = [
            ("null", "a74e0b1433b54b7a33bfe58e60093239"),
            ("true", "0538661423236a5d8df6286a8633369e"),
            ("[]", "6cadeca39f4b047b849bfd8c40d7e2d0"),
            ("{}", "3dfed9f2b79b5056fbe937c2dd502bd9"),
            (r#""é\n\"""#, "3e32b449b0c56dbc2c3685cfacbe7d47"),
            (
                "[0,-0.0,1,1.0,-1,0.1,1e3,1e21,1.5e300,5e-324,0.30000000000000004]",
                "b03ac97ac46e0d912c6fb6774cd0ae94",
            ),
            (
                "[576460752303423487,576460752303423488,-576460752303423488,-576460752303423489]",
                "5552e021de255ab803875b60fad0933c",
            ),
            (
                "[9223372036854775807,-9223372036854775808,9223372036854775808,18446744073709551615,\
                 18446744073709551616,-9223372036854775809]",
                "88c518ebe54bddf0b3c0908a55fd244c",
            ),
            (
                r#"{"b":{"d":[{"z":1,"a":[[],{}]}],"c":null},"a":{"é":"x","e":"y","":false}}"#,
                "675cdd39f7f39a94fa3dfc348f7de918",
            ),
            (r#"{"a":1,"a":2}"#, "f6448fcfe71d432093810e723259ed24"),
        ];
        for (text, expect) in cases {
            assert_eq!(of(text).to_string(), expect, "{text}");
            let json: serde_json::Value = serde_json::from_str(text).unwrap();
            let digest = Digest::of(Document::from_json(&json).root());
            assert_eq!(digest.to_string(), expect, "{text}");
        }
        let map = document(r#"{"status":1,"b":{"status":2},"a":[1.5]}"#);
        let parts = DigestBuilder::new()
            .text("t")
            .map_without(map.root(), &["status"])
            .node(map.root());
        assert_eq!(parts.finish().to_string(), "b335154ad36ab24ed93261ceec91ce82");
    }

    #[test]
    fn parts_are_delimited() {
        let one = DigestBuilder::new().text("ab").text("c").finish();
        let two = DigestBuilder::new().text("a").text("bc").finish();
        assert_ne!(one, two);
    }

    #[test]
    fn keys_are_left_out_as_if_they_were_not_there() {
        let digest = |text: &str, left_out: &[&str]| {
            DigestBuilder::new()
                .map_without(document(text).root(), left_out)
                .finish()
        };
        let both = r#"{"a": 1, "b": {"a": 1}}"#;
        assert_eq!(digest(both, &["a", "x"]), digest(r#"{"b": {"a": 1}}"#, &[]));
        assert_eq!(digest(both, &[]), of(both));
    }

    #[test]
    fn prints_and_parses() {
        let digest = Digest::of_bytes(b"x");
        assert_eq!(Digest::parse(&digest.to_string()), Some(digest));
        for bad in ["", "zz", "é0000000000000000000000000000000", &"0".repeat(33)] {
            assert_eq!(Digest::parse(bad), None, "{bad}");
        }
    }
}
