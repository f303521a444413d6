//! Real manifests, made true by the reconciler on one server and by a plain client on another.

mod plain;
mod proof;
mod sets;

pub use plain::{Outcome, Plain, Refused};
pub use proof::{Checked, converged};
pub use sets::{Set, SetVersion, all};
