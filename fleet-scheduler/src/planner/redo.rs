//! Decides a workload anew in the same round, because others have touched it: from where it was when the round began, so
//! that what was decided in between has never been.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_core::Tick;

use super::{Planner, Round};
use crate::{
    model::{Assignment, Slot, WorkloadId},
    moves::Move,
    room::{Booking, Room},
    table::Places,
};

/// What of a round can be taken back.
#[derive(Clone, Debug, Default)]
pub(super) struct Begun {
    /// Where each workload was before it was decided in this round.
    places: BTreeMap<WorkloadId, Places>,
    /// The room that was kept for each, by target.
    bookings: BTreeMap<WorkloadId, Vec<Vec<Booking>>>,
    /// The moves of each that were decided since.
    moves: BTreeMap<WorkloadId, Vec<Move>>,
}

impl Begun {
    /// Where a workload was that was decided in this round without that anything moved.
    pub(super) fn was(&self, id: &WorkloadId) -> Option<&Places> {
        self.places.get(id).filter(|_| !self.moves.contains_key(id))
    }
}

impl Planner {
    /// A round begins.
    pub(super) fn begin_round(&mut self) {
        self.begun = Begun::default();
    }

    /// Where a workload was before this round, if it was decided in it.
    pub(super) fn begun_at(&self, id: &WorkloadId) -> Option<&Places> {
        self.begun.places.get(id)
    }

    /// A round goes on after others had a say: where everything was before the first part of it.
    pub(super) fn goes_on_from(&mut self, first: Begun) {
        self.begun.places.extend(first.places);
    }

    /// A round is over: what it has changed is remembered.
    pub(super) fn remember_round(&mut self, round: &Round, now: Tick) {
        for (id, places) in std::mem::take(&mut self.begun).places {
            if *self.table.places_of(&id) != places {
                let moves = round.get(id.as_str()).map_or(&[][..], |decision| &decision.moves);
                self.remember(&id, &self.table.placement_of(&places), moves, now);
            }
        }
    }

    /// A workload is decided for the first time in this round.
    pub(super) fn begin(&mut self, id: &WorkloadId) {
        if !self.begun.places.contains_key(id) {
            let places = self.table.places(id);
            self.begun.places.insert(id.clone(), places);
            let bookings = self.booked_by_target(id);
            if bookings.iter().any(|bookings| !bookings.is_empty()) {
                self.begun.bookings.insert(id.clone(), bookings);
            }
        }
    }

    pub(super) fn booked_by_target(&self, id: &WorkloadId) -> Vec<Vec<Booking>> {
        let targets = self.jobs.get(id).map_or(0, |job| job.names.len());
        (0..targets)
            .map(|target| self.room.bookings(id, target).to_vec())
            .collect()
    }

    /// A move was decided.
    pub(super) fn record(&mut self, made: Move) {
        let moves = self.begun.moves.entry(made.workload.clone()).or_default();
        moves.push(made.clone());
        self.moves.record(made);
    }

    /// Whether what was decided of a workload in this round can be taken back: not where others have taken the room since
    /// that it has left.
    pub(super) fn can_undo(&mut self, id: &WorkloadId) -> bool {
        let Some(begun) = self.begun.places.get(id).cloned() else {
            return false;
        };
        let now = self.table.places(id);
        let had = begun.on_each();
        let there: Vec<Slot> = had.into_iter().map(|(slot, ..)| slot).collect();
        let over = |planner: &Self| -> Vec<Slot> {
            let all = there.iter().copied();
            all.filter(|slot| planner.room.is_over(*slot)).collect()
        };
        let before = over(self);
        self.restore(id, begun);
        let is_taken = over(self).iter().any(|slot| !before.contains(slot));
        self.restore(id, now);
        !is_taken
    }

    /// Takes back what was decided of a workload in this round.
    pub(super) fn undo(&mut self, id: &WorkloadId) {
        for made in self.begun.moves.remove(id).unwrap_or_default() {
            self.moves.take_back(&made);
        }
        if let Some(places) = self.begun.places.get(id).cloned() {
            self.restore(id, places);
        }
        if let Some(bookings) = self.begun.bookings.get(id).cloned() {
            for (target, bookings) in bookings.into_iter().enumerate() {
                self.room.book(id, target, bookings);
            }
        }
    }

    /// Puts a workload back where it was.
    fn restore(&mut self, id: &WorkloadId, places: Places) {
        if *self.table.places_of(id) != places {
            self.count(id, None, Room::give);
            self.table.put(id, places);
            self.count(id, None, Room::take);
        }
    }

    /// What a workload has left that was decided anew, since it was decided before: not what it has left in between. And
    /// what others have left.
    pub(super) fn free_anew(
        &mut self,
        id: &WorkloadId,
        before: &Places,
        booked: &[Vec<Booking>],
        freed: BTreeSet<Slot>,
    ) {
        let left = self.left(id, &before.on_each());
        let begun = self.begun.places.get(id);
        let after = self.table.places_of(id);
        let own = |slot: &Slot| {
            before.has(*slot) || after.has(*slot) || begun.is_some_and(|begun| begun.has(*slot))
        };
        let kept = self.begun.bookings.get(id).into_iter().flatten().flatten();
        let kept: BTreeSet<Slot> = kept.map(|booking| booking.slot).collect();
        self.freed.retain(|slot| !own(slot) && !kept.contains(slot));
        self.freed.extend(freed);
        self.freed.extend(left);
        if self.booked_by_target(id) != booked {
            // What was kept for it and is not any more.
            self.freed
                .extend(booked.iter().flatten().map(|booking| booking.slot));
        }
    }

    /// Some replicas of a target give way on a cluster. Those that stand in for others leave them their place again: what
    /// was to go stays.
    pub(super) fn take_out(&mut self, id: &WorkloadId, target: &Arc<str>, cluster: &str, count: u64) {
        let now_there = self.active_at(id, target, cluster);
        self.undo(id);
        // Those first that were decided in this round: they are not there yet.
        let was_there = self.active_at(id, target, cluster);
        let stays = now_there.saturating_sub(count);
        let mut placement = self.table.placement(id);
        let Some(placed) = placement.targets.get_mut(&**target) else {
            return;
        };
        let count = was_there.saturating_sub(stays);
        if let Some(one) = placed.get_mut(cluster) {
            one.replicas -= count;
        }
        let answers: BTreeSet<String> = placed.keys().filter(|name| self.answers(name)).cloned().collect();
        come_back(placed, count, &answers);
        placed.retain(|_, one| one.replicas > 0);
        let placed = placed.clone();
        self.place(id, target, &placed);
        let places = self.table.places(id);
        self.begun.places.insert(id.clone(), places);
    }

    fn active_at(&self, id: &WorkloadId, target: &str, cluster: &str) -> u64 {
        let Some(slot) = self.fleet.slot(cluster) else {
            return 0;
        };
        let mut seats = self.table.seats(id).iter();
        let seat = seats.find(|seat| seat.slot == slot && *seat.target == *target);
        seat.map_or(0, |seat| seat.assignment.active())
    }
}

/// As many of those that are going stay after all, those first that are known to be there.
fn come_back(placed: &mut BTreeMap<String, Assignment>, mut count: u64, answers: &BTreeSet<String>) {
    for is_there in [true, false] {
        for (_, one) in placed
            .iter_mut()
            .filter(|(name, _)| answers.contains(*name) == is_there)
        {
            let back = one.going.min(count);
            one.going -= back;
            count -= back;
        }
    }
}
