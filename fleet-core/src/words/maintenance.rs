//! When a cluster may be written to, as people say it.

use serde::{Deserialize, Serialize};

/// When a cluster may be written to: in its windows, and never in a closed time. Without windows it may be at any time that
/// is not closed.
///
/// ```yaml
/// maintenance:
///   windows:
///   - {days: [mon, tue, wed, thu], from: "22:00", until: "04:00", timeZone: Europe/Berlin}
///   closed:
///   - {from: "2026-12-20 18:00", until: "2027-01-07 08:00", timeZone: Europe/Berlin, reason: end of the year}
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Maintenance {
    /// The times in which it may be written to; none: any time.
    pub windows: Vec<Window>,
    /// The times in which it may not. They count before `windows`.
    pub closed: Vec<Window>,
}

impl Maintenance {
    /// It may be written to at any time.
    pub fn is_always(&self) -> bool {
        self.windows.is_empty() && self.closed.is_empty()
    }

    /// These times of a cluster together with those of its fleet: its own windows stand in place of the fleet's, and
    /// closed times of both count.
    #[must_use]
    pub fn within(mut self, fleet: &Self) -> Self {
        if self.windows.is_empty() {
            self.windows.clone_from(&fleet.windows);
        }
        self.closed.extend(fleet.closed.iter().cloned());
        self
    }
}

/// A time by the clock on a wall of some place, as people write it: `from` counts, `until` does not any more.
///
/// Either both are times of a day, such as `22:00`, and it comes again on each of `days`; `24:00` is the end of a day, and
/// what ends before it begins ends on the next day and belongs to the day it begins. Or both are dates with a time, such as
/// `2026-12-20 18:00`, and it comes once. Where clocks are put back, a time that comes twice counts twice; where they are
/// put forward, what they leave out does not come.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields, rename_all = "camelCase")]
#[non_exhaustive]
pub struct Window {
    /// The days it begins on: `mon`, `tue`, `wed`, `thu`, `fri`, `sat`, `sun`. None given: every day.
    pub days: Option<Vec<String>>,
    /// When it begins.
    pub from: String,
    /// When it has ended.
    pub until: String,
    /// The zone of the clock by its name in the IANA database. Default: `UTC`.
    pub time_zone: Option<String>,
    /// What it is for, for people.
    pub reason: Option<String>,
}

impl Window {
    /// Every day, by UTC.
    pub fn new(from: impl Into<String>, until: impl Into<String>) -> Self {
        Self {
            from: from.into(),
            until: until.into(),
            ..Self::default()
        }
    }

    /// Only on these days.
    #[must_use]
    pub fn on<'a>(mut self, days: impl IntoIterator<Item = &'a str>) -> Self {
        self.days = Some(days.into_iter().map(str::to_owned).collect());
        self
    }

    /// By the clocks of this zone.
    #[must_use]
    pub fn zone(mut self, name: impl Into<String>) -> Self {
        self.time_zone = Some(name.into());
        self
    }

    /// What it is for.
    #[must_use]
    pub fn reason(mut self, reason: impl Into<String>) -> Self {
        self.reason = Some(reason.into());
        self
    }
}
