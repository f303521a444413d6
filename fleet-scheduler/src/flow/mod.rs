//! Minimum cost flow in integers, and the division of one workload over clusters built on it.
//!
//! A [`Network`] has nodes `0..n` and directed arcs, each with a capacity and a cost per unit. [`Network::solve`]
//! sends an amount from a source to a sink as cheaply as possible, or as much of it as fits. [`Division`] says how
//! the replicas of one workload are divided over clusters, and is solved as such a network.
//!
//! ```
//! use fleet_scheduler::flow::Network;
//!
//! let mut network = Network::new(3);
//! let cheap = network.arc(0, 1, 5, 1)?;
//! let dear = network.arc(0, 1, u64::MAX, 3)?;
//! network.arc(1, 2, 8, 0)?;
//! let flow = network.solve(0, 2, 1_000_000_000)?;
//! assert_eq!((flow.sent, flow.cost), (8, 5 * 1 + 3 * 3));
//! assert_eq!((flow.on(cheap), flow.on(dear)), (5, 3));
//! # Ok::<(), fleet_scheduler::flow::FlowError>(())
//! ```

mod divide;
mod residual;

pub use divide::{Candidate, Divided, Division, DivisionError, Domain, DomainId, Limit, Share, Step};

use residual::Residual;

/// Nodes and arcs through which units flow.
///
/// Arcs are directed. Several arcs may join the same two nodes: parallel arcs of growing cost are how a convex cost is
/// said. Costs may be negative as long as no cycle of arcs with capacity costs less than nothing.
#[derive(Clone, Debug)]
pub struct Network {
    nodes: usize,
    arcs: Vec<Arc>,
    phases: Option<u64>,
}

#[derive(Clone, Debug)]
struct Arc {
    from: usize,
    to: usize,
    capacity: u64,
    cost: i64,
}

/// An arc of the [`Network`] that returned it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArcId(usize);

/// A cheapest flow.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flow {
    /// Units that reach the sink: the amount asked for, or all that fits if that is less.
    pub sent: u64,
    /// What they cost: the sum over all arcs of units times cost per unit.
    pub cost: i128,
    /// Rounds of the search that it took, at most the limit of the network.
    pub phases: u64,
    on: Vec<u64>,
}

impl Flow {
    /// Units on an arc of the network that was solved; none on an arc it does not have.
    pub fn on(&self, arc: ArcId) -> u64 {
        self.on.get(arc.0).copied().unwrap_or(0)
    }
}

/// Why a network has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FlowError {
    /// A node is named that the network was not made with: make it larger.
    #[error("node {node} is not in a network of {nodes} nodes")]
    UnknownNode {
        /// The node.
        node: usize,
        /// How many nodes there are, named from 0.
        nodes: usize,
    },
    /// Source and sink are the same node, so no amount means anything.
    #[error("node {node} is both source and sink")]
    SourceIsSink {
        /// The node.
        node: usize,
    },
    /// Arcs with capacity form a cycle of negative cost. Fill such cycles first, or mend the costs.
    #[error("a cycle of negative cost passes through node {node}")]
    NegativeCycle {
        /// A node on the cycle.
        node: usize,
    },
    /// The total cost does not fit in 128 bits: use smaller costs or amounts.
    #[error("the cost of the flow does not fit in 128 bits")]
    Overflow,
    /// The search was given up after so many phases. Raise [`Network::limit_phases`], or use rounder costs: each
    /// different cost of a path takes at least one phase.
    #[error("no cheapest flow found within {limit} phases")]
    TooManyPhases {
        /// The limit.
        limit: u64,
    },
}

impl Network {
    /// A network of nodes `0..nodes` without arcs.
    pub fn new(nodes: usize) -> Self {
        Self {
            nodes,
            arcs: Vec::new(),
            phases: None,
        }
    }

    /// Adds an arc that takes `capacity` units at `cost` each.
    ///
    /// # Errors
    ///
    /// [`FlowError::UnknownNode`].
    pub fn arc(&mut self, from: usize, to: usize, capacity: u64, cost: i64) -> Result<ArcId, FlowError> {
        self.known(from)?;
        self.known(to)?;
        self.arcs.push(Arc {
            from,
            to,
            capacity,
            cost,
        });
        Ok(ArcId(self.arcs.len() - 1))
    }

    /// Bounds the work of [`Network::solve`]: a phase is one search for shortest paths over all arcs, and fills all
    /// paths of one cost and one number of arcs.
    ///
    /// Without it the limit is `1,000 + 16 · (nodes + arcs)`. Where flow never has to be taken back, as in a
    /// [`Division`], phases are no more than arcs. Networks made to be hard can need exponentially many.
    pub fn limit_phases(&mut self, limit: u64) {
        self.phases = Some(limit);
    }

    /// A cheapest way to send `amount` units from `source` to `sink`, or as many as fit.
    ///
    /// The whole of what can be sent is sent, whatever it costs; give units that may stay behind an arc of their own
    /// from source to sink. Of equally cheap paths those with fewer arcs are filled first, and of these the one whose
    /// arcs were added first. The same network gives the same flow on every machine.
    ///
    /// Successive shortest paths with node potentials (Ahuja, Magnanti, Orlin: *Network Flows*, section 9.7), where
    /// each phase fills all shortest paths at once by a blocking flow (Dinic). Work depends on the number of different
    /// path costs and not on the number of units.
    ///
    /// # Errors
    ///
    /// Every [`FlowError`].
    pub fn solve(&self, source: usize, sink: usize, amount: u64) -> Result<Flow, FlowError> {
        self.known(source)?;
        self.known(sink)?;
        if source == sink {
            return Err(FlowError::SourceIsSink { node: source });
        }
        let size = self.nodes.saturating_add(self.arcs.len()) as u64;
        let limit = self
            .phases
            .unwrap_or(size.saturating_mul(16).saturating_add(1_000));
        let mut residual = Residual::new(self)?;
        let mut sent = 0;
        let mut phases = 0;
        while sent < amount && residual.search(source, sink) {
            if phases == limit {
                return Err(FlowError::TooManyPhases { limit });
            }
            phases += 1;
            sent += residual.fill(source, sink, amount - sent);
        }
        let on = residual.flow();
        let cost = self.cost(&on).ok_or(FlowError::Overflow)?;
        Ok(Flow {
            sent,
            cost,
            phases,
            on,
        })
    }

    fn cost(&self, on: &[u64]) -> Option<i128> {
        // A product of 64 by 63 bits always fits, only the sum may not.
        let costs = self
            .arcs
            .iter()
            .zip(on)
            .map(|(arc, units)| i128::from(*units) * i128::from(arc.cost));
        costs.into_iter().try_fold(0_i128, i128::checked_add)
    }

    fn known(&self, node: usize) -> Result<(), FlowError> {
        if node < self.nodes {
            Ok(())
        } else {
            Err(FlowError::UnknownNode {
                node,
                nodes: self.nodes,
            })
        }
    }
}
