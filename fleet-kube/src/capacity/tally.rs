//! The sums.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::{Capacity, Resources, Tick};

use super::{
    nodes::Node,
    pods::{Place, Pod},
};

/// What nodes offer and pods ask for. First all nodes, then all pods.
pub(super) struct Tally<'a> {
    tolerated: &'a BTreeSet<String>,
    /// Nodes that count, by name.
    nodes: BTreeMap<String, Room>,
    left_out: u32,
    waiting: Resources,
}

struct Room {
    offered: Resources,
    taken: Resources,
}

impl<'a> Tally<'a> {
    /// Of nothing yet. Taints of these keys keep no node out.
    pub(super) fn new(tolerated: &'a BTreeSet<String>) -> Self {
        Self {
            tolerated,
            nodes: BTreeMap::new(),
            left_out: 0,
            waiting: Resources::new(),
        }
    }

    pub(super) fn node(&mut self, node: Node) {
        if !node.takes_pods(self.tolerated) {
            self.left_out = self.left_out.saturating_add(1);
            return;
        }
        let room = Room {
            offered: node.status.allocatable.0,
            taken: Resources::new(),
        };
        self.nodes.insert(node.metadata.name, room);
    }

    /// On a node that does not count, it takes nothing of what is counted.
    pub(super) fn pod(&mut self, pod: &Pod) {
        match pod.place() {
            Place::Node(name) => {
                if let Some(room) = self.nodes.get_mut(name) {
                    room.taken.grow(&pod.requests());
                }
            }
            Place::Waiting => self.waiting.grow(&pod.requests()),
            Place::Nowhere => {}
        }
    }

    /// The sums over all, read at this moment.
    pub(super) fn capacity(self, at: Tick) -> Capacity {
        let (mut offered, mut gap) = (Resources::new(), Resources::new());
        let mut taken = self.waiting;
        let nodes = u32::try_from(self.nodes.len()).unwrap_or(u32::MAX);
        for room in self.nodes.into_values() {
            gap.raise_to(&room.offered.less(&room.taken));
            offered.grow(&room.offered);
            taken.grow(&room.taken);
        }
        let mut capacity = Capacity::new(offered, taken, at);
        capacity.largest_gap = gap;
        (capacity.nodes, capacity.nodes_left_out) = (nodes, self.left_out);
        capacity
    }
}
