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

/// One workload of a [`Problem`]. Of clusters that a list does not name: nothing is there and nothing can be, and what
/// costs nothing costs 0; of resources: nothing is asked for.
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
    /// What moves takes the room of both places, so that it can run at the new one before it stops at the old one.
    pub start_first: bool,
    /// At least so many have a place, or as many as there are at first: nothing is worth as much.
    pub kept: u64,
}

/// So many times as much as another costs a replica without a place that must have one.
const KEPT: i128 = 1_000_000;

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
    /// Beyond an i128 it stays at the end of that range.
    pub fn cost(&self, places: &Places) -> i128 {
        let of = |(contender, row): (&Contender, &Vec<u64>)| {
            let placed = row.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
            contender.cost_if(row, contender.wanted.saturating_sub(placed))
        };
        let all = self.workloads.iter().zip(places).map(of);
        all.fold(0, i128::saturating_add)
    }
}

/// So many at this price: an i128 holds each product of these.
fn times(count: u64, price: i64) -> i128 {
    i128::from(count) * i128::from(price)
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

    /// What a replica costs on a cluster.
    fn cost(&self, cluster: usize) -> i64 {
        self.costs.get(cluster).copied().unwrap_or(0)
    }

    /// The most that a cluster may have.
    fn most(&self, cluster: usize) -> u64 {
        self.most.get(cluster).copied().unwrap_or(0)
    }

    /// What is on a cluster now.
    fn before(&self, cluster: usize) -> u64 {
        self.before.get(cluster).copied().unwrap_or(0)
    }

    /// What so many replicas on a cluster cost: to run, and to be started, as far as they are not there.
    fn runs(&self, cluster: usize, count: u64) -> i128 {
        let moved = count.saturating_sub(self.before(cluster));
        times(count, self.cost(cluster)).saturating_add(times(moved, self.move_price))
    }

    /// What these replicas cost, by cluster, and so many without a place.
    pub(crate) fn cost_if(&self, row: &[u64], short: u64) -> i128 {
        let runs = row
            .iter()
            .enumerate()
            .map(|(cluster, count)| self.runs(cluster, *count));
        runs.fold(self.lacks(short), i128::saturating_add)
    }

    /// How many replicas take room on a cluster if so many are to be there.
    fn occupies(&self, cluster: usize, count: u64) -> u64 {
        match self.start_first {
            true => count.max(self.before(cluster)),
            false => count,
        }
    }

    /// What so many without a place cost.
    fn lacks(&self, short: u64) -> i128 {
        let of_kept = short.saturating_sub(self.wanted.saturating_sub(self.kept));
        let kept = times(of_kept, self.short_price).saturating_mul(KEPT);
        times(short, self.short_price).saturating_add(kept)
    }

    /// How large a replica is, beside others.
    fn size(&self) -> i128 {
        self.needs.iter().copied().map(i128::from).sum()
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

    /// At least so many have a place.
    #[must_use]
    pub fn keeps(mut self, kept: u64) -> Self {
        self.kept = kept;
        self
    }

    /// What moving a replica costs, and what it costs that one has no place.
    #[must_use]
    pub fn prices(mut self, move_price: i64, short_price: i64) -> Self {
        (self.move_price, self.short_price) = (move_price, short_price);
        self
    }
}
