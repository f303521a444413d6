//! Jitter from a seed.

use std::{
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

/// A small seeded source of numbers (`SplitMix64`), shared by all tasks of one cluster.
#[derive(Debug)]
pub(crate) struct Random(AtomicU64);

const STEP: u64 = 0x9E37_79B9_7F4A_7C15;

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(AtomicU64::new(seed))
    }

    fn next(&self) -> u64 {
        let mut z = self.0.fetch_add(STEP, Ordering::Relaxed).wrapping_add(STEP);
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// Evenly from `low` up to `high`.
    pub(crate) fn between(&self, low: Duration, high: Duration) -> Duration {
        let nanos = u64::try_from(high.saturating_sub(low).as_nanos()).unwrap_or(u64::MAX);
        low + Duration::from_nanos(self.next() % nanos.max(1))
    }

    /// The wait after `failures` failures (at least one): `base` doubled with each, at most `max`, of which the
    /// second half is random.
    pub(crate) fn backoff(&self, base: Duration, max: Duration, failures: u32) -> Duration {
        let doubled = base
            .saturating_mul(1 << failures.saturating_sub(1).min(20))
            .min(max);
        self.between(doubled / 2, doubled)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn backoff_doubles_up_to_its_limit_and_follows_the_seed() {
        let (base, max) = (Duration::from_millis(100), Duration::from_secs(1));
        let waits = |seed| {
            (1..9_u32)
                .map(|n| Random::new(seed + u64::from(n)).backoff(base, max, n))
                .collect::<Vec<_>>()
        };
        for (n, wait) in waits(7).into_iter().enumerate() {
            let full = (base * (1 << n)).min(max);
            assert!(wait >= full / 2 && wait <= full, "{n}: {wait:?}");
        }
        assert_eq!(waits(7), waits(7));
        assert_ne!(waits(7), waits(8));
    }
}
