//! Clusters where the workload runs already.

use crate::pipeline::{Candidate, Scorer};

/// Clusters where the workload has replicas score 100, others 0.
#[derive(Clone, Copy, Debug, Default)]
pub struct ClusterLocality;

impl ClusterLocality {
    pub(super) const HERE: i64 = 100;
}

impl Scorer for ClusterLocality {
    fn name(&self) -> &'static str {
        "cluster-locality"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        if candidate.current > 0 { Self::HERE } else { 0 }
    }

    /// Karmada adds scores as they are.
    fn normalise(&self, scores: &mut [i64]) {
        for score in scores {
            *score = (*score).clamp(0, Self::HERE);
        }
    }
}
