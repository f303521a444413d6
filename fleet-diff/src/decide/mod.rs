//! What applying a definition would do, and why.

mod action;
mod effective;
mod removals;
mod verdicts;

pub(crate) use action::decide;
pub use action::{Action, Decision};
pub use verdicts::{FieldVerdict, Verdict};
