//! What applying a definition would do, and why.

mod action;
mod effective;
mod field;
mod hidden;
mod patches;
mod removals;
mod report;
mod verdicts;

pub(crate) use action::decide;
pub use action::{Action, Decision};
pub(crate) use effective::document;
pub use report::{Obstacle, Report};
pub use verdicts::{FieldVerdict, Verdict};
