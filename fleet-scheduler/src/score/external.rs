//! Scores that somebody else has given clusters.

use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, Scorer},
};

/// A score from outside, by its name in [`FleetView::score`](crate::FleetView::score), such as the carbon of a region's
/// power. A cluster without one, or whose score is out of date, is as bad as the worst that has one.
#[derive(Clone, Debug)]
pub struct External {
    name: String,
}

impl External {
    /// The scores of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into() }
    }
}

impl Scorer for External {
    fn name(&self) -> &str {
        &self.name
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        let given = candidate
            .fleet
            .external_score(&self.name, candidate.cluster.name(), candidate.now);
        given.unwrap_or(i64::MIN)
    }

    fn normalise(&self, scores: &mut [i64]) {
        let worst = scores
            .iter()
            .copied()
            .filter(|score| *score != i64::MIN)
            .min()
            .unwrap_or(0);
        for score in scores.iter_mut().filter(|score| **score == i64::MIN) {
            *score = worst;
        }
        crate::pipeline::min_max(scores);
    }

    fn basis(&self, _: &Workload, _: &Target) -> Basis {
        Basis::Anything
    }
}
