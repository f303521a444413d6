//! Finds room that is kept so that something may vanish (N-1).

use std::collections::BTreeMap;

use fixedbitset::FixedBitSet;

use super::{Planner, settle::Case};
use crate::{
    model::{Slot, Survives, WorkloadId},
    pipeline::Units,
    room::{Booking, Failure},
    schedule::{Answers, Question},
};

impl Planner {
    /// What may vanish with a cluster, by what a workload is to survive.
    fn failure_of(&self, survives: &Survives, slot: Slot) -> Option<Failure> {
        let cluster = &self.fleet.at(slot).cluster;
        match survives {
            Survives::Nothing => None,
            Survives::AnyCluster => Some(Failure::Cluster(cluster.name.as_str().into())),
            // A cluster in no domain vanishes alone.
            Survives::AnyDomain(label) => Some(match cluster.labels.get(label) {
                None => Failure::Cluster(cluster.name.as_str().into()),
                Some(value) => Failure::Domain {
                    label: label.as_str().into(),
                    value: value.as_str().into(),
                },
            }),
        }
    }

    /// Where the units of a target would go for each thing that may vanish, best clusters first, and how many units have
    /// nowhere to go in the worst case.
    pub(super) fn bookings(
        &self,
        question: &Question<'_>,
        units: &Units,
        answers: &mut Answers,
    ) -> (Vec<Booking>, u64) {
        let survives = &question.workload.survives;
        let mut failures: BTreeMap<Failure, Vec<(Slot, u64)>> = BTreeMap::new();
        for (slot, count) in &units.units {
            if let Some(failure) = self.failure_of(survives, *slot) {
                failures.entry(failure).or_default().push((*slot, *count));
            }
        }
        let group = question.target().groups.first();
        let mut set = self.screen(question, group, answers).set;
        // What stays on a cluster may stay where nothing new may come.
        for (slot, _) in question.current {
            if self.is_replaced(*slot) || !question.takes_more(*slot, group) {
                set.remove(*slot);
            }
        }
        // What is kept for one failure may be kept for another, too.
        let question = Question {
            uses_spare: true,
            ..*question
        };
        let shares = question.shares();
        let mut bookings = Vec::new();
        let mut worst = 0;
        for (failure, lost) in failures {
            let mut rest = lost
                .iter()
                .fold(0_u64, |sum, (_, count)| sum.saturating_add(*count));
            let is_out = |slot: Slot| self.failure_of(survives, slot).as_ref() == Some(&failure);
            let mut others = FixedBitSet::with_capacity(self.fleet.len());
            set.ones()
                .filter(|slot| !is_out(*slot))
                .for_each(|slot| others.insert(slot));
            for one in question.rank(&others, answers) {
                // Clusters that have some already hold what they have, and as much more as fits then.
                let new = units.at(one.slot).saturating_sub(question.current(one.slot));
                let fits = self.room.fits_in(one.slot, question.needs, &failure, new);
                let fits = fits.min(question.estimated(one.slot).saturating_sub(new));
                let most = shares.at(one.slot).max.saturating_sub(units.at(one.slot));
                let count = fits.min(most).min(rest);
                if count > 0 {
                    rest -= count;
                    bookings.push(Booking {
                        failure: failure.clone(),
                        slot: one.slot,
                        needs: question.needs.clone(),
                        units: count,
                    });
                }
                if rest == 0 {
                    break;
                }
            }
            worst = worst.max(rest);
        }
        (bookings, worst)
    }

    /// The clusters that keep room for what was lost, and for how many units.
    pub(super) fn booked(&self, id: &WorkloadId, target: usize, lost: &[&str]) -> Vec<(Slot, u64)> {
        let is_of = |booking: &&Booking| match &booking.failure {
            Failure::Cluster(name) => lost.contains(&&**name),
            Failure::Domain { label, value } => lost.iter().any(|name| {
                let cluster = self.fleet.get(name);
                cluster
                    .and_then(|cluster| cluster.cluster.labels.get(&**label))
                    .is_some_and(|of| **of == **value)
            }),
        };
        self.room
            .bookings(id, target)
            .iter()
            .filter(is_of)
            .map(|booking| (booking.slot, booking.units))
            .collect()
    }

    /// The most units up to `ask` that can be placed with room kept for them elsewhere; with their bookings, and how many
    /// of those that stay anyhow have none.
    pub(super) fn survive(
        &self,
        question: &Question<'_>,
        units: Units,
        have: u64,
        mut place: impl FnMut(u64, &mut Answers) -> Units,
        answers: &mut Answers,
    ) -> (Units, Vec<Booking>, u64) {
        let (bookings, worst) = self.bookings(question, &units, answers);
        let total = units.total();
        if worst == 0 || total <= have {
            return (units, bookings, worst);
        }
        // What fits with fewer fits with less still: the largest number is found by halving.
        let (mut low, mut high) = (have, total);
        let mut best = None;
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            let fewer = place(middle, answers);
            let (bookings, worst) = self.bookings(question, &fewer, answers);
            if worst == 0 && fewer.total() >= middle {
                (low, best) = (middle, Some((fewer, bookings)));
            } else {
                high = middle - 1;
            }
        }
        let asked = total.saturating_add(units.short);
        let (fewer, bookings, worst) = match best {
            Some((fewer, bookings)) => (fewer, bookings, 0),
            None => {
                let kept = Units::of(question.current.iter().copied());
                let (bookings, worst) = self.bookings(question, &kept, answers);
                (kept, bookings, worst)
            }
        };
        let short = asked.saturating_sub(fewer.total());
        (fewer.short(short, crate::Limit::Spare), bookings, worst)
    }

    /// Keeps room for a target.
    pub(super) fn keep_room(&mut self, case: &Case<'_>, bookings: Vec<Booking>) {
        let is_any = !bookings.is_empty() || !self.room.bookings(case.id(), case.target).is_empty();
        if is_any {
            self.room.book(case.id(), case.target, bookings);
        }
    }
}
