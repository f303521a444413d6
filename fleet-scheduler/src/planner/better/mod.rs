//! What would be better elsewhere.

mod limits;
mod repair;
mod shares;

use std::{
    cmp::Reverse,
    collections::{BTreeMap, BTreeSet},
};

use fleet_core::Tick;
use limits::KeepsLimits;
use shares::is_proportional;

use super::{Job, Planner, unmet::distance};
use crate::{
    model::{Slot, WorkloadId},
    schedule::{Answers, Question},
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
        let current = self.units_of(job, target);
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
        self.look_for_worth(&question, job.units[target], leaving, answers)
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
