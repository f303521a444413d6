//! Why here, and why not there.

mod change;
mod clusters;
mod refusal;
mod render;
mod what_if;

pub use change::Change;
pub use render::{render_cluster, render_explanation};
pub use what_if::WhatIf;

use std::collections::BTreeMap;

use fleet_core::{Reason, Tick};
use serde::Serialize;

use crate::{
    decision::Limit,
    model::{Slot, WorkloadId},
    planner::{Facts, Planner},
};

/// Why a workload is where it is, target by target and cluster by cluster. Recomputed by the same code that decides, on
/// the state of now: what is free is what is free now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// Of which workload.
    pub workload: WorkloadId,
    /// What is wrong with it, if it cannot be understood.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub invalid: Option<crate::decision::InvalidWorkload>,
    /// Target by target.
    pub targets: Vec<TargetExplanation>,
}

/// Why one target is where it is.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct TargetExplanation {
    /// Which.
    pub target: String,
    /// How many replicas are asked for; none: as many as clusters can take it.
    pub wanted: Option<u64>,
    /// How many of them have no place.
    pub short: u64,
    /// What keeps these away.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Limit>,
    /// How many clusters are refused for which reason, by the reasons' codes.
    pub refused: BTreeMap<&'static str, usize>,
    /// The smallest single changes found that would give every replica a place, the smallest first; each was tried.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub would_fit: Vec<Change>,
    /// Cluster by cluster: those with replicas, then the others that pass, best first, then those that are refused.
    pub clusters: Vec<ClusterExplanation>,
}

/// Why a target is, or is not, on one cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClusterExplanation {
    /// Which.
    pub cluster: String,
    /// How many replicas are there, those that are going too.
    pub replicas: u64,
    /// How many of them are going.
    #[serde(skip_serializing_if = "is_zero")]
    pub going: u64,
    /// All filters that fail, not only the first.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// How many more replicas fit.
    pub fits: u64,
    /// Its place among those that pass, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// What each scorer says.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// The weighted sum.
    pub total: i64,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
fn is_zero(count: &u64) -> bool {
    *count == 0
}

/// A filter fails.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Refusal {
    /// Which: `target` and `room` for what every scheduler asks.
    pub filter: String,
    /// Why.
    pub reason: Reason,
}

/// What one scorer says of a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
#[non_exhaustive]
pub struct Score {
    /// Which.
    pub scorer: String,
    /// In its own unit; none: nothing is known of the cluster.
    pub raw: Option<i64>,
    /// On the common scale.
    pub normalised: i64,
    /// How often it counts.
    pub weight: i64,
}

impl Planner {
    /// Why a workload is where it is, and why not elsewhere. None: no workload has this name.
    pub fn explain(&self, workload: &WorkloadId, facts: &Facts, now: Tick) -> Option<Explanation> {
        let job = self.job(workload)?;
        let mut explanation = Explanation {
            workload: workload.clone(),
            invalid: job.invalid.clone(),
            targets: Vec::new(),
        };
        if explanation.invalid.is_some() {
            return Some(explanation);
        }
        let decision = self.decide_again(workload, facts, now);
        for target in 0..job.workload.targets.len() {
            let mut explained = self.explain_target(job, target, now);
            let decided = decision
                .as_ref()
                .and_then(|decision| decision.targets.get(target));
            if let Some(decided) = decided {
                explained.short = decided.short;
                explained.limit.clone_from(&decided.limit);
            }
            if explained.short > 0 {
                explained.would_fit = self.would_fit(job, target, &explained, facts, now);
            }
            explanation.targets.push(explained);
        }
        Some(explanation)
    }

    /// What would be decided if these things were otherwise: the same decision on a changed copy.
    ///
    /// # Errors
    /// When a change names a cluster that is not there, or adds one that is.
    pub fn what_if(
        &self,
        changes: &[WhatIf],
        facts: &Facts,
        now: Tick,
    ) -> Result<WhatIfRound, crate::InvalidFleet> {
        let mut other = self.clone();
        for change in changes {
            change.make(&mut other)?;
        }
        let round = other.decide(facts, now);
        Ok(WhatIfRound {
            round,
            planner: other,
        })
    }

    pub(crate) fn slots(&self) -> std::ops::Range<Slot> {
        0..self.fleet().len()
    }
}

/// What would be decided on a changed copy.
pub struct WhatIfRound {
    /// The decisions.
    pub round: crate::Round,
    /// The copy, after them.
    pub planner: Planner,
}
