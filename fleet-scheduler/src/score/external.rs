//! Scores that somebody else has given clusters.

use crate::{
    model::{Target, Workload},
    pipeline::{Basis, Candidate, Scorer},
};

/// A score from outside, by its name in [`FleetView::score`](crate::FleetView::score), such as the carbon of a region's
/// power. A cluster without one, or whose score is out of date, is as bad as the worst that has one, whichever way scores
/// count: higher is better, or lower ([`lower_is_better`](Self::lower_is_better), or a weight below 0).
#[derive(Clone, Debug)]
pub struct External {
    name: String,
    is_lower_better: bool,
}

const UNKNOWN: i64 = i64::MIN;

impl External {
    /// The scores of this name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            is_lower_better: false,
        }
    }

    /// The lowest score is the best, as of carbon or latency.
    #[must_use]
    pub fn lower_is_better(mut self) -> Self {
        self.is_lower_better = true;
        self
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
        match given {
            None => UNKNOWN,
            Some(score) if self.is_lower_better => score.saturating_neg().max(UNKNOWN + 1),
            Some(score) => score.max(UNKNOWN + 1),
        }
    }

    fn is_unknown(&self, score: i64) -> bool {
        score == UNKNOWN
    }

    fn normalise(&self, scores: &mut [i64]) {
        let worst = scores
            .iter()
            .copied()
            .filter(|score| *score != UNKNOWN)
            .min()
            .unwrap_or(0);
        for score in scores.iter_mut().filter(|score| **score == UNKNOWN) {
            *score = worst;
        }
        crate::pipeline::min_max(scores);
    }

    fn basis(&self, _: &Workload, _: &Target) -> Basis {
        Basis::Anything
    }
}
