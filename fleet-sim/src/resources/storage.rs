//! The mark that discovery puts on the version that objects are stored at.

use super::sha256;

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// `storageVersionHash`: base64 of the first 8 bytes of a hash (`StorageVersionHash` of
/// `k8s.io/apiserver/pkg/endpoints/discovery`).
pub(crate) fn hash(group: &str, version: &str, kind: &str) -> String {
    let hash = sha256::hash(format!("{group}/{version}/{kind}").as_bytes());
    base64(&hash[..8])
}

/// Padded, of the usual alphabet.
fn base64(bytes: &[u8]) -> String {
    let mut out = String::new();
    for chunk in bytes.chunks(3) {
        let byte = |at: usize| u32::from(chunk.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for at in 0..4 {
            let six = (bits >> (18 - 6 * at)) as usize % 64;
            let is_there = at <= chunk.len();
            out.push(if is_there { char::from(BASE64[six]) } else { '=' });
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_that_of_the_standard() {
        for (bytes, expected) in [
            ("", ""),
            ("f", "Zg=="),
            ("fo", "Zm8="),
            ("foo", "Zm9v"),
            ("foobar", "Zm9vYmFy"),
        ] {
            assert_eq!(base64(bytes.as_bytes()), expected);
        }
    }

    #[test]
    fn hashes_are_those_that_a_server_says() {
        assert_eq!(hash("", "v1", "Pod"), "xPOwRZ+Yhw8=");
        assert_eq!(hash("example.com", "v1", "Widget"), "gIwvi5rymmg=");
    }
}
