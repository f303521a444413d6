//! What may be done with a field, and whose it is.

mod facts;
mod pattern;

pub(crate) use facts::{Broken, Fact, broken, is_same};
pub use pattern::{PathPattern, PatternError};
