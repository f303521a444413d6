//! What an evaluation may still cost.

use super::{Condition, EvaluationError};

/// Bytes of text that count as one step.
const BYTES: usize = 8;

pub(super) struct Meter {
    left: u32,
}

impl Meter {
    pub(super) fn new() -> Self {
        Self {
            left: Condition::STEPS_MAX,
        }
    }

    pub(super) fn step(&mut self) -> Result<(), EvaluationError> {
        self.steps(1)
    }

    pub(super) fn steps(&mut self, steps: usize) -> Result<(), EvaluationError> {
        let left = u32::try_from(steps)
            .ok()
            .and_then(|steps| self.left.checked_sub(steps));
        // Once it is spent, everything fails.
        self.left = left.unwrap_or(0);
        left.map(drop).ok_or(EvaluationError::TooManySteps)
    }

    /// For texts that are gone through.
    pub(super) fn bytes(&mut self, bytes: usize) -> Result<(), EvaluationError> {
        self.steps(bytes / BYTES)
    }
}
