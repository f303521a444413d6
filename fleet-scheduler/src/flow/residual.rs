//! What is left of a network while flow is sent: the search for shortest paths, and filling them.

use super::{FlowError, Network};
use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// The residual network.
///
/// Arc `a` of the network is edge `2a` here, with what it can still take, and edge `2a + 1` backwards, with what can
/// be taken back. The two always add up to the arc's capacity, so neither overflows.
pub(super) struct Residual {
    to: Vec<usize>,
    /// By arc; backwards it is saved instead of paid.
    cost: Vec<i64>,
    left: Vec<u64>,
    /// Edges ordered by the node they leave, then by number; those of node `n` are at `first[n]..first[n + 1]`.
    edges: Vec<usize>,
    first: Vec<usize>,
    /// Makes the reduced cost `cost + potential[from] - potential[to]` of every edge with something left at least 0.
    /// A potential is at most the cost of a path without repeated nodes, far below 128 bits.
    potential: Vec<i128>,
    /// How far each node is from the source, by reduced cost and then by number of edges, since the last search.
    distance: Vec<Distance>,
}

type Distance = (i128, usize);

const UNREACHED: Distance = (i128::MAX, usize::MAX);

impl Residual {
    pub(super) fn new(network: &Network) -> Result<Self, FlowError> {
        let nodes = network.nodes;
        let (mut to, mut cost, mut left) = (Vec::new(), Vec::new(), Vec::new());
        let mut first = vec![0; nodes + 1];
        for arc in &network.arcs {
            to.extend([arc.to, arc.from]);
            cost.push(arc.cost);
            left.extend([arc.capacity, 0]);
            first[arc.from + 1] += 1;
            first[arc.to + 1] += 1;
        }
        for node in 0..nodes {
            first[node + 1] += first[node];
        }
        let mut place = first.clone();
        let mut edges = vec![0; to.len()];
        for edge in 0..to.len() {
            let from = to[edge ^ 1];
            edges[place[from]] = edge;
            place[from] += 1;
        }
        let (potential, distance) = (vec![0; nodes], vec![UNREACHED; nodes]);
        let mut residual = Self {
            to,
            cost,
            left,
            edges,
            first,
            potential,
            distance,
        };
        residual.make_costs_positive()?;
        Ok(residual)
    }

    /// Units on each arc.
    pub(super) fn flow(&self) -> Vec<u64> {
        self.left.iter().skip(1).step_by(2).copied().collect()
    }

    /// Finds the distance of nodes from `source` up to that of `sink`; false if nothing more can get there.
    ///
    /// Dijkstra's algorithm. Counting edges after costs makes every edge count for something, so that edges on shortest
    /// paths never form a cycle, and paths of one cost are filled in as few searches as in Dinic's algorithm.
    pub(super) fn search(&mut self, source: usize, sink: usize) -> bool {
        self.distance.fill(UNREACHED);
        self.distance[source] = (0, 0);
        let mut heap = BinaryHeap::from([Reverse(((0, 0), source))]);
        while let Some(Reverse((near, node))) = heap.pop() {
            if node == sink {
                break;
            }
            if near > self.distance[node] {
                continue;
            }
            for &edge in &self.edges[self.first[node]..self.first[node + 1]] {
                if self.left[edge] == 0 {
                    continue;
                }
                let next = self.to[edge];
                let cost = self.reduced(node, edge);
                debug_assert!(cost >= 0, "potentials must make every cost positive");
                let far = (near.0 + cost, near.1 + 1);
                if far < self.distance[next] {
                    self.distance[next] = far;
                    heap.push(Reverse((far, next)));
                }
            }
        }
        let (reach, edges) = self.distance[sink];
        if edges == usize::MAX {
            return false;
        }
        // Nodes beyond the sink move with it: their reduced costs stay at least 0, and the search could stop early.
        for (potential, (distance, _)) in self.potential.iter_mut().zip(&self.distance) {
            *potential += reach.min(*distance);
        }
        true
    }

    /// Sends up to `amount` along shortest paths until each has a full edge; returns what was sent.
    pub(super) fn fill(&mut self, source: usize, sink: usize, amount: u64) -> u64 {
        let mut sent = 0;
        let mut next = self.first.clone();
        let mut path: Vec<usize> = Vec::new();
        let mut node = source;
        loop {
            if node == sink {
                let units = path
                    .iter()
                    .map(|&edge| self.left[edge])
                    .min()
                    .unwrap_or(0)
                    .min(amount - sent);
                for &edge in &path {
                    self.left[edge] -= units;
                    self.left[edge ^ 1] += units;
                }
                sent += units;
                if sent == amount {
                    return sent;
                }
                // At least one edge of the path is full now: go on from where the first of them leaves.
                let kept = path.iter().position(|&edge| self.left[edge] == 0).unwrap_or(0);
                node = self.to[path[kept] ^ 1];
                path.truncate(kept);
            } else if next[node] == self.first[node + 1] {
                let Some(edge) = path.pop() else { return sent };
                node = self.to[edge ^ 1];
                next[node] += 1;
            } else {
                let edge = self.edges[next[node]];
                if self.is_on_shortest_path(node, edge) {
                    path.push(edge);
                    node = self.to[edge];
                } else {
                    next[node] += 1;
                }
            }
        }
    }

    fn is_on_shortest_path(&self, from: usize, edge: usize) -> bool {
        let hops = |node: usize| self.distance[node].1;
        self.left[edge] > 0
            && hops(from).checked_add(1) == Some(hops(self.to[edge]))
            && self.reduced(from, edge) == 0
    }

    fn reduced(&self, from: usize, edge: usize) -> i128 {
        self.cost(edge) + self.potential[from] - self.potential[self.to[edge]]
    }

    fn cost(&self, edge: usize) -> i128 {
        let cost = i128::from(self.cost[edge / 2]);
        if edge.is_multiple_of(2) { cost } else { -cost }
    }

    /// Sets the first potentials: the least cost of any path that ends in a node (Bellman and Ford).
    fn make_costs_positive(&mut self) -> Result<(), FlowError> {
        let nodes = self.potential.len();
        let mut came_by = vec![None; nodes];
        let mut changed = None;
        // Paths without repeated nodes are done after as many rounds as nodes, the last of which changes nothing.
        for _ in 0..nodes {
            changed = None;
            for edge in (0..self.to.len()).step_by(2) {
                let (from, to) = (self.to[edge ^ 1], self.to[edge]);
                if self.left[edge] > 0 && self.reduced(from, edge) < 0 {
                    self.potential[to] = self.potential[from] + self.cost(edge);
                    came_by[to] = Some(from);
                    changed = Some(to);
                }
            }
            if changed.is_none() {
                return Ok(());
            }
        }
        let Some(mut node) = changed else { return Ok(()) };
        // The node may only hang on the cycle: so many steps back lead into it.
        for _ in 0..nodes {
            node = came_by[node].unwrap_or(node);
        }
        Err(FlowError::NegativeCycle { node })
    }
}
