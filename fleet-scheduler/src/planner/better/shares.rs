//! Shares that are no longer what they would be anew.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{
    super::{Planner, unmet::distance},
    Better, Leaving, in_use, moved,
};
use crate::{
    model::{DivideBy, Slot, Take, Target},
    pipeline::Units,
    schedule::{Answers, Question},
    score::cost_of,
};

impl Planner {
    /// Shares that are no longer what they would be anew: by weight or capacity where so many are off that it counts, by cost
    /// where the step saves more than it costs.
    pub(super) fn look_for_shares(
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
    pub(super) fn ideal(
        &self,
        question: &Question<'_>,
        answers: &mut Answers,
    ) -> Option<BTreeMap<Slot, u64>> {
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

/// Of so many clusters with most units too much, and so many with most too few, each pair is tried.
pub(super) const PAIRS: usize = 16;

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
