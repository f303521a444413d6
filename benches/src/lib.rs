//! What the benchmarks share: the work, the machine's name, tables.

pub mod bare;
pub mod large;
pub mod requests;
pub mod usage;
pub mod work;

pub use fleet_measure::{machine, median};

/// Anything that stops a benchmark.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;
