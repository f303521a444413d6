//! What runs where, and the room it takes: both are changed together, here alone.

use std::{collections::BTreeMap, sync::Arc};

use fleet_core::Resources;

use super::{Job, Planner};
use crate::{
    model::{Assignment, Placement, Slot, Survives, WorkloadId},
    room::Room,
};

impl Planner {
    /// Where a workload runs from now on.
    pub(super) fn place_all(&mut self, id: &WorkloadId, placement: &Placement) {
        for target in self.table.targets(id) {
            if !placement.targets.contains_key(&*target) {
                self.place(id, &target, &BTreeMap::new());
            }
        }
        for (target, clusters) in &placement.targets {
            self.place(id, &target.as_str().into(), clusters);
        }
    }

    /// Where a target of a workload runs from now on.
    pub(super) fn place(
        &mut self,
        id: &WorkloadId,
        target: &Arc<str>,
        clusters: &BTreeMap<String, Assignment>,
    ) {
        if self.table.is_at(id, target, clusters) {
            return;
        }
        let clusters = &self.seen_before(id, target, clusters);
        let before = self.table.places_of(id).on_each();
        self.count(id, None, Room::give);
        self.table.set_target(id, target, clusters);
        self.count(id, None, Room::take);
        let left = self.left(id, &before);
        self.freed.extend(left);
    }

    /// Where a workload has fewer replicas than before, or fewer of them count.
    pub(super) fn left(&self, id: &WorkloadId, before: &[(Slot, u64, u64)]) -> Vec<Slot> {
        let after = self.table.places_of(id).on_each();
        let is_less = |(slot, all, active): &&(Slot, u64, u64)| {
            let at = after.binary_search_by_key(slot, |(slot, ..)| *slot);
            let (still, counting) = at.map_or((0, 0), |at| (after[at].1, after[at].2));
            still < *all || counting < *active
        };
        before.iter().filter(is_less).map(|(slot, ..)| *slot).collect()
    }

    /// What is new, with how many were seen of it before.
    fn seen_before(
        &self,
        id: &WorkloadId,
        target: &Arc<str>,
        clusters: &BTreeMap<String, Assignment>,
    ) -> BTreeMap<String, Assignment> {
        let mut clusters = clusters.clone();
        for seat in self.table.seats(id).iter().filter(|seat| seat.target == *target) {
            let name = self.fleet.at(seat.slot).name();
            if let Some(one) = clusters.get_mut(name).filter(|one| **one != seat.assignment) {
                let counts = self.room.counts(seat.slot, seat.assignment.since);
                *one = one.after(&seat.assignment, counts);
            }
        }
        for one in clusters.values_mut() {
            one.seen = one.seen.min(one.started());
        }
        clusters
    }

    /// A workload runs nowhere from now on.
    pub(super) fn clear(&mut self, id: &WorkloadId) {
        self.count(id, None, Room::give);
        self.free_all(id);
        self.unbook(id);
        self.table.remove(id);
    }

    /// Takes room for what is placed and not observed yet, or gives it back.
    pub(super) fn count(
        &mut self,
        id: &WorkloadId,
        only: Option<Slot>,
        count: fn(&mut Room, Slot, &crate::room::Needs, u64),
    ) {
        let known = [&self.jobs, &self.removed, &self.unclaimed];
        let job = known.into_iter().find_map(|jobs| jobs.get(id));
        let Some(job) = job.filter(|_| self.switches().assumptions) else {
            return;
        };
        for seat in self.table.seats(id) {
            if only.is_some_and(|slot| slot != seat.slot) {
                continue;
            }
            let counts = self.room.counts(seat.slot, seat.assignment.since);
            // What is not started shows in no observation.
            let seen = seat.assignment.seen_if(counts);
            count(
                &mut self.room,
                seat.slot,
                &job.replica,
                seat.assignment.replicas - seen,
            );
            if let Some(raise) = job.raise.as_ref().filter(|raise| raise.is_new || !counts) {
                count(&mut self.room, seat.slot, &raise.more, seen);
            }
        }
    }

    /// Whether everything of a workload is in what was observed.
    pub(super) fn is_observed(&self, id: &WorkloadId) -> bool {
        let mut seats = self.table.seats(id).iter();
        seats.all(|seat| self.room.counts(seat.slot, seat.assignment.since))
    }

    /// What a workload asked for that what is observed of all its replicas shows.
    pub(super) fn observed_needs(&self, id: &WorkloadId, job: &Job) -> Resources {
        let needs = job.counted();
        let Some(raise) = &job.raise else {
            return needs.clone();
        };
        match !raise.is_new && self.is_observed(id) {
            true => needs.clone(),
            // Of each resource the least.
            false => needs.less(&needs.less(&raise.from)),
        }
    }

    pub(super) fn count_seats(
        &mut self,
        id: &WorkloadId,
        count: fn(&mut Room, Slot, &crate::room::Needs, u64),
    ) {
        self.count(id, None, count);
    }

    /// Reads anew what a cluster can carry, and takes off what was decided since.
    pub(super) fn observe(&mut self, slot: Slot) {
        if !self.room.read(&self.fleet, slot) {
            let kept = self.kept_for_failures();
            self.reset_room();
            self.keep_again(kept);
            return;
        }
        let on: Vec<WorkloadId> = self.table.ids_on(slot).cloned().collect();
        for id in on {
            self.count(&id, Some(slot), Room::take);
        }
    }

    pub(super) fn reset_room(&mut self) {
        self.room = Room::of(&self.fleet);
        let mut ids: Vec<WorkloadId> = Vec::new();
        for jobs in [&mut self.jobs, &mut self.removed, &mut self.unclaimed] {
            for (id, job) in jobs {
                Arc::make_mut(job).measure(&self.room);
                ids.push(id.clone());
            }
        }
        for id in ids {
            self.count(&id, None, Room::take);
        }
        self.is_unbooked = true;
        self.made_room.clear();
        // What was kept for failures must be booked anew.
        let survivors = self
            .jobs
            .iter()
            .filter(|(_, job)| job.workload.survives != Survives::Nothing);
        self.dirty.extend(survivors.map(|(id, _)| id.clone()));
    }

    /// Everything of a workload may leave room.
    pub(super) fn free_all(&mut self, id: &WorkloadId) {
        self.freed
            .extend(self.table.seats(id).iter().map(|seat| seat.slot));
    }

    /// No room is kept for a workload any more.
    pub(super) fn unbook(&mut self, id: &WorkloadId) {
        let targets = self.jobs.get(id).map_or(0, |job| job.names.len());
        for target in 0..targets {
            let booked = self.room.bookings(id, target);
            self.freed.extend(booked.iter().map(|booking| booking.slot));
            self.room.book(id, target, Vec::new());
        }
    }
}
