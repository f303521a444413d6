//! Looks at several workloads at once, where deciding one after the other has left some without a place, or some on
//! clusters that cost more than they need.

mod carry;
mod part;
mod problem;
mod scope;

use std::collections::BTreeSet;

use fleet_core::Tick;
use part::Part;
use problem::Plan;

use super::{Facts, Planner};
use crate::{
    model::{Slot, WorkloadId},
    moves::Move,
    schedule::Answers,
    solve::{Effort, improve},
};

/// So many searches that were in vain are remembered.
const KNOWN: usize = 8;

/// What has come of looking at several at once.
#[derive(Default)]
pub(super) struct Together {
    /// What has another place than before.
    pub(super) changed: BTreeSet<WorkloadId>,
    pub(super) moves: Vec<Move>,
}

impl Planner {
    /// Places several workloads anew, if that gives more of them a place, or as many cheaper ones, by more than their moves
    /// cost. What was placed in this round costs no move: it is not there yet.
    ///
    /// What runs moves as ever: as far as there is room for both, or budgets, the rest follows another time.
    pub(super) fn place_together(&mut self, now: Tick, answers: &mut Answers) -> Together {
        let Some((parts, slots)) = self.scope(now, answers) else {
            return Together::default();
        };
        let mut plan = self.problem(parts, slots, now);
        let together = self.improve_together(&plan, now);
        if !together.changed.is_empty() || !self.holds_both(&mut plan) {
            return together;
        }
        // No step of the best plan can be taken now: one that needs no room to become free first is looked for.
        self.improve_together(&plan, now)
    }

    fn improve_together(&mut self, plan: &Plan, now: Tick) -> Together {
        let before = plan.now();
        // What was searched in vain is not searched again.
        let known = (plan.problem.clone(), before.clone());
        if self.known_best.contains(&known) {
            return Together::default();
        }
        let after = improve(&plan.problem, &before, Effort::default());
        if plan.problem.cost(&after) >= plan.problem.cost(&before) {
            self.known_best.truncate(KNOWN - 1);
            self.known_best.push_front(known);
            return Together::default();
        }
        if !self.is_better(plan, &after, now) {
            return Together::default();
        }
        // A part of a plan that only saves may cost more than nothing, and would be taken back.
        let only_saves = !plan.gives_places(&after);
        let before = only_saves.then(|| (self.clone(), plan.judge(self)));
        let together = self.carry_out_together(plan, &after, now);
        match before {
            Some((before, cost)) if plan.judge(self) >= cost => {
                *self = before;
                Together::default()
            }
            _ => together,
        }
    }

    /// What moves takes the room of both places, if it starts before it stops. False where nothing does.
    fn holds_both(&self, plan: &mut Plan) -> bool {
        for (part, contender) in plan.parts.iter().zip(&mut plan.problem.workloads) {
            contender.start_first = !part.ran.is_empty() && !self.may_stop_first(part);
        }
        plan.problem.workloads.iter().any(|one| one.start_first)
    }

    /// Whether it all is better once everything is where the plan says: it is tried on a copy, because what has no place is
    /// decided by the whole policy, of which the plan knows only a part.
    fn is_better(&self, plan: &Plan, after: &[Vec<u64>], now: Tick) -> bool {
        let mut copy = self.clone();
        for (part, row) in plan.parts.iter().zip(after) {
            copy.put(part, row, &plan.slots, now);
        }
        copy.dirty = plan.parts.iter().map(|part| part.workload.clone()).collect();
        copy.decide(&Facts::none(), now);
        plan.judge(&copy) < plan.judge(self)
    }

    /// Puts what is placed where a plan says, at once.
    fn put(&mut self, part: &Part, row: &[u64], slots: &[Slot], now: Tick) {
        let Some(job) = self.jobs.get(&part.workload).cloned() else {
            return;
        };
        let name = &job.names[part.target];
        let mut placed = self.placed(part);
        let outside = part.current.iter().filter(|(slot, _)| !slots.contains(slot));
        let outside = outside.fold(0_u64, |sum, (_, units)| sum.saturating_add(*units));
        let there = part
            .current
            .values()
            .fold(0_u64, |sum, units| sum.saturating_add(*units));
        // What has no place yet gets one from the policy, unless only cost counts.
        let mut left = match part.is_direct {
            true => u64::MAX,
            false => there.saturating_sub(outside),
        };
        for (slot, units) in slots.iter().zip(row) {
            let count = (*units).min(left);
            left = left.saturating_sub(count);
            let cluster = self.fleet.at(*slot).name().to_owned();
            placed.insert(cluster, crate::model::Assignment::new(count, now));
        }
        if part.is_direct || left == 0 {
            placed.retain(|_, one| one.replicas > 0);
            self.place(&part.workload, name, &placed);
        }
    }
}
