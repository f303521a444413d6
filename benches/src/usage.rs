//! What a process used: time on processors, and memory.

use std::time::{Duration, Instant};

pub use fleet_measure::peak_memory;
use nix::sys::resource::{UsageWho, getrusage};

use crate::Failure;

/// Wall-clock time and time on processors since a moment.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch {
    began: Instant,
    cpu: Duration,
    who: UsageWho,
}

impl Stopwatch {
    /// Of this process.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn own() -> Result<Self, Failure> {
        Self::of(UsageWho::RUSAGE_SELF)
    }

    /// Of this process's children, as far as they have ended.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn children() -> Result<Self, Failure> {
        Self::of(UsageWho::RUSAGE_CHILDREN)
    }

    fn of(who: UsageWho) -> Result<Self, Failure> {
        Ok(Self {
            cpu: cpu(who)?,
            began: Instant::now(),
            who,
        })
    }

    /// Seconds that have passed, and seconds on processors.
    ///
    /// # Errors
    /// When the system does not say.
    pub fn seconds(&self) -> Result<(f64, f64), Failure> {
        let wall = self.began.elapsed();
        Ok((
            wall.as_secs_f64(),
            cpu(self.who)?.saturating_sub(self.cpu).as_secs_f64(),
        ))
    }
}

fn cpu(who: UsageWho) -> Result<Duration, Failure> {
    let usage = getrusage(who)?;
    let span = |time: nix::sys::time::TimeVal| -> Result<Duration, Failure> {
        let micros = u64::try_from(time.tv_usec())?;
        Ok(Duration::from_secs(u64::try_from(time.tv_sec())?) + Duration::from_micros(micros))
    };
    Ok(span(usage.user_time())? + span(usage.system_time())?)
}
