//! All of Open Cluster Management's scheduler for one placement.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use fleet_core::Tick;

use super::{
    DecisionGroup, Placement, Prioritizer, SortBy, decision_groups,
    scorers::{normalise, raw},
};
use crate::{
    filter::Taints,
    model::{ClusterInfo, FleetView, Slot, WorkloadId},
    pipeline::{Candidate, Filter, Pass},
    room::Room,
    table::PlacementTable,
};

/// What is decided for a placement, and by what.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Decisions {
    /// The clusters that are decided on, by name.
    pub clusters: Vec<ClusterDecision>,
    /// How many more are wanted.
    pub unscheduled: u32,
    /// The clusters in groups.
    pub groups: Vec<DecisionGroup>,
    /// What each prioritizer says of each cluster that passes.
    pub scores: Vec<PrioritizerScores>,
    /// When to decide again, because a toleration ends.
    pub requeue_at: Option<Tick>,
}

/// A cluster that is decided on.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ClusterDecision {
    /// Its name.
    pub cluster: String,
    /// The sum of all scores, times their weights.
    pub score: i64,
}

/// What a prioritizer says of each cluster that passes.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PrioritizerScores {
    /// Which.
    pub prioritizer: Prioritizer,
    /// How many times it counts.
    pub weight: i32,
    /// Its scores, by cluster.
    pub scores: BTreeMap<String, i64>,
}

impl Decisions {
    /// The names of the clusters.
    pub fn names(&self) -> Vec<&str> {
        self.clusters.iter().map(|one| one.cluster.as_str()).collect()
    }
}

impl Placement {
    /// What Open Cluster Management's scheduler decides: filters all clusters, scores those that pass, and takes the
    /// best, whatever was decided before. `table` says where this placement, by its name, and others are.
    pub fn decide(
        &self,
        fleet: &FleetView,
        table: &PlacementTable,
        name: &WorkloadId,
        now: Tick,
    ) -> Decisions {
        let workload = self.workload(name.clone());
        let room = Room::of(fleet);
        let target = &workload.targets[0];
        let candidate = |slot: Slot| Candidate {
            workload: &workload,
            target,
            cluster: fleet.at(slot),
            slot,
            current: table.replicas_at(name, slot),
            fleet,
            room: &room,
            table,
            now,
        };
        let is_meant = |cluster: &ClusterInfo| {
            target.groups.iter().all(|sets| sets.matches(cluster)) && self.is_met_by(cluster)
        };
        let passing: Vec<(Slot, Pass)> = (0..fleet.len())
            .filter(|slot| is_meant(fleet.at(*slot)))
            .filter_map(|slot| Some((slot, Taints.passes(&candidate(slot))?)))
            .collect();
        let mut totals = vec![0_i64; passing.len()];
        let mut all = Vec::new();
        for (prioritizer, weight) in self.prioritizer_policy.effective() {
            let mut scores: Vec<i64> = passing
                .iter()
                .map(|(slot, _)| raw(&prioritizer, &candidate(*slot)))
                .collect();
            normalise(&prioritizer, &mut scores);
            for (total, score) in totals.iter_mut().zip(&scores) {
                *total = total.saturating_add(score.saturating_mul(i64::from(weight)));
            }
            let named = passing
                .iter()
                .zip(scores)
                .map(|((slot, _), score)| (fleet.at(*slot).name().to_owned(), score));
            all.push(PrioritizerScores {
                prioritizer,
                weight,
                scores: named.collect(),
            });
        }
        // Slots are in the order of names.
        let mut order: Vec<usize> = (0..passing.len()).collect();
        order.sort_by_key(|at| (Reverse(totals[*at]), *at));
        let wanted = self.number_of_clusters.unwrap_or(u32::MAX);
        order.truncate(usize::try_from(wanted).unwrap_or(usize::MAX));
        let taken = u32::try_from(order.len()).unwrap_or(u32::MAX);
        let requeue_at = order.iter().filter_map(|at| passing[*at].1.until()).min();
        let by_name: BTreeSet<usize> = order.iter().copied().collect();
        let sorted: Vec<usize> = match self.sort_by {
            SortBy::Score => order,
            SortBy::Name => by_name.iter().copied().collect(),
        };
        let clusters: Vec<&ClusterInfo> = sorted.iter().map(|at| fleet.at(passing[*at].0)).collect();
        let decision = |at: usize| ClusterDecision {
            cluster: fleet.at(passing[at].0).name().to_owned(),
            score: totals[at],
        };
        Decisions {
            clusters: by_name.into_iter().map(decision).collect(),
            unscheduled: self.number_of_clusters.map_or(0, |wanted| wanted - taken),
            groups: decision_groups(&self.decision_strategy, &clusters),
            scores: all,
            requeue_at,
        }
    }
}
