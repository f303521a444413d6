//! Maintenance windows: when a cluster may be written to, by the clocks on the walls of time zones.
//!
//! Local time is never calculated with. Whether an instant is in a window is asked of what the clock there shows at that
//! instant; an answer can change only where a window begins or ends by that clock, or where the clock is put forward or
//! back. So what happens when clocks are changed follows from the definition.

mod read;
#[cfg(test)]
mod tests;

use fleet_core::{Maintenance, Reason, Tick};
use jiff::{
    SignedDuration, Timestamp,
    civil::DateTime,
    tz::{AmbiguousOffset, TimeZone},
};

use crate::times::{tick, timestamp};
pub(crate) use read::maintenance;
use read::{When, Zoned};

/// The code of the reason for a hold outside the windows.
pub(crate) const CODE: &str = "maintenance-window";

/// How far ahead a change is looked for.
const HORIZON: SignedDuration = SignedDuration::from_hours(400 * 24);
/// How far at once.
const STRIDE: SignedDuration = SignedDuration::from_hours(8 * 24);

/// A [`Maintenance`] with its texts understood.
#[derive(Clone, Debug, Default)]
pub(crate) struct Windows {
    open: Vec<Zoned>,
    closed: Vec<Zoned>,
    /// Why the texts make no sense, which files of this crate have refused before.
    wrong: Option<String>,
}

/// How it stands at one moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    /// Why nothing may be written; none: it may.
    pub(crate) hold: Option<Reason>,
    /// When that changes; none: not within the [`HORIZON`].
    pub(crate) until: Option<Tick>,
}

impl Windows {
    /// Understands the texts. Where one makes no sense, nothing is ever open.
    pub(crate) fn new(maintenance: &Maintenance) -> Self {
        read::windows(maintenance).unwrap_or_else(|why| Self {
            wrong: Some(why),
            ..Self::default()
        })
    }

    /// How it stands now.
    pub(crate) fn at(&self, now: Tick) -> Standing {
        if let Some(why) = &self.wrong {
            let message = format!("when this cluster may be written to cannot be understood: {why}");
            return Standing {
                hold: Some(Reason::new(CODE, message)),
                until: None,
            };
        }
        let at = timestamp(now);
        let next = self.next_change(at);
        Standing {
            hold: (!self.is_open(at)).then(|| self.why_closed(at, next)),
            until: next.map(tick),
        }
    }

    fn is_open(&self, at: Timestamp) -> bool {
        let is_in = |list: &[Zoned]| list.iter().any(|window| window.contains(at));
        !is_in(&self.closed) && (self.open.is_empty() || is_in(&self.open))
    }

    /// The first moment after this one at which it is open and now is not, or the other way round.
    fn next_change(&self, now: Timestamp) -> Option<Timestamp> {
        let is_open = self.is_open(now);
        let end = now.saturating_add(HORIZON).ok()?;
        let mut from = now;
        while from < end {
            let to = from.saturating_add(STRIDE).ok()?;
            let mut moments = Vec::new();
            for window in self.open.iter().chain(&self.closed) {
                window.moments(from, to, &mut moments);
            }
            moments.sort_unstable();
            moments.dedup();
            if let Some(change) = moments.into_iter().find(|at| self.is_open(*at) != is_open) {
                return Some(change);
            }
            from = to;
        }
        None
    }

    fn why_closed(&self, now: Timestamp, opens: Option<Timestamp>) -> Reason {
        let closed = self.closed.iter().find(|window| window.contains(now));
        let why = match closed.map(|window| window.reason.as_deref()) {
            None => "outside the maintenance windows of this cluster".to_owned(),
            Some(None) => "a closed time of this cluster".to_owned(),
            Some(Some(reason)) => format!("a closed time of this cluster ({reason})"),
        };
        let Some(opens) = opens else {
            return Reason::new(CODE, format!("{why}; no window opens in the next 400 days"));
        };
        let zone = self
            .open
            .iter()
            .find(|window| window.contains(opens))
            .or(closed)
            .map_or(TimeZone::UTC, |window| window.zone.clone());
        let message = match zone.iana_name() {
            None | Some("UTC") => format!("{why}; it opens {}", opens.strftime("%a %F %H:%M UTC")),
            Some(name) => {
                format!(
                    "{why}; it opens {} {name} ({})",
                    zone.to_datetime(opens).strftime("%a %F %H:%M"),
                    opens.strftime("%F %H:%M UTC")
                )
            }
        };
        Reason::new(CODE, message).with("opens", opens)
    }
}

impl Zoned {
    fn contains(&self, at: Timestamp) -> bool {
        let local = self.zone.to_datetime(at);
        match &self.when {
            When::Once { from, until } => *from <= local && local < *until,
            When::Weekly { days, from, until } => {
                let minute = minute_of(local);
                let day = usize::from(local.weekday().to_monday_zero_offset().unsigned_abs());
                if from < until {
                    days[day] && *from <= minute && minute < *until
                } else {
                    (days[day] && *from <= minute) || (days[(day + 6) % 7] && minute < *until)
                }
            }
        }
    }

    /// The moments in this span, its end included and its beginning not, at which an instant may begin to be in it or cease
    /// to be.
    fn moments(&self, from: Timestamp, to: Timestamp, out: &mut Vec<Timestamp>) {
        let mut take = |at: Timestamp| {
            if from < at && at <= to {
                out.push(at);
            }
        };
        for change in self.zone.following(from) {
            if change.timestamp() > to {
                break;
            }
            take(change.timestamp());
        }
        let mut shown = |local: DateTime| match self.zone.to_ambiguous_timestamp(local).offset() {
            AmbiguousOffset::Unambiguous { offset } => {
                offset.to_timestamp(local).into_iter().for_each(&mut take);
            }
            // The clock jumps over it: the jump itself is among the moments.
            AmbiguousOffset::Gap { .. } => {}
            AmbiguousOffset::Fold { before, after } => {
                [before, after]
                    .iter()
                    .flat_map(|offset| offset.to_timestamp(local))
                    .for_each(&mut take);
            }
        };
        match &self.when {
            When::Once { from, until } => [*from, *until].into_iter().for_each(shown),
            When::Weekly {
                from: begin,
                until: end,
                ..
            } => {
                let first = self.zone.to_datetime(from).date().yesterday();
                let last = self.zone.to_datetime(to).date();
                let days = first
                    .iter()
                    .flat_map(|first| first.series(jiff::Span::new().days(1)));
                for day in days.take_while(|day| *day <= last) {
                    for minute in [*begin, *end] {
                        let midnight = day.at(0, 0, 0, 0);
                        shown(midnight.saturating_add(SignedDuration::from_mins(i64::from(minute))));
                    }
                }
            }
        }
    }
}

/// The minute of the day that a clock shows.
fn minute_of(local: DateTime) -> u16 {
    u16::from(local.hour().unsigned_abs()) * 60 + u16::from(local.minute().unsigned_abs())
}
