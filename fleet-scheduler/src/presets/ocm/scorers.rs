//! The parts of the scheduler.

use std::sync::Arc;

use fleet_core::Reason;

use super::{
    Placement, Prioritizer,
    placement::Policies,
    prioritizer::{MAX, scale, score_name},
};
use crate::{
    model::{Slot, Target, Workload, WorkloadId},
    moves::Rebalancer,
    pipeline::{Basis, Candidate, Filter, Key, Pass, Scorer},
    table::PlacementTable,
};

/// Stands for an amount that is not known.
const UNKNOWN: i64 = i64::MIN;

/// Lets clusters pass that meet one of the placement's predicates.
#[derive(Clone, Debug)]
pub struct Predicates {
    policies: Arc<Policies>,
}

impl Predicates {
    /// For schedulers of one's own: every workload is held to this placement.
    pub fn of(placement: &Placement) -> Self {
        Self::new(Arc::new(Policies::One(placement.clone())))
    }

    pub(super) fn new(policies: Arc<Policies>) -> Self {
        Self { policies }
    }
}

impl Filter for Predicates {
    fn name(&self) -> &'static str {
        "predicate"
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        let placement = self.policies.of(candidate.workload);
        match placement.filter(|placement| !placement.is_met_by(candidate.cluster)) {
            None => Ok(Pass::Always),
            Some(placement) => {
                let predicates = placement.predicates.iter();
                let asked: Vec<String> = predicates.map(|one| one.selector.to_string()).collect();
                let message = format!("it meets none of the predicates: {}", asked.join("; or "));
                Err(Reason::new("predicate", message))
            }
        }
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        match self.policies.of(workload) {
            Some(placement) if !placement.predicates.is_empty() => {
                Basis::Cluster(Key::of(("ocm-predicates", &placement.predicates)))
            }
            _ => Basis::Nothing,
        }
    }
}

/// Scores by one prioritizer, from -100 to 100, as often as the workload's placement counts it. Scores stay as the
/// original has them, so that explanations show its numbers; an amount that is not known is in the middle.
#[derive(Clone, Debug)]
pub struct Prioritize {
    prioritizer: Prioritizer,
    name: String,
    policies: Arc<Policies>,
}

impl Prioritize {
    /// For schedulers of one's own: it counts for every workload as often as this placement says.
    pub fn of(placement: &Placement, prioritizer: Prioritizer) -> Self {
        Self::new(prioritizer, Arc::new(Policies::One(placement.clone())))
    }

    pub(super) fn new(prioritizer: Prioritizer, policies: Arc<Policies>) -> Self {
        Self {
            name: prioritizer.name(),
            prioritizer,
            policies,
        }
    }
}

impl Scorer for Prioritize {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        raw(&self.prioritizer, candidate)
    }

    fn normalise(&self, scores: &mut [i64]) {
        normalise(&self.prioritizer, scores);
    }

    fn weight(&self, workload: &Workload, _: &Target) -> i64 {
        let placement = self.policies.of(workload);
        let weights = placement.map(|placement| placement.prioritizer_policy.effective());
        let weight = weights.and_then(|weights| weights.get(&self.prioritizer).copied());
        i64::from(weight.unwrap_or(0))
    }

    fn basis(&self, _: &Workload, _: &Target) -> Basis {
        match is_amount(&self.prioritizer) {
            true => Basis::Cluster(Key::of(&self.prioritizer)),
            false => Basis::Anything,
        }
    }
}

/// What a cluster is worth to a placement: the sum of all scores, times their weights. Amounts are compared with those
/// of all clusters that meet the predicates.
#[derive(Clone, Debug)]
pub struct TotalScore {
    policies: Arc<Policies>,
}

impl TotalScore {
    /// For schedulers of one's own: every workload is held to this placement.
    pub fn of(placement: &Placement) -> Self {
        Self::new(Arc::new(Policies::One(placement.clone())))
    }

    pub(super) fn new(policies: Arc<Policies>) -> Self {
        Self { policies }
    }
}

impl Rebalancer for TotalScore {
    fn worth(&self, candidate: &Candidate<'_>, _: i64) -> i64 {
        let Some(placement) = self.policies.of(candidate.workload) else {
            return 0;
        };
        let weights = placement.prioritizer_policy.effective().into_iter();
        weights.fold(0_i64, |sum, (prioritizer, weight)| {
            let here = raw(&prioritizer, candidate);
            let mut scores = vec![here];
            if is_amount(&prioritizer) {
                let met = candidate.fleet.clusters().enumerate();
                let met = met.filter(|(_, cluster)| placement.is_met_by(cluster));
                scores.extend(met.map(|(slot, cluster)| {
                    raw(
                        &prioritizer,
                        &Candidate {
                            cluster,
                            slot,
                            ..*candidate
                        },
                    )
                }));
            }
            normalise(&prioritizer, &mut scores);
            sum.saturating_add(scores[0].saturating_mul(i64::from(weight)))
        })
    }
}

/// Whether scores are amounts, which are compared with each other.
fn is_amount(prioritizer: &Prioritizer) -> bool {
    matches!(
        prioritizer,
        Prioritizer::ResourceAllocatableCpu | Prioritizer::ResourceAllocatableMemory
    )
}

/// What a prioritizer looks at in a cluster.
pub(super) fn raw(prioritizer: &Prioritizer, candidate: &Candidate<'_>) -> i64 {
    let allocatable = |resource: &str| {
        let capacity = candidate.cluster.capacity.as_ref();
        let allocatable = capacity.map(|capacity| &capacity.allocatable);
        allocatable
            .filter(|allocatable| allocatable.names(resource))
            .map_or(UNKNOWN, |allocatable| allocatable.get(resource))
    };
    match prioritizer {
        Prioritizer::Balance => balance(candidate.table, &candidate.workload.name, candidate.slot),
        Prioritizer::Steady => i64::from(candidate.current > 0) * MAX,
        Prioritizer::ResourceAllocatableCpu => allocatable("cpu"),
        Prioritizer::ResourceAllocatableMemory => allocatable("memory"),
        Prioritizer::AddOn {
            resource_name,
            score_name: name,
        } => {
            let (name, cluster) = (score_name(resource_name, name), candidate.cluster.name());
            let score = candidate.fleet.external_score(&name, cluster, candidate.now);
            score.unwrap_or(0).clamp(-MAX, MAX)
        }
    }
}

/// Amounts become scores by the least and the most of all candidates; an amount that is not known scores 0.
pub(super) fn normalise(prioritizer: &Prioritizer, scores: &mut [i64]) {
    if !is_amount(prioritizer) {
        return;
    }
    let known = || scores.iter().copied().filter(|amount| *amount != UNKNOWN);
    let (Some(min), Some(max)) = (known().min(), known().max()) else {
        scores.fill(0);
        return;
    };
    for score in scores {
        *score = match *score {
            UNKNOWN => 0,
            amount => scale(amount.into(), min.into(), max.into()),
        };
    }
}

/// The more other placements have decided on a cluster, compared with the cluster of the most, the worse.
fn balance(table: &PlacementTable, own: &WorkloadId, slot: Slot) -> i64 {
    let most = table.most_others(own);
    if most == 0 {
        return MAX;
    }
    let wide = |count: usize| i128::try_from(count).unwrap_or(i128::MAX);
    let (here, most) = (wide(table.others_on(own, slot)), wide(most));
    // Half of the score is rounded, then doubled.
    let best = i128::from(MAX);
    let half = (best * most - 2 * best * here) / (2 * most);
    i64::try_from(2 * half).unwrap_or(0)
}
