//! Moves what is better elsewhere: how a new, cheaper or better placed cluster gets used.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use fleet_core::Tick;

use super::{
    Facts, Job, Planner, Round,
    carry::start,
    leave::{Fence, end},
};
use crate::{
    decision::{Decision, Outcome},
    model::{DivideBy, Placement, Slot, Take, Target, WorkloadId},
    moves::{Cause, Move},
    pipeline::Units,
    schedule::{Answers, Question},
};

/// Replicas that would be better elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Better {
    gain: Reverse<i64>,
    pub(super) workload: WorkloadId,
    target: usize,
    from: Slot,
    to: Slot,
    pub(super) units: u64,
    /// All of it moves, or nothing: part of it would be on more clusters than before.
    is_whole: bool,
}

impl Better {
    /// Some of these, though not for their own sake.
    pub(super) fn some_of(workload: &WorkloadId, target: usize, from: Slot, to: Slot, units: u64) -> Self {
        Self {
            gain: Reverse(0),
            workload: workload.clone(),
            target,
            from,
            to,
            units,
            is_whole: false,
        }
    }
}

impl Planner {
    /// Moves what gains more than its price elsewhere, the greatest gain first, as far as budgets go.
    ///
    /// Nothing moves that is pinned, that has moved for the same reason a short while ago ([`Calm::rest`](crate::Calm)),
    /// that others must run beside, or while something of it is on its way or out of contact. Within a spread, replicas move
    /// inside their domain.
    pub fn rebalance(&mut self, facts: &Facts, now: Tick) -> Round {
        let mut round = self.decide_touched(facts, now);
        let mut answers = std::mem::take(&mut self.answers);
        let mut seen = BTreeSet::new();
        if self.short.is_empty() && self.pending.is_empty() {
            self.made_room.clear();
        }
        let together = self.place_together(now, &mut answers);
        for made in together.moves {
            self.tell(&mut round, made);
        }
        seen.extend(together.changed);
        let ids: Vec<WorkloadId> = self
            .jobs
            .keys()
            .filter(|id| self.is_movable(id, now))
            .cloned()
            .collect();
        let mut better = Vec::new();
        for id in &ids {
            let Some(job) = self.jobs.get(id) else { continue };
            for target in 0..job.workload.targets.len() {
                self.look_for_better(job, target, now, &mut answers, &mut better);
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
            let mut again = Vec::new();
            self.look_for_better(&job, one.target, now, &mut answers, &mut again);
            again.sort_unstable();
            let Some(one) = again.into_iter().next() else {
                continue;
            };
            if let Some(made) = self.move_better(&job, &one, Cause::Better, now) {
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
        let is_calm = self.table.seats(id).iter().all(|seat| {
            let assignment = seat.assignment;
            assignment.going == 0 && assignment.held == 0 && self.fleet.at(seat.slot).is_in_contact()
        });
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
        is_sound && !job.workload.moves.pinned && !is_resting && is_calm && !is_needed
    }

    fn look_for_better(
        &self,
        job: &Job,
        target: usize,
        now: Tick,
        answers: &mut Answers,
        better: &mut Vec<Better>,
    ) {
        let (name, unit) = (&job.names[target], job.units[target]);
        let seats = self
            .table
            .seats(&job.workload.name)
            .iter()
            .filter(|seat| seat.target == *name);
        let current: Vec<(Slot, u64)> = seats
            .map(|seat| (seat.slot, seat.assignment.active().div_ceil(unit)))
            .collect();
        let question = self.question(job, target, &current, now);
        if question.is_everywhere() || current.is_empty() {
            return;
        }
        if is_proportional(question.target()) {
            self.look_for_shares(&question, answers, better);
            return;
        }
        let price = if self.switches().hysteresis {
            job.workload.moves.price
        } else {
            0
        };
        let price = i64::try_from(price.saturating_mul(unit)).unwrap_or(i64::MAX);
        let set = self
            .screen(&question, question.target().groups.first(), answers)
            .set;
        let worth = |slot: Slot, extra: u64| {
            let load = self.room.load_with(slot, question.needs, extra);
            self.scheduler
                .parts()
                .rebalancer
                .worth(&question.candidate(slot, question.current(slot)), load)
        };
        let of_it = self.made_room.iter().filter(|(id, _)| *id == job.workload.name);
        let made_room: BTreeSet<Slot> = of_it.map(|(_, slot)| *slot).collect();
        let shares = question.shares();
        for (from, units) in &current {
            let here = worth(*from, 0);
            let is_in_domain = |slot: &Slot| question.domain_of(*slot) == question.domain_of(*from);
            let fits = |slot: &Slot| {
                question.current(*slot) == 0 && question.fits(*slot).min(shares.at(*slot).max) >= *units
            };
            let others = set
                .ones()
                .filter(|slot| slot != from && is_in_domain(slot) && fits(slot) && !made_room.contains(slot));
            let best = others.map(|slot| (worth(slot, *units), Reverse(slot))).max();
            let Some((there, Reverse(to))) = best else {
                continue;
            };
            let gain = there.saturating_sub(here);
            if gain > price {
                better.push(Better {
                    gain: Reverse(gain.saturating_sub(price)),
                    workload: job.workload.name.clone(),
                    target,
                    from: *from,
                    to,
                    units: *units,
                    is_whole: true,
                });
            }
        }
    }

    /// Shares by weight or capacity that are no longer what they would be anew.
    fn look_for_shares(&self, question: &Question<'_>, answers: &mut Answers, better: &mut Vec<Better>) {
        let total = question
            .current
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let Units {
            units: ideal, short, ..
        } = self.anew(question, total, answers);
        if short > 0 {
            return;
        }
        let ideal: BTreeMap<Slot, u64> = ideal.into_iter().collect();
        let at = |slot: Slot| ideal.get(&slot).copied().unwrap_or(0);
        let mut surplus: Vec<(u64, Slot)> = question
            .current
            .iter()
            .map(|(slot, units)| (units.saturating_sub(at(*slot)), *slot))
            .collect();
        let mut lack: Vec<(u64, Slot)> = ideal
            .iter()
            .map(|(slot, units)| (units.saturating_sub(question.current(*slot)), *slot))
            .collect();
        let off: u64 = lack.iter().map(|(units, _)| units).sum();
        let tolerance = total.saturating_mul(self.options.calm.tolerance.into()) / 100;
        if self.switches().hysteresis && off <= tolerance {
            return;
        }
        for list in [&mut surplus, &mut lack] {
            list.retain(|(units, _)| *units > 0);
            list.sort_unstable_by_key(|(units, slot)| (Reverse(*units), *slot));
        }
        let (Some((more, from)), Some((less, to))) = (surplus.first(), lack.first()) else {
            return;
        };
        better.push(Better {
            gain: Reverse(i64::try_from(off).unwrap_or(i64::MAX)),
            workload: question.workload.name.clone(),
            target: question.target,
            from: *from,
            to: *to,
            units: *more.min(less),
            is_whole: false,
        });
    }

    /// How it would be divided if nothing was there yet; what is there counts as free.
    fn anew(&self, question: &Question<'_>, total: u64, answers: &mut Answers) -> Units {
        let group = question.target().groups.first();
        let set = self.screen(question, group, answers).set;
        let mut ranked = question.rank(&set, answers);
        self.close(question, group, &mut ranked);
        // Where only some clusters may be used it stays on those it is on: its own load makes others look better, and once
        // there it would go back.
        ranked.sort_by_key(|one| one.current == 0);
        for one in &mut ranked {
            (one.fits, one.current) = (one.holds(), 0);
        }
        ranked.retain(|one| one.fits > 0);
        question.divide(&ranked, total)
    }

    /// Moves as much of it as budgets let.
    pub(super) fn move_better(&mut self, job: &Job, one: &Better, cause: Cause, now: Tick) -> Option<Move> {
        let made = self.better_move(job, one, cause, now)?;
        let name = &job.names[one.target];
        let mut placed = self.table.placement(&job.workload.name).targets.remove(&**name)?;
        let mut fence = Fence::default();
        if let Some(old) = placed.get_mut(&made.from) {
            let ended = end(old, made.replicas, !self.stops_first(&job.workload));
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

fn is_proportional(target: &Target) -> bool {
    matches!(
        &target.take,
        Take::Divided {
            by: DivideBy::Weight | DivideBy::Capacity,
            ..
        }
    )
}

impl Question<'_> {
    /// The domains a cluster is in, by the target's spread.
    fn domain_of(&self, slot: Slot) -> Vec<Option<&String>> {
        let labels = &self.view.fleet.at(slot).cluster.labels;
        self.target()
            .spread
            .iter()
            .map(|spread| labels.get(&spread.over))
            .collect()
    }
}
