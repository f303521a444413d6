//! What a cluster can carry, and what it serves: observed, with the time of it.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::{Resources, Tick};

/// What a cluster can carry and what it serves, as it was at some moment.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Capacity {
    /// What its ready, schedulable nodes offer together.
    pub allocatable: Resources,
    /// What all pods on these nodes, and those that wait for a node, ask for together, whoever made them: replicas that
    /// are there already are in it, so whoever asks for room for one of them must take its own share out.
    pub requested: Resources,
    /// What the largest single gap on a node is, by resource: a replica that asks for more fits on no node, however much
    /// is free in all. Empty: not known.
    #[serde(skip_serializing_if = "Resources::is_empty")]
    pub largest_gap: Resources,
    /// How many nodes offer that. 0: none, or not known.
    #[serde(skip_serializing_if = "is_zero")]
    pub nodes: u32,
    /// How many nodes are there that offer nothing: not ready, cordoned, going, or tainted.
    #[serde(skip_serializing_if = "is_zero")]
    pub nodes_left_out: u32,
    /// The kinds it serves, as `Kind.version.group` (`Pod.v1`, `Deployment.v1.apps`). None: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kinds: Option<BTreeSet<String>>,
    /// The version of its API server, such as `1.36.3`. None: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<String>,
    /// When this was so.
    pub observed_at: Tick,
}

impl Capacity {
    /// What a cluster offers and what is asked for already, at this moment.
    pub fn new(allocatable: Resources, requested: Resources, observed_at: Tick) -> Self {
        Self {
            allocatable,
            requested,
            observed_at,
            ..Self::default()
        }
    }

    /// Whether this says the same, whenever it was so.
    pub fn is_same(&self, other: &Self) -> bool {
        // In full, so that a new field is thought of.
        let Self {
            allocatable,
            requested,
            largest_gap,
            nodes,
            nodes_left_out,
            kinds,
            version,
            observed_at: _,
        } = self;
        (allocatable, requested, largest_gap) == (&other.allocatable, &other.requested, &other.largest_gap)
            && (*nodes, *nodes_left_out) == (other.nodes, other.nodes_left_out)
            && (kinds, version) == (&other.kinds, &other.version)
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes fields so")]
fn is_zero(count: &u32) -> bool {
    *count == 0
}
