//! Karmada's propagation policies.
//!
//! ```
//! use fleet_core::{Capacity, Cluster, Resources, Tick};
//! use fleet_scheduler::{ClusterInfo, Facts, FleetView, Planner, presets::karmada};
//!
//! let placement: karmada::Placement = serde_json::from_str(r#"{
//!     "clusterAffinity": {"clusterNames": ["member1", "member2"]},
//!     "replicaScheduling": {
//!         "replicaSchedulingType": "Divided",
//!         "replicaDivisionPreference": "Weighted",
//!         "weightPreference": {"staticWeightList": [
//!             {"targetCluster": {"clusterNames": ["member1"]}, "weight": 1},
//!             {"targetCluster": {"clusterNames": ["member2"]}, "weight": 2}
//!         ]}
//!     }
//! }"#)?;
//! let fleet = FleetView::new(["member1", "member2", "member3"].map(|name| ClusterInfo::new(Cluster::new(name))))?;
//! let mut planner = Planner::new(karmada::scheduler(), fleet, Default::default());
//! planner.set(placement.workload("default/nginx", 3)?);
//! let round = planner.decide(&Facts::none(), Tick(1));
//! assert_eq!(round["default/nginx"].placement.active(), [("member1", 1), ("member2", 2)].into());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is the same
//!
//! Clusters are ordered by score (100 where the workload runs, else 0), then by what is available, then by name. The
//! spread by cluster takes the first `maxGroups` of them and exchanges the last for larger ones until everything fits.
//! The spread by region finds the best combination of regions ([`select_groups`]), takes the first cluster of each and
//! fills up with the next best. Replicas are duplicated, or divided by static weights, by what fits, or over the fewest
//! clusters ([`divide::karmada`](crate::divide::karmada)); ties go by the workload's UID. Where not everything fits,
//! nothing more is placed, except with static weights, which ask nobody. Groups of clusters (`clusterAffinities`) are
//! tried in order, and the first that carries everything is taken.
//!
//! Provider, region and zone are the labels [`PROVIDER`], [`REGION`] and [`ZONE`] of a cluster.
//!
//! # Differs from Karmada in
//!
//! Besides what [differs from all](super#what-differs-from-every-one-of-them):
//! - *maxGroups 0 or not set* means no maximum. Karmada takes it as none at all: it selects no cluster, or fails.
//!   [`select_by_cluster`] does as Karmada.
//! - *Clusters in use*, and their regions, are selected before all others in a planner; in Karmada their score usually
//!   does so, but not where a region with other clusters is better.
//! - *The best regions* are found in polynomial time, by the same order; Karmada tries all combinations.
//! - *Duplicated* goes only where all replicas fit, so a cluster without room is not asked; Karmada asks and lets pods
//!   wait. Below `maxGroups` clusters the difference is reported as short; Karmada is content with `minGroups`.
//! - *A cluster that can take nothing* does not count towards `minGroups`, nor as a cluster of its region.
//! - *Static weights* place what fits and report the rest; Karmada lets pods wait.
//! - *Groups* are tried from the first each time; Karmada goes on from the one it used last until a rescheduling is
//!   asked for.
//! - *Rescheduling* (`Fresh`) divides anew in one step in [`Placement::schedule`]. In a planner,
//!   [`rebalance`](crate::Planner::rebalance) moves shares by weight and by what fits towards that.
//! - *Quantities* have one unit by resource; Karmada compares thousandths with whole bytes when suffixes differ.
//! - *Overflow tiers* are in [`Placement::schedule`] alone, and workload affinities are
//!   [`Workload::beside`](crate::Workload::beside) and [`apart`](crate::Workload::apart).

mod affinity;
mod around;
mod divider;
mod groups;
mod locality;
mod policy;
mod select;
mod selector;
mod whole;

pub use affinity::{ClusterAffinity, FieldSelector, PROVIDER, REGION, ZONE};
pub use divider::Division;
pub use groups::{Group, select_groups};
pub use locality::ClusterLocality;
pub use policy::{
    ClusterPreferences, DynamicWeight, Placement, ReplicaDivisionPreference, ReplicaScheduling,
    ReplicaSchedulingType, SpreadByField, SpreadConstraint, StaticClusterWeight,
};
pub use select::{
    Detail, Groups, SelectError, best_first, score_divided, score_duplicated, select_by_cluster,
    select_by_region,
};
pub use selector::SpreadConstraints;
pub use whole::{Member, Unschedulable};

use crate::{
    filter::{InService, Kinds, Relations, Taints},
    presets::keep::Still,
    schedule::{Scheduler, SchedulerBuilder},
};

/// A scheduler that decides as Karmada's, for all policies at once: what a policy asks for is in its workload.
pub fn scheduler() -> Scheduler {
    SchedulerBuilder::bare()
        .filter(InService)
        .filter(Kinds)
        .filter(Taints)
        .filter(Relations)
        .scorer(ClusterLocality, 1)
        .selector(SpreadConstraints)
        .divider(Division)
        .rebalancer(Still)
        .build()
}
