//! A part that is asked about some workloads only.

use fleet_core::Reason;

use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, Candidates, Estimate, Estimator, Filter, Pass, Scorer},
};

/// A part that is asked about some workloads only: for all others a filter lets every cluster pass, a scorer likes all
/// alike, and an estimator knows nothing.
///
/// ```
/// # use fleet_scheduler::{Nature, OnlyWhen, Scheduler, Target, Workload, External};
/// let is_batch = |workload: &Workload, _: &Target| workload.completes;
/// let scheduler = Scheduler::builder().scorer(OnlyWhen::new(is_batch, External::new("carbon")), 3).build();
/// # drop(scheduler);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct OnlyWhen<P, T> {
    when: P,
    part: T,
}

impl<P: Fn(&Workload, &Target) -> bool + Send + Sync + 'static, T> OnlyWhen<P, T> {
    /// The part, where this holds. It must depend on nothing else than what it is given.
    pub fn new(when: P, part: T) -> Self {
        Self { when, part }
    }

    fn is_for(&self, candidate: &Candidate<'_>) -> bool {
        (self.when)(candidate.workload, candidate.target)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<P: Fn(&Workload, &Target) -> bool + Send + Sync + 'static, T: Filter> Filter for OnlyWhen<P, T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        if self.is_for(candidate) {
            return self.part.check(candidate);
        }
        Ok(Pass::Always)
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        if self.is_for(candidate) {
            return self.part.passes(candidate);
        }
        Some(Pass::Always)
    }

    fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
        if (self.when)(candidates.workload, candidates.target) {
            return self.part.passes_each(candidates);
        }
        vec![Some(Pass::Always); candidates.at.len()]
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        if (self.when)(workload, target) {
            return self.part.basis(workload, target);
        }
        Basis::Nothing
    }
}

#[deny(clippy::missing_trait_methods)]
impl<P: Fn(&Workload, &Target) -> bool + Send + Sync + 'static, T: Scorer> Scorer for OnlyWhen<P, T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        if self.is_for(candidate) {
            return self.part.score(candidate);
        }
        0
    }

    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        if (self.when)(candidates.workload, candidates.target) {
            return self.part.score_each(candidates);
        }
        vec![0; candidates.at.len()]
    }

    fn weight(&self, workload: &Workload, target: &Target) -> i64 {
        self.part.weight(workload, target)
    }

    fn normalise(&self, scores: &mut [i64]) {
        self.part.normalise(scores);
    }

    fn is_unknown(&self, score: i64) -> bool {
        self.part.is_unknown(score)
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        if (self.when)(workload, target) {
            return self.part.basis(workload, target);
        }
        Basis::Nothing
    }
}

#[deny(clippy::missing_trait_methods)]
impl<P: Fn(&Workload, &Target) -> bool + Send + Sync + 'static, T: Estimator> Estimator for OnlyWhen<P, T> {
    fn name(&self) -> &str {
        self.part.name()
    }

    fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
        if self.is_for(candidate) {
            return self.part.estimate(candidate);
        }
        None
    }
}
