//! Finds room that is kept so that something may vanish (N-1).

use std::{cmp::Reverse, collections::BTreeMap, sync::Arc};

use fixedbitset::FixedBitSet;
use fleet_core::Tick;

use super::{Facts, Job, Planner, better::Better, places::merged, settle::Case};
use crate::{
    model::{ClusterSelector, Slot, Survives, Take, WorkloadId},
    pipeline::{Ranked, Units},
    room::{Booking, Failure},
    schedule::{Answers, Question},
};

/// What is kept for failures: by workload and target, what may vanish, the cluster that keeps room, and for how many units.
pub(super) type Kept = Vec<(WorkloadId, usize, Vec<(Failure, String, u64)>)>;

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

    /// Where the units of a target would go for each thing that may vanish, by the divider and what limits clusters, and how
    /// many units have nowhere to go in the worst case.
    pub(super) fn bookings(
        &self,
        question: &Question<'_>,
        units: &Units,
        old: &[Booking],
        answers: &mut Answers,
    ) -> (Vec<Booking>, u64) {
        if question.is_everywhere() {
            // Each cluster has one already: there is nowhere else to go.
            return (Vec::new(), 0);
        }
        let survives = &question.workload.survives;
        let mut failures: BTreeMap<Failure, Vec<(Slot, u64)>> = BTreeMap::new();
        for (slot, count) in &units.units {
            if let Some(failure) = self.failure_of(survives, *slot) {
                failures.entry(failure).or_default().push((*slot, *count));
            }
        }
        let groups = question.target().groups.iter().map(Some);
        let groups = groups.chain(question.target().groups.is_empty().then_some(None));
        let sets: Vec<FixedBitSet> = groups
            .map(|group| self.open_in(question, group, answers))
            .collect();
        // What is kept for one failure may be kept for another, too.
        let question = Question {
            uses_spare: true,
            ..*question
        };
        let is_unchanged = question
            .current
            .iter()
            .all(|(slot, count)| units.at(*slot) == *count);
        let mut bookings = Vec::new();
        let mut worst = 0;
        for (failure, lost) in failures {
            let is_out = |slot: Slot| self.failure_of(survives, slot).as_ref() == Some(&failure);
            let stays: Vec<(Slot, u64)> = units
                .units
                .iter()
                .copied()
                .filter(|(slot, _)| !is_out(*slot))
                .collect();
            let sum = |units: &[(Slot, u64)]| {
                let counts = units.iter().map(|(_, count)| *count);
                counts.fold(0_u64, u64::saturating_add)
            };
            let lost = sum(&lost);
            let mut open = Vec::new();
            let mut then = Units::default();
            // In the first groups that carry all of it.
            for set in &sets {
                let mut others = set.clone();
                set.ones()
                    .filter(|slot| is_out(*slot))
                    .for_each(|slot| others.remove(slot));
                let mut ranked = question.rank(&others, answers);
                for one in &mut ranked {
                    // Clusters that have some already hold what they have, and as much more as fits then.
                    let new = units.at(one.slot).saturating_sub(question.current(one.slot));
                    let fits = self.room.fits_in(one.slot, question.needs, &failure, new);
                    one.fits = fits.min(question.estimated(one.slot).saturating_sub(new));
                    one.current = units.at(one.slot);
                }
                open.push(ranked);
                let mut ranked = merged(open.clone());
                hold(&mut ranked, stays.iter().copied());
                then = question.divide_lost(&ranked, sum(&stays).saturating_add(lost));
                if then.short == 0 {
                    break;
                }
            }
            let more = then
                .units
                .iter()
                .map(|(slot, count)| (*slot, count.saturating_sub(units.at(*slot))));
            let new = more.filter(|(_, count)| *count > 0).map(|(slot, count)| Booking {
                failure: failure.clone(),
                slot,
                needs: question.needs.clone(),
                units: count,
            });
            let new: Vec<Booking> = new.collect();
            worst = worst.max(then.short.min(lost));
            let is_open = |slot: Slot| sets.iter().any(|set| set[slot]);
            let kept: Vec<Booking> = old.iter().filter(|one| one.failure == failure).cloned().collect();
            match is_unchanged && self.is_as_good(&question, units, &kept, &new, is_open) {
                true => bookings.extend(kept),
                false => bookings.extend(new),
            }
        }
        (bookings, worst)
    }

    /// Whether what was booked for a failure serves as well as what would be booked now: then it stays as it is, whatever
    /// is better by now, so that deciding again changes nothing for others.
    fn is_as_good(
        &self,
        question: &Question<'_>,
        units: &Units,
        old: &[Booking],
        new: &[Booking],
        is_open: impl Fn(Slot) -> bool,
    ) -> bool {
        let sum = |bookings: &[Booking]| {
            let counts = bookings.iter().map(|one| one.units);
            counts.fold(0_u64, u64::saturating_add)
        };
        let shares = question.shares();
        let holds = |one: &Booking| {
            let fits = self.room.fits_in(one.slot, question.needs, &one.failure, 0);
            let most = shares.at(one.slot).max.saturating_sub(units.at(one.slot));
            one.needs == *question.needs
                && is_open(one.slot)
                && one.units <= fits.min(most).min(question.estimated(one.slot))
        };
        sum(old) == sum(new) && old.iter().all(holds)
    }

    /// The clusters of a group that more of a target may come to.
    pub(super) fn open_in(
        &self,
        question: &Question<'_>,
        group: Option<&ClusterSelector>,
        answers: &mut Answers,
    ) -> FixedBitSet {
        let mut set = self.screen(question, group, answers).set;
        // What stays on a cluster may stay where nothing new may come.
        for (slot, _) in question.current {
            if self.is_replaced(*slot) || !question.takes_more(*slot, group) {
                set.remove(*slot);
            }
        }
        set
    }

    /// Whether as much of a target has room after a failure if it moves so.
    pub(super) fn stays_protected(
        &mut self,
        job: &Job,
        one: &Better,
        now: Tick,
        answers: &mut Answers,
    ) -> bool {
        if job.workload.survives == Survives::Nothing {
            return true;
        }
        let old = self.room.bookings(&one.workload, one.target).to_vec();
        self.room.book(&one.workload, one.target, Vec::new());
        let there = self.units_of(job, one.target);
        let current: BTreeMap<Slot, u64> = there.iter().copied().collect();
        let mut then = current.clone();
        if let Some(from) = then.get_mut(&one.from) {
            *from = from.saturating_sub(one.units);
        }
        let to = then.entry(one.to).or_default();
        *to = to.saturating_add(one.units);
        let question = self.question(job, one.target, &there, now);
        let mut worst =
            |units: BTreeMap<Slot, u64>| self.bookings(&question, &Units::of(units), &[], answers).1;
        let is_as_good = worst(then) <= worst(current);
        self.room.book(&one.workload, one.target, old);
        is_as_good
    }

    /// The clusters that keep room for what was lost, and for how many units.
    pub(super) fn booked(&self, id: &WorkloadId, target: usize, lost: &[&str]) -> Vec<(Slot, u64)> {
        let bookings = self.room.bookings(id, target).iter();
        let of_lost = bookings.filter(|booking| lost.iter().any(|name| self.is_part(&booking.failure, name)));
        of_lost.map(|booking| (booking.slot, booking.units)).collect()
    }

    /// Whether a cluster vanishes in a failure.
    fn is_part(&self, failure: &Failure, cluster: &str) -> bool {
        match failure {
            Failure::Cluster(name) => **name == *cluster,
            Failure::Domain { label, value } => {
                let cluster = self.fleet.get(cluster);
                cluster
                    .and_then(|cluster| cluster.cluster.labels.get(&**label))
                    .is_some_and(|of| **of == **value)
            }
        }
    }

    /// Books anew for everything that is placed: what is kept is not remembered elsewhere.
    pub(super) fn book_anew(&mut self, facts: &Facts, now: Tick) {
        let mut answers = std::mem::take(&mut self.answers);
        let survives = |job: &&Arc<Job>| job.workload.survives != Survives::Nothing && job.invalid.is_none();
        let mut jobs: Vec<Arc<Job>> = self.jobs.values().filter(survives).cloned().collect();
        jobs.sort_by_key(|job| Reverse(job.workload.priority));
        for job in &jobs {
            for target in 0..job.names.len() {
                let case = Case {
                    job,
                    target,
                    facts,
                    now,
                };
                let mut current = self.there(&case);
                current.retain(|(slot, units)| *units > 0 && self.fleet.at(*slot).lost_since().is_none());
                let question = self.question(job, target, &current, now);
                let (bookings, _) =
                    self.bookings(&question, &Units::of(current.iter().copied()), &[], &mut answers);
                self.keep_room(&case, bookings, &[]);
            }
        }
        self.answers = answers;
    }

    /// What is kept for failures, by the names of clusters; none where it is not known yet.
    pub(super) fn kept_for_failures(&self) -> Option<Kept> {
        if self.is_unbooked {
            return None;
        }
        let survives = |(_, job): &(&WorkloadId, &Arc<Job>)| job.workload.survives != Survives::Nothing;
        let mut kept = Kept::new();
        for (id, job) in self.jobs.iter().filter(survives) {
            for target in 0..job.names.len() {
                let bookings = self.room.bookings(id, target).iter();
                let named = bookings.map(|one| {
                    (
                        one.failure.clone(),
                        self.fleet.at(one.slot).name().to_owned(),
                        one.units,
                    )
                });
                kept.push((id.clone(), target, named.collect()));
            }
        }
        Some(kept)
    }

    /// Keeps what was kept before clusters had other places in the fleet.
    pub(super) fn keep_again(&mut self, kept: Option<Kept>) {
        let Some(kept) = kept else { return };
        for (id, target, named) in kept {
            let Some(needs) = self.jobs.get(&id).and_then(|job| job.needs.get(target)).cloned() else {
                continue;
            };
            let booking = |(failure, cluster, units): (Failure, String, u64)| {
                let slot = self.fleet.slot(&cluster)?;
                Some(Booking {
                    failure,
                    slot,
                    needs: needs.clone(),
                    units,
                })
            };
            let bookings = named.into_iter().filter_map(booking).collect();
            self.room.book(&id, target, bookings);
        }
        self.is_unbooked = false;
    }

    /// Takes out what a target has booked, before it is decided where its room is kept from now on: it does not stand in its
    /// own way. What is booked for a failure that has happened stays.
    pub(super) fn unbook_to_decide(&mut self, case: &Case<'_>) -> Vec<Booking> {
        let old = self.room.bookings(case.id(), case.target).to_vec();
        if !old.is_empty() {
            let lost = self.lost_units(case);
            let stays =
                |booking: &&Booking| lost.iter().any(|(name, _)| self.is_part(&booking.failure, name));
            let staying = old.iter().filter(stays).cloned().collect();
            self.room.book(case.id(), case.target, staying);
        }
        old
    }

    /// How many units of a target count on clusters that cannot be asked.
    fn lost_units(&self, case: &Case<'_>) -> Vec<(String, u64)> {
        let seats = self.table.seats(case.id()).iter();
        let seats = seats.filter(|seat| seat.target == *case.name());
        let seats = seats.map(|seat| (self.fleet.at(seat.slot).name(), seat.assignment));
        let gone = self
            .table
            .gone(case.id())
            .filter(|(of, ..)| *of == &**case.name());
        let all = seats.chain(gone.map(|(_, cluster, assignment)| (cluster, assignment)));
        let lost = all.filter(|(name, one)| one.active() > 0 && self.cannot_be_asked(name));
        lost.map(|(name, one)| (name.to_owned(), one.active().div_ceil(case.unit())))
            .collect()
    }

    /// The most units up to `ask` that can be placed with room kept for them elsewhere; with their bookings, and how many
    /// of those that stay anyhow have none.
    pub(super) fn survive(
        &self,
        question: &Question<'_>,
        units: Units,
        have: u64,
        old: &[Booking],
        mut place: impl FnMut(u64, &mut Answers) -> Units,
        answers: &mut Answers,
    ) -> (Units, Vec<Booking>, u64) {
        let (bookings, worst) = self.bookings(question, &units, old, answers);
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
            let (bookings, worst) = self.bookings(question, &fewer, old, answers);
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
                let (bookings, worst) = self.bookings(question, &kept, old, answers);
                (kept, bookings, worst)
            }
        };
        let short = asked.saturating_sub(fewer.total());
        (fewer.short(short, crate::Limit::Spare), bookings, worst)
    }

    /// Keeps room for a target: what was decided, and of what was booked before what is for units that are lost and wait.
    pub(super) fn keep_room(&mut self, case: &Case<'_>, mut bookings: Vec<Booking>, old: &[Booking]) {
        if old.is_empty() && bookings.is_empty() {
            return;
        }
        for (lost, mut units) in self.lost_units(case) {
            for booking in old.iter().filter(|one| self.is_part(&one.failure, &lost)) {
                let count = booking.units.min(units);
                units -= count;
                if count > 0 {
                    bookings.push(Booking {
                        units: count,
                        ..booking.clone()
                    });
                }
            }
        }
        if old != bookings {
            // What is not kept any more may help others.
            self.freed.extend(old.iter().map(|booking| booking.slot));
        }
        self.room.book(case.id(), case.target, bookings);
    }
}

impl Question<'_> {
    /// Divides what is lost over where there is room for it: within all maximums. On how many domains and clusters it is to be,
    /// and how evenly, does not count then: it is better off too close together than nowhere.
    pub(super) fn divide_lost(&self, ranked: &[Ranked], wanted: u64) -> Units {
        let target = self.target();
        let has_min = matches!(&target.take, Take::Divided { clusters, .. } if clusters.min.is_some());
        if target.spread.is_empty() && !has_min {
            return self.divide(ranked, wanted);
        }
        let mut relaxed = (**self.workload).clone();
        let target = &mut relaxed.targets[self.target];
        for spread in &mut target.spread {
            (spread.min, spread.skew) = (None, None);
        }
        if let Take::Divided { clusters, .. } = &mut target.take {
            clusters.min = None;
        }
        let workload = &Arc::new(relaxed);
        Question { workload, ..*self }.divide(ranked, wanted)
    }
}

/// Adds what is on other clusters, where no more may come.
pub(super) fn hold(ranked: &mut Vec<Ranked>, units: impl Iterator<Item = (Slot, u64)>) {
    for (slot, units) in units.filter(|(_, units)| *units > 0) {
        if ranked.iter().all(|one| one.slot != slot) {
            ranked.push(Ranked::new(slot, i64::MIN, units, 0));
        }
    }
}
