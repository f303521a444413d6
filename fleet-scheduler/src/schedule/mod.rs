//! Puts the parts together: from a workload's target to clusters and replicas.

mod answers;
mod binding;
mod candidates;
mod divide;
mod divisions;
mod domains;
mod least_cost;
mod rank;
mod scheduler;
mod select;
mod simple;

pub(crate) use answers::Answers;
pub(crate) use candidates::{Question, Screen, View};
pub use divisions::AsAsked;
pub(crate) use divisions::Shares;
pub(crate) use rank::normalise;
pub use scheduler::{Scheduler, SchedulerBuilder};
pub use select::BySpread;
pub use simple::{BestFirst, EveryCluster};
