//! How replicas are divided over clusters: pure functions, in integers, with the limit that bound each share.
//!
//! | Method | Limits it holds | House monotone | Moves with an unchanged total | Source |
//! |---|---|---|---|---|
//! | [`bounded()`] | min, max, capacity, domains, skew | yes | when weights change | own, the default |
//! | [`steady()`] | as bounded | n/a: starts from what runs | never, unless a max or capacity shrinks | own |
//! | [`aggregated()`] | min, max, capacity | no: fewest clusters | only when fresh | own |
//! | [`by_capacity()`] | as bounded | yes | when capacities change | own, after Karmada |
//! | [`webster()`] | none | yes | when weights change | Sainte-Laguë / Webster |
//! | [`largest_remainder()`] | none | **no** | when weights change | Hamilton |
//! | [`planner::plan`] | min, max, capacity, limit | no | never with `avoid_disruption` | kubefed, `KubeAdmiral` |
//! | [`karmada`] | capacity (dynamic, aggregated) | static: yes | never when steady | Karmada |
//! | [`clusternet`] | capacity (dynamic) | no | n/a: divides the change | Clusternet |
//!
//! *House monotone*: one replica more never takes a replica from any cluster. So scaling up by the same method only
//! adds.
//!
//! All methods are deterministic: the answer depends on what is passed in, never on its order, and names break the
//! last tie. Their time depends on the number of clusters, hardly on the number of replicas.

mod aggregated;
mod awards;
mod bounded;
mod capacity;
pub mod clusternet;
mod error;
mod explain;
mod fnv;
pub mod karmada;
mod largest_remainder;
mod party;
pub mod planner;
mod result;
mod spread;
mod steady;
mod tree;
mod webster;

pub use aggregated::aggregated;
pub use bounded::bounded;
pub use capacity::by_capacity;
pub use error::DivideError;
pub use largest_remainder::largest_remainder;
pub use party::Party;
pub use result::{Division, Holder, Limit, Unmet};
pub use spread::{DomainLimit, Level, Skew, Spread};
pub use steady::steady;
pub use webster::{Ties, webster, webster_onto};

/// As [`bounded()`] or [`steady()`], for parties whose places are given in the order of their domains, then of their names,
/// which differ: whoever knows that saves the sorting, which takes longer than the division.
pub(crate) fn in_order(
    parties: &[Party<'_>],
    order: &[usize],
    spread: &Spread<'_>,
    replicas: u64,
    mode: Mode,
) -> Result<Division, DivideError> {
    let keeps = mode == Mode::Steady;
    Ok(tree::Tree::in_order(parties, order, spread, replicas, keeps)?.divide(replicas))
}

/// The largest count of replicas taken: of a workload, of a minimum, and of what runs in one cluster.
pub const MAX_REPLICAS: u64 = u32::MAX as u64;

/// The largest number of clusters taken. With it and [`MAX_REPLICAS`] every product below fits 128 bits.
pub const MAX_PARTIES: usize = 1 << 24;

/// The deepest nesting of spread domains taken.
pub const MAX_LEVELS: usize = 16;

/// Whether what runs now matters to the answer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Mode {
    /// What runs stays where it is; only the difference is placed or taken.
    #[default]
    Steady,
    /// Everything is divided anew.
    Fresh,
}
