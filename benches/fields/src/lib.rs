//! Inputs of the benchmarks of `fleet-diff`: pairs of a definition and a live object, the same for us and for peers.

mod deployments;
mod edits;
mod inventory;
mod live;
mod pairs;
mod samples;

pub use deployments::deployments;
pub use inventory::inventory;
pub use live::{MANAGER, action, is_unchanged};
pub use pairs::{Decoded, Pair};
pub use samples::samples;

/// What ends a benchmark early.
pub type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// Whose built-in types count, on both sides.
pub const KUBERNETES: &str = "1.36";

/// The built-in types.
///
/// # Errors
/// When `fleet-diff` does not know the version.
pub fn schemas() -> Result<fleet_diff::Schemas> {
    fleet_diff::Schemas::for_kubernetes(KUBERNETES)
        .ok_or_else(|| format!("no types of Kubernetes {KUBERNETES}").into())
}

/// How many pairs a set has; every second one has a change.
pub const PAIRS: usize = 1000;

/// How many objects the inventory has, all of them unchanged.
pub const INVENTORY: usize = 10_000;
