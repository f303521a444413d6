//! What was observed of workloads, and what people have said.

use std::collections::BTreeSet;

use crate::model::WorkloadId;

/// What was observed of workloads, and what people have said, at the moment of a decision.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Facts {
    /// Workloads whose replicas on a cluster are all healthy.
    pub healthy: BTreeSet<(WorkloadId, String)>,
    /// Workloads of which it is sure that nothing runs on a cluster any more: it said so itself, or it was fenced off
    /// (its machines are off, or cut off for good).
    pub stopped: BTreeSet<(WorkloadId, String)>,
    /// Workloads that have run to their end.
    pub finished: BTreeSet<WorkloadId>,
    /// Tokens of proposals that a person has approved.
    pub approved: BTreeSet<String>,
}

impl Facts {
    /// Nothing was observed, and nobody has said anything.
    pub fn none() -> Self {
        Self::default()
    }

    /// All replicas of a workload on a cluster are healthy.
    #[must_use]
    pub fn healthy(mut self, workload: impl Into<WorkloadId>, cluster: impl Into<String>) -> Self {
        self.healthy.insert((workload.into(), cluster.into()));
        self
    }

    /// Nothing of a workload runs on a cluster any more, for sure.
    #[must_use]
    pub fn stopped(mut self, workload: impl Into<WorkloadId>, cluster: impl Into<String>) -> Self {
        self.stopped.insert((workload.into(), cluster.into()));
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

    pub(crate) fn is_healthy(&self, workload: &WorkloadId, cluster: &str) -> bool {
        self.healthy.contains(&(workload.clone(), cluster.to_owned()))
    }

    pub(crate) fn is_stopped(&self, workload: &WorkloadId, cluster: &str) -> bool {
        self.stopped.contains(&(workload.clone(), cluster.to_owned()))
    }
}
