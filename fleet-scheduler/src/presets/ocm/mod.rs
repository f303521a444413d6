//! Open Cluster Management's `Placement`.
//!
//! ```
//! use fleet_core::{Cluster, Tick};
//! use fleet_scheduler::{ClusterInfo, Facts, FleetView, Planner, presets::ocm};
//!
//! let fleet = FleetView::new(["c1", "c2", "c3"].map(|name| ClusterInfo::new(Cluster::new(name))))?
//!     .score(ocm::score_name("default", "cpuratio"), "c2", 74, Tick(1_000));
//! let placement = ocm::Placement::new()
//!     .clusters(1)
//!     .mode(ocm::Mode::Exact)
//!     .prioritizer(ocm::Prioritizer::Steady, 3)
//!     .prioritizer(ocm::Prioritizer::add_on("default", "cpuratio"), 1);
//! let mut planner = Planner::new(placement.scheduler(), fleet, Default::default());
//! planner.set(placement.workload("ns1/placement1"));
//! let round = planner.decide(&Facts::none(), Tick(1));
//! assert_eq!(round["ns1/placement1"].placement.active(), [("c2", 1)].into());
//! # Ok::<(), fleet_scheduler::InvalidFleet>(())
//! ```
//!
//! # What is the same
//!
//! A cluster passes when it is in one of the cluster sets (by the label [`CLUSTER_SET`]), meets one of the predicates
//! (labels are labels, claims are properties), and bears no taint that is not tolerated: `NoSelect` is
//! [`NoExecute`](fleet_core::TaintEffect), `NoSelectIfNew` `NoSchedule`, and `PreferNoSelect` neither keeps away nor
//! counts. Those that pass are scored by the prioritizers, from -100 to 100 each, times their weights; the best
//! `numberOfClusters` by score and then name are taken, or all. One [scheduler](Placements::scheduler) decides on many
//! placements, each with its own prioritizers.
//!
//! # Differs from Open Cluster Management in
//!
//! Besides what [differs from all](super#what-differs-from-every-one-of-them):
//! - *A better cluster* replaces one that is decided on in [`Planner::rebalance`](crate::Planner::rebalance), by the
//!   same scores (so `Steady` holds decisions), a cluster at a time; the original selects anew each time, as does
//!   [`Placement::decide`]. Only a score that is truly higher moves anything, never the name.
//! - *A misconfigured placement* keeps its decisions; the original writes an empty decision, and consumers remove
//!   everything.
//! - *An unreachable cluster* is a loss with the workload's own policy; the original removes the decision at once.
//! - *Scores* are exact fractions, rounded towards zero; the original calculates in floating point, so where a whole
//!   number comes out its score of `Balance` can be 2, and the others' 1, nearer to zero.
//! - *Spread policies* and CEL selectors are refused; [`Target::spread`](crate::Target::spread) spreads.
//! - *Clusters without room* for what the workload needs are not taken; the original knows of no workload.

mod decide;
mod groups;
mod placement;
mod prioritizer;
mod scorers;

pub use decide::{ClusterDecision, Decisions, PrioritizerScores};
pub use groups::{DecisionGroup, DecisionStrategy, GroupStrategy, NamedGroup, PerGroup, decision_groups};
pub use placement::{CLUSTER_SET, ClusterPredicate, Placement, Placements, SortBy};
pub use prioritizer::{Mode, Prioritizer, PrioritizerPolicy, score_name, to_score};
pub use scorers::{Predicates, Prioritize, TotalScore};
