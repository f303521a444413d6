//! What was decided for one workload.

use std::{borrow::Cow, collections::BTreeMap};

use fleet_core::{Reason, Tick};
use serde::{Deserialize, Serialize};

use super::{InvalidWorkload, Limit, Unmet};
use crate::{
    model::{Placement, WorkloadId},
    moves::Move,
};

/// What was decided for one workload.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Decision {
    /// For which.
    pub workload: WorkloadId,
    /// How it turned out.
    pub outcome: Outcome,
    /// Where it is from now on. Where nothing fits or the input is wrong, it is where it was.
    pub placement: Placement,
    /// Target by target.
    pub targets: Vec<TargetDecision>,
    /// What begins to move with this decision.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub moves: Vec<Move>,
    /// What would change, and does not yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub waits: Vec<Wait>,
    /// What a person must approve.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub proposals: Vec<Proposal>,
    /// When to decide again even if nothing changes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub again_at: Option<Tick>,
}

/// How a decision turned out. *Nothing fits* and *the input is wrong* are two answers, and neither clears a placement.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "is", content = "why")]
#[non_exhaustive]
pub enum Outcome {
    /// Everything that is asked for has a place.
    Placed,
    /// Not everything has a place: more clusters, more room or other constraints are needed.
    Unschedulable,
    /// The workload cannot be understood: whoever wrote it must correct it.
    Invalid(InvalidWorkload),
    /// It has run to its end and frees its place.
    Finished,
    /// Its time is over, and it frees its place.
    Expired,
    /// It is not wanted any more, and is there until it is known to be stopped: there must never be two of it.
    Removed,
}

/// What was decided for one target.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TargetDecision {
    /// The target's name.
    pub target: String,
    /// How many replicas are asked for.
    pub wanted: u64,
    /// How many of them have no place.
    pub short: u64,
    /// What keeps these away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How many of those that have a place would have none if the worst vanished that the workload is to survive.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub unprotected: u64,
    /// Limits that the placement does not meet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unmet: Vec<Unmet>,
    /// Clusters that the target names, or that it is on, and that cannot take it, with the reasons.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub refused: BTreeMap<String, Vec<Reason>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// Replicas that would move, and do not yet.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Wait {
    /// Of which target.
    pub target: String,
    /// From where.
    pub cluster: String,
    /// How many.
    pub replicas: u64,
    /// Why they would move.
    pub cause: Cow<'static, str>,
    /// What they wait for.
    pub reason: Reason,
    /// Until when, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Tick>,
}

/// A change that waits for a person.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Proposal {
    /// Approves it: the same as long as workload, target, cluster and the loss are the same.
    pub token: String,
    /// Of which target.
    pub target: String,
    /// The cluster whose replicas would be started elsewhere.
    pub cluster: String,
    /// How many.
    pub replicas: u64,
    /// Why, and what must be sure before it is approved.
    pub reason: Reason,
}

impl Decision {
    pub(crate) fn new(workload: &WorkloadId, outcome: Outcome, placement: Placement) -> Self {
        Self {
            workload: workload.clone(),
            outcome,
            placement,
            targets: Vec::new(),
            moves: Vec::new(),
            waits: Vec::new(),
            proposals: Vec::new(),
            again_at: None,
        }
    }

    /// How many replicas have no place, over all targets.
    pub fn short(&self) -> u64 {
        self.targets
            .iter()
            .fold(0, |sum, target| sum.saturating_add(target.short))
    }
}
