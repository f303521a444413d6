//! What runs where, and the room it takes: both are changed together, here alone.

use std::{collections::BTreeMap, sync::Arc};

use super::Planner;
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
        let before = self.on_each(id);
        self.count(id, None, Room::give);
        self.table.set_target(id, target, clusters);
        self.count(id, None, Room::take);
        let after = self.on_each(id);
        let there = |slot: Slot| {
            let at = after.binary_search_by_key(&slot, |(slot, ..)| *slot);
            at.map_or((0, 0), |at| (after[at].1, after[at].2))
        };
        let left = before.into_iter().filter(|(slot, all, active)| {
            let (still, counting) = there(*slot);
            still < *all || counting < *active
        });
        self.freed.extend(left.map(|(slot, ..)| slot));
    }

    /// A workload runs nowhere from now on.
    pub(super) fn clear(&mut self, id: &WorkloadId) {
        self.count(id, None, Room::give);
        self.free_all(id);
        self.unbook(id);
        self.table.remove(id);
    }

    /// How many replicas of a workload are on each of its clusters, and how many of them count, in the order of clusters.
    fn on_each(&self, id: &WorkloadId) -> Vec<(Slot, u64, u64)> {
        let seats = self.table.seats(id).iter();
        let mut each: Vec<(Slot, u64, u64)> = seats
            .map(|seat| (seat.slot, seat.assignment.replicas, seat.assignment.active()))
            .collect();
        each.sort_unstable_by_key(|(slot, ..)| *slot);
        each.dedup_by(|next, kept| {
            let is_same = next.0 == kept.0;
            if is_same {
                (kept.1, kept.2) = (kept.1.saturating_add(next.1), kept.2.saturating_add(next.2));
            }
            is_same
        });
        each
    }

    /// Takes room for what is placed and not observed yet, or gives it back.
    pub(super) fn count(
        &mut self,
        id: &WorkloadId,
        only: Option<Slot>,
        count: fn(&mut Room, Slot, &crate::room::Needs, u64),
    ) {
        let job = self.jobs.get(id).or_else(|| self.removed.get(id));
        let Some(job) = job.filter(|_| self.switches().assumptions) else {
            return;
        };
        for seat in self.table.seats(id) {
            if only.is_some_and(|slot| slot != seat.slot) {
                continue;
            }
            // What is not started shows in no observation.
            let is_seen = !job.is_unseen && self.room.counts(seat.slot, seat.assignment.since);
            let unseen = match is_seen {
                true => seat.assignment.held,
                false => seat.assignment.replicas,
            };
            count(&mut self.room, seat.slot, &job.replica, unseen);
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
            self.reset_room();
            return;
        }
        let on: Vec<WorkloadId> = self
            .table
            .workloads_on(self.fleet.at(slot).name())
            .map(|(id, _)| id.clone())
            .collect();
        for id in on {
            self.count(&id, Some(slot), Room::take);
        }
    }

    pub(super) fn reset_room(&mut self) {
        self.room = Room::of(&self.fleet);
        for job in self.jobs.values_mut().chain(self.removed.values_mut()) {
            Arc::make_mut(job).measure(&self.room);
        }
        for id in self
            .jobs
            .keys()
            .chain(self.removed.keys())
            .cloned()
            .collect::<Vec<_>>()
        {
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
