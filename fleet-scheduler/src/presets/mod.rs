//! Policies and schedulers equivalent to those of other systems, for teams that come from there.
//!
//! | From | Policy, in the system's own words | Scheduler | Arithmetic alone |
//! |---|---|---|---|
//! | Karmada | [`karmada::Placement`] | [`karmada::scheduler`] | [`karmada::Placement::schedule`], [`karmada::select_groups`], [`divide::karmada`](crate::divide::karmada) |
//! | kubefed | [`rsp::ReplicaSchedulingPreference`] | [`rsp::scheduler`] | [`rsp::ReplicaSchedulingPreference::plan`], [`divide::planner`](crate::divide::planner) |
//! | `KubeAdmiral` | [`rsp::PropagationPolicy`] | [`rsp::scheduler`] | [`rsp::dynamic_weights`], [`rsp::bin_pack`], [`divide::planner`](crate::divide::planner) |
//! | Open Cluster Management | [`ocm::Placement`] | [`ocm::Placements::scheduler`] | [`ocm::Placement::decide`], [`ocm::decision_groups`] |
//!
//! Policies are read from the system's own objects (`spec.placement` of a `PropagationPolicy`, `spec` of the others),
//! in JSON or YAML by way of serde; a field that is not supported is an error, never ignored. A policy becomes a
//! [`Workload`](crate::Workload), which a [`Planner`](crate::Planner) with the preset's scheduler decides on. The pure
//! functions give what the original's scheduler would give, in one step and without our promises.
//!
//! # What differs from every one of them
//!
//! In a [`Planner`](crate::Planner) the promises of this crate come first:
//! - What runs stays where it is while it may: a decision only places what is added and chooses what is taken away.
//!   What would be better elsewhere moves in [`Planner::rebalance`](crate::Planner::rebalance), step by step. The
//!   originals move replicas whenever their arithmetic says so.
//! - Nothing is ever placed beyond what fits: replicas that the original would leave pending are reported as short.
//! - A placement is never cleared because nothing fits or because a policy is wrong: the last good one stays.
//! - What must move is replaced first and goes once its stand-ins are healthy, within budgets; what is lost follows the
//!   workload's [`LostPolicy`](crate::LostPolicy) rather than a taint's arrival.
//! - Equal inputs give equal answers: ties that an original leaves to the order of a map or an unstable sort go by
//!   name. Everything is counted in integers, where some originals round floating-point numbers.

mod keep;
mod tolerations;

pub mod karmada;
pub mod ocm;
pub mod rsp;

/// Why a policy of another system cannot be taken over as it is.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// It asks for something that the preset has not.
    #[error("{0}")]
    Unsupported(String),
    /// Two of its parts exclude each other.
    #[error("{0} and {1} exclude each other")]
    Exclusive(&'static str, &'static str),
}
