//! Clusters and workloads as people write them in files. Reading a text is the caller's: these are types for `serde`.

mod cluster;
mod fleet;
mod kinds;
mod moment;
pub(crate) mod policy;
mod range;
pub(crate) mod span;

pub use cluster::WrittenCluster;
pub use fleet::{
    ClusterFile, InvalidClusterFile, WrittenBudgets, WrittenCalm, WrittenData, WrittenRate, WrittenScore,
};
pub(crate) use kinds::{is_kind, kinds};
pub(crate) use moment::optional_moment;
pub use moment::{InvalidMoment, moment};
pub use span::{InvalidSpan, span};
