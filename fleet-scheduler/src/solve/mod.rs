//! Places several workloads at once: a search off the fast path, for when one decision after the other gets stuck.

pub(crate) mod random;
mod repack;
mod search;
mod state;

pub use search::{Effort, improve};

/// Several workloads that compete for the room of several clusters. Lists are by workload, then by cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Problem {
    /// What is free on each cluster when none of these workloads is there, by resource.
    pub free: Vec<Vec<i64>>,
    /// The workloads.
    pub workloads: Vec<Contender>,
}

/// One workload of a [`Problem`].
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Contender {
    /// How many replicas are wanted.
    pub wanted: u64,
    /// What a replica asks for, by resource.
    pub needs: Vec<i64>,
    /// What a replica costs on each cluster.
    pub costs: Vec<i64>,
    /// The most that each cluster may have; 0 where it cannot be.
    pub most: Vec<u64>,
    /// What is on each cluster now: that much costs no move.
    pub before: Vec<u64>,
    /// What moving, or starting, a replica costs.
    pub move_price: i64,
    /// What a replica without a place costs.
    pub short_price: i64,
}

/// Replicas by workload, then by cluster.
pub type Places = Vec<Vec<u64>>;

impl Problem {
    /// These clusters, by what is free on each of them of each resource.
    pub fn new(free: Vec<Vec<i64>>) -> Self {
        Self {
            free,
            workloads: Vec::new(),
        }
    }

    /// With this workload, too.
    #[must_use]
    pub fn contender(mut self, contender: Contender) -> Self {
        self.workloads.push(contender);
        self
    }

    /// What places cost: what has no place, what moves, and what runs.
    pub fn cost(&self, places: &Places) -> i128 {
        let of = |(contender, row): (&Contender, &Vec<u64>)| {
            let placed: u64 = row.iter().sum();
            let short =
                i128::from(contender.wanted.saturating_sub(placed)) * i128::from(contender.short_price);
            let of_cluster = |cluster: usize| {
                let moved = row[cluster].saturating_sub(contender.before[cluster]);
                i128::from(row[cluster]) * i128::from(contender.costs[cluster])
                    + i128::from(moved) * i128::from(contender.move_price)
            };
            short + (0..row.len()).map(of_cluster).sum::<i128>()
        };
        self.workloads.iter().zip(places).map(of).sum()
    }
}

impl Contender {
    /// So many replicas, each of which asks for this.
    pub fn new(wanted: u64, needs: Vec<i64>) -> Self {
        Self {
            wanted,
            needs,
            short_price: 1_000,
            ..Self::default()
        }
    }

    /// On each cluster: what a replica costs, how many may be there, and how many are.
    #[must_use]
    pub fn clusters(mut self, list: impl IntoIterator<Item = (i64, u64, u64)>) -> Self {
        for (cost, most, before) in list {
            self.costs.push(cost);
            self.most.push(most);
            self.before.push(before);
        }
        self
    }

    /// What moving a replica costs, and what it costs that one has no place.
    #[must_use]
    pub fn prices(mut self, move_price: i64, short_price: i64) -> Self {
        (self.move_price, self.short_price) = (move_price, short_price);
        self
    }
}
