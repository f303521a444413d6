//! Which workloads and clusters are looked at.

use std::{cmp::Reverse, collections::BTreeSet};

use fleet_core::Tick;

use super::{super::Planner, part::Part};
use crate::{
    model::{Slot, WorkloadId},
    schedule::Answers,
};

/// How many targets without a place are looked at at once.
const PENDING: usize = 8;
/// How many targets that could be where it costs less are looked at at once, those first that would gain most.
const DEAR: usize = 8;
/// How many clusters, the cheapest for them, and then for those that might go elsewhere.
const CLUSTERS: usize = 8;
/// How many others that are on these clusters.
const OTHERS: usize = 24;

impl Planner {
    /// Who takes part, and where; none where there is nothing to gain.
    pub(super) fn scope(&self, now: Tick, answers: &mut Answers) -> Option<(Vec<Part>, Vec<Slot>)> {
        let waiting = self.waiting(now);
        let parts = waiting.iter().flat_map(|id| self.parts_of(id, now, answers));
        let mut parts: Vec<Part> = parts.take(PENDING).collect();
        parts.extend(self.dear(&parts, now, answers));
        if parts.is_empty() {
            return None;
        }
        let mut slots = Vec::new();
        self.widen(&mut slots, &parts);
        let mut others: BTreeSet<WorkloadId> = BTreeSet::new();
        for slot in &slots {
            let there = self.table.workloads_on(self.fleet.at(*slot).name());
            others.extend(there.map(|(id, _)| id.clone()));
        }
        for part in &parts {
            others.remove(&part.workload);
        }
        let movable = others.iter().filter(|id| self.is_movable(id, now));
        let others: Vec<Part> = movable
            .flat_map(|id| self.parts_of(id, now, answers))
            .take(OTHERS)
            .collect();
        self.widen(&mut slots, &others);
        parts.extend(others);
        Some((parts, slots))
    }

    /// Those that have no place, the most important first, beginning after those that were looked at in vain.
    fn waiting(&self, now: Tick) -> Vec<&WorkloadId> {
        let all = self.short.union(&self.pending);
        let mut all: Vec<&WorkloadId> = all
            .filter(|id| !self.open.contains(*id) && self.is_movable(id, now))
            .collect();
        all.sort_by_key(|id| (Reverse(self.jobs.get(*id).map(|job| job.workload.priority)), *id));
        if !all.is_empty() {
            let begin = self.in_vain.saturating_mul(PENDING) % all.len();
            all.rotate_left(begin);
        }
        all
    }

    /// Those that are not where it costs least, but for these.
    fn dear(&self, but: &[Part], now: Tick, answers: &mut Answers) -> Vec<Part> {
        let mut dear: Vec<(Reverse<i64>, WorkloadId)> = Vec::new();
        for (id, job) in &self.jobs {
            let is_by_cost = job.workload.targets.iter().any(super::part::is_by_cost);
            if !is_by_cost || but.iter().any(|part| part.workload == *id) || !self.is_movable(id, now) {
                continue;
            }
            let parts = self.parts_of(id, now, answers);
            let gain = parts.iter().map(|part| self.to_gain(part, now)).max();
            if let Some(gain) = gain.filter(|gain| *gain > 0) {
                dear.push((Reverse(gain), id.clone()));
            }
        }
        dear.sort_unstable();
        dear.iter()
            .flat_map(|(_, id)| self.parts_of(id, now, answers))
            .take(DEAR)
            .collect()
    }

    /// What one of its replicas would gain at most if there was room wherever it may be.
    fn to_gain(&self, part: &Part, now: Tick) -> i64 {
        let slots: Vec<Slot> = part.set.ones().filter(|slot| self.room.is_known(*slot)).collect();
        let there: Vec<Slot> = part.current.keys().copied().collect();
        let costs = self.costs_of(part, &[slots, there.clone()].concat(), now);
        let Some(costs) = costs else { return 0 };
        let (anywhere, here) = costs.split_at(costs.len() - there.len());
        let Some(best) = anywhere.iter().min() else {
            return 0;
        };
        let price = self.price_of(part);
        let gains = there.iter().zip(here).map(|(slot, cost)| {
            let is_new = part.ran_at(*slot) < part.at(*slot);
            cost.saturating_sub(*best)
                .saturating_sub(if is_new { 0 } else { price })
        });
        gains.max().unwrap_or(0)
    }

    /// Adds clusters that these could be on: in turn the cheapest for each.
    fn widen(&self, scope: &mut Vec<Slot>, parts: &[Part]) {
        let cheapest = |part: &Part| {
            let job = self.jobs.get(&part.workload)?;
            let cost = |slot: Slot| crate::score::cost_of(self.fleet.at(slot), &job.workload.needs);
            let passing = part.set.ones().filter(|slot| self.room.is_known(*slot));
            let mut slots: Vec<(i64, Slot)> = passing.map(|slot| (cost(slot), slot)).collect();
            slots.sort_unstable();
            slots.truncate(CLUSTERS);
            Some(slots)
        };
        let lists: Vec<Vec<(i64, Slot)>> = parts.iter().filter_map(cheapest).collect();
        let most = scope.len() + CLUSTERS;
        for at in 0..CLUSTERS {
            for (_, slot) in lists.iter().filter_map(|list| list.get(at)) {
                if scope.len() < most && !scope.contains(slot) {
                    scope.push(*slot);
                }
            }
        }
    }
}
