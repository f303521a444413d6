//! What was to be on each cluster, and is no longer meant to be on some: nothing stands in for it, so it goes within
//! budgets; where it goes from many clusters at once, a person is asked.

use std::collections::BTreeSet;

use fixedbitset::FixedBitSet;
use fleet_core::Reason;

use super::{
    Planner,
    grants::{above_budget, over_budget},
    seats::token_of,
    settle::{Case, Plan},
};
use crate::{
    decision::{Proposal, Wait, WaitOn},
    model::Slot,
    moves::{Cause, Move, Step},
    schedule::Question,
};

/// From how many of the clusters that it is on something is to go.
#[derive(Clone, Copy)]
struct Much {
    going: usize,
    all: usize,
}

impl Planner {
    /// Decides what may go now. What may not stays where it is: it is taken out of the plan. Told are the clusters that it
    /// stays on although nothing says that it must go at once.
    pub(super) fn go_from_each(
        &self,
        case: &Case<'_>,
        question: &Question<'_>,
        plan: &mut Plan,
        meant: &FixedBitSet,
    ) -> BTreeSet<Slot> {
        let kept = question.current;
        let (unit, mut stays) = (case.unit(), BTreeSet::new());
        let is_meant = |slot: Slot| meant.contains(slot);
        let released = plan.seats.released.iter();
        let released = released.filter(|one| one.cause == Cause::Constraint && !one.is_stopped);
        let released = released.filter_map(|one| Some((self.fleet.slot(&one.cluster)?, one.replicas)));
        let kept_there = kept.iter().filter(|(slot, _)| !is_meant(*slot));
        let kept_there = kept_there.map(|(slot, units)| (*slot, units.saturating_mul(unit)));
        let mut leaving: Vec<(Slot, u64)> = released.chain(kept_there).collect();
        leaving.sort_unstable();
        if leaving.is_empty() {
            return stays;
        }
        // What cannot be asked now counts, too: that it is lost makes a slip no smaller.
        let absent = plan.seats.absent.iter();
        let absent = absent.filter_map(|(cluster, _)| self.fleet.slot(cluster));
        let (here, astray): (Vec<Slot>, Vec<Slot>) = absent.partition(|slot| question.is_meant(*slot));
        let meant_still = kept.iter().filter(|(slot, _)| is_meant(*slot)).count();
        let much = Much {
            going: leaving.len() + astray.len(),
            all: leaving.len() + astray.len() + meant_still + here.len(),
        };
        if self.asks_before_all_go(case, plan, &leaving, much, meant) {
            stays.extend(leaving.iter().map(|(slot, _)| *slot));
        } else {
            self.go_within_budgets(case, plan, &leaving, &mut stays);
        }
        let is_staying = |cluster: &str| self.fleet.slot(cluster).is_some_and(|slot| stays.contains(&slot));
        plan.seats
            .released
            .retain(|one| one.cause != Cause::Constraint || one.is_stopped || !is_staying(&one.cluster));
        stays
    }

    /// Whether so much is to go at once that a person is asked: where a selector decides, it may be a slip. What is named is
    /// meant as it stands.
    fn asks_before_all_go(
        &self,
        case: &Case<'_>,
        plan: &mut Plan,
        leaving: &[(Slot, u64)],
        much: Much,
        meant: &FixedBitSet,
    ) -> bool {
        let target = &case.job.workload.targets[case.target];
        let is_much = self.options.storm.is_storm(much.going, much.all);
        if !is_much || !target.clusters.is_empty() || !self.switches().storm {
            return false;
        }
        let token = self.token_of_each(case, meant);
        if case.facts.approved.contains(&token) {
            return false;
        }
        let Much { going, all } = much;
        let why = format!(
            "{going} of the {all} clusters that it is on are no longer meant, or cannot keep it: approve if that is so; one \
             token is for all of them"
        );
        plan.seats
            .proposals
            .extend(leaving.iter().map(|(slot, replicas)| Proposal {
                token: token.clone(),
                target: case.name().to_string(),
                cluster: self.fleet.at(*slot).name().to_owned(),
                replicas: *replicas,
                reason: Reason::new("approve", why.clone()),
            }));
        true
    }

    /// Names the clusters that are to keep it, whether they answer or not: as long as these are the same, so is the token.
    fn token_of_each(&self, case: &Case<'_>, meant: &FixedBitSet) -> String {
        let mut text = format!("{}\0{}\0each", case.id(), case.name());
        let question = self.question(case.job, case.target, &[], case.now);
        let stays = |slot: &Slot| match self.fleet.at(*slot).is_in_contact() {
            true => meant.contains(*slot),
            false => question.is_meant(*slot),
        };
        for slot in (0..self.fleet.len()).filter(stays) {
            text.push('\0');
            text.push_str(self.fleet.at(slot).name());
        }
        token_of(&text)
    }

    fn go_within_budgets(
        &self,
        case: &Case<'_>,
        plan: &mut Plan,
        leaving: &[(Slot, u64)],
        stays: &mut BTreeSet<Slot>,
    ) {
        let mut left = self.moves.left(self.options.budgets, case.now);
        let mut own = self.moves.left_of(case.id(), &case.job.workload.moves, case.now);
        let unit = case.unit();
        for (slot, replicas) in leaving {
            let one = Move {
                at: case.now,
                workload: case.id().clone(),
                target: case.name().to_string(),
                from: self.fleet.at(*slot).name().to_owned(),
                to: String::new(),
                replicas: *replicas,
                cause: Cause::Constraint,
            };
            let is_within = left.at(&one.from).min(own) >= *replicas || !self.switches().budgets;
            let mut steps = [Step::Before, Step::BeforeOldGoes].iter();
            let objection = is_within
                .then(|| steps.find_map(|step| self.objection(*step, &one)))
                .flatten();
            if is_within && objection.is_none() {
                left.take(&one.from, &one.to, *replicas);
                own = own.saturating_sub(*replicas);
                plan.stops.push(one);
                continue;
            }
            stays.insert(*slot);
            let (on, reason, until) = match (objection, self.never_moves(case)) {
                (Some(objection), _) => (WaitOn::Gate, objection, None),
                (None, Some(most)) => (WaitOn::LargerBudget, above_budget(unit, most), None),
                (None, None) => {
                    let until = self.budgets_free(case, &[&one.from]);
                    (WaitOn::Budget, over_budget(), until)
                }
            };
            plan.again_at = plan.again_at.into_iter().chain(until).min();
            plan.waits.push(Wait {
                target: one.target,
                cluster: one.from,
                replicas: *replicas,
                cause: one.cause,
                on,
                reason,
                until,
            });
        }
    }
}
