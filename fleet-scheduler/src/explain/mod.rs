//! Why here, and why not there.

mod change;
mod clusters;
mod refusal;
mod render;
mod what_if;

pub use change::Change;
pub use render::{render_cluster, render_explanation};
pub use what_if::WhatIf;

use std::{borrow::Cow, collections::BTreeMap};

use fleet_core::{Reason, Tick};
use serde::{Deserialize, Serialize};

use crate::{
    decision::{Decision, Limit},
    model::{Slot, WorkloadId},
    planner::{Facts, Planner},
};

/// Why a workload is where it is, target by target and cluster by cluster. Recomputed by the same code that decides, on
/// the state of now: what is free is what is free now.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
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
    /// The groups that its replicas are in, in the order in which they are tried, where it has several. The first that can
    /// carry everything is taken; where none can, all are filled in order.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub groups: Vec<String>,
    /// How many clusters are refused for which reason, by the reasons' codes.
    pub refused: BTreeMap<Cow<'static, str>, usize>,
    /// The smallest single changes found that would give every replica a place, the smallest first; each was tried.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub would_fit: Vec<Change>,
    /// Cluster by cluster: those with replicas, be they not in the fleet any more, then the others that pass, best first,
    /// then those that are refused.
    pub clusters: Vec<ClusterExplanation>,
}

/// Why a target is, or is not, on one cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct ClusterExplanation {
    /// Which.
    pub cluster: String,
    /// How many replicas are there, those that are going too.
    pub replicas: u64,
    /// How many of them are going.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub going: u64,
    /// All filters that fail, not only the first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub refusals: Vec<Refusal>,
    /// Why no more come to a cluster that passes: one that it is on may take no more. Empty: more may come.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub limit: Vec<Reason>,
    /// How many more replicas there is room for; none: for any number, because they ask for nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fits: Option<u64>,
    /// Its place among those that pass, from 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<usize>,
    /// What each scorer says.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scores: Vec<Score>,
    /// The weighted sum.
    pub total: i64,
    /// How much of what one more would ask for is missing, in millionths; none: nothing is.
    #[serde(skip_serializing_if = "Option::is_none")]
    lack: Option<i64>,
}

impl ClusterExplanation {
    /// Of a cluster that is not in the fleet, with what is placed there: nothing else is known of it.
    pub fn not_in_fleet(cluster: impl Into<String>, replicas: u64, going: u64) -> Self {
        let reason = Reason::new(NOT_IN_FLEET, "it is not in the fleet");
        Self {
            cluster: cluster.into(),
            replicas,
            going,
            refusals: vec![Refusal {
                filter: "target".to_owned(),
                reason,
            }],
            limit: Vec::new(),
            fits: Some(0),
            rank: None,
            scores: Vec::new(),
            total: 0,
            lack: None,
        }
    }
}

/// The code of clusters that are not in the fleet.
const NOT_IN_FLEET: &str = "not-in-fleet";

impl TargetExplanation {
    /// The clusters that take no more, each with why: those first that lack the least. Where a target names its clusters,
    /// others are not among them; nor are those that have all that each is to have, and those that are not in the fleet.
    pub fn nearest_misses(&self) -> Vec<(&str, Vec<&Reason>)> {
        let mut misses: Vec<(&ClusterExplanation, Vec<&Reason>)> = self
            .clusters
            .iter()
            .map(|cluster| {
                let refusals = cluster.refusals.iter().map(|refusal| &refusal.reason);
                (cluster, refusals.chain(&cluster.limit).collect())
            })
            .collect();
        misses.retain(|(_, reasons)| {
            let is_no_miss = |reason: &&Reason| matches!(&*reason.code, "not-named" | "each" | NOT_IN_FLEET);
            !reasons.is_empty() && !reasons.iter().any(is_no_miss)
        });
        misses.sort_by_key(|(cluster, reasons)| {
            // Where nothing is missing, something else keeps it away.
            (reasons.len(), cluster.lack.unwrap_or(refusal::ALL))
        });
        let named = misses.into_iter();
        named
            .map(|(cluster, reasons)| (&*cluster.cluster, reasons))
            .collect()
    }
}

fn is_zero<T: Default + PartialEq>(amount: &T) -> bool {
    *amount == T::default()
}

/// A filter fails.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Refusal {
    /// Which: `target` and `room` for what every scheduler asks.
    pub filter: String,
    /// Why.
    pub reason: Reason,
}

/// What one scorer says of a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Score {
    /// Which.
    pub scorer: String,
    /// In its own unit; none: nothing is known of this cluster, which counts as the worst.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub raw: Option<i64>,
    /// On the common scale.
    pub normalised: i64,
    /// How often it counts.
    pub weight: i64,
}

impl Planner {
    /// Why a workload is where it is, and why not elsewhere. None: no workload has this name.
    ///
    /// What keeps more away is asked again, on what is free now; [`explain_decision`](Self::explain_decision) keeps what
    /// was decided.
    pub fn explain(&self, workload: &WorkloadId, facts: &Facts, now: Tick) -> Option<Explanation> {
        let decision = self.decide_again(workload, facts, now);
        self.explained(workload, decision.as_ref(), facts, now)
    }

    /// The same of a decision that was just made: what has no place, and what keeps it away, is what was decided.
    pub fn explain_decision(&self, decision: &Decision, facts: &Facts, now: Tick) -> Option<Explanation> {
        self.explained(&decision.workload, Some(decision), facts, now)
    }

    fn explained(
        &self,
        workload: &WorkloadId,
        decision: Option<&Decision>,
        facts: &Facts,
        now: Tick,
    ) -> Option<Explanation> {
        let job = self.job(workload)?;
        let mut explanation = Explanation {
            workload: workload.clone(),
            invalid: job.invalid.clone(),
            targets: Vec::new(),
        };
        if explanation.invalid.is_some() {
            return Some(explanation);
        }
        for target in 0..job.workload.targets.len() {
            let decided = decision.and_then(|decision| decision.targets.get(target));
            let mut explained = self.explain_target(job, target, decided, now);
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
