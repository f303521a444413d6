//! What an estimator promises.

use super::{
    Findings, Suite, Violation,
    answers::{self, Answers},
};
use crate::pipeline::{Candidate, Estimate, Estimator};

impl Suite {
    /// Runs the suite for an estimator.
    ///
    /// The promises:
    /// - `named`, `no-panic`, `deterministic`, `order`: as for a [filter](Self::filter).
    /// - `observed-before`: nothing was observed later than now.
    pub fn estimator(&self, estimator: &dyn Estimator) -> Vec<Violation> {
        let mut found = Findings::default();
        found.name(estimator.name());
        answers::laws(self, &estimator, &mut found);
        found.into_violations()
    }
}

impl Answers for &dyn Estimator {
    type Said = Option<Estimate>;

    fn ask(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
        self.estimate(candidate)
    }

    fn look(&self, candidate: &Candidate<'_>, said: &Option<Estimate>, what: &str, found: &mut Findings) {
        let observed_at = said.and_then(|estimate| estimate.observed_at);
        // Hostile capacities are observed at any moment.
        let is_meant = candidate.now.0 > 1 && candidate.now.0 < u64::MAX - 1;
        let is_before = observed_at.is_none_or(|at| at <= candidate.now);
        found.check(is_before || !is_meant, "observed-before", || {
            format!("{what}: {said:?}, and it is {}", candidate.now.0)
        });
    }
}
