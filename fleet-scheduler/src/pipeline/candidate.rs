//! The clusters that are considered for one target of one workload: one, or many at once.

use fleet_core::Tick;

use crate::{
    model::{ClusterInfo, FleetView, Slot, Target, Workload},
    room::Room,
    table::PlacementTable,
};

/// One cluster that is considered for one target of one workload: all that a filter or scorer sees.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Candidate<'a> {
    /// What is to run.
    pub workload: &'a Workload,
    /// Which of its targets this is about.
    pub target: &'a Target,
    /// The cluster.
    pub cluster: &'a ClusterInfo,
    /// Its place in `fleet`.
    pub slot: Slot,
    /// How many replicas of this target are there already.
    pub current: u64,
    /// All clusters, with data and scores from outside.
    pub fleet: &'a FleetView,
    /// What is free, with everything decided so far taken off.
    pub room: &'a Room,
    /// What runs where, as decided so far.
    pub table: &'a PlacementTable,
    /// The moment of the decision.
    pub now: Tick,
}

impl<'a> Candidate<'a> {
    /// What the cluster's label of this key says; none: it has no such label.
    pub fn label(&self, key: &str) -> Option<&'a str> {
        self.cluster.cluster.labels.get(key).map(String::as_str)
    }

    /// What the cluster's property of this key says; none: it has no such property.
    pub fn property(&self, key: &str) -> Option<&'a str> {
        self.cluster.cluster.properties.get(key).map(String::as_str)
    }
}

/// Many clusters that are considered for one target of one workload at once: what filters and scorers see that prepare once
/// what all clusters need.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Candidates<'a> {
    /// What is to run.
    pub workload: &'a Workload,
    /// Which of its targets this is about.
    pub target: &'a Target,
    /// The clusters, by their places in `fleet`, and how many replicas of this target are on each already.
    pub at: &'a [(Slot, u64)],
    /// All clusters, with data and scores from outside.
    pub fleet: &'a FleetView,
    /// What is free, with everything decided so far taken off.
    pub room: &'a Room,
    /// What runs where, as decided so far.
    pub table: &'a PlacementTable,
    /// The moment of the decision.
    pub now: Tick,
}

impl<'a> Candidates<'a> {
    /// One after the other.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = Candidate<'a>> + use<'a> {
        let all = *self;
        self.at.iter().map(move |(slot, current)| Candidate {
            workload: all.workload,
            target: all.target,
            cluster: all.fleet.at(*slot),
            slot: *slot,
            current: *current,
            fleet: all.fleet,
            room: all.room,
            table: all.table,
            now: all.now,
        })
    }
}
