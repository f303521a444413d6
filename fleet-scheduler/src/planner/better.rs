//! What would be better elsewhere.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use fleet_core::Tick;

use super::{Job, Planner, unmet::distance};
use crate::{
    model::{DivideBy, Slot, Take, Target, WorkloadId},
    pipeline::Units,
    schedule::{Answers, Question},
    score::cost_of,
};

/// Replicas that would be better elsewhere.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Better {
    pub(super) gain: Reverse<i64>,
    pub(super) workload: WorkloadId,
    pub(super) target: usize,
    pub(super) from: Slot,
    pub(super) to: Slot,
    pub(super) units: u64,
    /// All of it moves, or nothing: part of it would be on more clusters than before.
    pub(super) is_whole: bool,
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

/// What is going from each cluster: it takes room there still, but is no reason for others to go.
#[derive(Clone, Debug, Default)]
pub(super) struct Leaving(BTreeMap<Slot, Vec<(WorkloadId, u64)>>);

impl Leaving {
    /// More is going from a cluster.
    pub(super) fn add(&mut self, slot: Slot, workload: &WorkloadId, replicas: u64) {
        if replicas > 0 {
            self.0.entry(slot).or_default().push((workload.clone(), replicas));
        }
    }
}

impl Planner {
    /// What is going from where now.
    pub(super) fn leaving(&self) -> Leaving {
        let mut leaving = Leaving::default();
        for id in self.jobs.keys().filter(|id| self.table.is_moving(id)) {
            for seat in self.table.seats(id) {
                leaving.add(seat.slot, id, seat.assignment.going);
            }
        }
        leaving
    }

    /// How full a cluster is once everything that is going has left, with so many units more.
    fn load_then(&self, question: &Question<'_>, slot: Slot, extra: u64, leaving: &Leaving) -> i64 {
        let Some(going) = leaving.0.get(&slot) else {
            return self.room.load_with(slot, question.needs, extra);
        };
        self.room.load(slot, |number| {
            let more = i128::from(question.needs.at(number)) * i128::from(extra);
            let less = going.iter().map(|(id, replicas)| {
                let need = self.jobs.get(id).map_or(0, |job| job.replica.at(number));
                i128::from(need) * i128::from(*replicas)
            });
            more - less.sum::<i128>()
        })
    }

    pub(super) fn look_for_better(
        &self,
        job: &Job,
        target: usize,
        now: Tick,
        leaving: &Leaving,
        answers: &mut Answers,
    ) -> Vec<Better> {
        let (name, unit) = (&job.names[target], job.units[target]);
        let seats = self.table.seats(&job.workload.name).iter();
        let seats = seats.filter(|seat| seat.target == *name);
        let current: Vec<(Slot, u64)> = seats
            .map(|seat| (seat.slot, seat.assignment.active().div_ceil(unit)))
            .collect();
        let question = self.question(job, target, &current, now);
        // What has no place comes first: old copies would stay for it.
        let active = current
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        if question.wanted().is_none_or(|wanted| active < wanted) || current.is_empty() {
            return Vec::new();
        }
        let far = distance(&self.fleet, question.target(), &in_use(&question));
        if far > 0 {
            return self
                .look_for_repair(&question, far, answers)
                .into_iter()
                .collect();
        }
        if is_proportional(question.target()) {
            return self
                .look_for_shares(&question, leaving, answers)
                .into_iter()
                .collect();
        }
        self.look_for_worth(&question, unit, leaving, answers)
    }

    /// All units of a cluster where they are worth more by more than the move costs, within all limits.
    fn look_for_worth(
        &self,
        question: &Question<'_>,
        unit: u64,
        leaving: &Leaving,
        answers: &mut Answers,
    ) -> Vec<Better> {
        let workload = question.workload;
        let price = match self.switches().hysteresis {
            true => workload.moves.price.saturating_mul(unit),
            false => 0,
        };
        let price = i64::try_from(price).unwrap_or(i64::MAX);
        let group = question.target().groups.first();
        let set = self.screen(question, group, answers).set;
        let worth = |slot: Slot, extra: u64| {
            let load = self.load_then(question, slot, extra, leaving);
            let candidate = question.candidate(slot, question.current(slot));
            self.scheduler.parts().rebalancer.worth(&candidate, load)
        };
        let of_it = self.made_room.keys().filter(|(id, _)| *id == workload.name);
        let made_room: BTreeSet<Slot> = of_it.map(|(_, slot)| *slot).collect();
        let shares = question.shares();
        let mut better = Vec::new();
        for (from, units) in question.current {
            let here = worth(*from, 0);
            let fits = |slot: &Slot| {
                question.current(*slot) == 0 && question.fits(*slot).min(shares.at(*slot).max) >= *units
            };
            let mut keeps = KeepsLimits::new(question, *from);
            let others = set
                .ones()
                .filter(|slot| slot != from && !made_room.contains(slot));
            let gains = others.filter(fits).map(|slot| {
                let gain = worth(slot, *units).saturating_sub(here);
                (Reverse(gain), slot)
            });
            let mut gains: Vec<(Reverse<i64>, Slot)> =
                gains.filter(|(Reverse(gain), _)| *gain > price).collect();
            gains.sort_unstable();
            let best = gains.into_iter().find(|(_, slot)| keeps.holds(*slot));
            if let Some((Reverse(gain), to)) = best {
                better.push(Better {
                    gain: Reverse(gain.saturating_sub(price)),
                    is_whole: true,
                    ..Better::some_of(&workload.name, question.target, *from, to, *units)
                });
            }
        }
        better
    }

    /// A step that brings a target nearer to limits that it does not meet, if one does by itself: what was lost, and stands
    /// too close together since, spreads again. Steps that only together bring it nearer might go back and forth.
    fn look_for_repair(&self, question: &Question<'_>, far: u64, answers: &mut Answers) -> Option<Better> {
        let target = question.target();
        let now = in_use(question);
        let set = self.screen(question, target.groups.first(), answers).set;
        let ideal = self.ideal(question, answers).unwrap_or_default();
        let shares = question.shares();
        let takes = |slot: Slot| {
            let most = shares.at(slot).max.saturating_sub(question.current(slot));
            let is_open = set[slot] && question.takes_more(slot, target.groups.first());
            if is_open { question.fits(slot).min(most) } else { 0 }
        };
        let others: BTreeSet<Slot> = now.keys().chain(ideal.keys()).copied().take(2 * PAIRS).collect();
        let others: Vec<(Slot, u64)> = others.into_iter().map(|slot| (slot, takes(slot))).collect();
        let mut best: Option<(u64, u64, Slot, Slot)> = None;
        for (from, there) in now.iter().take(PAIRS) {
            let surplus = there.saturating_sub(ideal.get(from).copied().unwrap_or(0));
            for (to, takes) in others.iter().filter(|(to, takes)| to != from && *takes > 0) {
                let lack = ideal
                    .get(to)
                    .copied()
                    .unwrap_or(0)
                    .saturating_sub(question.current(*to));
                // All of it, as many as are too many, as many as are too few, or one.
                for units in BTreeSet::from([*there, surplus, lack.min(*there), 1]) {
                    if units == 0 || units > *takes {
                        continue;
                    }
                    let then = moved(&now, *from, *to, units);
                    let step = (distance(&self.fleet, target, &then), units, *from, *to);
                    if step.0 < far && best.is_none_or(|best| step < best) {
                        best = Some(step);
                    }
                }
            }
        }
        let (_, units, from, to) = best?;
        Some(Better {
            gain: Reverse(i64::MAX),
            is_whole: true,
            ..Better::some_of(&question.workload.name, question.target, from, to, units)
        })
    }

    /// Shares that are no longer what they would be anew: by weight or capacity where so many are off that it counts, by cost
    /// where the step saves more than it costs.
    fn look_for_shares(
        &self,
        question: &Question<'_>,
        leaving: &Leaving,
        answers: &mut Answers,
    ) -> Option<Better> {
        let ideal = self.ideal(question, answers)?;
        let is_calm = self.switches().hysteresis;
        let (from, to, units, gain) = if is_by_cost(question.target()) {
            let price = if is_calm { question.workload.moves.price } else { 0 };
            let cost = |slot: Slot| i128::from(cost_of(self.fleet.at(slot), &question.workload.needs));
            let saves = |from: Slot, to: Slot| cost(from) - cost(to) - i128::from(price);
            let far = |at: &BTreeMap<Slot, u64>| distance(&self.fleet, question.target(), at);
            let before = far(&in_use(question));
            let (from, to, units) = best_step(question, &ideal, |from, to, units, then| {
                let gain = saves(from, to).saturating_mul(i128::from(units));
                (gain > 0 && far(then) <= before).then_some(gain)
            })?;
            (
                from,
                to,
                units,
                i64::try_from(saves(from, to)).unwrap_or(i64::MAX),
            )
        } else {
            let total = question
                .current
                .iter()
                .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
            let lack = ideal
                .iter()
                .map(|(slot, units)| units.saturating_sub(question.current(*slot)));
            let off = lack.fold(0_u64, u64::saturating_add);
            let tolerance = total.saturating_mul(self.options.calm.tolerance.into()) / 100;
            if is_calm && off <= tolerance {
                return None;
            }
            // Shares of what is free change with every move of others: only what evens out loads comes to an end.
            let is_by_capacity = by_capacity(question.target());
            let load = |slot: Slot, extra: u64| self.load_then(question, slot, extra, leaving);
            let (from, to, units) = best_step(question, &ideal, |from, to, units, then| {
                let evens = !is_by_capacity || load(to, units) < load(from, 0);
                let is_within = distance(&self.fleet, question.target(), then) == 0;
                (evens && is_within).then_some(i128::from(units))
            })?;
            (from, to, units, i64::try_from(off).unwrap_or(i64::MAX))
        };
        Some(Better {
            gain: Reverse(gain),
            ..Better::some_of(&question.workload.name, question.target, from, to, units)
        })
    }

    /// Where all its units would be anew, if they all have a place then.
    fn ideal(&self, question: &Question<'_>, answers: &mut Answers) -> Option<BTreeMap<Slot, u64>> {
        let total = question
            .current
            .iter()
            .fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let Units { units, short, .. } = self.anew(question, total, answers);
        (short == 0).then(|| units.into_iter().collect())
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
}

/// Where units are.
fn in_use(question: &Question<'_>) -> BTreeMap<Slot, u64> {
    let all = question.current.iter().copied();
    all.filter(|(_, units)| *units > 0).collect()
}

/// Where units are once some have moved.
fn moved(now: &BTreeMap<Slot, u64>, from: Slot, to: Slot, units: u64) -> BTreeMap<Slot, u64> {
    let mut then = now.clone();
    if let Some(left) = then.get_mut(&from) {
        *left = left.saturating_sub(units);
    }
    then.retain(|_, units| *units > 0);
    let there = then.entry(to).or_default();
    *there = there.saturating_add(units);
    then
}

/// Of so many clusters with most units too much, and so many with most too few, each pair is tried.
const PAIRS: usize = 16;

/// The step towards an ideal that is best by what is said of it, if any is good: from where, to where, how many units, and
/// where everything is then.
fn best_step(
    question: &Question<'_>,
    ideal: &BTreeMap<Slot, u64>,
    good: impl Fn(Slot, Slot, u64, &BTreeMap<Slot, u64>) -> Option<i128>,
) -> Option<(Slot, Slot, u64)> {
    let at = |slot: Slot| ideal.get(&slot).copied().unwrap_or(0);
    let surplus = question
        .current
        .iter()
        .map(|(slot, units)| (Reverse(units.saturating_sub(at(*slot))), *slot));
    let lack = ideal
        .iter()
        .map(|(slot, units)| (Reverse(units.saturating_sub(question.current(*slot))), *slot));
    let most = |list: &mut Vec<(Reverse<u64>, Slot)>| {
        list.retain(|(Reverse(units), _)| *units > 0);
        list.sort_unstable();
        list.truncate(PAIRS);
    };
    let (mut surplus, mut lack): (Vec<_>, Vec<_>) = (surplus.collect(), lack.collect());
    most(&mut surplus);
    most(&mut lack);
    let now = in_use(question);
    let pairs = surplus
        .iter()
        .flat_map(|from| lack.iter().map(move |to| (*from, *to)));
    let steps = pairs.filter_map(|((Reverse(more), from), (Reverse(less), to))| {
        let units = more.min(less);
        let then = moved(&now, from, to, units);
        Some((good(from, to, units, &then)?, Reverse(units), Reverse((from, to))))
    });
    let (_, Reverse(units), Reverse((from, to))) = steps.max()?;
    Some((from, to, units))
}

/// In so many other domains a better place is looked for at most, the best first.
const DOMAINS: usize = 16;

/// Whether a target is no farther from its limits if everything on a cluster goes to another one, on which nothing of it is.
struct KeepsLimits<'a, 'b> {
    question: &'a Question<'b>,
    from: Slot,
    is_limited: bool,
    /// By the domains of where it goes.
    known: BTreeMap<Vec<Option<&'b String>>, bool>,
}

impl<'a, 'b> KeepsLimits<'a, 'b> {
    fn new(question: &'a Question<'b>, from: Slot) -> Self {
        Self {
            question,
            from,
            is_limited: !question.target().spread.is_empty(),
            known: BTreeMap::new(),
        }
    }

    fn holds(&mut self, to: Slot) -> bool {
        if !self.is_limited {
            return true;
        }
        let (question, from) = (self.question, self.from);
        let domains = question.domain_of(to);
        if domains == question.domain_of(from) {
            return true;
        }
        if let Some(known) = self.known.get(&domains) {
            return *known;
        }
        if self.known.len() >= DOMAINS {
            return false;
        }
        let mut then: BTreeMap<Slot, u64> = question
            .current
            .iter()
            .copied()
            .filter(|(_, units)| *units > 0)
            .collect();
        let far = |at: &BTreeMap<Slot, u64>| distance(question.view.fleet, question.target(), at);
        let before = far(&then);
        let moved = then.remove(&from).unwrap_or(0);
        then.insert(to, moved);
        let holds = domains.iter().all(Option::is_some) && far(&then) <= before;
        self.known.insert(domains, holds);
        holds
    }
}

fn by_capacity(target: &Target) -> bool {
    matches!(
        &target.take,
        Take::Divided {
            by: DivideBy::Capacity,
            ..
        }
    )
}

fn is_by_cost(target: &Target) -> bool {
    matches!(
        &target.take,
        Take::Divided {
            by: DivideBy::Cost,
            ..
        }
    )
}

/// Whether shares count, and not what a place is worth.
pub(super) fn is_proportional(target: &Target) -> bool {
    let by_share = matches!(
        &target.take,
        Take::Divided {
            by: DivideBy::Weight | DivideBy::Capacity,
            ..
        }
    );
    by_share
        || target.spread.iter().any(|spread| spread.skew.is_some())
            && matches!(target.take, Take::Divided { .. })
}

impl<'a> Question<'a> {
    /// The domains a cluster is in, by the target's spread.
    fn domain_of(&self, slot: Slot) -> Vec<Option<&'a String>> {
        let labels = &self.view.fleet.at(slot).cluster.labels;
        let spread = self.target().spread.iter();
        spread.map(|spread| labels.get(&spread.over)).collect()
    }
}
