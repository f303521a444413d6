//! What is drawn from a seed.

use crate::solve::random::Random;

/// Draws the same from the same seed.
pub(super) struct Dice(Random);

impl Dice {
    pub(super) fn new(seed: u64, at: usize) -> Self {
        let mut random = Random::new(seed);
        let first = random.draw();
        Self(Random::new(first ^ u64::try_from(at).unwrap_or(0)))
    }

    /// A number below `end`; 0 if that is 0.
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    /// A number from 0 to `most`.
    pub(super) fn number(&mut self, most: u64) -> u64 {
        match most.checked_add(1) {
            Some(end) => self.0.draw() % end,
            None => self.0.draw(),
        }
    }

    /// A number from `-most` to `most`.
    pub(super) fn signed(&mut self, most: i32) -> i32 {
        let span = u64::from(most.unsigned_abs()) * 2;
        let drawn = i64::try_from(self.number(span)).unwrap_or(0) - i64::from(most.unsigned_abs());
        i32::try_from(drawn).unwrap_or(0)
    }

    /// True so many times of a hundred.
    pub(super) fn chance(&mut self, percent: usize) -> bool {
        self.below(100) < percent
    }

    /// One of a list that is not empty.
    pub(super) fn pick<T: Clone>(&mut self, list: &[T]) -> T {
        list[self.below(list.len())].clone()
    }

    /// So many times of a hundred, one of a list.
    pub(super) fn maybe<T: Clone>(&mut self, percent: usize, list: &[T]) -> Option<T> {
        (self.chance(percent) && !list.is_empty()).then(|| self.pick(list))
    }
}
