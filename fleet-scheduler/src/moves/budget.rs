//! How much may move in a time: a hard promise.

use std::collections::{BTreeMap, VecDeque};

use fleet_core::{Millis, Tick};
use serde::{Deserialize, Serialize};

use super::Cause;
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
    /// To where. Empty where that is not known: what has to give way to something more important (`preempted`) finds a new
    /// place only afterwards, if there is one; and a gate that is asked about old replicas whose move is not remembered any
    /// more, while nothing else of the workload runs, has a move to nowhere.
    pub to: String,
    /// How many.
    pub replicas: u64,
    /// Why.
    pub cause: Cause,
}

/// The moves of the past, as far back as a budget looks. To be kept beside the placements: without it, a new process
/// begins with full budgets.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(from = "VecDeque<Move>", into = "VecDeque<Move>")]
pub struct MoveLog {
    /// Oldest first.
    moves: VecDeque<Move>,
    of: BTreeMap<WorkloadId, Counts>,
    /// From and to each cluster.
    at: BTreeMap<String, Counts>,
    /// When each workload has moved last because another place was better.
    better: BTreeMap<WorkloadId, Tick>,
}

/// When how many replicas have moved, oldest first.
type Counts = VecDeque<(Tick, u64)>;

impl From<VecDeque<Move>> for MoveLog {
    fn from(moves: VecDeque<Move>) -> Self {
        let mut log = Self::default();
        moves.into_iter().for_each(|one| log.record(one));
        log
    }
}

impl From<MoveLog> for VecDeque<Move> {
    fn from(log: MoveLog) -> Self {
        log.moves
    }
}

/// What is left of budgets at a moment.
pub(crate) struct Left<'a> {
    budgets: Budgets,
    fleet: u64,
    log: &'a MoveLog,
    now: Tick,
    /// What was taken since, by cluster.
    taken: BTreeMap<String, u64>,
}

impl MoveLog {
    /// All moves that still count for some budget, oldest first.
    pub fn moves(&self) -> impl Iterator<Item = &Move> {
        self.moves.iter()
    }

    /// The moves of a workload, the latest first.
    pub(crate) fn latest(&self, workload: &WorkloadId) -> impl Iterator<Item = &Move> {
        let of_it = self
            .moves
            .iter()
            .rev()
            .filter(move |one| one.workload == *workload);
        // None of them is looked for in a long log.
        let count = self.of.get(workload).map_or(0, VecDeque::len);
        of_it.take(count)
    }

    /// A move was not made after all.
    pub(crate) fn take_back(&mut self, made: &Move) {
        let Some(at) = self.moves.iter().rposition(|one| one == made) else {
            return;
        };
        self.moves.remove(at);
        let one = (made.at, made.replicas);
        remove(&mut self.of, &made.workload, one);
        for cluster in [&made.from, &made.to] {
            remove(&mut self.at, cluster, one);
        }
    }

    pub(crate) fn record(&mut self, made: Move) {
        let one = (made.at, made.replicas);
        insert(self.of.entry(made.workload.clone()).or_default(), one);
        for cluster in [&made.from, &made.to] {
            insert(self.at.entry(cluster.clone()).or_default(), one);
        }
        if made.cause == Cause::Better {
            let last = self.better.entry(made.workload.clone()).or_default();
            *last = made.at.max(*last);
        }
        // Time may have been put back: the order is that of moments.
        let at = self.moves.partition_point(|one| one.at <= made.at);
        self.moves.insert(at, made);
    }

    /// Forgets what no budget looks back to.
    pub(crate) fn forget(&mut self, now: Tick, longest: Millis) {
        let is_over = |one: &Move| now.since(one.at) >= longest && one.at <= now;
        while self.moves.front().is_some_and(is_over) {
            let Some(one) = self.moves.pop_front() else { return };
            drop_first(&mut self.of, &one.workload);
            drop_first(&mut self.at, &one.from);
            drop_first(&mut self.at, &one.to);
            if self.better.get(&one.workload) == Some(&one.at) {
                self.better.remove(&one.workload);
            }
        }
    }

    /// What is left at a moment.
    pub(crate) fn left(&self, budgets: Budgets, now: Tick) -> Left<'_> {
        let all = self.moves.iter().map(|one| (one.at, one.replicas));
        Left {
            budgets,
            fleet: left_of(budgets.fleet, all, now),
            log: self,
            now,
            taken: BTreeMap::new(),
        }
    }

    /// How many replicas of a workload may still move, by its own limit.
    pub(crate) fn left_of(&self, workload: &WorkloadId, policy: &MovePolicy, now: Tick) -> u64 {
        let Some(limit) = policy.limit else {
            return u64::MAX;
        };
        let own = self.of.get(workload).into_iter().flatten().copied();
        left_of(Rate::new(limit, policy.per), own, now)
    }

    /// When so many replicas of a workload may move from and to these clusters, as far as the moves in this log go; none:
    /// never, because a limit is below that.
    pub(crate) fn free_at(
        &self,
        budgets: Budgets,
        policy: &MovePolicy,
        workload: &WorkloadId,
        clusters: &[&str],
        replicas: u64,
        now: Tick,
    ) -> Option<Tick> {
        let fleet = self.moves.iter().map(|one| (one.at, one.replicas)).collect();
        let of = |counts: Option<&Counts>| counts.cloned().unwrap_or_default();
        let mut all: Vec<(Rate, Counts)> = vec![(budgets.fleet, fleet)];
        all.extend(
            clusters
                .iter()
                .map(|cluster| (budgets.cluster, of(self.at.get(*cluster)))),
        );
        let own = policy.limit.map(|limit| Rate::new(limit, policy.per));
        all.extend(own.map(|rate| (rate, of(self.of.get(workload)))));
        all.iter().try_fold(now, |last, (rate, counts)| {
            Some(last.max(free_at(*rate, counts, replicas, now)?))
        })
    }

    /// The last move of a workload that was made because another place was better.
    pub(crate) fn last_better(&self, workload: &WorkloadId) -> Option<Tick> {
        self.better.get(workload).copied()
    }
}

fn insert(counts: &mut Counts, one: (Tick, u64)) {
    let at = counts.partition_point(|(at, _)| *at <= one.0);
    counts.insert(at, one);
}

fn remove<K: Ord>(all: &mut BTreeMap<K, Counts>, key: &K, one: (Tick, u64)) {
    if let Some(counts) = all.get_mut(key)
        && let Some(at) = counts.iter().rposition(|other| *other == one)
    {
        counts.remove(at);
        if counts.is_empty() {
            all.remove(key);
        }
    }
}

fn drop_first<K: Ord + Clone>(all: &mut BTreeMap<K, Counts>, key: &K) {
    if let Some(counts) = all.get_mut(key) {
        counts.pop_front();
        if counts.is_empty() {
            all.remove(key);
        }
    }
}

/// Whether a move counts for a budget of this length. What seems to be in the future counts: time was put back.
fn counts(at: Tick, per: Millis, now: Tick) -> bool {
    at > now || now.since(at) < per
}

/// What these moves leave of a budget.
fn left_of(rate: Rate, moves: impl DoubleEndedIterator<Item = (Tick, u64)>, now: Tick) -> u64 {
    let counted = moves.rev().take_while(|(at, _)| counts(*at, rate.per, now));
    counted.fold(rate.limit, |left, (_, replicas)| left.saturating_sub(replicas))
}

/// When these moves leave so much of a budget; none: never.
fn free_at(rate: Rate, moves: &Counts, replicas: u64, now: Tick) -> Option<Tick> {
    let most = rate.limit.checked_sub(replicas)?;
    let counted = moves.iter().filter(|(at, _)| counts(*at, rate.per, now));
    let mut sum = counted
        .clone()
        .fold(0_u64, |sum, (_, replicas)| sum.saturating_add(*replicas));
    let mut free = now;
    for (at, replicas) in counted {
        if sum <= most {
            break;
        }
        sum = sum.saturating_sub(*replicas);
        free = *at + rate.per;
    }
    Some(free)
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
        let here = self.log.at.get(cluster).into_iter().flatten().copied();
        let left = left_of(self.budgets.cluster, here, self.now);
        let taken = self.taken.get(cluster).copied().unwrap_or(0);
        left.saturating_sub(taken).min(self.fleet)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(minute: u64, workload: &str, from: &str, to: &str, replicas: u64) -> Move {
        Move {
            at: Tick(minute * 60_000),
            workload: workload.into(),
            target: "1".into(),
            from: from.into(),
            to: to.into(),
            replicas,
            cause: Cause::Better,
        }
    }

    #[test]
    fn a_budget_is_free_when_the_moves_that_it_counts_are_over() {
        let log: MoveLog = VecDeque::from([
            made(0, "other", "x", "y", 5),
            made(10, "web", "a", "b", 2),
            made(20, "web", "a", "b", 1),
        ])
        .into();
        let hour = |limit| Rate::new(limit, Millis::from_mins(60));
        let check = |fleet: u64, cluster: u64, own: Option<u64>, replicas: u64, expected: Option<u64>| {
            let budgets = Budgets::new(hour(fleet), hour(cluster));
            let policy = MovePolicy {
                limit: own,
                ..MovePolicy::default()
            };
            let now = Tick(30 * 60_000);
            let free = log.free_at(budgets, &policy, &"web".into(), &["a"], replicas, now);
            assert_eq!(
                free,
                expected.map(|minute| Tick(minute * 60_000)),
                "{fleet} {cluster} {own:?}"
            );
        };
        check(8, 99, None, 1, Some(60));
        check(8, 99, None, 5, Some(60));
        check(8, 99, None, 6, Some(70));
        check(8, 99, None, 9, None);
        // What others have moved elsewhere is no matter.
        check(99, 3, None, 1, Some(70));
        check(99, 3, None, 3, Some(80));
        check(99, 99, Some(3), 1, Some(70));
        check(99, 2, None, 1, Some(70));
        check(99, 2, None, 2, Some(80));
        check(8, 3, Some(3), 3, Some(80));
        check(99, 99, None, 1, Some(30));
    }

    #[test]
    fn what_is_indexed_is_what_is_there() {
        let mut log = MoveLog::default();
        for minute in [5, 1, 9, 5, 3] {
            log.record(made(
                minute,
                &format!("w{}", minute % 2),
                "a",
                &format!("c{}", minute % 3),
                1,
            ));
        }
        for minute in 0..80 {
            log.forget(Tick(minute * 60_000), Millis::from_mins(60));
            let again: MoveLog = serde_json::from_str(&serde_json::to_string(&log).unwrap()).unwrap();
            assert_eq!(again, log, "in minute {minute}");
        }
        assert_eq!(log, MoveLog::default());
    }
}
