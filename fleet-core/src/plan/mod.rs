//! Plans: what would be done to each object, and why.

mod change;

pub use change::{Action, Change};
