//! Moves what is better elsewhere: how a new, cheaper or better placed cluster gets used.

use std::collections::BTreeSet;

use fleet_core::Tick;

use super::{
    Facts, Job, Planner, Round,
    better::{Better, Leaving},
    carry::start,
    leave::{Fence, end},
};
use crate::{
    decision::{Decision, Outcome},
    model::{Placement, WorkloadId},
    moves::{Cause, Move},
    schedule::Answers,
};

impl Planner {
    /// Moves what gains more than its price elsewhere, the greatest gain first, as far as budgets go.
    ///
    /// Nothing moves that is pinned, that has moved for the same reason a short while ago ([`Calm::rest`](crate::Calm)),
    /// that others must run beside, or while something of it is on its way or out of contact. A target that does not meet its
    /// limits, though it would anew, is brought nearer to them first; no other move takes it farther from them.
    pub fn rebalance(&mut self, facts: &Facts, now: Tick) -> Round {
        let mut round = self.decide_touched(facts, now);
        let mut answers = std::mem::take(&mut self.answers);
        let mut seen = BTreeSet::new();
        let is_waiting = |id: &WorkloadId| self.short.contains(id) || self.pending.contains(id);
        self.made_room.retain(|_, waiting| waiting.iter().any(is_waiting));
        let together = self.place_together(now, &mut answers);
        for made in together.moves {
            self.tell(&mut round, made);
        }
        self.in_vain = match together.changed.is_empty() {
            true => self.in_vain.wrapping_add(1),
            false => 0,
        };
        seen.extend(together.changed);
        let ids: Vec<WorkloadId> = self
            .jobs
            .keys()
            .filter(|id| self.is_movable(id, now))
            .cloned()
            .collect();
        let mut leaving = self.leaving();
        let mut better = Vec::new();
        let is_on = self.switches().rebalance;
        for id in ids.iter().filter(|_| is_on) {
            let Some(job) = self.jobs.get(id).cloned() else {
                continue;
            };
            for target in 0..job.workload.targets.len() {
                better.extend(self.look_unbooked(&job, target, now, &leaving, &mut answers));
            }
        }
        better.sort_unstable();
        for one in better {
            // One move of a workload at a time; what a move has changed is looked at again before the next.
            if seen.contains(&one.workload) {
                continue;
            }
            let Some(job) = self.jobs.get(&one.workload).cloned() else {
                continue;
            };
            let mut again = self.look_unbooked(&job, one.target, now, &leaving, &mut answers);
            again.sort_unstable();
            let Some(one) = again.into_iter().next() else {
                continue;
            };
            if !self.stays_protected(&job, &one, now, &mut answers) {
                continue;
            }
            if let Some(made) = self.move_better(&job, &one, Cause::Better, now) {
                leaving.add(one.from, &one.workload, self.going_at(&one));
                seen.insert(one.workload.clone());
                self.tell(&mut round, made);
            }
        }
        self.answers = answers;
        for id in seen {
            self.touch_related(&id);
            self.open.insert(id);
        }
        let first = std::mem::take(&mut self.begun);
        for (id, mut decision) in self.decide_touched(facts, now) {
            if let Some(earlier) = round.remove(&id) {
                decision.moves.splice(0..0, earlier.moves);
            }
            round.insert(id, decision);
        }
        self.goes_on_from(first);
        self.remember_round(&round, now);
        round
    }

    /// Looks for better places of a target; what is kept for itself does not stand in its way.
    fn look_unbooked(
        &mut self,
        job: &Job,
        target: usize,
        now: Tick,
        leaving: &Leaving,
        answers: &mut Answers,
    ) -> Vec<Better> {
        let id = &job.workload.name;
        let kept = self.room.bookings(id, target).to_vec();
        if kept.is_empty() {
            return self.look_for_better(job, target, now, leaving, answers);
        }
        self.room.book(id, target, Vec::new());
        let better = self.look_for_better(job, target, now, leaving, answers);
        self.room.book(id, target, kept);
        better
    }

    /// How many are going from where they were, because of a move.
    fn going_at(&self, one: &Better) -> u64 {
        let seats = self.table.seats(&one.workload).iter();
        let there = seats.filter(|seat| seat.slot == one.from);
        there.fold(0, |sum, seat| sum.saturating_add(seat.assignment.going))
    }

    /// Adds a move to what was decided.
    fn tell(&self, round: &mut Round, made: Move) {
        let id = made.workload.clone();
        let entry = round.entry(id.to_string());
        let decision = entry.or_insert_with(|| Decision::new(&id, Outcome::Placed, Placement::nowhere()));
        decision.moves.push(made);
        decision.placement = self.table.placement(&id);
    }

    /// Whether a workload may move because another place is better.
    pub(super) fn is_movable(&self, id: &WorkloadId, now: Tick) -> bool {
        let Some(job) = self.jobs.get(id) else {
            return false;
        };
        let rests = |last: Tick| last > now || now.since(last) < self.options.calm.rest;
        let is_resting = self.switches().hysteresis && self.moves.last_better(id).is_some_and(rests);
        let is_pinned = self.switches().hysteresis && job.workload.moves.pinned;
        let is_calm = self.table.seats(id).iter().all(|seat| {
            let assignment = seat.assignment;
            let is_steady = assignment.going == 0 && assignment.held == 0;
            is_steady && self.fleet.at(seat.slot).is_in_contact() && !self.is_replaced(seat.slot)
        });
        let is_calm = is_calm && self.table.gone(id).next().is_none();
        let is_needed = self.related.get(id).is_some_and(|others| {
            others
                .iter()
                .filter_map(|other| self.jobs.get(other))
                .any(|other| {
                    other
                        .workload
                        .beside
                        .iter()
                        .any(|relation| relation.workload == *id && !relation.preferred)
                })
        });
        let is_sound = job.invalid.is_none() && !self.entangled.contains(id);
        is_sound && !is_pinned && !is_resting && is_calm && !is_needed
    }

    /// Moves as much of it as budgets let.
    pub(super) fn move_better(&mut self, job: &Job, one: &Better, cause: Cause, now: Tick) -> Option<Move> {
        let made = self.better_move(job, one, cause, now)?;
        let name = &job.names[one.target];
        let mut placed = self.table.placement(&job.workload.name).targets.remove(&**name)?;
        let mut fence = Fence::default();
        if let Some(old) = placed.get_mut(&made.from) {
            let ended = end(old, made.replicas, !self.stops_first(&job.workload, cause));
            if self.is_fenced(&job.workload) {
                fence.ended(ended);
                old.since = now;
            }
        }
        start(
            &mut placed,
            &made.to,
            made.replicas,
            fence.hold(made.replicas),
            now,
        );
        placed.retain(|_, one| one.replicas > 0);
        self.begin(&job.workload.name);
        self.moves.record(made.clone());
        self.place(&job.workload.name, name, &placed);
        Some(made)
    }

    /// As much of a move as budgets, and those who have a say, let begin.
    pub(super) fn better_move(&self, job: &Job, one: &Better, cause: Cause, now: Tick) -> Option<Move> {
        let unit = job.units[one.target];
        let (from, to) = (
            self.fleet.at(one.from).name().to_owned(),
            self.fleet.at(one.to).name().to_owned(),
        );
        let left = self.moves.left(self.options.budgets, now);
        let own = self.moves.left_of(&job.workload.name, &job.workload.moves, now);
        let most = left.at(&from).min(left.at(&to)).min(own) / unit;
        let units = match self.switches().budgets {
            true => one.units.min(most),
            false => one.units,
        };
        if units == 0 || (one.is_whole && units < one.units) {
            return None;
        }
        let made = Move {
            at: now,
            workload: job.workload.name.clone(),
            target: job.names[one.target].to_string(),
            from,
            to,
            replicas: units.saturating_mul(unit),
            cause,
        };
        self.objection_to_begin(&job.workload, &made)
            .is_none()
            .then_some(made)
    }
}
