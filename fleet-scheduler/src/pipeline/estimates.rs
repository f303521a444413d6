//! Estimates that are kept in memory.

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, RwLock},
};

use fleet_core::{Millis, Tick};

use super::{Candidate, Estimate, Estimator};
use crate::model::WorkloadId;

type Known = BTreeMap<WorkloadId, BTreeMap<String, Estimate>>;

/// Estimates that are kept in memory: whoever asks the sources writes them here, so that deciding waits for nobody. A clone
/// is another handle on the same estimates.
///
/// Change them between decisions, and say so by [`Planner::ask_estimators`](crate::Planner::ask_estimators).
///
/// ```
/// # use fleet_core::Tick;
/// # use fleet_scheduler::{Estimate, Estimates, Scheduler};
/// let quota = Estimates::new("quota");
/// let scheduler = Scheduler::builder().estimator(quota.clone()).build();
/// quota.set("shop/web", "eu-1", Estimate::new(12, Tick(1_750_000_000_000)));
/// # drop(scheduler);
/// ```
#[derive(Clone, Debug)]
pub struct Estimates {
    name: Arc<str>,
    lasts: Option<Millis>,
    known: Arc<RwLock<Known>>,
}

impl Estimates {
    /// Nothing is known yet. The name shows in explanations.
    pub fn new(name: impl Into<Arc<str>>) -> Self {
        Self {
            name: name.into(),
            lasts: None,
            known: Arc::default(),
        }
    }

    /// What was observed so long ago is no answer any more, as if it was forgotten: for sources that may fall silent.
    #[must_use]
    pub fn lasting(mut self, lasts: Millis) -> Self {
        self.lasts = Some(lasts);
        self
    }

    /// Says how many more replicas of a workload fit on a cluster.
    pub fn set(&self, workload: impl Into<WorkloadId>, cluster: impl Into<String>, estimate: Estimate) {
        self.change(|known| {
            let clusters = known.entry(workload.into()).or_default();
            clusters.insert(cluster.into(), estimate);
        });
    }

    /// Forgets everything that was said of a cluster: its source does not answer.
    pub fn forget(&self, cluster: &str) {
        self.change(|known| {
            known.retain(|_, clusters| {
                clusters.remove(cluster);
                !clusters.is_empty()
            });
        });
    }

    fn change(&self, change: impl FnOnce(&mut Known)) {
        // What a thread that panicked has written is whole: each change is one insert or a sweep.
        change(&mut self.known.write().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Estimator for Estimates {
    fn name(&self) -> &str {
        &self.name
    }

    fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
        let known = self.known.read().unwrap_or_else(PoisonError::into_inner);
        let clusters = known.get(&candidate.workload.name)?;
        let estimate = clusters.get(candidate.cluster.name()).copied()?;
        let is_over = |(at, lasts): (Tick, Millis)| candidate.now.since(at) >= lasts;
        let is_forgotten = estimate.observed_at.zip(self.lasts).is_some_and(is_over);
        (!is_forgotten).then_some(estimate)
    }
}
