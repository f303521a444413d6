//! What a search is told of workloads and clusters.

use std::{collections::BTreeSet, sync::Arc};

use fleet_core::{Resources, Tick};

use super::{super::Planner, part::Part};
use crate::{
    model::{Assignment, Slot},
    room::PODS,
    schedule::Question,
    solve::{Contender, Problem},
};

/// So many times as much as the dearest place a replica without one costs, and again for each rank of priority.
const PLACE: i64 = 100;

/// Who takes part, where, and what a search is told of it.
pub(super) struct Plan {
    /// As the workloads of the problem.
    pub(super) parts: Vec<Part>,
    /// As the clusters of the problem.
    pub(super) slots: Vec<Slot>,
    pub(super) problem: Problem,
}

impl Plan {
    /// Where everything is now, as far as it is on these clusters.
    pub(super) fn now(&self) -> Vec<Vec<u64>> {
        let row = |part: &Part| self.slots.iter().map(|slot| part.at(*slot)).collect();
        self.parts.iter().map(row).collect()
    }

    /// Whether more have a place than now.
    pub(super) fn gives_places(&self, after: &[Vec<u64>]) -> bool {
        Self::placed(after) > Self::placed(&self.now())
    }

    /// How many have a place.
    fn placed(places: &[Vec<u64>]) -> u64 {
        places
            .iter()
            .flatten()
            .fold(0, |sum, units| sum.saturating_add(*units))
    }

    /// What it costs as a planner has it; what is on other clusters has a place.
    pub(super) fn judge(&self, planner: &Planner) -> i128 {
        let of = |(part, contender): (&Part, &Contender)| {
            let placed = planner.placed(part);
            let active = |slot: &Slot| {
                let one = placed.get(planner.fleet.at(*slot).name());
                one.map_or(0, Assignment::active)
            };
            let all = placed
                .values()
                .fold(0_u64, |sum, one| sum.saturating_add(one.active()));
            let row: Vec<u64> = self.slots.iter().map(active).collect();
            contender.cost_if(&row, part.replicas.saturating_sub(all))
        };
        let all = self.parts.iter().zip(&self.problem.workloads).map(of);
        all.fold(0, i128::saturating_add)
    }
}

impl Planner {
    pub(super) fn problem(&self, parts: Vec<Part>, slots: Vec<Slot>, now: Tick) -> Plan {
        let resources: Vec<Arc<str>> = self
            .fleet
            .resources()
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let free = |slot: &Slot| {
            let of = |resource: &Arc<str>| self.free_without(&parts, *slot, resource);
            resources.iter().map(of).collect()
        };
        let mut problem = Problem::new(slots.iter().map(free).collect());
        problem.workloads = parts
            .iter()
            .map(|part| self.contender(part, &slots, &resources, now))
            .collect();
        self.price_places(&parts, &slots, &mut problem.workloads);
        Plan {
            parts,
            slots,
            problem,
        }
    }

    /// What would be free on a cluster if none of these was there.
    fn free_without(&self, parts: &[Part], slot: Slot, resource: &str) -> i64 {
        if resource == PODS && !self.counts_pods(slot) {
            return i64::MAX;
        }
        let held = parts.iter().filter_map(|part| {
            let need = need(&self.jobs.get(&part.workload)?.workload.needs, resource);
            need.checked_mul(i64::try_from(part.at(slot)).ok()?)
        });
        held.fold(self.room.free_beside_kept(slot, resource), i64::saturating_add)
    }

    fn contender(&self, part: &Part, slots: &[Slot], resources: &[Arc<str>], now: Tick) -> Contender {
        let Some(job) = self.jobs.get(&part.workload) else {
            return Contender::default();
        };
        let workload = &job.workload;
        let question = self.question(job, part.target, &[], now);
        let shares = question.shares();
        let elsewhere = part.current.iter().filter(|(slot, _)| !slots.contains(*slot));
        let elsewhere = elsewhere.fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let costs = self.costs_of(part, slots, now);
        let is_placed = !part.current.is_empty();
        let price = self.price_of(part);
        let clusters = slots.iter().enumerate().map(|(at, slot)| {
            let cost = match &costs {
                Some(costs) => costs[at],
                // Where something that runs is better off is not looked at here.
                None if is_placed => 0,
                None => crate::score::cost_of(self.fleet.at(*slot), &workload.needs),
            };
            let current = part.at(*slot);
            // What names pods asks for what is not offered where they are not counted.
            let offers_pods = workload.needs.get(PODS) == 0 || self.counts_pods(*slot);
            let most = match part.set[*slot] && offers_pods {
                true => shares.at(*slot).max.max(current),
                false => current,
            };
            let before = match costs.is_some() {
                true => part.ran_at(*slot),
                false => current,
            };
            (cost, most, before)
        });
        let clusters: Vec<(i64, u64, u64)> = clusters.collect();
        let needs = resources
            .iter()
            .map(|resource| need(&workload.needs, resource))
            .collect();
        Contender::new(part.replicas.saturating_sub(elsewhere), needs)
            .clusters(clusters)
            .prices(price, 0)
    }

    /// Nothing is worth as much as a place, and none as much as one of a higher priority. What runs keeps its place, and what
    /// has got one keeps it if all who have none are less important.
    fn price_places(&self, parts: &[Part], slots: &[Slot], contenders: &mut [Contender]) {
        let dearest = contenders.iter().flat_map(|one| &one.costs).max();
        let dearest = dearest.copied().unwrap_or(0).max(0);
        let price = contenders.iter().map(|one| one.move_price).max().unwrap_or(0);
        let place = dearest.saturating_add(price).saturating_mul(PLACE);
        let priority = |part: &Part| {
            self.jobs
                .get(&part.workload)
                .map_or(0, |job| job.workload.priority)
        };
        let ranks: BTreeSet<i32> = parts.iter().map(priority).collect();
        let short = parts.iter().filter(|part| part.short() > 0).map(priority).min();
        for (part, contender) in parts.iter().zip(contenders) {
            let below = ranks.range(..priority(part)).map(|_| PLACE);
            contender.short_price = below.fold(place, i64::saturating_mul);
            let is_more = short.is_none_or(|short| priority(part) > short);
            let kept = slots.iter().map(|slot| match is_more {
                true => part.at(*slot),
                false => part.ran_at(*slot),
            });
            contender.kept = kept.fold(0, u64::saturating_add);
        }
    }

    /// What moving a replica costs.
    pub(super) fn price_of(&self, part: &Part) -> i64 {
        let price = self
            .jobs
            .get(&part.workload)
            .map_or(0, |job| job.workload.moves.price);
        i64::try_from(price).unwrap_or(i64::MAX / 4).max(1)
    }

    /// What a replica costs on each of these clusters, where it is placed by cost alone: none where how full clusters are
    /// counts for what runs, too, because each move changes that.
    pub(super) fn costs_of(&self, part: &Part, slots: &[Slot], now: Tick) -> Option<Vec<i64>> {
        let job = self.jobs.get(&part.workload).filter(|_| part.is_direct)?;
        if part.ran.values().all(|units| *units == 0) {
            let costs = slots
                .iter()
                .map(|slot| crate::score::cost_of(self.fleet.at(*slot), &job.workload.needs));
            return Some(costs.collect());
        }
        let question = self.question(job, part.target, &[], now);
        let worths: Option<Vec<i64>> = slots.iter().map(|slot| self.worth_at(&question, *slot)).collect();
        let worths = worths?;
        let best = worths.iter().copied().max().unwrap_or(0);
        Some(worths.iter().map(|worth| best.saturating_sub(*worth)).collect())
    }

    /// What a replica is worth on a cluster, unless that depends on how full it is.
    fn worth_at(&self, question: &Question<'_>, slot: Slot) -> Option<i64> {
        let worth = |load: i64| {
            let candidate = question.candidate(slot, 0);
            self.scheduler.parts().rebalancer.worth(&candidate, load)
        };
        let empty = worth(0);
        (empty == worth(1_000_000)).then_some(empty)
    }

    /// Whether a cluster says how many pods it carries: where it does not, there is no such limit.
    fn counts_pods(&self, slot: Slot) -> bool {
        self.room.needs_on(slot, &Resources::new()).names(PODS)
    }
}

/// How much of a resource one replica asks for: a slot for a pod, where it does not say how many pods it is.
fn need(needs: &Resources, resource: &str) -> i64 {
    match resource == PODS && !needs.names(PODS) {
        true => 1,
        false => needs.get(resource),
    }
}
