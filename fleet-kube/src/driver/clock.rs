//! The driver's clock.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use fleet_core::Tick;
use tokio::time::Instant;

/// Wall-clock time that moves with tokio's clock, so that a paused runtime pauses it too.
#[derive(Clone, Copy, Debug)]
pub struct Clock {
    base: Tick,
    started: Instant,
}

impl Clock {
    /// Starts at the system's time.
    #[allow(clippy::disallowed_methods, reason = "this is where time comes in")]
    pub fn system() -> Self {
        let since = SystemTime::now()
            .duration_since(UNIX_EPOCH)
            .unwrap_or(Duration::ZERO);
        Self::at(Tick(millis(since)))
    }

    /// Starts at a given time: for tests and simulations.
    pub fn at(base: Tick) -> Self {
        Self {
            base,
            started: Instant::now(),
        }
    }

    /// Now.
    pub fn now(&self) -> Tick {
        Tick(self.base.0 + millis(self.started.elapsed()))
    }

    /// When tokio's clock will show `tick`.
    pub fn instant(&self, tick: Tick) -> Instant {
        self.started + Duration::from_millis(tick.0.saturating_sub(self.base.0))
    }
}

fn millis(span: Duration) -> u64 {
    u64::try_from(span.as_millis()).unwrap_or(u64::MAX)
}
