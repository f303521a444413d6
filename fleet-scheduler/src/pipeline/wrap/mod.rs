//! Parts around other parts.

mod at_most;
mod named;
mod only_when;
mod recorded;

pub use at_most::AtMost;
pub use named::Named;
pub use only_when::OnlyWhen;
pub use recorded::{Record, Recorded, Recorder};
