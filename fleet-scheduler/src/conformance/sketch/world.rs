//! A world: everything that parts see, made of a sketch.

use std::collections::BTreeMap;

use fleet_core::{Cluster, Tick};

use super::{Naming, Sketch, workloads::unit};
use crate::{
    model::{Assignment, ClusterInfo, FleetView, Placement, Placements, Slot, Target, Workload},
    pipeline::Candidate,
    room::Room,
    table::PlacementTable,
};

/// Everything that parts see.
pub(in crate::conformance) struct World {
    pub(in crate::conformance) fleet: FleetView,
    pub(in crate::conformance) room: Room,
    pub(in crate::conformance) table: PlacementTable,
    pub(in crate::conformance) workloads: Vec<Workload>,
    pub(in crate::conformance) placements: Placements,
    /// By a cluster's number; none where it is left out.
    pub(in crate::conformance) slots: Vec<Option<Slot>>,
    pub(in crate::conformance) now: Tick,
    units: BTreeMap<Ask, u64>,
}

/// One question: this target of this workload on this cluster, by their numbers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(in crate::conformance) struct Ask {
    pub(in crate::conformance) workload: usize,
    pub(in crate::conformance) target: usize,
    pub(in crate::conformance) cluster: usize,
}

/// What a drawn cluster is called where nothing is renamed.
pub(super) fn drawn_name(cluster: usize) -> String {
    format!("c-{cluster:02}")
}

impl Sketch {
    /// The world of a sketch. Clusters and what is said of them are given in the order of their numbers, or the reverse: no
    /// answer may depend on that.
    pub(in crate::conformance) fn world(&self, is_reversed: bool) -> World {
        let mut clusters: Vec<(usize, ClusterInfo)> = (0..self.clusters.len())
            .filter_map(|at| Some((at, self.cluster(at)?)))
            .collect();
        if is_reversed {
            clusters.reverse();
        }
        let first = (self.naming == Naming::Shifted).then(|| ClusterInfo::new(Cluster::new("0")));
        let clusters = clusters.into_iter().map(|(_, info)| info);
        // Each cluster has a name of its own, so the fleet is valid.
        let mut fleet = FleetView::new(first.into_iter().chain(clusters)).unwrap_or_default();
        for (name, cluster, until) in in_order(&self.data, is_reversed) {
            fleet = fleet.data(name, [(self.name(*cluster), *until)]);
        }
        for (name, cluster, score, until) in in_order(&self.scores, is_reversed) {
            fleet = fleet.score(name, self.name(*cluster), *score, *until);
        }
        let workloads: Vec<Workload> = self
            .workloads
            .iter()
            .map(|workload| self.translated(workload))
            .collect();
        let (mut placements, mut units) = (Placements::new(), BTreeMap::new());
        for placed in &self.placed {
            let Some(target) = workloads[placed.workload].targets.get(placed.target) else {
                continue;
            };
            let assignment = Assignment::new(placed.units.saturating_mul(unit(target)), placed.since);
            let placement: &mut Placement = placements
                .entry(workloads[placed.workload].name.clone())
                .or_default();
            let target = target_name(target, placed.target);
            let clusters = placement.targets.entry(target).or_default();
            clusters.insert(self.name(placed.cluster), assignment);
            let ask = Ask {
                workload: placed.workload,
                target: placed.target,
                cluster: placed.cluster,
            };
            units.insert(ask, placed.units);
        }
        let slots = (0..self.clusters.len())
            .map(|at| fleet.slot(&self.name(at)))
            .collect();
        let mut world = World {
            room: Room::of(&fleet),
            table: PlacementTable::of(&fleet, &placements),
            fleet,
            workloads,
            placements,
            slots,
            now: self.now,
            units,
        };
        world.take_room();
        world
    }

    /// A cluster under its name.
    fn cluster(&self, at: usize) -> Option<ClusterInfo> {
        let mut info = self.clusters[at].as_ref()?.info.clone();
        info.cluster.name = self.name(at);
        Some(info)
    }

    /// What a cluster is called; also one that is left out.
    fn name(&self, cluster: usize) -> String {
        match &self.clusters[cluster] {
            Some(drawn) if drawn.is_brought => drawn.info.name().to_owned(),
            _ => match self.naming {
                Naming::AsDrawn => drawn_name(cluster),
                Naming::Turned => {
                    let count = self.clusters.len();
                    format!("y-{:02}", (count + 2 - cluster) % count)
                }
                Naming::Shifted => format!("x-{cluster:02}"),
            },
        }
    }

    /// A workload that names clusters as they are called.
    fn translated(&self, workload: &Workload) -> Workload {
        let mut workload = workload.clone();
        if self.naming == Naming::AsDrawn {
            return workload;
        }
        let names: BTreeMap<String, String> = (0..self.clusters.len())
            .map(|at| (drawn_name(at), self.name(at)))
            .collect();
        let translate = |name: &mut String| {
            if let Some(new) = names.get(name) {
                name.clone_from(new);
            }
        };
        for target in &mut workload.targets {
            target.clusters.iter_mut().for_each(translate);
            if let crate::Take::Divided { bounds, .. } = &mut target.take {
                let named = bounds.iter_mut().flat_map(|bound| bound.clusters.iter_mut());
                named.for_each(translate);
            }
        }
        workload
    }
}

impl World {
    /// Every question there is.
    pub(in crate::conformance) fn asks(&self) -> Vec<Ask> {
        let mut asks = Vec::new();
        for (workload, asked) in self.workloads.iter().enumerate() {
            for target in 0..asked.targets.len() {
                let there = self.slots.iter().enumerate().filter(|(_, slot)| slot.is_some());
                asks.extend(there.map(|(cluster, _)| Ask {
                    workload,
                    target,
                    cluster,
                }));
            }
        }
        asks
    }

    /// How many units are there already.
    pub(in crate::conformance) fn current(&self, ask: Ask) -> u64 {
        self.units.get(&ask).copied().unwrap_or(0)
    }

    /// The question as parts see it; none: the cluster is left out.
    pub(in crate::conformance) fn candidate(
        &self,
        ask: Ask,
        current: u64,
        now: Tick,
    ) -> Option<Candidate<'_>> {
        let slot = self.slots[ask.cluster]?;
        let workload = &self.workloads[ask.workload];
        Some(Candidate {
            workload,
            target: workload.targets.get(ask.target)?,
            cluster: self.fleet.at(slot),
            slot,
            current,
            fleet: &self.fleet,
            room: &self.room,
            table: &self.table,
            now,
        })
    }

    /// The question for people.
    pub(in crate::conformance) fn say(&self, ask: Ask) -> String {
        let slot = self.slots[ask.cluster];
        format!(
            "{} (target {}) on {}",
            self.workloads[ask.workload].name,
            ask.target + 1,
            slot.map_or("a cluster that is gone", |slot| self.fleet.at(slot).name())
        )
    }

    fn take_room(&mut self) {
        for (ask, units) in &self.units {
            let (workload, Some(slot)) = (&self.workloads[ask.workload], self.slots[ask.cluster]) else {
                continue;
            };
            let needs = self.room.needs(&workload.needs);
            let replicas = units.saturating_mul(unit(&workload.targets[ask.target]));
            self.room.take(slot, &needs, replicas);
        }
    }
}

/// What a target is called in decisions.
pub(in crate::conformance) fn target_name(target: &Target, at: usize) -> String {
    match target.name.as_str() {
        "" => (at + 1).to_string(),
        name => name.to_owned(),
    }
}

fn in_order<T>(list: &[T], is_reversed: bool) -> impl Iterator<Item = &T> {
    let count = list.len();
    (0..count).map(move |at| &list[if is_reversed { count - 1 - at } else { at }])
}
