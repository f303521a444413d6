//! How much may move in a time: a hard promise.

use std::collections::{BTreeMap, VecDeque};

use fleet_core::{Millis, Tick};
use serde::{Deserialize, Serialize};

use crate::model::{MovePolicy, WorkloadId};

/// So many replicas in so long: in any span of that length, never more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Rate {
    /// How many replicas.
    pub limit: u64,
    /// In how long.
    pub per: Millis,
}

impl Rate {
    /// So many in so long.
    pub const fn new(limit: u64, per: Millis) -> Self {
        Self { limit, per }
    }
}

/// How many replicas may move, over the fleet and at each cluster, whatever the cause. Workloads have limits of their own.
///
/// What counts: a replica that is started on a cluster because it cannot, or shall not, be where it was. What does not:
/// the first placement, and growing or shrinking.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct Budgets {
    /// Over the whole fleet. Default: 1,000 an hour.
    pub fleet: Rate,
    /// Away from and to each cluster, together. Default: 200 an hour.
    pub cluster: Rate,
}

impl Default for Budgets {
    fn default() -> Self {
        Self {
            fleet: Rate::new(1_000, Millis::from_mins(60)),
            cluster: Rate::new(200, Millis::from_mins(60)),
        }
    }
}

impl Budgets {
    /// These limits of the fleet and of each cluster.
    pub fn new(fleet: Rate, cluster: Rate) -> Self {
        Self { fleet, cluster }
    }
}

/// Replicas that moved.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Move {
    /// When it was decided.
    pub at: Tick,
    /// Of which workload.
    pub workload: WorkloadId,
    /// Of which target.
    pub target: String,
    /// From where.
    pub from: String,
    /// To where.
    pub to: String,
    /// How many.
    pub replicas: u64,
    /// Why: `lost`, `left`, `drain`, `constraint`, `better`, `preempted`, `replace`, `room` (it makes room for something else).
    pub cause: String,
}

/// The moves of the past, as far back as a budget looks. To be kept beside the placements: without it, a new process
/// begins with full budgets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MoveLog {
    moves: VecDeque<Move>,
}

/// What is left of budgets at a moment.
pub(crate) struct Left<'a> {
    budgets: Budgets,
    fleet: u64,
    moves: &'a VecDeque<Move>,
    now: Tick,
    /// What was taken since, by cluster.
    taken: BTreeMap<String, u64>,
}

impl MoveLog {
    /// All moves that still count for some budget, oldest first.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.moves.iter()
    }

    pub(crate) fn record(&mut self, made: Move) {
        // Time may have been put back: the order is that of moments.
        let at = self.moves.partition_point(|one| one.at <= made.at);
        self.moves.insert(at, made);
    }

    /// Forgets what no budget looks back to.
    pub(crate) fn forget(&mut self, now: Tick, longest: Millis) {
        while self
            .moves
            .front()
            .is_some_and(|one| now.since(one.at) >= longest && one.at <= now)
        {
            self.moves.pop_front();
        }
    }

    /// What is left at a moment.
    pub(crate) fn left(&self, budgets: Budgets, now: Tick) -> Left<'_> {
        let counted = self
            .moves
            .iter()
            .filter(|one| counts(one, budgets.fleet.per, now));
        Left {
            budgets,
            fleet: counted.fold(budgets.fleet.limit, |left, one| left.saturating_sub(one.replicas)),
            moves: &self.moves,
            now,
            taken: BTreeMap::new(),
        }
    }

    /// How many replicas of a workload may still move, by its own limit.
    pub(crate) fn left_of(&self, workload: &WorkloadId, policy: &MovePolicy, now: Tick) -> u64 {
        let Some(limit) = policy.limit else {
            return u64::MAX;
        };
        let moved = self
            .moves
            .iter()
            .filter(|one| one.workload == *workload && counts(one, policy.per, now))
            .fold(0_u64, |sum, one| sum.saturating_add(one.replicas));
        limit.saturating_sub(moved)
    }

    /// When the next of these moves does not count any more for a budget of this length.
    pub(crate) fn next_free(&self, per: Millis, now: Tick) -> Option<Tick> {
        self.moves
            .iter()
            .find(|one| counts(one, per, now))
            .map(|one| one.at + per)
    }

    /// The last move of a workload that was made because another place was better.
    pub(crate) fn last_better(&self, workload: &WorkloadId) -> Option<Tick> {
        let is_it = |one: &&Move| one.workload == *workload && one.cause == "better";
        self.moves.iter().rev().find(is_it).map(|one| one.at)
    }
}

/// Whether a move counts for a budget of this length. What seems to be in the future counts: time was put back.
fn counts(one: &Move, per: Millis, now: Tick) -> bool {
    one.at > now || now.since(one.at) < per
}

impl Left<'_> {
    /// How many replicas may still move over the whole fleet.
    pub(crate) fn fleet(&self) -> u64 {
        self.fleet
    }

    /// So many move from one cluster to another.
    pub(crate) fn take(&mut self, from: &str, to: &str, replicas: u64) {
        self.fleet = self.fleet.saturating_sub(replicas);
        for cluster in [from, to] {
            let taken = self.taken.entry(cluster.to_owned()).or_default();
            *taken = taken.saturating_add(replicas);
        }
    }

    /// How many replicas may still move from one cluster, or to it.
    pub(crate) fn at(&self, cluster: &str) -> u64 {
        let (limit, per) = (self.budgets.cluster.limit, self.budgets.cluster.per);
        let is_here = |one: &&Move| one.from == cluster || one.to == cluster;
        let counted = self
            .moves
            .iter()
            .filter(is_here)
            .filter(|one| counts(one, per, self.now));
        let left = counted.fold(limit, |left, one| {
            let ends = u64::from(one.from == cluster) + u64::from(one.to == cluster);
            left.saturating_sub(one.replicas.saturating_mul(ends))
        });
        let taken = self.taken.get(cluster).copied().unwrap_or(0);
        left.saturating_sub(taken).min(self.fleet)
    }
}
