//! How full clusters are.

use crate::pipeline::{Candidate, Scorer};

/// The emptiest cluster is the best: load is spread.
#[derive(Clone, Copy, Debug, Default)]
pub struct LeastFull;

impl Scorer for LeastFull {
    fn name(&self) -> &'static str {
        "least-full"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        -candidate.room.pressure(candidate.slot)
    }
}

/// The fullest cluster is the best: load is packed, and clusters become empty.
#[derive(Clone, Copy, Debug, Default)]
pub struct MostFull;

impl Scorer for MostFull {
    fn name(&self) -> &'static str {
        "most-full"
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        candidate.room.pressure(candidate.slot)
    }
}
