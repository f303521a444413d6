//! Limits that are not met are met again.

use std::{cmp::Reverse, collections::BTreeSet};

use super::{
    super::{Planner, unmet::distance},
    Better, in_use, moved,
    shares::PAIRS,
};
use crate::{
    model::Slot,
    schedule::{Answers, Question},
};

impl Planner {
    /// A step that brings a target nearer to limits that it does not meet, if one does by itself: what was lost, and stands
    /// too close together since, spreads again. Steps that only together bring it nearer might go back and forth.
    pub(super) fn look_for_repair(
        &self,
        question: &Question<'_>,
        far: u64,
        answers: &mut Answers,
    ) -> Option<Better> {
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
}
