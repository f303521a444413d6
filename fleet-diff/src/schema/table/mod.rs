//! Layers as bytes: how the built-in types of a Kubernetes version stand in this crate.
//!
//! A table is, in this order, with every number as a varint (LEB128, at most 32 bits) and every list with its length
//! before it:
//!
//! 1. [`MAGIC`] (its last byte is the version of the format), and `1` if the layer has facts of its own;
//! 2. words: every text there is, sorted. Of each, how much it shares with the one before, and the rest;
//! 3. defaults, as JSON;
//! 4. sets of fields that an endpoint does not write, as JSON of their `FieldsV1` form;
//! 5. types, from the third on: the first two are always the same. What fits into bits is in [`bits`]; what follows are
//!    the element and the key fields of a list, the element and the fields of a mapping;
//! 6. names of types, each with its type;
//! 7. kinds: group, version and kind, the type, bits, and what is not written;
//! 8. feature gates that are on.
//!
//! Words that ascend (fields, keys, names, gates) are written as the distance to the one before. A reference to a type
//! is its position; types that are used often come first, so that most references take two bytes with the form of their
//! field.

mod bits;
mod bytes;
mod decode;
#[cfg(any(test, feature = "table-writer"))]
mod encode;
#[cfg(any(test, feature = "table-writer"))]
mod reduce;
#[cfg(test)]
mod tests;
#[cfg(any(test, feature = "table-writer"))]
mod text;
#[cfg(any(test, feature = "table-writer"))]
pub mod writer;

pub(super) use decode::decode;

/// What a table begins with.
const MAGIC: &[u8; 4] = b"FST\x02";

/// How long a word may be, in bytes. With it, what is read takes no more than a fixed multiple of the bytes.
const LONGEST_WORD: usize = 255;
