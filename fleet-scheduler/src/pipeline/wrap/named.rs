//! A part under another name.

use fleet_core::Reason;

use crate::{
    decision::Limit,
    model::{Target, Workload},
    pipeline::{
        Basis, Candidate, Candidates, Divider, Estimate, Estimator, Filter, Pass, Ranked, Scorer, Selected,
        Selector, Units, Wish,
    },
};

/// A part under another name: for explanations, and so that [`without`](crate::SchedulerBuilder::without) can tell two of a
/// kind apart.
#[derive(Clone, Debug)]
pub struct Named<T> {
    name: String,
    part: T,
}

impl<T> Named<T> {
    /// The part, called so.
    pub fn new(name: impl Into<String>, part: T) -> Self {
        Self {
            name: name.into(),
            part,
        }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Filter> Filter for Named<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
        self.part.check(candidate)
    }

    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        self.part.passes(candidate)
    }

    fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
        self.part.passes_each(candidates)
    }

    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        self.part.basis(workload, target)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Scorer> Scorer for Named<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        self.part.score(candidate)
    }

    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        self.part.score_each(candidates)
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
        self.part.basis(workload, target)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Estimator> Estimator for Named<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
        self.part.estimate(candidate)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Selector> Selector for Named<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        self.part.select(wish, ranked)
    }
}

#[deny(clippy::missing_trait_methods)]
impl<T: Divider> Divider for Named<T> {
    fn name(&self) -> &str {
        &self.name
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        self.part.grow(wish, selected)
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        self.part.shrink(wish, ranked)
    }
}
