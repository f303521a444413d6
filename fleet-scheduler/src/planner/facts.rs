//! What was observed of workloads, and what people have said.

use std::collections::{BTreeMap, BTreeSet};

use fleet_core::Tick;

use crate::model::WorkloadId;

/// What was observed of workloads, and what people have said.
///
/// What was observed counts only where it is later than what was decided: that a cluster ran nothing of a workload says
/// nothing about replicas that were started there since, and that all replicas were healthy nothing about more of them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Facts {
    /// Workloads whose replicas on a cluster are all healthy, and when that was observed.
    pub healthy: BTreeMap<(WorkloadId, String), Tick>,
    /// Workloads of which it is sure that nothing runs on a cluster any more: it said so itself, or it was fenced off
    /// (its machines are off, or cut off for good); and when that was observed.
    pub stopped: BTreeMap<(WorkloadId, String), Tick>,
    /// Workloads of which a cluster runs no more than so many replicas and starts no others: it has taken in that there are
    /// fewer, and what was beyond is stopped for sure; and when that was observed.
    pub at_most: BTreeMap<(WorkloadId, String), (u64, Tick)>,
    /// Workloads that have run to their end.
    pub finished: BTreeSet<WorkloadId>,
    /// Tokens of proposals that a person has approved.
    pub approved: BTreeSet<String>,
}

impl Facts {
    /// Observed at the moment of the decision, whenever that is.
    pub const NOW: Tick = Tick(u64::MAX);

    /// Nothing was observed, and nobody has said anything.
    pub fn none() -> Self {
        Self::default()
    }

    /// All replicas of a workload on a cluster are healthy now: everything that was decided before this decision.
    #[must_use]
    pub fn healthy(self, workload: impl Into<WorkloadId>, cluster: impl Into<String>) -> Self {
        self.healthy_at(workload, cluster, Self::NOW)
    }

    /// All replicas of a workload on a cluster were healthy at this moment.
    #[must_use]
    pub fn healthy_at(
        mut self,
        workload: impl Into<WorkloadId>,
        cluster: impl Into<String>,
        at: Tick,
    ) -> Self {
        self.healthy.insert((workload.into(), cluster.into()), at);
        self
    }

    /// Nothing of a workload runs on a cluster any more, for sure, as of now.
    #[must_use]
    pub fn stopped(self, workload: impl Into<WorkloadId>, cluster: impl Into<String>) -> Self {
        self.stopped_at(workload, cluster, Self::NOW)
    }

    /// Nothing of a workload ran on a cluster any more at this moment, for sure.
    #[must_use]
    pub fn stopped_at(
        mut self,
        workload: impl Into<WorkloadId>,
        cluster: impl Into<String>,
        at: Tick,
    ) -> Self {
        self.stopped.insert((workload.into(), cluster.into()), at);
        self
    }

    /// A cluster runs no more than so many replicas of a workload by now, and starts no others: what was beyond is stopped
    /// for sure. So some replicas can go of which there must never be two, while others of them stay.
    #[must_use]
    pub fn at_most(self, workload: impl Into<WorkloadId>, cluster: impl Into<String>, replicas: u64) -> Self {
        self.at_most_at(workload, cluster, replicas, Self::NOW)
    }

    /// A cluster ran no more than so many replicas of a workload at this moment, and started no others.
    #[must_use]
    pub fn at_most_at(
        mut self,
        workload: impl Into<WorkloadId>,
        cluster: impl Into<String>,
        replicas: u64,
        at: Tick,
    ) -> Self {
        self.at_most
            .insert((workload.into(), cluster.into()), (replicas, at));
        self
    }

    /// A workload has run to its end.
    #[must_use]
    pub fn finished(mut self, workload: impl Into<WorkloadId>) -> Self {
        self.finished.insert(workload.into());
        self
    }

    /// A person has approved a proposal.
    #[must_use]
    pub fn approve(mut self, token: impl Into<String>) -> Self {
        self.approved.insert(token.into());
        self
    }

    /// When everything of a workload on a cluster was seen to be healthy last; nothing is observed in the future.
    pub(crate) fn healthy_when(&self, workload: &WorkloadId, cluster: &str, now: Tick) -> Option<Tick> {
        let at = self.healthy.get(&(workload.clone(), cluster.to_owned()))?;
        Some((*at).min(now))
    }

    /// When nothing of a workload was known to run on a cluster any more; nothing is observed in the future.
    pub(crate) fn stopped_when(&self, workload: &WorkloadId, cluster: &str, now: Tick) -> Option<Tick> {
        self.down_to(workload, cluster, 0, now)
    }

    /// When no more than so many replicas of a workload were known to run on a cluster.
    pub(crate) fn down_to(&self, workload: &WorkloadId, cluster: &str, most: u64, now: Tick) -> Option<Tick> {
        let key = (workload.clone(), cluster.to_owned());
        let stopped = self.stopped.get(&key).copied();
        let down = self.at_most.get(&key).filter(|(replicas, _)| *replicas <= most);
        let last = stopped.max(down.map(|(_, at)| *at));
        last.map(|at| at.min(now))
    }
}
