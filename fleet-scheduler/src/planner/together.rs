//! Looks at several workloads at once, where deciding one after the other has left some without a place.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{Resources, Tick};

use super::{Facts, Planner};
use crate::{
    model::{Assignment, Clusters, DivideBy, Slot, Take, Target, WorkloadId},
    room::PODS,
    schedule::Answers,
    solve::{Contender, Effort, Problem, improve},
};

/// How many workloads without a place are looked at at once.
const PENDING: usize = 8;
/// How many clusters, the cheapest for them, and then for those that might go elsewhere.
const CLUSTERS: usize = 8;
/// How many others that are on these clusters.
const OTHERS: usize = 24;

/// Units that make room by going elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Shift {
    pub(super) workload: WorkloadId,
    pub(super) target: usize,
    pub(super) from: Slot,
    pub(super) to: Slot,
    pub(super) units: u64,
}

/// One target that takes part.
struct Part {
    workload: WorkloadId,
    target: usize,
    set: fixedbitset::FixedBitSet,
    current: BTreeMap<Slot, u64>,
}

impl Planner {
    /// What must go elsewhere so that more have a place. Only what fits where it goes is told: the rest follows once that
    /// has gone.
    pub(super) fn shifts(&self, now: Tick, answers: &mut Answers) -> Vec<Shift> {
        let pending: Vec<Part> = self
            .short
            .iter()
            .chain(&self.pending)
            .filter(|id| !self.open.contains(*id) && self.is_movable(id, now))
            .flat_map(|id| self.parts_of(id, now, answers))
            .take(PENDING)
            .collect();
        if pending.is_empty() {
            return Vec::new();
        }
        let mut slots = Vec::new();
        self.widen(&mut slots, &pending);
        let mut others: BTreeSet<WorkloadId> = BTreeSet::new();
        for slot in &slots {
            others.extend(
                self.table
                    .workloads_on(self.fleet.at(*slot).name())
                    .map(|(id, _)| id.clone()),
            );
        }
        let is_new = |id: &WorkloadId| pending.iter().all(|part| part.workload != *id);
        let movable: Vec<WorkloadId> = others
            .into_iter()
            .filter(|id| is_new(id) && self.is_movable(id, now))
            .collect();
        let parts = movable.iter().flat_map(|id| self.parts_of(id, now, answers));
        let others: Vec<Part> = parts.take(OTHERS).collect();
        self.widen(&mut slots, &others);
        let parts: Vec<Part> = pending.into_iter().chain(others).collect();
        let problem = self.problem(&parts, &slots);
        let before: Vec<Vec<u64>> = problem.workloads.iter().map(|one| one.before.clone()).collect();
        let after = improve(&problem, &before, Effort::default());
        // Only what gives more of them a place is worth it here: where it is cheaper is looked at one by one.
        let short = |places: &Vec<Vec<u64>>| -> u64 {
            let rows = problem.workloads.iter().zip(places);
            rows.map(|(one, row)| one.wanted.saturating_sub(row.iter().sum()))
                .sum()
        };
        if short(&after) >= short(&before) || !self.helps(&parts, &slots, &after, now) {
            return Vec::new();
        }
        let rows = parts.iter().zip(before.iter().zip(&after));
        rows.flat_map(|(part, (before, after))| self.shifts_of(part, before, after, &slots))
            .collect()
    }

    /// Whether more has a place once everything that is placed is where the plan says: it is tried on a copy, because what
    /// has no place is decided by the whole policy, of which the plan knows only a part.
    fn helps(&self, parts: &[Part], slots: &[Slot], after: &[Vec<u64>], now: Tick) -> bool {
        let ids: BTreeSet<&WorkloadId> = parts.iter().map(|part| &part.workload).collect();
        let placed_after = |after: Option<&[Vec<u64>]>| -> u64 {
            let mut copy = self.clone();
            for (part, row) in parts.iter().zip(after.into_iter().flatten()) {
                copy.put(part, row, slots, now);
            }
            copy.dirty = ids.iter().map(|id| (*id).clone()).collect();
            copy.decide(&Facts::none(), now);
            let seats = ids.iter().flat_map(|id| copy.table.seats(id));
            seats.map(|seat| seat.assignment.active()).sum()
        };
        placed_after(Some(after)) > placed_after(None)
    }

    /// Puts what is placed where a plan says, at once.
    fn put(&mut self, part: &Part, row: &[u64], slots: &[Slot], now: Tick) {
        let Some(job) = self.jobs.get(&part.workload).cloned() else {
            return;
        };
        let name = &job.names[part.target];
        let placement = self.table.placement(&part.workload);
        let mut placed = placement.targets.get(&**name).cloned().unwrap_or_default();
        let mut left: u64 = placed.values().map(Assignment::active).sum();
        for (slot, units) in slots.iter().zip(row) {
            let count = (*units).min(left);
            left -= count;
            placed.insert(
                self.fleet.at(*slot).name().to_owned(),
                Assignment::new(count, now),
            );
        }
        if left == 0 {
            placed.retain(|_, one| one.replicas > 0);
            self.place(&part.workload, name, &placed);
        }
    }

    /// The targets of a workload that can take part: those whose replicas may be anywhere among the clusters that pass.
    fn parts_of(&self, id: &WorkloadId, now: Tick, answers: &mut Answers) -> Vec<Part> {
        let Some(job) = self.jobs.get(id).filter(|job| job.invalid.is_none()) else {
            return Vec::new();
        };
        let mut parts = Vec::new();
        for (target, asked) in job
            .workload
            .targets
            .iter()
            .enumerate()
            .filter(|(_, target)| is_free(target))
        {
            let seats = self
                .table
                .seats(id)
                .iter()
                .filter(|seat| seat.target == job.names[target]);
            let current: Vec<(Slot, u64)> = seats.map(|seat| (seat.slot, seat.assignment.active())).collect();
            let question = self.question(job, target, &current, now);
            let group = asked.groups.first();
            let mut set = self.screen(&question, group, answers).set;
            // What stays may stay where nothing new may come.
            for (slot, _) in &current {
                if self.is_replaced(*slot) || !question.takes_more(*slot, group) {
                    set.remove(*slot);
                }
            }
            parts.push(Part {
                workload: id.clone(),
                target,
                set,
                current: current.iter().copied().collect(),
            });
        }
        parts
    }

    /// Adds clusters that these could be on, the cheapest for them.
    fn widen(&self, scope: &mut Vec<Slot>, parts: &[Part]) {
        let mut slots: Vec<(i64, Slot)> = Vec::new();
        for part in parts {
            let Some(job) = self.jobs.get(&part.workload) else {
                continue;
            };
            let cost = |slot: Slot| crate::score::cost_of(self.fleet.at(slot), &job.workload.needs);
            let passing = part.set.ones().filter(|slot| self.room.is_known(*slot));
            slots.extend(passing.map(|slot| (cost(slot), slot)));
        }
        slots.sort_unstable();
        let most = scope.len() + CLUSTERS;
        for (_, slot) in slots {
            if scope.len() < most && !scope.contains(&slot) {
                scope.push(slot);
            }
        }
    }

    fn problem(&self, parts: &[Part], slots: &[Slot]) -> Problem {
        let resources: Vec<std::sync::Arc<str>> = self
            .fleet
            .resources()
            .iter()
            .map(|(name, _)| name.clone())
            .collect();
        let free = |slot: &Slot| {
            let of = |resource: &std::sync::Arc<str>| {
                if &**resource == PODS && !self.counts_pods(*slot) {
                    return i64::MAX;
                }
                // What takes part is taken out first.
                let held = parts.iter().filter_map(|part| {
                    let need = need(&self.jobs.get(&part.workload)?.workload.needs, resource);
                    let units = i64::try_from(part.current.get(slot).copied().unwrap_or(0)).ok()?;
                    need.checked_mul(units)
                });
                held.fold(self.room.free_beside_kept(*slot, resource), i64::saturating_add)
            };
            resources.iter().map(of).collect()
        };
        let mut problem = Problem::new(slots.iter().map(free).collect());
        for part in parts {
            let Some(job) = self.jobs.get(&part.workload) else {
                continue;
            };
            let workload = &job.workload;
            let Take::Divided { replicas, .. } = &workload.targets[part.target].take else {
                continue;
            };
            let elsewhere = part.current.iter().filter(|(slot, _)| !slots.contains(*slot));
            let elsewhere = elsewhere.fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
            // Where something that runs is cheaper is not looked at here.
            let is_placed = !part.current.is_empty();
            let clusters = slots.iter().map(|slot| {
                let cost = match is_placed {
                    true => 0,
                    false => crate::score::cost_of(self.fleet.at(*slot), &workload.needs).max(0),
                };
                let current = part.current.get(slot).copied().unwrap_or(0);
                // What names pods asks for what is not offered where they are not counted.
                let offers_pods = workload.needs.get(PODS) == 0 || self.counts_pods(*slot);
                let most = if part.set[*slot] && offers_pods {
                    u64::MAX
                } else {
                    current
                };
                (cost, most, current)
            });
            let price = i64::try_from(workload.moves.price).unwrap_or(i64::MAX / 4).max(1);
            // Nothing is worth as much as a place.
            let dearest = slots
                .iter()
                .map(|slot| crate::score::cost_of(self.fleet.at(*slot), &workload.needs))
                .max();
            let short = dearest
                .unwrap_or(0)
                .max(0)
                .saturating_add(price)
                .saturating_mul(100);
            let needs = resources
                .iter()
                .map(|resource| need(&workload.needs, resource))
                .collect();
            let contender = Contender::new(replicas.saturating_sub(elsewhere), needs).clusters(clusters);
            problem = problem.contender(contender.prices(price, short));
        }
        problem
    }

    /// Whether a cluster says how many pods it carries: where it does not, there is no such limit.
    fn counts_pods(&self, slot: Slot) -> bool {
        self.room.needs_on(slot, &Resources::new()).names(PODS)
    }

    /// From where to where, as far as there is room already.
    fn shifts_of(&self, part: &Part, before: &[u64], after: &[u64], slots: &[Slot]) -> Vec<Shift> {
        let change = |at: &usize| i128::from(after[*at]) - i128::from(before[*at]);
        let mut less: Vec<(usize, u64)> = Vec::new();
        let mut more: Vec<(usize, u64)> = Vec::new();
        for at in 0..slots.len() {
            let count = u64::try_from(change(&at).unsigned_abs()).unwrap_or(u64::MAX);
            match change(&at) {
                0 => {}
                change if change < 0 => less.push((at, count)),
                _ => more.push((at, count)),
            }
        }
        let mut shifts = Vec::new();
        let Some(job) = self.jobs.get(&part.workload) else {
            return shifts;
        };
        for (from, rest) in &mut less {
            for (to, room) in &mut more {
                let fits = self.room.fits(slots[*to], &job.needs[part.target]);
                let units = (*rest).min(*room).min(fits);
                (*rest, *room) = (*rest - units, *room - units);
                if units > 0 {
                    shifts.push(Shift {
                        workload: part.workload.clone(),
                        target: part.target,
                        from: slots[*from],
                        to: slots[*to],
                        units,
                    });
                }
            }
        }
        shifts
    }
}

/// How much of a resource one replica asks for: a slot for a pod, where it does not say how many pods it is.
fn need(needs: &Resources, resource: &str) -> i64 {
    match resource == PODS && !needs.names(PODS) {
        true => 1,
        false => needs.get(resource),
    }
}

/// Whether replicas of a target may be anywhere, one by one.
fn is_free(target: &Target) -> bool {
    let is_free = |take: &Take| match take {
        Take::Divided {
            clusters, by, bounds, ..
        } => {
            *clusters == Clusters::default()
                && bounds.is_empty()
                && matches!(by, DivideBy::Fewest | DivideBy::Cost)
        }
        Take::Each { .. } => false,
    };
    target.spread.is_empty() && is_free(&target.take)
}
