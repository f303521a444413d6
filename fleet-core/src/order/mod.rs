//! Who waits for whom, found in the objects of an inventory themselves.
//!
//! An [`Order`] is made once of an inventory, in time that grows with its size (and a logarithm). It knows
//!
//! - what every object waits for, and [why](Cause): its namespace, the CRD of its kind, what its pods run as, mount and
//!   name, the role a binding binds, what answers for webhooks and aggregated APIs, and what annotations say;
//! - [what that must have come to](Cause::needs): most things need only be there, CRDs, backends and what annotations
//!   name must be healthy;
//! - what cannot be kept: [circles](Order::cycles), and annotations that say nonsense, each [with its
//!   reason](Order::block). Nothing of a circle is applied, nor what waits for it.
//!
//! [`Progress`] says as things come about what is ready to be applied, [`Removal`] what may be deleted, in the opposite
//! order. All of it depends on the objects alone, not on the order in which they are listed.
//!
//! # Annotations
//!
//! `<domain>/depends-on` names other objects of the inventory as `group/Kind/namespace/name`, parts they have not left
//! empty (`/Namespace//shop`, `apps/Deployment/shop/web`), separated by commas or line ends. `<domain>/wave` is a whole
//! number: an object waits for all of smaller waves. Without it an object is of wave 0, or of that of the first object
//! that does not work without it: the namespace of something in wave -1 is of wave -1.
//!
//! # What counts where causes contradict one another
//!
//! What is read from objects is a guess at what works; it never holds up what was applied fine without an order. So
//! circles among guesses are undone ([`Order::dropped`] tells what was dropped), and a guess that is merely better
//! (marked so below) gives way to an annotation. A circle that is left has an annotation in it.
//!
//! | who waits | for what | |
//! |---|---|---|
//! | everything in a namespace | the Namespace | |
//! | a custom resource | the CRD of its kind, healthy | |
//! | what an aggregated API serves | its APIService, healthy | |
//! | an APIService, webhook configurations | the backend's Service; what has pods that it selects, healthy | |
//! | pods, and what has a pod template | ServiceAccount (`default`, too), ConfigMaps, Secrets, claims, resource claims, PriorityClass, RuntimeClass | |
//! | the same | bindings of the account; what is optional; Secrets to pull images with; LimitRanges; CSIDriver | better |
//! | a binding | its Role or ClusterRole | |
//! | a Secret that is a token | its ServiceAccount | |
//! | a ServiceAccount | Secrets to pull images with (not those it lists as `secrets`: these may be its tokens) | better |
//! | claims, volumes, Ingresses | their classes, drivers, volumes and sources | better |
//! | a StatefulSet | the Service that governs it | better |
//! | a ResourceQuota | everything else in its namespace | better |
//!
//! Left out on purpose: Services before what calls them, and what autoscalers, disruption budgets and Ingresses point
//! at, which come right in any order; a CRD's conversion webhook, whose backend is often what needs the CRD; bindings of
//! groups.

mod build;
mod cause;
mod cycle;
mod declared;
mod graph;
mod pods;
mod progress;
mod references;
mod removal;
mod settle;
mod tangles;

use std::{collections::BTreeMap, fmt};

use fleet_diff::{Object, ObjectKey};

pub use cause::{Cause, Edge, Needs};
pub use cycle::{Block, Cycle};
pub use declared::{OrderFault, REFERENCES_MAX};
pub use progress::{Hope, Progress, Reached, Turn};
pub use removal::Removal;

use graph::{Arrow, At, Graph};
use settle::Settled;
use tangles::Tangles;

/// Who waits for whom among the objects of an inventory. See [the module](crate::order).
pub struct Order {
    /// Sorted.
    keys: Box<[ObjectKey]>,
    waves: Box<[i32]>,
    /// For whom each node waits.
    ahead: Graph,
    /// Who waits for each node.
    behind: Graph,
    tangles: Tangles,
    cycles: Vec<Cycle>,
    faults: BTreeMap<At, OrderFault>,
    /// Of what cannot be applied: whose fault that is.
    culprits: BTreeMap<At, At>,
    dropped: Vec<(At, At, Cause)>,
    /// Objects that are, or make, pods.
    makes_pods: Box<[bool]>,
}

impl Order {
    /// Of objects whose keys are those they have in the cluster: with a namespace if, and only if, their kind has
    /// namespaces. Of objects with the same key the first one counts. `domain` is that of the annotations.
    pub fn new<'a>(objects: impl IntoIterator<Item = &'a Object>, domain: &str) -> Self {
        let found = build::find(objects, domain);
        let Settled {
            graph: ahead,
            dropped,
            tangles,
        } = settle::settle(Graph::new(found.nodes, found.arrows));
        let behind = ahead.reversed();
        let mut order = Self {
            cycles: cycle::explain(&ahead, &tangles, &found.keys),
            culprits: BTreeMap::new(),
            keys: found.keys.into(),
            waves: found.waves.into(),
            faults: found.faults,
            makes_pods: found.makes_pods.into(),
            ahead,
            behind,
            tangles,
            dropped,
        };
        order.culprits = order.find_culprits();
        order
    }

    /// How many objects.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// True without any object.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }

    /// For whom an object waits, and why: nothing if it is not listed. One object may be named with several causes.
    pub fn waits_for(&self, key: &ObjectKey) -> impl Iterator<Item = Edge<'_>> {
        let at = self.find(key);
        at.into_iter().flat_map(move |from| {
            let walk = Walk::new(&self.ahead, self.keys.len(), from);
            walk.map(move |(to, cause)| self.edge(from, to, cause))
        })
    }

    /// Who waits for an object, and why.
    pub fn dependents(&self, key: &ObjectKey) -> impl Iterator<Item = Edge<'_>> {
        let at = self.find(key);
        at.into_iter().flat_map(move |to| {
            let walk = Walk::new(&self.behind, self.keys.len(), to);
            walk.map(move |(from, cause)| self.edge(from, to, cause))
        })
    }

    /// The wave of an object: 0 if it says none, or says nonsense, or is not listed; less if something of an earlier wave
    /// needs it.
    pub fn wave(&self, key: &ObjectKey) -> i32 {
        self.find(key).map_or(0, |at| self.waves[at as usize])
    }

    /// All circles.
    pub fn cycles(&self) -> &[Cycle] {
        &self.cycles
    }

    /// The circle an object is in.
    pub fn cycle_of(&self, key: &ObjectKey) -> Option<&Cycle> {
        let tangle = self.tangles.of[self.find(key)? as usize];
        self.cycles.get(tangle as usize)
    }

    /// Why an object cannot be applied at all in this inventory, if so.
    pub fn block(&self, key: &ObjectKey) -> Option<Block<'_>> {
        let at = self.find(key)?;
        let culprit = *self.culprits.get(&at)?;
        if let Some(fault) = self.faults.get(&at) {
            return Some(Block::Fault(fault));
        }
        if let Some(cycle) = self.cycle_of(key) {
            return Some(Block::Cycle(cycle));
        }
        let is_on_the_way = |(to, _): &(At, Cause)| self.culprits.get(to) == Some(&culprit);
        let (to, cause) = Walk::new(&self.ahead, self.keys.len(), at).find(is_on_the_way)?;
        Some(Block::Behind {
            edge: self.edge(at, to, cause),
            culprit: &self.keys[culprit as usize],
        })
    }

    /// What would have been waited for, had it not contradicted something: in the order in which it was dropped.
    pub fn dropped(&self) -> impl Iterator<Item = Edge<'_>> {
        self.dropped.iter().flat_map(move |(from, to, cause)| {
            let objects = self.keys.len();
            let through =
                (*from as usize >= objects).then(|| Walk::saying(&self.behind, objects, *from, Some(*cause)));
            let itself = through.is_none().then_some(*from);
            let waiting = through.into_iter().flatten().map(|(from, _)| from);
            waiting
                .chain(itself)
                .filter(move |from| from != to)
                .map(move |from| self.edge(from, *to, *cause))
        })
    }

    fn find(&self, key: &ObjectKey) -> Option<At> {
        At::try_from(self.keys.binary_search(key).ok()?).ok()
    }

    fn edge(&self, from: At, to: At, cause: Cause) -> Edge<'_> {
        Edge {
            from: &self.keys[from as usize],
            on: &self.keys[to as usize],
            cause,
        }
    }

    /// Everything that waits for a circle or for an object with a fault, and for which.
    fn find_culprits(&self) -> BTreeMap<At, At> {
        if self.cycles.is_empty() && self.faults.is_empty() {
            return BTreeMap::new();
        }
        let of_nodes = 0..At::try_from(self.keys.len()).unwrap_or(At::MAX);
        let is_blocked =
            |at: &At| self.tangles.of[*at as usize] != tangles::NONE || self.faults.contains_key(at);
        let mut culprits: BTreeMap<At, At> = of_nodes.filter(is_blocked).map(|at| (at, at)).collect();
        let mut queue: std::collections::VecDeque<(At, At)> =
            culprits.iter().map(|(at, culprit)| (*at, *culprit)).collect();
        while let Some((at, culprit)) = queue.pop_front() {
            for arrow in self.behind.of(at) {
                culprits.entry(arrow.to).or_insert_with(|| {
                    queue.push_back((arrow.to, culprit));
                    culprit
                });
            }
        }
        culprits
    }
}

impl fmt::Debug for Order {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Order({} objects, {} arrows)", self.len(), self.ahead.len())
    }
}

/// From one object along arrows to the next objects, through hubs.
struct Walk<'g> {
    graph: &'g Graph,
    objects: usize,
    /// The arrows of hubs on the way, and what the arrow that led there says.
    way: Vec<(std::slice::Iter<'g, Arrow>, Option<Cause>)>,
}

impl<'g> Walk<'g> {
    fn new(graph: &'g Graph, objects: usize, from: At) -> Self {
        Self::saying(graph, objects, from, None)
    }

    /// After an arrow that said this.
    fn saying(graph: &'g Graph, objects: usize, from: At, told: Option<Cause>) -> Self {
        Self {
            graph,
            objects,
            way: vec![(graph.of(from).iter(), told)],
        }
    }
}

impl Iterator for Walk<'_> {
    type Item = (At, Cause);

    fn next(&mut self) -> Option<(At, Cause)> {
        loop {
            let (arrows, told) = self.way.last_mut()?;
            let told = *told;
            let Some(arrow) = arrows.next() else {
                self.way.pop();
                continue;
            };
            let cause = arrow.cause.or(told);
            if (arrow.to as usize) < self.objects {
                if let Some(cause) = cause {
                    return Some((arrow.to, cause));
                }
            } else {
                self.way.push((self.graph.of(arrow.to).iter(), cause));
            }
        }
    }
}
