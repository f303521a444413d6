//! Content digests that do not depend on the order of keys, the build or the machine.

use std::fmt;

use serde_json::{Map, Value};

/// A 128-bit digest of content (BLAKE3, truncated). Equal content gives equal digests on every machine.
///
/// It is printed as 32 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 16]);

impl Digest {
    /// Digest of a JSON value. Object keys are taken in sorted order, whatever order the map holds them in.
    pub fn of_json(value: &Value) -> Self {
        DigestBuilder::new().json(value).finish()
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
pub struct DigestBuilder(blake3::Hasher);

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
        feed_bytes(&mut self.0, b's', bytes);
        self
    }

    /// Adds another digest.
    #[must_use]
    pub fn digest(self, digest: &Digest) -> Self {
        self.bytes(&digest.0)
    }

    /// Adds a JSON value.
    #[must_use]
    pub fn json(mut self, value: &Value) -> Self {
        feed_json(&mut self.0, value);
        self
    }

    /// Adds a JSON mapping as if these keys were not in it.
    #[must_use]
    pub fn json_map_without(mut self, map: &Map<String, Value>, left_out: &[&str]) -> Self {
        feed_map(&mut self.0, map, left_out);
        self
    }

    /// The digest of all parts.
    pub fn finish(&self) -> Digest {
        let mut out = [0; 16];
        out.copy_from_slice(&self.0.finalize().as_bytes()[..16]);
        Digest(out)
    }
}

fn feed_bytes(hasher: &mut blake3::Hasher, tag: u8, bytes: &[u8]) {
    hasher.update(&[tag]);
    hasher.update(&(bytes.len() as u64).to_le_bytes());
    hasher.update(bytes);
}

fn feed_json(hasher: &mut blake3::Hasher, value: &Value) {
    match value {
        Value::Null => {
            hasher.update(b"n");
        }
        Value::Bool(b) => {
            hasher.update(if *b { b"t" } else { b"f" });
        }
        Value::Number(n) => feed_bytes(hasher, b'#', n.to_string().as_bytes()),
        Value::String(s) => feed_bytes(hasher, b's', s.as_bytes()),
        Value::Array(items) => {
            feed_bytes(hasher, b'[', &(items.len() as u64).to_le_bytes());
            for item in items {
                feed_json(hasher, item);
            }
        }
        Value::Object(map) => feed_map(hasher, map, &[]),
    }
}

fn feed_map(hasher: &mut blake3::Hasher, map: &Map<String, Value>, left_out: &[&str]) {
    // Another crate may turn on serde_json's `preserve_order`: never trust the map's own order.
    let kept = map.iter().filter(|(key, _)| !left_out.contains(&key.as_str()));
    let mut kept: Vec<(&String, &Value)> = kept.collect();
    kept.sort_unstable_by_key(|(key, _)| *key);
    feed_bytes(hasher, b'{', &(kept.len() as u64).to_le_bytes());
    for (key, value) in kept {
        feed_bytes(hasher, b'k', key.as_bytes());
        feed_json(hasher, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn key_order_does_not_matter_and_everything_else_does() {
        let a: Value = serde_json::from_str(r#"{"a":1,"b":[1,2]}"#).unwrap();
        let b: Value = serde_json::from_str(r#"{"b":[1,2],"a":1}"#).unwrap();
        assert_eq!(Digest::of_json(&a), Digest::of_json(&b));
        let others = [
            json!({"a":1,"b":[2,1]}),
            json!({"a":"1","b":[1,2]}),
            json!({"a":1,"b":[[1,2]]}),
            json!({"a":1}),
        ];
        for other in others {
            assert_ne!(Digest::of_json(&a), Digest::of_json(&other), "{other}");
        }
    }

    #[test]
    fn parts_are_delimited() {
        let one = DigestBuilder::new().text("ab").text("c").finish();
        let two = DigestBuilder::new().text("a").text("bc").finish();
        assert_ne!(one, two);
    }

    #[test]
    fn keys_are_left_out_as_if_they_were_not_there() {
        let digest = |value: Value, left_out: &[&str]| {
            let builder = DigestBuilder::new();
            builder
                .json_map_without(value.as_object().unwrap(), left_out)
                .finish()
        };
        let both = json!({"a": 1, "b": {"a": 1}});
        assert_eq!(
            digest(both.clone(), &["a", "x"]),
            digest(json!({"b": {"a": 1}}), &[])
        );
        assert_eq!(digest(both.clone(), &[]), Digest::of_json(&both));
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
