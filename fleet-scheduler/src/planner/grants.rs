//! How much may move now, and in which turns.

use std::collections::BTreeSet;

use fleet_core::{Reason, Tick};

use super::{
    Planner,
    seats::Seats,
    settle::{Case, Plan},
};
use crate::{
    decision::{Wait, WaitOn},
    model::Slot,
    moves::Cause,
    pipeline::Units,
    schedule::{Answers, Question},
};

/// What moves together: the clusters that it may go to, if only some are, and how many units of what was released.
type Turn = (Option<BTreeSet<Slot>>, Vec<(usize, u64)>);

impl Planner {
    /// How many units may move from each cluster now, by all budgets; what may not waits, in order.
    pub(super) fn grant(&self, case: &Case<'_>, plan: &mut Plan) {
        if plan.to_move == 0 {
            return;
        }
        let (unit, now) = (case.unit(), case.now);
        let budgets = self.options.budgets;
        let policy = &case.job.workload.moves;
        let left = self.moves.left(budgets, now);
        let mut own = self.moves.left_of(case.id(), policy, now);
        let (mut fleet, mut rest) = (left.fleet(), plan.to_move);
        for (at, released) in plan.seats.released.iter().enumerate() {
            let wanted = released.replicas.div_ceil(unit).min(rest);
            rest -= wanted;
            let most = left.at(&released.cluster).min(fleet).min(own) / unit;
            let surge = match released.cause {
                Cause::Replace => self.surge(case, &plan.seats, &released.cluster) / unit,
                _ => u64::MAX,
            };
            let budget = if self.switches().budgets { most } else { u64::MAX };
            let granted = wanted.min(budget).min(surge);
            own = own.saturating_sub(granted.saturating_mul(unit));
            fleet = fleet.saturating_sub(granted.saturating_mul(unit));
            if granted > 0 {
                plan.grants.push((at, granted));
            }
            if granted == wanted {
                continue;
            }
            let (on, reason, until) = if let Some(most) = self.never_moves(case) {
                (WaitOn::LargerBudget, above_budget(unit, most), None)
            } else if surge < budget {
                let reason = Reason::new("surge", "others of it are on their way and not healthy yet");
                (WaitOn::Surge, reason, None)
            } else {
                let until = self.budgets_free(case, &[&released.cluster]);
                plan.again_at = plan.again_at.into_iter().chain(until).min();
                (WaitOn::Budget, over_budget(), until)
            };
            plan.waits.push(Wait {
                target: case.name().to_string(),
                cluster: released.cluster.clone(),
                replicas: (wanted - granted).saturating_mul(unit),
                cause: released.cause,
                on,
                reason,
                until,
            });
        }
    }

    /// The most that budgets ever let move at once, where that is less than one unit.
    pub(super) fn never_moves(&self, case: &Case<'_>) -> Option<u64> {
        let budgets = self.options.budgets;
        let own = case.job.workload.moves.limit.unwrap_or(u64::MAX);
        let most = budgets.fleet.limit.min(budgets.cluster.limit).min(own);
        (self.switches().budgets && case.unit() > 1 && most < case.unit()).then_some(most)
    }

    /// When budgets may have something left again for one unit between these clusters.
    pub(super) fn budgets_free(&self, case: &Case<'_>, clusters: &[&str]) -> Option<Tick> {
        let policy = &case.job.workload.moves;
        let budgets = self.options.budgets;
        let free = self
            .moves
            .free_at(budgets, policy, case.id(), clusters, case.unit(), case.now)?;
        Some(self.later(free, case.now))
    }

    /// When budgets are free that moves of the past leave free now: what is decided in this moment has taken them.
    pub(super) fn later(&self, free: Tick, now: Tick) -> Tick {
        let budgets = self.options.budgets;
        match free > now {
            true => free,
            false => now + budgets.fleet.per.min(budgets.cluster.per),
        }
    }

    /// What moves, by where it may go: first what may go anywhere, then what goes where another workload is, then what goes
    /// from each cluster that is replaced to the one that replaces it.
    pub(super) fn turns(&self, seats: &Seats, grants: Vec<(usize, u64)>) -> Vec<Turn> {
        let mut turns: Vec<Turn> = Vec::new();
        let followed = seats.follow.as_ref().map(|other| {
            let active = self
                .table
                .seats(other)
                .iter()
                .filter(|seat| seat.assignment.active() > 0);
            active.map(|seat| seat.slot).collect::<BTreeSet<Slot>>()
        });
        for (at, units) in grants {
            let released = &seats.released[at];
            let only = match released.cause {
                Cause::Replace => {
                    let to = self.replacements.get(&released.cluster).map(|one| &one.to);
                    Some(to.and_then(|to| self.fleet.slot(to)).into_iter().collect())
                }
                Cause::Lost | Cause::Left => followed.clone(),
                _ => None,
            };
            match turns.iter_mut().find(|(known, _)| *known == only) {
                Some((_, grants)) => grants.push((at, units)),
                None => turns.push((only, vec![(at, units)])),
            }
        }
        turns.sort_by_key(|(only, _)| only.is_some());
        turns
    }

    /// Finds places for what moves and for `fresh` units more than there are; where how many were asked for. What may not
    /// go just anywhere goes by itself, and the rest is decided after it.
    pub(super) fn find_in_turn(
        &self,
        case: &Case<'_>,
        question: &Question<'_>,
        plan: &mut Plan,
        have: u64,
        fresh: u64,
        answers: &mut Answers,
    ) -> (Units, u64) {
        let mut turns = self.turns(&plan.seats, std::mem::take(&mut plan.grants));
        if let [(None, _)] | [] = &*turns {
            plan.grants = turns.pop().unwrap_or_default().1;
            let granted = plan.grants.iter().fold(0_u64, |sum, (_, units)| sum + units);
            let ask = have + fresh + granted;
            return (self.find(question, plan, ask, None, answers), ask);
        }
        let last = turns.len() - 1;
        for (turn, (only, grants)) in turns.into_iter().enumerate() {
            let ask = have + grants.iter().fold(0_u64, |sum, (_, units)| sum + units);
            (plan.only, plan.grants) = (only, grants);
            let units = self.find(question, plan, ask, None, answers);
            if units.total() > have {
                let more =
                    |(slot, units): &(Slot, u64)| (*slot, units.saturating_sub(question.current(*slot)));
                let mut new: Vec<(Slot, u64)> = units
                    .units
                    .iter()
                    .map(more)
                    .filter(|(_, more)| *more > 0)
                    .collect();
                let (steps, waits) = self.steps(case, &plan.seats, &plan.grants, &mut new);
                // What nobody lets move holds up nothing else.
                if steps.is_empty() {
                    plan.again_at = plan
                        .again_at
                        .into_iter()
                        .chain(waits.iter().filter_map(|wait| wait.until))
                        .min();
                    plan.waits.extend(waits);
                    continue;
                }
                plan.is_half = fresh > 0 || turn < last;
                return (units, ask);
            }
            plan.unmoved = Units {
                short: plan.unmoved.short + units.short,
                ..units
            };
        }
        plan.only = None;
        plan.grants.clear();
        let ask = have + fresh;
        (self.find(question, plan, ask, None, answers), ask)
    }
}

/// Says that moves wait for a budget.
/// So many move together, and no budget ever lets more than that many move.
pub(super) fn above_budget(unit: u64, most: u64) -> Reason {
    let message = format!("{unit} replicas move at once, and budgets never let more than {most} move");
    Reason::new("above-budget", message)
}

pub(super) fn over_budget() -> Reason {
    Reason::new("budget", "as many replicas have moved of late as may")
}
