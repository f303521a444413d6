//! Filters and scorers.

use std::sync::Arc;

use fleet_core::Reason;

use super::{Basis, Candidate, Candidates, Pass};
use crate::model::{Target, Workload};

/// What [`min_max`] gives the best cluster.
pub const MAX_SCORE: i64 = 1_000_000;

/// Says which clusters a workload cannot be on. Pure: the same candidate, the same answer.
///
/// A filter says why not in a [`Reason`]: its code is for programs, its message for people, and both show in explanations.
pub trait Filter: Send + Sync + 'static {
    /// Its name in explanations, in kebab-case.
    fn name(&self) -> &str;

    /// Whether the workload can be on this cluster.
    ///
    /// # Errors
    /// Why it cannot.
    fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason>;

    /// The same without the reason; for filters that can say so faster.
    fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
        self.check(candidate).ok()
    }

    /// What [`passes`](Self::passes) says of each of many clusters, in their order; for filters that can prepare once what
    /// all clusters need.
    fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
        candidates
            .iter()
            .map(|candidate| self.passes(&candidate))
            .collect()
    }

    /// What its answer for this target depends on.
    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        let _ = (workload, target);
        Basis::Anything
    }
}

/// Says how good a cluster is for a workload, in whole numbers of its own unit; higher is better. Pure.
pub trait Scorer: Send + Sync + 'static {
    /// Its name in explanations, in kebab-case.
    fn name(&self) -> &str;

    /// How good it is there. Only clusters that pass all filters are scored.
    fn score(&self, candidate: &Candidate<'_>) -> i64;

    /// What [`score`](Self::score) says of each of many clusters, in their order; for scorers that can prepare once what all
    /// clusters need.
    fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
        candidates
            .iter()
            .map(|candidate| self.score(&candidate))
            .collect()
    }

    /// Brings the scores of all candidates of one decision to one scale, before they are weighed and summed.
    fn normalise(&self, scores: &mut [i64]) {
        min_max(scores);
    }

    /// Whether a score of [`score`](Self::score) means that nothing is known of the cluster. It counts as the worst that is
    /// known, also where the weight is below 0, and explanations show no number.
    fn is_unknown(&self, score: i64) -> bool {
        let _ = score;
        false
    }

    /// How many times it counts for this target, besides the weight it was added with; 0: not at all.
    fn weight(&self, workload: &Workload, target: &Target) -> i64 {
        let _ = (workload, target);
        1
    }

    /// What its answer for this target depends on.
    fn basis(&self, workload: &Workload, target: &Target) -> Basis {
        let _ = (workload, target);
        Basis::Anything
    }
}

/// The lowest becomes 0, the highest [`MAX_SCORE`], and the others lie in between; where all are equal, all become 0.
pub fn min_max(scores: &mut [i64]) {
    let (Some(&low), Some(&high)) = (scores.iter().min(), scores.iter().max()) else {
        return;
    };
    let span = i128::from(high) - i128::from(low);
    match i64::try_from(span) {
        Ok(0) => scores.fill(0),
        // What is multiplied stays within an i64, which is several times faster.
        Ok(span) if span <= i64::MAX / MAX_SCORE => {
            for score in scores {
                *score = (*score - low) * MAX_SCORE / span;
            }
        }
        _ => {
            for score in scores {
                let scaled = (i128::from(*score) - i128::from(low)) * i128::from(MAX_SCORE) / span;
                *score = i64::try_from(scaled).unwrap_or(MAX_SCORE);
            }
        }
    }
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<T: Filter + ?Sized> Filter for $pointer<T> {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
                (**self).check(candidate)
            }

            fn passes(&self, candidate: &Candidate<'_>) -> Option<Pass> {
                (**self).passes(candidate)
            }

            fn passes_each(&self, candidates: &Candidates<'_>) -> Vec<Option<Pass>> {
                (**self).passes_each(candidates)
            }

            fn basis(&self, workload: &Workload, target: &Target) -> Basis {
                (**self).basis(workload, target)
            }
        }

        #[deny(clippy::missing_trait_methods)]
        impl<T: Scorer + ?Sized> Scorer for $pointer<T> {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn score(&self, candidate: &Candidate<'_>) -> i64 {
                (**self).score(candidate)
            }

            fn score_each(&self, candidates: &Candidates<'_>) -> Vec<i64> {
                (**self).score_each(candidates)
            }

            fn normalise(&self, scores: &mut [i64]) {
                (**self).normalise(scores);
            }

            fn is_unknown(&self, score: i64) -> bool {
                (**self).is_unknown(score)
            }

            fn weight(&self, workload: &Workload, target: &Target) -> i64 {
                (**self).weight(workload, target)
            }

            fn basis(&self, workload: &Workload, target: &Target) -> Basis {
                (**self).basis(workload, target)
            }
        }
    )*};
}
forward!(Box, Arc);

/// A filter from a closure: it passes where the closure is `Ok`.
///
/// ```
/// # use fleet_scheduler::filter_fn;
/// # use fleet_core::Reason;
/// let weekdays = filter_fn("not-in-the-lab", |candidate| match candidate.label("tier") {
///     Some("lab") => Err(Reason::new("lab", "it is a lab cluster")),
///     _ => Ok(()),
/// });
/// # drop(weekdays);
/// ```
pub fn filter_fn<F>(name: &'static str, check: F) -> impl Filter
where
    F: Fn(&Candidate<'_>) -> Result<(), Reason> + Send + Sync + 'static,
{
    struct FromFn<F>(&'static str, F);

    impl<F: Fn(&Candidate<'_>) -> Result<(), Reason> + Send + Sync + 'static> Filter for FromFn<F> {
        fn name(&self) -> &str {
            self.0
        }

        fn check(&self, candidate: &Candidate<'_>) -> Result<Pass, Reason> {
            (self.1)(candidate).map(|()| Pass::Always)
        }
    }
    FromFn(name, check)
}

/// A scorer from a closure; scores are brought to one scale by [`min_max`].
pub fn scorer_fn<F>(name: &'static str, score: F) -> impl Scorer
where
    F: Fn(&Candidate<'_>) -> i64 + Send + Sync + 'static,
{
    struct FromFn<F>(&'static str, F);

    impl<F: Fn(&Candidate<'_>) -> i64 + Send + Sync + 'static> Scorer for FromFn<F> {
        fn name(&self) -> &str {
            self.0
        }

        fn score(&self, candidate: &Candidate<'_>) -> i64 {
            (self.1)(candidate)
        }
    }
    FromFn(name, score)
}
