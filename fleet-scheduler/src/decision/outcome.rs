//! What was decided for one workload.

use std::collections::BTreeMap;

use fleet_core::{Reason, Tick};
use serde::{Deserialize, Serialize};

use super::{InvalidWorkload, Limit, Unmet};
use crate::{
    model::{Placement, WorkloadId},
    moves::{Cause, Move},
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
    /// What is to go, and does not yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub stays: Vec<OldCopies>,
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
    pub cause: Cause,
    /// What they wait on.
    pub on: WaitOn,
    /// The same in words.
    pub reason: Reason,
    /// Until when, if that is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub until: Option<Tick>,
}

/// What replicas wait on that would move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum WaitOn {
    /// Budgets: as many replicas have moved of late as may.
    Budget,
    /// Larger budgets: they move together, and no budget ever lets so many move.
    LargerBudget,
    /// Others of them that are on their way, and not healthy yet.
    Surge,
    /// The end of a storm: too much looks lost at once.
    Storm,
    /// The time for which a lost cluster is waited for.
    Toleration,
    /// Their cluster to be back: nothing is started elsewhere.
    Return,
    /// Another workload, which they follow.
    Follow,
    /// Somebody who has a say in moves.
    Gate,
}

impl WaitOn {
    /// Whether its end wakes who waits. What others have a say in must be asked again and again.
    pub(crate) fn wakes(self) -> bool {
        !matches!(self, Self::LargerBudget | Self::Surge | Self::Gate)
    }
}

/// Old copies that stay, although others stand in for them or will.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct OldCopies {
    /// Of which target.
    pub target: String,
    /// Where.
    pub cluster: String,
    /// How many.
    pub replicas: u64,
    /// Why they stay: `unhealthy` (what stands in for them is not known to be healthy), `silent` (their cluster cannot be
    /// asked), `not-stopped` (there must never be two of it, and they are not known to be stopped), `soak` (their cluster's
    /// replacement can still be taken back), `just-now` (it was decided at this very moment), or what somebody who has a say
    /// in moves says.
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
            stays: Vec::new(),
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
