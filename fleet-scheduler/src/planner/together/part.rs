//! A target that takes part.

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;
use fleet_core::Tick;

use super::super::Planner;
use crate::{
    model::{Assignment, Clusters, DivideBy, Slot, Survives, Take, Target, WorkloadId},
    schedule::Answers,
};

/// One target that takes part: its replicas may be anywhere among the clusters that pass, one by one.
pub(super) struct Part {
    pub(super) workload: WorkloadId,
    pub(super) target: usize,
    pub(super) replicas: u64,
    /// The clusters that something new may come to.
    pub(super) set: FixedBitSet,
    pub(super) current: BTreeMap<Slot, u64>,
    /// As many of those as were there before this round.
    pub(super) ran: BTreeMap<Slot, u64>,
    /// It is placed by cost alone: where the plan puts what has no place, its policy might, too.
    pub(super) is_direct: bool,
}

impl Part {
    pub(super) fn at(&self, slot: Slot) -> u64 {
        self.current.get(&slot).copied().unwrap_or(0)
    }

    /// How many have no place.
    pub(super) fn short(&self) -> u64 {
        self.current
            .values()
            .fold(self.replicas, |short, units| short.saturating_sub(*units))
    }

    /// How many of those on a cluster were there before this round.
    pub(super) fn ran_at(&self, slot: Slot) -> u64 {
        self.ran.get(&slot).copied().unwrap_or(0).min(self.at(slot))
    }
}

impl Planner {
    /// The targets of a workload that can take part.
    pub(super) fn parts_of(&self, id: &WorkloadId, now: Tick, answers: &mut Answers) -> Vec<Part> {
        let Some(job) = self.jobs.get(id).filter(|job| job.invalid.is_none()) else {
            return Vec::new();
        };
        let mut parts = Vec::new();
        for (target, asked) in job.workload.targets.iter().enumerate() {
            let Some((replicas, by)) = free(asked) else {
                continue;
            };
            let name = &job.names[target];
            let current = self.units_of(job, target);
            // What is kept for failures depends on where the rest is.
            if job.workload.survives != Survives::Nothing && !current.is_empty() {
                continue;
            }
            let question = self.question(job, target, &current, now);
            let set = self.open_in(&question, asked.groups.first(), answers);
            let ran = match self.begun.was(id) {
                Some(places) => {
                    let was = self.table.placement_of(places);
                    let was = was.targets.get(&**name).into_iter().flatten();
                    was.filter_map(|(cluster, one)| Some((self.fleet.slot(cluster)?, one.active())))
                        .collect()
                }
                None => current.iter().copied().collect(),
            };
            parts.push(Part {
                workload: id.clone(),
                target,
                replicas,
                set,
                current: current.iter().copied().collect(),
                ran,
                is_direct: by == DivideBy::Cost && job.workload.survives == Survives::Nothing,
            });
        }
        parts
    }

    /// Where a target that takes part is placed.
    pub(super) fn placed(&self, part: &Part) -> BTreeMap<String, Assignment> {
        let name = self.jobs.get(&part.workload).map(|job| &job.names[part.target]);
        let mut placement = self.table.placement(&part.workload);
        name.and_then(|name| placement.targets.remove(&**name))
            .unwrap_or_default()
    }
}

/// Whether a target is placed by cost, and can take part.
pub(super) fn is_by_cost(target: &Target) -> bool {
    free(target).is_some_and(|(_, by)| by == DivideBy::Cost)
}

/// How many replicas are wanted of a target of which they may be anywhere, one by one, and how they are divided.
fn free(target: &Target) -> Option<(u64, DivideBy)> {
    match &target.take {
        Take::Divided {
            replicas,
            clusters,
            by: by @ (DivideBy::Fewest | DivideBy::Cost),
            bounds,
        } if *clusters == Clusters::default()
            && bounds.iter().all(|bound| bound.min == 0)
            && target.spread.is_empty() =>
        {
            Some((*replicas, *by))
        }
        _ => None,
    }
}
