//! What happened to each workload of late.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use fleet_core::Tick;
use serde::{Deserialize, Serialize};

use super::Planner;
use crate::{
    model::{Placement, WorkloadId},
    moves::Move,
};

/// A change of how many replicas of a target are on a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Happened {
    /// When.
    pub at: Tick,
    /// Of which target.
    pub target: String,
    /// Where.
    pub cluster: String,
    /// How many counted before.
    pub before: u64,
    /// How many count since.
    pub after: u64,
    /// Why: the cause of a move, or `placed`, `grown`, `shrunk`, `ended`.
    pub cause: String,
}

/// The last changes of each workload.
#[derive(Clone, Debug, Default)]
pub(super) struct History {
    of: BTreeMap<WorkloadId, VecDeque<Happened>>,
}

impl Planner {
    /// What happened to a workload of late, oldest first: as many changes as
    /// [`PlannerOptions::history`](super::PlannerOptions) says.
    pub fn history(&self, workload: &WorkloadId) -> impl Iterator<Item = &Happened> {
        self.history.of.get(workload).into_iter().flatten()
    }

    /// Remembers how a placement has changed, with the moves that were part of it.
    pub(super) fn remember(&mut self, id: &WorkloadId, before: &Placement, moves: &[Move], now: Tick) {
        if self.options.history == 0 {
            return;
        }
        let after = self.table.placement(id);
        if *before == after {
            return;
        }
        let was_nowhere = before.targets.is_empty();
        let targets: BTreeSet<&String> = before.targets.keys().chain(after.targets.keys()).collect();
        for target in targets {
            let of = |placement: &Placement| placement.targets.get(target).cloned().unwrap_or_default();
            let (old, new) = (of(before), of(&after));
            let clusters: BTreeSet<&String> = old.keys().chain(new.keys()).collect();
            for cluster in clusters {
                let active = |map: &BTreeMap<String, crate::Assignment>| {
                    map.get(cluster).map_or(0, crate::Assignment::active)
                };
                let (before, after) = (active(&old), active(&new));
                if before == after {
                    continue;
                }
                let is_part = |one: &&Move| {
                    one.workload == *id
                        && one.target == *target
                        && (one.to == *cluster || one.from == *cluster)
                };
                let cause = match moves.iter().find(is_part) {
                    Some(one) => one.cause.to_string(),
                    None if after > before && was_nowhere => "placed".to_owned(),
                    None if after > before => "grown".to_owned(),
                    None if after == 0 => "ended".to_owned(),
                    None => "shrunk".to_owned(),
                };
                let happened = Happened {
                    at: now,
                    target: target.clone(),
                    cluster: cluster.clone(),
                    before,
                    after,
                    cause,
                };
                self.history.add(id, happened, self.options.history);
            }
        }
    }

    pub(super) fn forget_history(&mut self, id: &WorkloadId) {
        self.history.of.remove(id);
    }
}

impl History {
    fn add(&mut self, id: &WorkloadId, happened: Happened, most: usize) {
        let of = match self.of.get_mut(id) {
            Some(of) => of,
            None => self.of.entry(id.clone()).or_default(),
        };
        if of.len() >= most {
            of.pop_front();
        }
        of.push_back(happened);
    }
}
