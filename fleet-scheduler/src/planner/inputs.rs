//! What the planner is told: workloads, clusters, and what has changed about them.

use std::{collections::BTreeSet, sync::Arc};

use fleet_core::Tick;

use super::{Job, Planner, takes_every};
use crate::{
    model::{ClusterInfo, FleetView, InvalidFleet, Relation, Slot, Workload, WorkloadId},
    moves::Storm,
    room::Room,
    table::PlacementTable,
};

impl Planner {
    /// A workload is there, or is another than before.
    pub fn set(&mut self, workload: Workload) {
        let id = workload.name.clone();
        // It is wanted again before it was known to be stopped.
        let is_back = self.removed.contains_key(&id);
        if let Some(old) = self.removed.remove(&id) {
            self.jobs.insert(id.clone(), old);
        }
        let is_same = |job: &Arc<Job>| *job.given == workload;
        if !is_back && self.jobs.get(&id).is_some_and(is_same) {
            return;
        }
        self.longest = self.longest.max(workload.moves.per);
        self.unrelate(&id);
        for other in workload.related() {
            self.related.entry(other.clone()).or_default().insert(id.clone());
        }
        match workload.targets.iter().any(takes_every) {
            true => self.everywhere.insert(id.clone()),
            false => self.everywhere.remove(&id),
        };
        // What is placed was counted by the old needs, which may have been more.
        if self.jobs.contains_key(&id) {
            self.free_all(&id);
        }
        self.count_seats(&id, Room::give);
        let old = self.jobs.get(&id);
        if old.is_some_and(|old| old.workload.uid != workload.uid) {
            self.finished.remove(&id);
        }
        let is_related_otherwise = old.is_none_or(|old| {
            (&old.workload.beside, &old.workload.apart) != (&workload.beside, &workload.apart)
        });
        let shunned = self.shunned_by(&id);
        let names = self
            .jobs
            .get(&id)
            .map(|job| job.names.clone())
            .unwrap_or_default();
        let mut job = Job::new(Arc::new(workload), &self.room);
        let known = self.unclaimed.remove(&id);
        if let Some(old) = self.jobs.get(&id).or(known.as_ref()) {
            job.after(old, self.observed_needs(&id, old), &self.room);
            // Targets that are not there any more need no room after a failure.
            for target in job.names.len()..old.names.len() {
                self.room.book(&id, target, Vec::new());
            }
        }
        self.jobs.insert(id.clone(), Arc::new(job));
        self.rename_targets(&id, &names);
        self.count_seats(&id, Room::take);
        if is_related_otherwise {
            self.touch_entangled(&id);
        }
        self.shun(&id);
        for other in shunned {
            self.shun(&other);
        }
        for other in self.shunned_by(&id) {
            self.shun(&other);
        }
        self.dirty.insert(id);
    }

    /// Those that a workload keeps away from.
    pub(super) fn shunned_by(&self, id: &WorkloadId) -> BTreeSet<WorkloadId> {
        let apart = self.jobs.get(id).into_iter().flat_map(|job| &job.given.apart);
        let required = apart.filter(|relation| !relation.preferred);
        required.map(|relation| relation.workload.clone()).collect()
    }

    /// Who keeps away from a workload may be others than before.
    fn shun(&mut self, id: &WorkloadId) {
        let others = self.related.get(id).into_iter().flatten();
        let jobs = others.filter_map(|other| self.jobs.get(other));
        let by = jobs.flat_map(|job| {
            let apart = job.given.apart.iter();
            let from_it = apart.filter(|relation| !relation.preferred && relation.workload == *id);
            from_it.map(|relation| Relation {
                workload: job.given.name.clone(),
                ..relation.clone()
            })
        });
        let by: Vec<Relation> = by.collect();
        let Some(job) = self.jobs.get_mut(id).filter(|job| job.workload.shunned_by != by) else {
            return;
        };
        Arc::make_mut(job).shunned(by);
        self.dirty.insert(id.clone());
    }

    /// What is placed for targets that are not there any more is taken over by those that are new: a target that has another
    /// name is the same. Those in the same place first, then in order.
    fn rename_targets(&mut self, id: &WorkloadId, names: &[Arc<str>]) {
        let Some(job) = self.jobs.get(id).cloned() else {
            return;
        };
        let mut placement = self.table.placement(id);
        let is_placed = |name: &Arc<str>| placement.targets.contains_key(&**name);
        let new: Vec<Arc<str>> = job
            .names
            .iter()
            .filter(|name| !is_placed(name))
            .cloned()
            .collect();
        // What is to go anyhow is not taken over.
        let gone = placement.targets.iter().filter(|(name, placed)| {
            job.names.iter().all(|known| **known != ***name) && placed.values().any(|one| one.active() > 0)
        });
        let gone: Vec<String> = gone.map(|(name, _)| name.clone()).collect();
        if gone.is_empty() || new.is_empty() {
            return;
        }
        let place_of = |name: &str| names.iter().position(|known| **known == *name);
        let in_place = |name: &String| {
            let new_name = job.names.get(place_of(name)?)?;
            new.contains(new_name)
                .then(|| (name.clone(), Arc::clone(new_name)))
        };
        let mut pairs: Vec<(String, Arc<str>)> = gone.iter().filter_map(in_place).collect();
        let mut rest_of_gone: Vec<&String> = gone
            .iter()
            .filter(|name| pairs.iter().all(|(old, _)| old != *name))
            .collect();
        rest_of_gone.sort_by_key(|name| place_of(name));
        let rest_of_new: Vec<Arc<str>> = new
            .iter()
            .filter(|name| pairs.iter().all(|(_, new)| new != *name))
            .cloned()
            .collect();
        pairs.extend(rest_of_gone.into_iter().cloned().zip(rest_of_new));
        for (old, new) in &pairs {
            if let Some(placed) = placement.targets.remove(old) {
                placement.targets.insert(new.to_string(), placed);
            }
        }
        self.table.set(id, &placement);
    }

    /// Who is entangled with a workload may not be any more, or be from now on: those that run beside it, by way of others
    /// too.
    fn touch_entangled(&mut self, id: &WorkloadId) {
        self.dirty.extend(self.entangled.iter().cloned());
        let mut next = vec![id.clone()];
        let mut seen = BTreeSet::from([id.clone()]);
        while let Some(id) = next.pop() {
            for other in self.related.get(&id).into_iter().flatten() {
                if self.jobs.contains_key(other) && seen.insert(other.clone()) {
                    next.push(other.clone());
                }
            }
        }
        self.dirty.extend(seen);
    }

    /// A workload is not wanted any more: it frees its place; where there must never be two of it, once it is known to be
    /// stopped.
    pub fn remove(&mut self, id: &WorkloadId) {
        self.count_seats(id, Room::give);
        let unclaimed = self.unclaimed.remove(id);
        let known = self.jobs.get(id).cloned().or(unclaimed);
        let fenced = known.filter(|job| self.is_fenced(&job.workload));
        let fenced = fenced.filter(|_| !self.table.placement(id).targets.is_empty());
        self.unrelate(id);
        let shunned = self.shunned_by(id);
        self.free_all(id);
        self.unbook(id);
        self.forget_history(id);
        self.jobs.remove(id);
        if let Some(job) = fenced {
            self.removed.insert(id.clone(), job);
        }
        if self.removed.contains_key(id) {
            self.count_seats(id, Room::take);
        } else {
            self.table.remove(id);
        }
        for other in shunned {
            self.shun(&other);
        }
        self.finished.remove(id);
        self.entangled.remove(id);
        self.dirty.extend(self.entangled.iter().cloned());
        for set in [
            &mut self.dirty,
            &mut self.pending,
            &mut self.short,
            &mut self.everywhere,
            &mut self.open,
        ] {
            set.remove(id);
        }
        self.touch_related(id);
    }

    /// A cluster is in another state than before.
    ///
    /// # Errors
    /// When it is not in the fleet: see [`set_fleet`](Self::set_fleet).
    pub fn set_cluster(&mut self, cluster: ClusterInfo) -> Result<(), InvalidFleet> {
        let old = self.fleet.get(cluster.name()).cloned();
        let slot = self.fleet.replace(cluster)?;
        let new = self.fleet.at(slot);
        let Some(old) = old.filter(|old| old != new) else {
            return Ok(());
        };
        let is_meant_otherwise =
            old.cluster.labels != new.cluster.labels || old.cluster.properties != new.cluster.properties;
        let is_observed_otherwise = old.capacity != new.capacity;
        let may_help = new.is_in_contact()
            && (is_meant_otherwise
                || is_observed_otherwise
                || old.cluster != new.cluster
                || !old.is_in_contact());
        if is_meant_otherwise {
            self.answers.refresh_meant(slot, new);
        }
        if is_observed_otherwise {
            self.observe(slot);
        }
        self.refresh(slot);
        let new = self.fleet.at(slot);
        if is_meant_otherwise || old.lost_since().is_some() != new.lost_since().is_some() {
            let storm = self.storm_now();
            // Who waited for the end of a storm waits no more.
            if storm != self.storm {
                self.freed.insert(slot);
            }
            self.storm = storm;
        }
        let is_only_observed = old.cluster == new.cluster && old.contact == new.contact;
        self.touch_there(slot, is_only_observed);
        if is_meant_otherwise {
            // Which clusters are meant, and how domains are filled, may be otherwise everywhere.
            self.wake();
        } else {
            self.touch_everywhere(slot);
        }
        if may_help || !is_only_observed {
            // Who waits for something of a cluster that is worse now may do without.
            self.freed.insert(slot);
        }
        Ok(())
    }

    /// Other clusters are in the fleet than before, or other data and scores: everything is looked at again.
    pub fn set_fleet(&mut self, fleet: FleetView) {
        let placements = self.table.placements();
        let kept = self.kept_for_failures();
        self.fleet = fleet;
        self.answers.clear();
        self.table = PlacementTable::of(&self.fleet, &placements);
        self.reset_room();
        self.keep_again(kept);
        self.forget_who_left();
        self.look_who_left();
        self.dirty = self.jobs.keys().cloned().collect();
        self.freed.clear();
    }

    /// Clusters that had left are back, or nothing is placed there any more. Not while a round goes on: what has left them in
    /// it may be taken back, and they are missed since they were.
    pub(super) fn forget_who_left(&mut self) {
        let gone = self.table.all_gone();
        self.left.retain(|name, _| gone.contains(&**name));
    }

    /// Clusters may have left although something is placed there.
    pub(super) fn look_who_left(&mut self) {
        for name in self.table.all_gone() {
            self.left.entry(name.to_owned()).or_default();
        }
        self.storm = self.storm_now();
    }

    /// What was on clusters that have left may be gone from there; those that are missed for the first time are missed since
    /// now.
    pub(super) fn watch_who_left(&mut self, now: Tick) {
        if self.left.is_empty() && self.storm.is_as_it_was(|slot| self.is_empty(slot)) {
            return;
        }
        let storm = self.storm.clone();
        self.look_who_left();
        if storm != self.storm {
            self.freed.extend(0..self.fleet.len());
        }
        for since in self.left.values_mut() {
            since.get_or_insert(now);
        }
    }

    /// Where too much looks lost now.
    fn storm_now(&self) -> Storm {
        let is_empty = |slot| self.is_empty(slot);
        let left = self.table.all_gone().len();
        self.options.storm.look(&self.fleet, left, is_empty)
    }

    /// Whether nothing that counts is on a cluster.
    fn is_empty(&self, slot: Slot) -> bool {
        let mut on = self.table.seats_on(slot);
        on.all(|seat| seat.assignment.active() == 0)
    }

    /// Since when a cluster is not in the fleet any more.
    pub(super) fn left_since(&self, cluster: &str) -> Tick {
        self.left.get(cluster).copied().flatten().unwrap_or(self.now)
    }

    /// Estimators may say otherwise than before: what has no place is looked at again.
    pub fn ask_estimators(&mut self) {
        let waiting = self.pending.iter().chain(&self.short).cloned();
        self.dirty.extend(waiting);
    }

    /// A cluster may take more than before: whoever has no place, or waits, is looked at again, and whoever is to be on
    /// every cluster.
    pub(super) fn wake(&mut self) {
        self.freed.extend(0..self.fleet.len());
        self.dirty.extend(self.everywhere.iter().cloned());
    }

    pub(super) fn unrelate(&mut self, id: &WorkloadId) {
        let Some(job) = self.jobs.get(id) else { return };
        for other in job.workload.related() {
            if let Some(related) = self.related.get_mut(other) {
                related.remove(id);
            }
        }
    }

    /// Asks again what is said of a cluster.
    pub(super) fn refresh(&mut self, slot: Slot) {
        let mut answers = std::mem::take(&mut self.answers);
        answers.refresh(slot, self.view(Tick(0)));
        self.answers = answers;
    }
}
