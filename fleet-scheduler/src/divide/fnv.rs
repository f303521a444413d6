//! The two 32-bit hashes of Fowler, Noll and Vo that peers order clusters by.

const OFFSET: u32 = 0x811c_9dc5;
const PRIME: u32 = 0x0100_0193;

/// FNV-1: multiplies, then mixes in a byte.
pub(super) fn fnv1(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes
        .into_iter()
        .fold(OFFSET, |hash, byte| hash.wrapping_mul(PRIME) ^ u32::from(byte))
}

/// FNV-1a: mixes in a byte, then multiplies.
pub(super) fn fnv1a(bytes: impl IntoIterator<Item = u8>) -> u32 {
    bytes
        .into_iter()
        .fold(OFFSET, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(PRIME))
}

#[cfg(test)]
mod tests {
    use super::{fnv1, fnv1a};

    #[test]
    fn published_values() {
        assert_eq!(fnv1("A".bytes()), 84_696_414);
        assert_eq!(fnv1("B".bytes()), 84_696_413);
        assert_eq!(fnv1("C".bytes()), 84_696_412);
        assert_eq!(
            fnv1a("00000000-0000-0000-0000-000000000001".bytes()),
            3_175_583_038
        );
        assert_eq!(
            fnv1a("00000000-0000-0000-0000-000000000002".bytes()),
            3_158_805_419
        );
    }
}
