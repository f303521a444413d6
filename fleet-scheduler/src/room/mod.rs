//! What is free on clusters, with everything decided so far taken off.

mod fits;
mod lack;
mod needs;
mod spare;

pub(crate) use fits::Freed;
pub(crate) use lack::Shortage;
pub use needs::Needs;
pub(crate) use needs::PODS;
pub(crate) use spare::Booking;
pub use spare::Failure;
use spare::Spare;

use std::{collections::HashMap, sync::Arc};

use fleet_core::{Millis, Resources, Tick};

use crate::model::{FleetView, Slot, WorkloadId};

/// What is free on every cluster: what it offers, less what is asked for there, less what was decided since that was
/// observed (the assumptions), less what is kept for failures. So two decisions never spend the same room.
///
/// An assumption ends once the cluster's observation is later than it by [`settle`](Room::SETTLE): by then its pods are
/// in what is asked for.
///
/// A replica takes a slot for a pod where a cluster says how many it carries ([`Needs`]).
#[derive(Clone, Debug, Default)]
pub struct Room {
    names: Vec<Arc<str>>,
    numbers: HashMap<Arc<str>, usize>,
    /// The resources that say how full a cluster is, by number.
    pressing: Vec<usize>,
    /// By slot and resource. Below 0 where more is asked for than is offered.
    free: Vec<i64>,
    offered: Vec<i64>,
    /// The largest gap on one node, where that is known.
    gaps: Vec<Option<i64>>,
    /// Whether anything is known of the cluster.
    known: Vec<bool>,
    /// Whether the cluster says how many pods it carries.
    counts_pods: Vec<bool>,
    observed: Vec<Tick>,
    /// How full it is, in millionths of the fullest of CPU and memory.
    pressure: Vec<i64>,
    /// What is kept for failures.
    spare: Spare,
}

/// The resources that say how full a cluster is.
const PRESSING: [&str; 2] = ["cpu", "memory"];

impl Room {
    /// How long it takes until what was decided shows in what is observed.
    pub const SETTLE: Millis = Millis::from_mins(2);

    /// What is free when nothing was decided yet.
    pub fn of(fleet: &FleetView) -> Self {
        let names: Vec<Arc<str>> = fleet
            .resources()
            .iter()
            .map(|(name, _)| Arc::clone(name))
            .collect();
        let numbers = names
            .iter()
            .cloned()
            .enumerate()
            .map(|(at, name)| (name, at))
            .collect();
        let numbers: HashMap<Arc<str>, usize> = numbers;
        let mut room = Self {
            pressing: PRESSING
                .iter()
                .filter_map(|name| numbers.get(*name).copied())
                .collect(),
            names,
            numbers,
            ..Self::default()
        };
        for slot in 0..fleet.len() {
            let width = room.names.len();
            room.free.extend(std::iter::repeat_n(0, width));
            room.offered.extend(std::iter::repeat_n(0, width));
            room.gaps.extend(std::iter::repeat_n(None, width));
            room.known.push(false);
            room.counts_pods.push(false);
            room.observed.push(Tick(0));
            room.pressure.push(0);
            room.counts_pods[slot] = counts_pods(fleet, slot);
            room.read(fleet, slot);
        }
        room
    }

    /// Reads anew what a cluster says of itself; what was assumed of it is forgotten. False where it offers a resource
    /// that no cluster had before, or counts pods where it did not, or the other way round: then all must be read.
    pub(crate) fn read(&mut self, fleet: &FleetView, slot: Slot) -> bool {
        let row = self.row(slot);
        let capacity = fleet.at(slot).capacity.as_ref();
        self.known[slot] = capacity.is_some();
        self.observed[slot] = capacity.map_or(Tick(0), |capacity| capacity.observed_at);
        let nothing = Resources::new();
        let (offered, requested, gaps) = capacity.map_or((&nothing, &nothing, &nothing), |capacity| {
            (&capacity.allocatable, &capacity.requested, &capacity.largest_gap)
        });
        for (at, name) in row.zip(&self.names) {
            // Both are at least 0, so the difference is in range.
            (self.offered[at], self.free[at]) = (offered.get(name), offered.get(name) - requested.get(name));
            // A gap that is not named is not known.
            self.gaps[at] = gaps.names(name).then(|| gaps.get(name));
        }
        self.press(slot);
        self.counts_pods[slot] == counts_pods(fleet, slot)
            && offered.iter().all(|(name, _)| self.numbers.contains_key(name))
    }

    /// What one replica asks for, by the resources of this fleet.
    pub fn needs(&self, needs: &Resources) -> Needs {
        Needs::of(needs, &self.numbers)
    }

    /// What one replica asks for on a cluster: with the slot for a pod that it takes there.
    pub(crate) fn needs_on(&self, slot: Slot, needs: &Resources) -> Resources {
        let mut all = needs.clone();
        if self.counts_pods[slot] && !needs.names(PODS) {
            // One is never negative.
            let _ = all.set(PODS, 1);
        }
        all
    }

    /// What is asked for on a cluster.
    fn parts<'a>(&self, slot: Slot, needs: &'a Needs) -> &'a [(usize, i64)] {
        needs.parts(self.counts_pods[slot])
    }

    /// Whether nothing is asked for on a cluster.
    fn is_nothing(&self, slot: Slot, needs: &Needs) -> bool {
        self.parts(slot, needs).is_empty() && needs.unknown().len() == 0
    }

    pub(crate) fn bookings(&self, workload: &WorkloadId, target: usize) -> &[Booking] {
        self.spare.bookings(workload, target)
    }

    /// The workloads that have something booked on a cluster.
    pub(crate) fn booked_on(&self, slot: Slot) -> impl Iterator<Item = &WorkloadId> {
        self.spare.booked_on(slot)
    }

    /// Whether more is taken of something on a cluster than it offers.
    pub(crate) fn is_over(&self, slot: Slot) -> bool {
        self.free[self.row(slot)].iter().any(|free| *free < 0)
    }

    /// Whether a cluster cannot keep what is booked there.
    pub(crate) fn is_overbooked(&self, slot: Slot) -> bool {
        let base = slot * self.names.len();
        (0..self.names.len()).any(|at| {
            let kept = self.spare.kept(slot, at);
            kept > 0 && kept > i128::from(self.free[base + at])
        })
    }

    pub(crate) fn book(&mut self, workload: &WorkloadId, target: usize, bookings: Vec<Booking>) {
        self.spare
            .book(workload, target, bookings, self.names.len(), &self.counts_pods);
    }

    /// How much of a resource is asked for; of `pods`, of a cluster that counts them.
    pub fn need(&self, needs: &Needs, resource: &str) -> i64 {
        let number = self.numbers.get(resource);
        let part = needs.parts(true).iter().find(|(at, _)| Some(at) == number);
        part.map_or(0, |(_, need)| *need)
    }

    /// How much of a resource is free; below 0 where more is asked for than is offered.
    pub fn free(&self, slot: Slot, resource: &str) -> i64 {
        self.numbers
            .get(resource)
            .map_or(0, |number| self.free[slot * self.names.len() + number])
    }

    /// How much of a resource is free beside what is kept for failures.
    pub(crate) fn free_beside_kept(&self, slot: Slot, resource: &str) -> i64 {
        let kept = self
            .numbers
            .get(resource)
            .map_or(0, |number| self.spare.kept(slot, *number));
        let kept = i64::try_from(kept).unwrap_or(i64::MAX);
        self.free(slot, resource).saturating_sub(kept)
    }

    /// How much of a resource a cluster offers in all.
    pub fn offered(&self, slot: Slot, resource: &str) -> i64 {
        self.numbers
            .get(resource)
            .map_or(0, |number| self.offered[slot * self.names.len() + number])
    }

    /// The largest gap on one node, if that is known.
    pub fn gap(&self, slot: Slot, resource: &str) -> Option<i64> {
        self.numbers
            .get(resource)
            .and_then(|number| self.gaps[slot * self.names.len() + number])
    }

    /// Whether anything is known of a cluster's room.
    pub fn is_known(&self, slot: Slot) -> bool {
        self.known[slot]
    }

    /// How full a cluster is: millionths of CPU or memory, whichever is fuller.
    pub fn pressure(&self, slot: Slot) -> i64 {
        self.pressure[slot]
    }

    /// How full a cluster would be with so many units more, in millionths of CPU or memory, whichever is fuller.
    pub fn load_with(&self, slot: Slot, needs: &Needs, units: u64) -> i64 {
        self.load(slot, |number| i128::from(needs.at(number)) * i128::from(units))
    }

    /// Whether replicas that are there since then are in what the cluster says is asked for.
    pub fn counts(&self, slot: Slot, since: Tick) -> bool {
        self.observed[slot] >= since + Self::SETTLE || since == Tick(0)
    }

    /// Takes room for replicas, whether it is there or not.
    pub fn take(&mut self, slot: Slot, needs: &Needs, replicas: u64) {
        self.change(slot, needs, replicas, i64::checked_sub);
    }

    /// Gives room back.
    pub fn give(&mut self, slot: Slot, needs: &Needs, replicas: u64) {
        self.change(slot, needs, replicas, i64::checked_add);
    }

    /// What cannot be counted any more makes the whole cluster unknown, so that nothing is promised there by mistake.
    fn change(&mut self, slot: Slot, needs: &Needs, replicas: u64, by: fn(i64, i64) -> Option<i64>) {
        if self.is_nothing(slot, needs) || replicas == 0 {
            return;
        }
        let base = slot * self.names.len();
        for &(resource, need) in needs.parts(self.counts_pods[slot]) {
            let free = &mut self.free[base + resource];
            let amount = i64::try_from(replicas)
                .ok()
                .and_then(|replicas| need.checked_mul(replicas));
            match amount.and_then(|amount| by(*free, amount)) {
                Some(rest) => *free = rest,
                None => self.known[slot] = false,
            }
        }
        self.press(slot);
    }

    fn press(&mut self, slot: Slot) {
        self.pressure[slot] = self.load(slot, |_| 0);
    }

    /// How full a cluster is with so much more of each resource.
    pub(crate) fn load(&self, slot: Slot, more: impl Fn(usize) -> i128) -> i64 {
        let base = slot * self.names.len();
        let full = |number: &usize| {
            let at = base + number;
            let offered = i128::from(self.offered[at]);
            let taken = offered - i128::from(self.free[at]) + more(*number);
            i64::try_from((taken * 1_000_000).checked_div(offered)?).ok()
        };
        self.pressing.iter().filter_map(full).max().unwrap_or(0)
    }

    fn row(&self, slot: Slot) -> std::ops::Range<usize> {
        let width = self.names.len();
        slot * width..(slot + 1) * width
    }
}

/// Whether a cluster says how many pods it carries.
fn counts_pods(fleet: &FleetView, slot: Slot) -> bool {
    let capacity = fleet.at(slot).capacity.as_ref();
    capacity.is_some_and(|capacity| capacity.allocatable.names(PODS))
}
