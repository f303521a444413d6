//! Room that is kept free so that something may vanish and everything fits still (N-1).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::Needs;
use crate::model::{Slot, WorkloadId};

/// What may vanish: a cluster, or all clusters of a domain.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Failure {
    /// A cluster, by its name.
    Cluster(Arc<str>),
    /// All clusters with this value of a label.
    Domain {
        /// The label.
        label: Arc<str>,
        /// Its value.
        value: Arc<str>,
    },
}

/// Units of a workload that go to a cluster if something else vanishes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Booking {
    pub(crate) failure: Failure,
    pub(crate) slot: Slot,
    pub(crate) needs: Needs,
    pub(crate) units: u64,
}

/// Room that is kept for failures. Only one thing vanishes at a time, so what is kept on a cluster is the most that any one
/// failure would bring there, not the sum (shared backup): with what is used it never exceeds what the cluster offers.
#[derive(Clone, Debug, Default)]
pub(super) struct Spare {
    bookings: BTreeMap<(WorkloadId, usize), Vec<Booking>>,
    /// Who has something booked on which cluster, by how many of its targets.
    by_slot: BTreeMap<(Slot, WorkloadId), usize>,
    /// By cluster and failure, what would come there, by the numbers of resources.
    coming: BTreeMap<Slot, BTreeMap<Failure, Vec<i128>>>,
    /// By cluster, the most of each resource that any failure would bring.
    kept: BTreeMap<Slot, Vec<i128>>,
}

impl Spare {
    pub(super) fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// How much of a resource is kept on a cluster.
    pub(super) fn kept(&self, slot: Slot, resource: usize) -> i128 {
        self.kept.get(&slot).map_or(0, |kept| kept[resource])
    }

    /// How much of a resource would come to a cluster in one failure.
    pub(super) fn coming(&self, slot: Slot, failure: &Failure, resource: usize) -> i128 {
        let coming = self.coming.get(&slot).and_then(|coming| coming.get(failure));
        coming.map_or(0, |coming| coming[resource])
    }

    pub(super) fn bookings(&self, workload: &WorkloadId, target: usize) -> &[Booking] {
        self.bookings
            .get(&(workload.clone(), target))
            .map_or(&[], Vec::as_slice)
    }

    /// The workloads that have something booked on a cluster.
    pub(super) fn booked_on(&self, slot: Slot) -> impl Iterator<Item = &WorkloadId> {
        let from = self.by_slot.range((slot, WorkloadId::from(""))..);
        from.take_while(move |((at, _), _)| *at == slot)
            .map(|((_, id), _)| id)
    }

    /// Books anew for a target of a workload; what was booked for it before ends. Which clusters count pods must stay the
    /// same as long as anything is booked.
    pub(super) fn book(
        &mut self,
        workload: &WorkloadId,
        target: usize,
        bookings: Vec<Booking>,
        width: usize,
        counts_pods: &[bool],
    ) {
        let key = (workload.clone(), target);
        let old = self.bookings.remove(&key).unwrap_or_default();
        let mut touched: Vec<Slot> = old.iter().chain(&bookings).map(|booking| booking.slot).collect();
        for slot in slots(&old) {
            let key = (slot, workload.clone());
            match self.by_slot.get_mut(&key) {
                Some(targets) if *targets > 1 => *targets -= 1,
                _ => drop(self.by_slot.remove(&key)),
            }
        }
        for slot in slots(&bookings) {
            *self.by_slot.entry((slot, workload.clone())).or_default() += 1;
        }
        for (list, sign) in [(&old, -1), (&bookings, 1)] {
            for booking in list {
                let coming = self.coming.entry(booking.slot).or_default();
                let amounts = coming
                    .entry(booking.failure.clone())
                    .or_insert_with(|| vec![0; width]);
                for &(resource, need) in booking.needs.parts(counts_pods[booking.slot]) {
                    amounts[resource] += sign * i128::from(need) * i128::from(booking.units);
                }
            }
        }
        if !bookings.is_empty() {
            self.bookings.insert(key, bookings);
        }
        touched.sort_unstable();
        touched.dedup();
        for slot in touched {
            self.keep_most(slot, width);
        }
    }

    fn keep_most(&mut self, slot: Slot, width: usize) {
        let Some(coming) = self.coming.get_mut(&slot) else {
            return;
        };
        coming.retain(|_, amounts| amounts.iter().any(|amount| *amount > 0));
        if coming.is_empty() {
            self.coming.remove(&slot);
            self.kept.remove(&slot);
            return;
        }
        let most = |resource: usize| {
            coming
                .values()
                .map(|amounts| amounts[resource])
                .max()
                .unwrap_or(0)
        };
        self.kept.insert(slot, (0..width).map(most).collect());
    }
}

/// The clusters of some bookings.
fn slots(bookings: &[Booking]) -> BTreeSet<Slot> {
    bookings.iter().map(|booking| booking.slot).collect()
}
