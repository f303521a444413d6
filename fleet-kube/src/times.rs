//! Times for people.

use fleet_core::Tick;
use jiff::Timestamp;

/// A moment as people read it in every zone: `2026-11-27 19:04 UTC`.
pub fn utc(at: Tick) -> String {
    timestamp(at).strftime("%F %H:%M UTC").to_string()
}

pub(crate) fn timestamp(at: Tick) -> Timestamp {
    let millis = i64::try_from(at.0).unwrap_or(i64::MAX);
    Timestamp::from_millisecond(millis).unwrap_or(Timestamp::MAX)
}

pub(crate) fn tick(at: Timestamp) -> Tick {
    Tick(u64::try_from(at.as_millisecond()).unwrap_or(0))
}
