//! Which workload is on which cluster, and the reverse.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::Arc,
};

use fleet_core::Tick;

use crate::model::{Assignment, FleetView, Placement, Placements, Slot, WorkloadId};

/// Which workload is on which cluster, since when and as what, and the reverse.
///
/// ```
/// # use fleet_core::{Cluster, Tick};
/// # use fleet_scheduler::{Assignment, ClusterInfo, FleetView, Placement, PlacementTable};
/// let fleet = FleetView::new([ClusterInfo::new(Cluster::new("eu-1")), ClusterInfo::new(Cluster::new("us-1"))])?;
/// let placed = Placement::nowhere().with("1", "eu-1", Assignment::new(3, Tick(0)));
/// let table = PlacementTable::of(&fleet, &[("shop/web".into(), placed)].into());
///
/// assert_eq!(table.replicas(&"shop/web".into(), "eu-1"), 3);
/// let on: Vec<_> = table.workloads_on("eu-1").map(|(workload, replicas)| (workload.as_str(), replicas)).collect();
/// assert_eq!(on, [("shop/web", 3)]);
/// # Ok::<(), fleet_scheduler::InvalidFleet>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct PlacementTable {
    rows: Vec<Row>,
    /// Rows that nothing uses.
    free: Vec<usize>,
    index: HashMap<WorkloadId, usize>,
    slots: HashMap<Arc<str>, Slot>,
    names: Vec<Arc<str>>,
    /// By slot: which rows have how many replicas there, those that are going too.
    on: Vec<BTreeMap<usize, u64>>,
    /// On how many clusters there are how many workloads.
    crowds: BTreeMap<usize, usize>,
}

/// One workload.
#[derive(Clone, Debug)]
struct Row {
    id: WorkloadId,
    places: Places,
    /// How often it was changed.
    version: u64,
}

/// Where one workload is.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Places {
    /// By target, then by cluster.
    seats: Vec<Seat>,
    /// What was on clusters that are not in the fleet any more: target, cluster, assignment.
    gone: Vec<(Box<str>, Box<str>, Assignment)>,
}

impl Places {
    fn is_nowhere(&self) -> bool {
        self.seats.is_empty() && self.gone.is_empty()
    }

    /// On each cluster of the fleet how many replicas are there, and how many of them count; in the order of clusters.
    pub(crate) fn on_each(&self) -> Vec<(Slot, u64, u64)> {
        let seats = self.seats.iter();
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

    /// Whether anything is on a cluster.
    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.seats.iter().any(|seat| seat.slot == slot)
    }
}

/// Replicas of one target on one cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Seat {
    pub(crate) target: Arc<str>,
    pub(crate) slot: Slot,
    pub(crate) assignment: Assignment,
}

impl PlacementTable {
    /// What was decided before, on these clusters.
    pub fn of(fleet: &FleetView, placements: &Placements) -> Self {
        let mut table = Self::empty(fleet);
        for (id, placement) in placements {
            table.set(id, placement);
        }
        table
    }

    /// Nothing is anywhere.
    pub fn empty(fleet: &FleetView) -> Self {
        let names: Vec<Arc<str>> = fleet.clusters().map(|cluster| cluster.name().into()).collect();
        Self {
            slots: names
                .iter()
                .cloned()
                .enumerate()
                .map(|(slot, name)| (name, slot))
                .collect(),
            on: vec![BTreeMap::new(); names.len()],
            crowds: [(0, names.len())].into(),
            names,
            ..Self::default()
        }
    }

    /// Says where a workload is.
    pub fn set(&mut self, id: &WorkloadId, placement: &Placement) {
        let row = self.row_of(id);
        self.clear(row);
        let (mut seats, mut gone) = (Vec::new(), Vec::new());
        for (target, clusters) in &placement.targets {
            let target: Arc<str> = target.as_str().into();
            for (cluster, assignment) in clusters.iter().filter(|(_, assignment)| assignment.replicas > 0) {
                match self.slots.get(cluster.as_str()) {
                    Some(&slot) => seats.push(Seat {
                        target: target.clone(),
                        slot,
                        assignment: assignment.sound(),
                    }),
                    None => gone.push((
                        (*target).into(),
                        cluster.as_str().into(),
                        assignment.sound().unseen(),
                    )),
                }
            }
        }
        self.seat(row, seats, gone);
    }

    /// A workload is not there any more.
    pub fn remove(&mut self, id: &WorkloadId) {
        if let Some(row) = self.index.remove(id) {
            self.clear(row);
            self.free.push(row);
        }
    }

    fn row_of(&mut self, id: &WorkloadId) -> usize {
        *self.index.entry(id.clone()).or_insert_with(|| {
            if let Some(row) = self.free.pop() {
                // Its version goes on: nobody takes what is there now for what was.
                self.rows[row].id = id.clone();
                return row;
            }
            self.rows.push(Row {
                id: id.clone(),
                places: Places::default(),
                version: 0,
            });
            self.rows.len() - 1
        })
    }

    /// Says where one target of a workload is; its other targets stay where they are.
    pub(crate) fn set_target(
        &mut self,
        id: &WorkloadId,
        target: &Arc<str>,
        clusters: &BTreeMap<String, Assignment>,
    ) {
        let row = self.row_of(id);
        let Places { mut seats, mut gone } = self.rows[row].places.clone();
        seats.retain(|seat| seat.target != *target);
        gone.retain(|(of, ..)| **of != **target);
        // Seats are in the order of targets, then of clusters.
        let mut at = seats.partition_point(|seat| seat.target < *target);
        let mut at_gone = gone.partition_point(|(of, ..)| **of < **target);
        for (cluster, assignment) in clusters.iter().filter(|(_, assignment)| assignment.replicas > 0) {
            let (target, assignment) = (Arc::clone(target), *assignment);
            match self.slots.get(cluster.as_str()) {
                Some(&slot) => {
                    seats.insert(
                        at,
                        Seat {
                            target,
                            slot,
                            assignment,
                        },
                    );
                    at += 1;
                }
                None => {
                    gone.insert(
                        at_gone,
                        ((*target).into(), cluster.as_str().into(), assignment.unseen()),
                    );
                    at_gone += 1;
                }
            }
        }
        self.clear(row);
        self.seat(row, seats, gone);
    }

    /// Whether a target of a workload is exactly there.
    pub(crate) fn is_at(
        &self,
        id: &WorkloadId,
        target: &str,
        clusters: &BTreeMap<String, Assignment>,
    ) -> bool {
        let seats = self.seats(id).iter().filter(|seat| *seat.target == *target);
        let mut gone = self.gone(id).filter(|(of, ..)| *of == target);
        let mut seats = seats.peekable();
        let are_there = clusters.iter().all(|(cluster, assignment)| {
            match seats.next_if(|seat| *self.names[seat.slot] == **cluster) {
                Some(seat) => seat.assignment == *assignment,
                None => gone
                    .next()
                    .is_some_and(|(_, of, was)| of == cluster && was == *assignment),
            }
        });
        are_there && seats.next().is_none() && gone.next().is_none()
    }

    /// Whether some replicas of a workload are going, or wait for others to be stopped.
    pub(crate) fn is_moving(&self, id: &WorkloadId) -> bool {
        let there = self.seats(id).iter().map(|seat| seat.assignment);
        let mut all = there.chain(self.gone(id).map(|(.., assignment)| assignment));
        all.any(|assignment| assignment.going > 0 || assignment.held > 0)
    }

    /// How many replicas of a target count on each cluster where it has some, those that are not in the fleet any more too.
    pub(crate) fn active_of(&self, id: &WorkloadId, target: &str) -> impl Iterator<Item = u64> {
        let seats = self.seats(id).iter().filter(move |seat| *seat.target == *target);
        let gone = self.gone(id).filter(move |(of, ..)| *of == target);
        let there = seats.map(|seat| seat.assignment);
        there
            .chain(gone.map(|(_, _, assignment)| assignment))
            .map(|assignment| assignment.active())
    }

    /// Changes whenever the places of a workload do.
    pub(crate) fn version(&self, id: &WorkloadId) -> u64 {
        self.index.get(id).map_or(0, |row| self.rows[*row].version)
    }

    fn clear(&mut self, row: usize) {
        let Row { places, version, .. } = &mut self.rows[row];
        *version += u64::from(!places.is_nowhere());
        for seat in std::mem::take(places).seats {
            let before = self.on[seat.slot].len();
            self.on[seat.slot].remove(&row);
            self.recount(before, self.on[seat.slot].len());
        }
    }

    fn seat(&mut self, row: usize, seats: Vec<Seat>, gone: Vec<(Box<str>, Box<str>, Assignment)>) {
        for seat in &seats {
            let before = self.on[seat.slot].len();
            let replicas = self.on[seat.slot].entry(row).or_default();
            *replicas = replicas.saturating_add(seat.assignment.replicas);
            self.recount(before, self.on[seat.slot].len());
        }
        let row = &mut self.rows[row];
        row.places = Places { seats, gone };
        row.version += u64::from(!row.places.is_nowhere());
    }

    /// A cluster has another number of workloads than before.
    fn recount(&mut self, before: usize, after: usize) {
        if before == after {
            return;
        }
        if let Some(clusters) = self.crowds.get_mut(&before) {
            *clusters -= 1;
            if *clusters == 0 {
                self.crowds.remove(&before);
            }
        }
        *self.crowds.entry(after).or_default() += 1;
    }

    /// Where a workload is, as what was decided.
    pub fn placement(&self, id: &WorkloadId) -> Placement {
        self.index.get(id).map_or_else(Placement::nowhere, |row| {
            self.placement_of(&self.rows[*row].places)
        })
    }

    /// Where a workload is, to be made a placement of if it has changed since.
    pub(crate) fn places(&self, id: &WorkloadId) -> Places {
        self.index
            .get(id)
            .map(|row| self.rows[*row].places.clone())
            .unwrap_or_default()
    }

    /// Where a workload is.
    pub(crate) fn places_of(&self, id: &WorkloadId) -> &Places {
        static NOWHERE: Places = Places {
            seats: Vec::new(),
            gone: Vec::new(),
        };
        self.index.get(id).map_or(&NOWHERE, |row| &self.rows[*row].places)
    }

    /// Says where a workload is.
    pub(crate) fn put(&mut self, id: &WorkloadId, places: Places) {
        let row = self.row_of(id);
        self.clear(row);
        self.seat(row, places.seats, places.gone);
    }

    pub(crate) fn placement_of(&self, places: &Places) -> Placement {
        let mut placement = Placement::nowhere();
        // Seats are in the order of targets, then of clusters.
        for seats in places.seats.chunk_by(|one, next| one.target == next.target) {
            let clusters = seats
                .iter()
                .map(|seat| (self.names[seat.slot].to_string(), seat.assignment));
            placement
                .targets
                .insert(seats[0].target.to_string(), clusters.collect());
        }
        for (target, cluster, assignment) in &places.gone {
            placement = placement.with(target, cluster, *assignment);
        }
        placement
    }

    /// Everything, as what was decided.
    pub fn placements(&self) -> Placements {
        let placed = self.rows.iter().filter(|row| !row.places.is_nowhere());
        placed
            .map(|row| (row.id.clone(), self.placement(&row.id)))
            .collect()
    }

    pub(crate) fn seats(&self, id: &WorkloadId) -> &[Seat] {
        self.index
            .get(id)
            .map_or(&[], |row| &self.rows[*row].places.seats)
    }

    /// The targets of a workload that are somewhere.
    pub(crate) fn targets(&self, id: &WorkloadId) -> Vec<Arc<str>> {
        // Seats are in the order of targets.
        let seats = self.seats(id).chunk_by(|one, next| one.target == next.target);
        let mut targets: Vec<Arc<str>> = seats.map(|seats| Arc::clone(&seats[0].target)).collect();
        for (target, ..) in self.gone(id) {
            if targets.iter().all(|known| **known != *target) {
                targets.push(target.into());
            }
        }
        targets
    }

    /// What a workload has on clusters that are not in the fleet any more: target, cluster, assignment.
    pub fn gone(&self, id: &WorkloadId) -> impl Iterator<Item = (&str, &str, Assignment)> {
        let gone = self
            .index
            .get(id)
            .map_or(&[][..], |row| &self.rows[*row].places.gone);
        gone.iter()
            .map(|(target, cluster, assignment)| (&**target, &**cluster, *assignment))
    }

    /// The clusters that are not in the fleet any more, although something is placed there.
    pub(crate) fn all_gone(&self) -> BTreeSet<&str> {
        let gone = self.rows.iter().flat_map(|row| &row.places.gone);
        gone.map(|(_, cluster, _)| &**cluster).collect()
    }

    /// The clusters a workload is on, and how many replicas, those that are going too.
    pub fn clusters_of(&self, id: &WorkloadId) -> BTreeMap<&str, u64> {
        let mut clusters = BTreeMap::new();
        for seat in self.seats(id) {
            let replicas: &mut u64 = clusters.entry(&*self.names[seat.slot]).or_default();
            *replicas = replicas.saturating_add(seat.assignment.replicas);
        }
        clusters
    }

    /// The workloads on a cluster in the order of their names, and how many replicas, those that are going too.
    pub fn workloads_on(&self, cluster: &str) -> impl Iterator<Item = (&WorkloadId, u64)> {
        let on = self.slots.get(cluster).map(|slot| &self.on[*slot]);
        let mut workloads: Vec<(&WorkloadId, u64)> = on
            .into_iter()
            .flatten()
            .map(|(row, replicas)| (&self.rows[*row].id, *replicas))
            .collect();
        workloads.sort_unstable();
        workloads.into_iter()
    }

    /// The workloads on a cluster, in no order.
    pub(crate) fn ids_on(&self, slot: Slot) -> impl Iterator<Item = &WorkloadId> {
        self.on[slot].keys().map(|row| &self.rows[*row].id)
    }

    /// Everything that is on a cluster, in no order.
    pub(crate) fn seats_on(&self, slot: Slot) -> impl Iterator<Item = &Seat> {
        let rows = self.on[slot].keys().map(|row| &self.rows[*row]);
        rows.flat_map(|row| &row.places.seats)
            .filter(move |seat| seat.slot == slot)
    }

    /// How many workloads are on a cluster.
    pub fn count_on(&self, slot: Slot) -> usize {
        self.on[slot].len()
    }

    /// How many workloads other than this one are on a cluster.
    pub fn others_on(&self, id: &WorkloadId, slot: Slot) -> usize {
        self.count_on(slot) - usize::from(self.replicas_at(id, slot) > 0)
    }

    /// How many workloads other than this one are on the cluster that has the most of them.
    pub fn most_others(&self, id: &WorkloadId) -> usize {
        let Some((&most, &clusters)) = self.crowds.last_key_value() else {
            return 0;
        };
        let own: BTreeSet<Slot> = self.seats(id).iter().map(|seat| seat.slot).collect();
        let own = own.into_iter().filter(|slot| self.count_on(*slot) == most);
        // Without it, each of its clusters has one less.
        if own.count() == clusters {
            most.saturating_sub(1)
        } else {
            most
        }
    }

    /// How many replicas of a workload are on a cluster, those that are going too.
    pub fn replicas(&self, id: &WorkloadId, cluster: &str) -> u64 {
        self.slots
            .get(cluster)
            .map_or(0, |slot| self.replicas_at(id, *slot))
    }

    /// As [`replicas`](Self::replicas), by the cluster's place.
    pub fn replicas_at(&self, id: &WorkloadId, slot: Slot) -> u64 {
        let row = self.index.get(id);
        row.and_then(|row| self.on[slot].get(row)).copied().unwrap_or(0)
    }

    /// The earliest moment since which nothing of a workload has changed; none where it is nowhere.
    pub fn since(&self, id: &WorkloadId) -> Option<Tick> {
        self.seats(id).iter().map(|seat| seat.assignment.since).max()
    }
}

#[cfg(test)]
mod tests {
    use fleet_core::Cluster;

    use super::*;
    use crate::model::ClusterInfo;

    #[test]
    fn rows_are_used_again_and_targets_are_told_once() {
        let fleet = FleetView::new([ClusterInfo::new(Cluster::new("a"))]).unwrap();
        let mut table = PlacementTable::empty(&fleet);
        let one = Assignment::new(1, Tick(0));
        for at in 0..100 {
            let id = WorkloadId::from(format!("w{at}"));
            table.set(
                &id,
                &Placement::nowhere().with("1", "a", one).with("1", "left", one),
            );
            assert_eq!(table.targets(&id), ["1".into()]);
            assert_eq!(table.workloads_on("a").collect::<Vec<_>>(), [(&id, 1)]);
            table.remove(&id);
            assert!(table.targets(&id).is_empty() && table.placements().is_empty());
        }
        assert_eq!(table.rows.len(), 1);
    }
}
