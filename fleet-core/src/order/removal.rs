//! What may be deleted.

use std::{collections::BTreeSet, fmt, sync::Arc};

use fleet_diff::ObjectKey;

use super::{
    Order,
    graph::{At, Graph},
};

/// What may go, as objects are gone: each one after what waits for it. All objects of the order are to be deleted.
///
/// Custom resources go before pods, what makes pods, and Services, unless such a thing waits for one of them: among the
/// pods may be the controller that has to clean up, and without it their finalizers would stay for ever; and one that
/// converts them is reached through a Service. Objects in a
/// circle do not wait for one another, nor for what waits for them only as it does for many (by waves, say).
#[derive(Clone)]
pub struct Removal {
    order: Arc<Order>,
    gone: Vec<bool>,
    /// How many that are to go before each node are left.
    pending: Vec<u32>,
    /// Custom resources that are left.
    customs: u32,
    /// They are to be gone before these.
    held: Vec<bool>,
}

impl Removal {
    /// Everything is still there, and all of it goes.
    pub fn new(order: Arc<Order>) -> Self {
        Self::beside(order, &BTreeSet::new())
    }

    /// Everything is still there, and all but some of it goes. What stays holds back what it needs.
    pub fn beside(order: Arc<Order>, staying: &BTreeSet<ObjectKey>) -> Self {
        let (nodes, objects) = (order.ahead.nodes(), order.len());
        let mut pending = vec![0; nodes];
        for (from, arrow) in order.ahead.all() {
            if order.counts_for_removal(from, arrow.to) {
                pending[arrow.to as usize] += 1;
            }
        }
        let customs: Vec<At> = (0..)
            .zip(&order.keys)
            .filter(|(_, key)| is_custom(key) && !staying.contains(*key))
            .map(|(at, _)| at)
            .collect();
        let needing = reached_from(&order.behind, &customs);
        let held = (0..objects)
            .map(|at| (order.makes_pods[at] || order.keys[at].is("", "Service")) && !needing[at])
            .collect();
        let mut removal = Self {
            gone: vec![false; objects],
            customs: u32::try_from(customs.len()).unwrap_or(u32::MAX),
            pending,
            held,
            order,
        };
        let hubs = At::try_from(objects).unwrap_or(At::MAX)..At::try_from(nodes).unwrap_or(At::MAX);
        let unused: Vec<At> = hubs.filter(|hub| removal.pending[*hub as usize] == 0).collect();
        for hub in unused {
            removal.let_go(hub, &mut Vec::new());
        }
        removal
    }

    /// What may go now and is there.
    pub fn free(&self) -> impl Iterator<Item = &ObjectKey> {
        let keys = (0..).zip(&self.order.keys);
        keys.filter(|(at, _)| self.is_free(*at)).map(|(_, key)| key)
    }

    /// True when an object may go; also of one that is not among them.
    pub fn may_go(&self, key: &ObjectKey) -> bool {
        self.order
            .find(key)
            .is_none_or(|at| self.gone[at as usize] || self.is_free(at))
    }

    /// An object is gone. Tells what may go now and could not before.
    pub fn gone(&mut self, key: &ObjectKey) -> Vec<ObjectKey> {
        let Some(at) = self.order.find(key).filter(|at| !self.gone[*at as usize]) else {
            return Vec::new();
        };
        self.gone[at as usize] = true;
        let mut free = Vec::new();
        if is_custom(key) {
            self.customs -= 1;
            if self.customs == 0 {
                let held = (0..).zip(&self.held).filter(|(_, held)| **held).map(|(at, _)| at);
                free.extend(held.filter(|at| self.is_free(*at)));
            }
        }
        self.let_go(at, &mut free);
        free.sort_unstable();
        free.dedup();
        free.into_iter()
            .map(|at| self.order.keys[at as usize].clone())
            .collect()
    }

    fn is_free(&self, at: At) -> bool {
        !self.gone[at as usize]
            && self.pending[at as usize] == 0
            && (self.customs == 0 || !self.held[at as usize])
    }

    /// A node is gone; and with it, maybe, hubs that only it was to go before.
    fn let_go(&mut self, node: At, free: &mut Vec<At>) {
        let order = self.order.clone();
        let mut gone = vec![node];
        while let Some(node) = gone.pop() {
            for arrow in order.ahead.of(node) {
                if !order.counts_for_removal(node, arrow.to) {
                    continue;
                }
                let pending = &mut self.pending[arrow.to as usize];
                *pending -= 1;
                if *pending > 0 {
                    continue;
                }
                if arrow.to as usize >= self.gone.len() {
                    gone.push(arrow.to);
                } else if self.is_free(arrow.to) {
                    free.push(arrow.to);
                }
            }
        }
    }
}

impl Order {
    /// Not inside a circle: but a hub in one still stands for those that wait through it.
    fn counts_for_removal(&self, from: At, to: At) -> bool {
        to as usize >= self.len() || self.tangles.both(from, to).is_none()
    }
}

/// Groups of Kubernetes itself, of those with a dot (1.37).
const BUILT_IN: [&str; 17] = [
    "admissionregistration.k8s.io",
    "apiextensions.k8s.io",
    "apiregistration.k8s.io",
    "authentication.k8s.io",
    "authorization.k8s.io",
    "certificates.k8s.io",
    "coordination.k8s.io",
    "discovery.k8s.io",
    "events.k8s.io",
    "flowcontrol.apiserver.k8s.io",
    "internal.apiserver.k8s.io",
    "networking.k8s.io",
    "node.k8s.io",
    "rbac.authorization.k8s.io",
    "resource.k8s.io",
    "scheduling.k8s.io",
    "storage.k8s.io",
];

/// Of a kind that a CRD or an aggregated API defines.
fn is_custom(key: &ObjectKey) -> bool {
    key.group().contains('.') && !BUILT_IN.contains(&key.group())
}

/// These nodes, and all that can be reached from them.
fn reached_from(graph: &Graph, nodes: &[At]) -> Vec<bool> {
    let mut reached = vec![false; graph.nodes()];
    let mut left = nodes.to_vec();
    while let Some(node) = left.pop() {
        if !std::mem::replace(&mut reached[node as usize], true) {
            left.extend(graph.of(node).iter().map(|arrow| arrow.to));
        }
    }
    reached
}

impl fmt::Debug for Removal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let gone = self.gone.iter().filter(|gone| **gone).count();
        write!(f, "Removal({gone} of {} gone)", self.gone.len())
    }
}
