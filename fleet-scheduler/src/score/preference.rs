//! What a workload would rather have.

use fleet_core::TaintEffect;

use crate::{
    filter::Relations,
    model::{Slot, Target, Tolerated, Workload, tolerated},
    pipeline::{Basis, Candidate, Candidates, Key, Scorer},
};

/// Clusters that match the workload's preferences, by their weights.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreferredClusters;

impl Scorer for PreferredClusters {
    fn name(&self) -> &'static str {
        "preferred-clusters"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        let preferences = candidate.workload.prefer.iter();
        preferences
            .filter(|preference| preference.selector.matches(candidate.cluster))
            .fold(0, |sum, preference| sum + i64::from(preference.weight))
    }

    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        let mut scores = vec![0; candidates.at.len()];
        for preference in &candidates.workload.prefer {
            let matching = candidates.fleet.matching(&preference.selector);
            for (score, (slot, _)) in scores.iter_mut().zip(candidates.at) {
                *score += i64::from(preference.weight) * i64::from(matching[*slot]);
            }
        }
        scores
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        if workload.prefer.is_empty() {
            return Basis::Nothing;
        }
        Basis::Cluster(Key::of(("preferred-clusters", &workload.prefer)))
    }
}

/// Clusters with few taints of the effect `PreferNoSchedule` that are not tolerated.
#[derive(Clone, Copy, Debug, Default)]
pub struct PreferredTaints;

impl Scorer for PreferredTaints {
    fn name(&self) -> &'static str {
        "preferred-taints"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        let is_against = |taint: &&fleet_core::Taint| {
            taint.effect == TaintEffect::PreferNoSchedule
                && tolerated(taint, &candidate.workload.tolerations, candidate.now) == Tolerated::No
        };
        let taints = candidate.cluster.cluster.taints.iter().filter(is_against).count();
        -i64::try_from(taints).unwrap_or(i64::MAX)
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        Basis::Cluster(Key::of(("preferred-taints", &workload.tolerations)))
    }
}

/// Clusters near the data and the workloads that it would rather be near, and far from those it would rather be far from.
#[derive(Clone, Copy, Debug, Default)]
pub struct Attraction;

impl Scorer for Attraction {
    fn name(&self) -> &'static str {
        "attraction"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        let workload = candidate.workload;
        let mut score = 0;
        for data in workload.data.iter().filter(|data| data.preferred) {
            let on = candidate
                .fleet
                .data_on(&data.name, candidate.cluster.name(), candidate.now);
            score += i64::from(on.flatten().is_some());
        }
        for relation in workload.beside.iter().filter(|relation| relation.preferred) {
            score += i64::from(Relations::is_near(candidate, relation));
        }
        for relation in workload.apart.iter().filter(|relation| relation.preferred) {
            score -= i64::from(Relations::is_near(candidate, relation));
        }
        score
    }

    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        let Candidates { workload, fleet, .. } = candidates;
        let mut scores = vec![0; candidates.at.len()];
        let mut add = |more: i64, is_near: &dyn Fn(Slot) -> bool| {
            for (score, (slot, _)) in scores.iter_mut().zip(candidates.at) {
                *score += more * i64::from(is_near(*slot));
            }
        };
        for data in workload.data.iter().filter(|data| data.preferred) {
            if let Some(until) = fleet.data_by_slot(&data.name) {
                add(1, &|slot| until[slot].is_some_and(|until| until > candidates.now));
            }
        }
        for (relations, more) in [(&workload.beside, 1), (&workload.apart, -1)] {
            for relation in relations.iter().filter(|relation| relation.preferred) {
                let near = Relations::near(candidates, relation);
                add(more, &|slot| near[slot]);
            }
        }
        scores
    }

    fn basis(&self, workload: &Workload, _: &Target) -> Basis {
        let preferred = workload.data.iter().any(|data| data.preferred);
        let related = workload
            .beside
            .iter()
            .chain(&workload.apart)
            .any(|relation| relation.preferred);
        if preferred || related {
            Basis::Anything
        } else {
            Basis::Nothing
        }
    }
}
