//! Carries a plan out: what is new is started, what has stand-ins is going.

use std::collections::BTreeMap;

use fleet_core::Tick;

use super::{
    Planner,
    leave::{Fence, drop_going, end},
    seats::Seats,
    settle::{Case, Plan},
};
use crate::{
    decision::{Decision, Wait, WaitOn},
    model::{Assignment, Slot},
    moves::Move,
};

impl Planner {
    pub(super) fn apply(&mut self, case: &Case<'_>, plan: &mut Plan, decision: &mut Decision) {
        let unit = case.unit();
        let mut placed = std::mem::take(&mut plan.seats.placed);
        let mut fence = match self.is_fenced(&case.job.workload) {
            true => self.fence(case.job, &self.table.placement(case.id()), case.facts, case.now),
            false => Fence::default(),
        };
        self.end_absent(case, plan, &mut placed, &mut fence);
        let mut new = self.shrink_to(case, plan, &mut placed, &mut fence);
        let mut moves = self.start_moves(case, plan, &mut new, &mut placed, &mut fence);
        // What moves do not use and nobody else has asked for is left out: it waits for budgets.
        let granted = sum(plan.grants.iter().map(|(_, units)| *units));
        let stays = sum(plan
            .kept
            .iter()
            .map(|(slot, have)| plan.units.at(*slot).min(*have)));
        let mut fresh = plan.units.total().saturating_sub(stays).saturating_sub(granted);
        for (slot, more) in new {
            let count = more.min(fresh);
            if count > 0 {
                fresh -= count;
                let replicas = count.saturating_mul(unit);
                start(
                    &mut placed,
                    self.fleet.at(slot).name(),
                    replicas,
                    fence.hold(replicas),
                    case.now,
                );
            }
        }
        self.end_surplus(case, plan, &moves, &mut placed, &mut fence);
        moves.append(&mut plan.stops);
        if plan.wanted == 0 && !self.is_fenced(&case.job.workload) {
            // What goes need not wait: nothing is to stand in for it.
            placed.values_mut().for_each(|one| drop_going(one, case.now));
        }
        placed.retain(|_, assignment| assignment.replicas > 0);
        for one in &moves {
            self.record(one.clone());
        }
        decision.moves.extend(moves);
        self.place(case.id(), case.name(), &placed);
    }

    /// Ends what cannot be asked and is not wanted any more: it goes before any that answers.
    fn end_absent(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        placed: &mut BTreeMap<String, Assignment>,
        fence: &mut Fence,
    ) {
        let mut surplus = plan.absent_surplus;
        for (cluster, there) in &plan.seats.absent {
            // One that has not all its replicas is one, too.
            let units = there.div_ceil(case.unit()).min(surplus);
            surplus -= units;
            let count = units.saturating_mul(case.unit()).min(*there);
            if let Some(one) = placed.get_mut(cluster).filter(|_| count > 0) {
                fence.ended(self.stop(case.job, one, count, case.now));
            }
        }
    }

    /// Ends what is too much at once; what is new, by slot.
    fn shrink_to(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        placed: &mut BTreeMap<String, Assignment>,
        fence: &mut Fence,
    ) -> Vec<(Slot, u64)> {
        let is_new = |(slot, units): &(Slot, u64)| *units > 0 && plan.kept.iter().all(|(at, _)| at != slot);
        // Where another group of clusters can take it now, it is there before it leaves those it is on.
        let stays_at_first = case.is_everywhere()
            && !self.is_fenced(&case.job.workload)
            && plan.units.units.iter().any(is_new);
        for (slot, have) in &plan.kept {
            let less = have.saturating_sub(plan.units.at(*slot));
            if less > 0
                && let Some(assignment) = placed.get_mut(self.fleet.at(*slot).name())
            {
                let replicas = less.saturating_mul(case.unit());
                if stays_at_first {
                    end(assignment, replicas, true);
                    assignment.since = case.now;
                } else {
                    fence.ended(self.stop(case.job, assignment, replicas, case.now));
                }
            }
        }
        let before: BTreeMap<Slot, u64> = plan.kept.iter().copied().collect();
        let more = |(slot, units): &(Slot, u64)| {
            let more = units.saturating_sub(before.get(slot).copied().unwrap_or(0));
            (more > 0).then_some((*slot, more))
        };
        plan.units.units.iter().filter_map(more).collect()
    }

    /// Starts what moves.
    fn start_moves(
        &self,
        case: &Case<'_>,
        plan: &mut Plan,
        new: &mut [(Slot, u64)],
        placed: &mut BTreeMap<String, Assignment>,
        fence: &mut Fence,
    ) -> Vec<Move> {
        let (steps, waits) = self.steps(case, &plan.seats, &plan.grants, new);
        let ends = waits.iter().filter_map(|wait| wait.until);
        plan.again_at = plan.again_at.into_iter().chain(ends).min();
        plan.waits.extend(waits);
        let mut moves = Vec::new();
        for (at, one) in steps {
            let is_over = plan.seats.released[at].is_stopped
                || self.stops_first(&case.job.workload, one.cause)
                || !self.switches().healthy_first;
            if let Some(from) = placed.get_mut(&one.from) {
                let ended = end(from, one.replicas, !is_over);
                if self.is_fenced(&case.job.workload) {
                    fence.ended(ended);
                    from.since = case.now;
                }
            }
            start(placed, &one.to, one.replicas, fence.hold(one.replicas), case.now);
            moves.push(one);
        }
        moves
    }

    /// What may move to where there are to be so many more, as far as the budgets of where it goes and those who have a say
    /// let it, lost replicas first: with its place in what is released. And what waits. What moves is taken off `new`.
    pub(super) fn steps(
        &self,
        case: &Case<'_>,
        seats: &Seats,
        grants: &[(usize, u64)],
        new: &mut [(Slot, u64)],
    ) -> (Vec<(usize, Move)>, Vec<Wait>) {
        let (mut steps, mut waits) = (Vec::new(), Vec::new());
        if grants.is_empty() || new.is_empty() {
            return (steps, waits);
        }
        let unit = case.unit();
        let mut left = self.moves.left(self.options.budgets, case.now);
        let mut moving = grants.to_vec();
        for (slot, more) in new {
            let to = self.fleet.at(*slot).name();
            for (at, rest) in &mut moving {
                let released = &seats.released[*at];
                let wanted = (*rest).min(*more);
                let budget = match self.switches().budgets {
                    true => left.at(to).min(left.at(&released.cluster)) / unit,
                    false => u64::MAX,
                };
                let count = wanted.min(budget);
                let one = Move {
                    at: case.now,
                    workload: case.id().clone(),
                    target: case.name().to_string(),
                    from: released.cluster.clone(),
                    to: to.to_owned(),
                    replicas: count.saturating_mul(unit),
                    cause: released.cause,
                };
                let objection = (count > 0)
                    .then(|| self.objection_to_begin(&case.job.workload, &one))
                    .flatten();
                let is_refused = objection.is_some();
                let waiting = if is_refused { wanted } else { wanted - count };
                if waiting > 0 {
                    waits.push(Wait {
                        target: case.name().to_string(),
                        cluster: released.cluster.clone(),
                        replicas: waiting.saturating_mul(unit),
                        cause: released.cause,
                        on: if is_refused { WaitOn::Gate } else { WaitOn::Budget },
                        reason: objection.unwrap_or_else(super::grants::over_budget),
                        until: match is_refused {
                            true => None,
                            false => self.budgets_free(case, &[&released.cluster, to]),
                        },
                    });
                }
                if is_refused || count == 0 {
                    continue;
                }
                *rest -= count;
                *more -= count;
                left.take(&one.from, &one.to, one.replicas);
                steps.push((*at, one));
            }
        }
        (steps, waits)
    }

    /// What is not wanted any more, and cannot stay anyhow, ends without a stand-in.
    fn end_surplus(
        &self,
        case: &Case<'_>,
        plan: &Plan,
        moves: &[Move],
        placed: &mut BTreeMap<String, Assignment>,
        fence: &mut Fence,
    ) {
        let unit = case.unit();
        let released = sum(plan.seats.released.iter().map(|one| one.replicas.div_ceil(unit)));
        let stays = match self.switches().healthy_first {
            true => plan.to_move,
            false => sum(moves.iter().map(|one| one.replicas / unit)),
        };
        let mut surplus = released.saturating_sub(stays);
        for one in plan.seats.released.iter().rev() {
            let count = one.replicas.div_ceil(unit).min(surplus);
            surplus -= count;
            if let Some(from) = placed.get_mut(&one.cluster) {
                let replicas = count.saturating_mul(unit);
                fence.ended(match one.is_stopped {
                    true => end(from, replicas, false),
                    false => self.stop(case.job, from, replicas, case.now),
                });
            }
        }
    }
}

fn sum(units: impl Iterator<Item = u64>) -> u64 {
    units.fold(0, u64::saturating_add)
}

/// Starts replicas on a cluster, some of them held until others are stopped.
pub(super) fn start(
    placed: &mut BTreeMap<String, Assignment>,
    cluster: &str,
    replicas: u64,
    held: u64,
    now: Tick,
) {
    let assignment = placed
        .entry(cluster.to_owned())
        .or_insert(Assignment::new(0, now));
    assignment.replicas = assignment.replicas.saturating_add(replicas);
    assignment.held = assignment.held.saturating_add(held);
    assignment.since = now;
}
