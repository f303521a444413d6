//! Real manifests, made true by the reconciler on one server and by a plain client on another.

mod again;
mod plain;
mod proof;
mod sets;

pub use again::{Again, judge_again};
pub use plain::{MANAGER, Outcome, Plain, Refused};
pub use proof::{Checked, converged};
pub use sets::{Set, SetVersion, all};
