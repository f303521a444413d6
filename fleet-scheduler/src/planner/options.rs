//! What a planner is told once.

use crate::moves::{Budgets, Calm, StormBreaker};

/// Limits of what may move, and how much is remembered.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct PlannerOptions {
    /// How many replicas may move in a time.
    pub budgets: Budgets,
    /// When too much looks lost at once.
    pub storm: StormBreaker,
    /// When something better is worth a move.
    pub calm: Calm,
    /// How many changes of each workload are remembered. Default: 16.
    pub history: usize,
}

impl Default for PlannerOptions {
    fn default() -> Self {
        Self {
            budgets: Budgets::default(),
            storm: StormBreaker::default(),
            calm: Calm::default(),
            history: 16,
        }
    }
}

impl PlannerOptions {
    /// With these budgets.
    #[must_use]
    pub fn budgets(mut self, budgets: Budgets) -> Self {
        self.budgets = budgets;
        self
    }

    /// With this breaker.
    #[must_use]
    pub fn storm(mut self, storm: StormBreaker) -> Self {
        self.storm = storm;
        self
    }

    /// With so many changes of each workload remembered.
    #[must_use]
    pub fn history(mut self, changes: usize) -> Self {
        self.history = changes;
        self
    }

    /// As calm as this.
    #[must_use]
    pub fn calm(mut self, calm: Calm) -> Self {
        self.calm = calm;
        self
    }
}
