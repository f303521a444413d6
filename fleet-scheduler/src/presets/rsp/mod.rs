//! Replica scheduling preferences: kubefed's, and `KubeAdmiral`'s propagation policies, which grew out of them.
//!
//! ```
//! use std::collections::BTreeMap;
//! use fleet_scheduler::presets::rsp::{Member, ReplicaSchedulingPreference};
//!
//! let rsp: ReplicaSchedulingPreference = serde_json::from_str(r#"{
//!     "targetKind": "FederatedDeployment",
//!     "totalReplicas": 9,
//!     "clusters": {"A": {"weight": 1}, "B": {"weight": 2}}
//! }"#)?;
//! let plan = rsp.plan(&[Member::new("A"), Member::new("B"), Member::new("C")], "test-ns/test-deployment")?;
//! assert_eq!(plan, BTreeMap::from([("A".into(), 3), ("B".into(), 6)]));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # What is the same
//!
//! Replicas are divided by the planner of the two ([`divide::planner`](crate::divide::planner)): minimums first, then
//! in rounds by weight, each part rounded up, largest weights first and equal weights by a hash of the cluster's name
//! and the workload's. `KubeAdmiral` also weighs by what is free ([`dynamic_weights`]), packs clusters in order
//! ([`bin_pack`]), takes the best `maxClusters`, and lets a cluster with a `NoSchedule` taint that is not tolerated
//! neither gain nor lose.
//!
//! # Differs from kubefed and `KubeAdmiral` in
//!
//! Besides what [differs from all](super#what-differs-from-every-one-of-them):
//! - *Overflow* (replicas asked of a cluster though they do not fit there) is in [`ReplicaSchedulingPreference::plan`]
//!   and [`PropagationPolicy::plan`] alone; a [`Planner`](crate::Planner) places what fits.
//! - *`rebalance: true` and `avoidDisruption: false`* move replicas in one step in the pure functions. In a planner
//!   they let [`rebalance`](crate::Planner::rebalance) move them, and say towards which layout it grows; otherwise
//!   workloads are [pinned](crate::MovePolicy::pinned).
//! - *Minimums above maximums* are an error, and so are weights that are all 0 without minimums: nothing could be
//!   placed.
//! - *A cluster without a preference* gets nothing new; `KubeAdmiral` takes it out of the plan, and kubefed plans 0.
//! - *The remainder of dynamic weights* goes to the first of the largest by name; in `KubeAdmiral` to any of them.
//! - *A cluster that can take nothing* is not in the plan; in the originals its weight counts in the first round, which
//!   can change who gets an odd replica.
//! - *`maxClusters`* are the best by score and then name; in `KubeAdmiral` ties are open.

mod dynamic;
mod kubeadmiral;
mod kubefed;
mod migration;
mod pack;
mod parts;
mod plan;
mod usage;

pub use dynamic::{SUPPLY_LIMIT, Supply, dynamic_weights};
pub use kubeadmiral::{
    AutoMigration, ClusterReference, Preferences, PropagationPolicy, ReplicaRescheduling, ReplicasStrategy,
    ReschedulePolicy, SchedulingMode,
};
pub use kubefed::{ClusterPreferences, ReplicaSchedulingPreference};
pub use migration::estimate_capacity;
pub use pack::{Packed, bin_pack};
pub use parts::{MaxClusters, PlannerDivision, ResourceScore};
pub use plan::Member;
pub use usage::{Usage, balanced_allocation, least_allocated, most_allocated};

use crate::{
    divide::planner::Planner,
    filter::{InService, Kinds, Relations, Taints},
    presets::keep::Still,
    schedule::{Scheduler, SchedulerBuilder},
    score::{PreferredClusters, PreferredTaints},
};

/// A scheduler that divides by this planner, for all policies at once: what a policy asks for is in its workload.
///
/// ```
/// # use fleet_scheduler::{divide::planner::Planner, presets::rsp};
/// let scheduler = rsp::scheduler(Planner::KubeAdmiral { avoid_disruption: true, keep_unschedulable: false });
/// # drop(scheduler);
/// ```
pub fn scheduler(planner: Planner) -> Scheduler {
    let bare = SchedulerBuilder::bare()
        .filter(InService)
        .filter(Kinds)
        .filter(Taints)
        .filter(Relations)
        .selector(MaxClusters)
        .divider(PlannerDivision::new(planner))
        .rebalancer(Still);
    match planner {
        Planner::KubeAdmiral { .. } => bare
            .scorer(ResourceScore::LeastAllocated, 1)
            .scorer(ResourceScore::Balanced, 1)
            .scorer(PreferredTaints, 1)
            .scorer(PreferredClusters, 1)
            .build(),
        Planner::Kubefed { .. } => bare.build(),
    }
}
