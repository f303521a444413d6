//! Time on the processor.

use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::Failure;

/// Time that this thread has been on the processor since a moment: what one core takes, whatever else runs on the machine.
pub(crate) struct Watch(Duration);

impl Watch {
    /// From now on.
    pub(crate) fn start() -> Result<Self, Failure> {
        Ok(Self(now()?))
    }

    /// Since the start.
    pub(crate) fn elapsed(&self) -> Result<Duration, Failure> {
        Ok(now()?.saturating_sub(self.0))
    }
}

fn now() -> Result<Duration, Failure> {
    Ok(clock_gettime(ClockId::CLOCK_THREAD_CPUTIME_ID)?.into())
}
