//! Understands the texts of windows.

use std::sync::OnceLock;

use fleet_core::{Maintenance, Window};
use jiff::{
    Timestamp,
    civil::DateTime,
    tz::{TimeZone, TimeZoneDatabase},
};
use serde::{Deserialize, Deserializer, de::Error as _};

use super::Windows;

/// Most windows and closed times of one cluster or fleet.
pub(crate) const WINDOWS_MAX: usize = 32;
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
const DAY: u16 = 24 * 60;

/// A window with its texts understood.
#[derive(Clone, Debug)]
pub(super) struct Zoned {
    pub(super) zone: TimeZone,
    pub(super) when: When,
    pub(super) reason: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) enum When {
    /// On these days from Monday, in minutes of the day.
    Weekly {
        days: [bool; 7],
        from: u16,
        until: u16,
    },
    Once {
        from: DateTime,
        until: DateTime,
    },
}

pub(super) fn windows(maintenance: &Maintenance) -> Result<Windows, String> {
    let count = maintenance.windows.len() + maintenance.closed.len();
    // Those of a cluster and those of its fleet.
    if count > 2 * WINDOWS_MAX {
        return Err(too_many(count));
    }
    let all = |list: &[Window]| list.iter().map(zoned).collect::<Result<Vec<_>, _>>();
    Ok(Windows {
        open: all(&maintenance.windows)?,
        closed: all(&maintenance.closed)?,
        wrong: None,
    })
}

fn too_many(count: usize) -> String {
    format!("{count} windows and closed times are too many: {WINDOWS_MAX} is the most")
}

fn zoned(window: &Window) -> Result<Zoned, String> {
    let name = window.time_zone.as_deref().unwrap_or("UTC");
    let zone = zone(name)?;
    let when = match (moment(&window.from)?, moment(&window.until)?) {
        (Moment::Date(from), Moment::Date(until)) => {
            if window.days.is_some() {
                return Err(format!(
                    "`days` says nothing about a time that comes once, on {from}: leave it out"
                ));
            }
            if until <= from {
                return Err(format!("it ends at {until}, before it begins at {from}"));
            }
            When::Once { from, until }
        }
        (Moment::Time(from), Moment::Time(until)) => {
            if from == until {
                let text = &window.from;
                return Err(format!(
                    "it ends when it begins, at {text}: a whole day is from `00:00` until `24:00`"
                ));
            }
            if from == DAY {
                return Err(
                    "`24:00` is the end of a day, and nothing begins there: write `00:00`".to_owned(),
                );
            }
            let days = days(window.days.as_deref())?;
            When::Weekly { days, from, until }
        }
        _ => {
            let (from, until) = (&window.from, &window.until);
            return Err(format!(
                "`{from}` and `{until}` must both be times of a day, or both dates with a time"
            ));
        }
    };
    Ok(Zoned {
        zone,
        when,
        reason: window.reason.clone(),
    })
}

/// The zones are those this crate was built with, so that a container without any knows them, and every machine the same.
fn zone(name: &str) -> Result<TimeZone, String> {
    static ZONES: OnceLock<TimeZoneDatabase> = OnceLock::new();
    if name.eq_ignore_ascii_case("utc") {
        return Ok(TimeZone::UTC);
    }
    let zones = ZONES.get_or_init(TimeZoneDatabase::bundled);
    zones
        .get(name)
        .map_err(|_| format!("`{name}` is not a time zone: write a name such as `Europe/Berlin`, or `UTC`"))
}

fn days(names: Option<&[String]>) -> Result<[bool; 7], String> {
    let Some(names) = names else { return Ok([true; 7]) };
    if names.is_empty() {
        return Err(
            "`days` is empty, so it never comes: name days, or leave `days` out for every day".to_owned(),
        );
    }
    let mut days = [false; 7];
    for name in names {
        let day = DAYS.iter().position(|day| day.eq_ignore_ascii_case(name));
        let day = day.ok_or_else(|| format!("`{name}` is not a day: write {}", DAYS.join(", ")))?;
        days[day] = true;
    }
    Ok(days)
}

enum Moment {
    /// Minutes of a day.
    Time(u16),
    Date(DateTime),
}

fn moment(text: &str) -> Result<Moment, String> {
    let wrong = || {
        Err(format!(
            "`{text}` is not a time: write `22:00`, or with a date `2026-12-20 18:00`"
        ))
    };
    if text.is_empty() {
        return Err("`from` and `until` must both be given".to_owned());
    }
    if let Some(minutes) = time(text) {
        return Ok(Moment::Time(minutes));
    }
    match text
        .split_once([' ', 'T'])
        .map(|(date, clock)| (date.parse(), time(clock)))
    {
        Some((Ok(date), Some(minutes))) if minutes < DAY => {
            let date: jiff::civil::Date = date;
            let (hour, minute) = (minutes / 60, minutes % 60);
            let small = |number: u16| i8::try_from(number).unwrap_or(0);
            Ok(Moment::Date(date.at(small(hour), small(minute), 0, 0)))
        }
        _ => wrong(),
    }
}

/// Hours and minutes, as minutes.
fn time(text: &str) -> Option<u16> {
    let (hours, minutes) = text.split_once(':')?;
    let number = |digits: &str| -> Option<u16> {
        let is_number = (1..=2).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit());
        digits.parse().ok().filter(|_| is_number)
    };
    let (hours, minutes) = (number(hours)?, number(minutes).filter(|_| minutes.len() == 2)?);
    let all = hours * 60 + minutes;
    (minutes < 60 && all <= DAY).then_some(all)
}

/// A window whose texts make sense, so that what is wrong with it has a line.
struct Sound(Window);

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let window = Window::deserialize(deserializer)?;
        zoned(&window).map_err(D::Error::custom)?;
        Ok(Self(window))
    }
}

#[derive(Deserialize, Default)]
#[serde(default, deny_unknown_fields)]
struct Lists {
    windows: Vec<Sound>,
    closed: Vec<Sound>,
}

/// Times that make sense, for settings files.
pub(crate) fn maintenance<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Maintenance, D::Error> {
    let Lists { windows, closed } = Lists::deserialize(deserializer)?;
    let count = windows.len() + closed.len();
    if count > WINDOWS_MAX {
        return Err(D::Error::custom(too_many(count)));
    }
    let plain = |list: Vec<Sound>| list.into_iter().map(|Sound(window)| window).collect();
    let mut maintenance = Maintenance::default();
    (maintenance.windows, maintenance.closed) = (plain(windows), plain(closed));
    if never_opens(&maintenance) {
        return Err(D::Error::custom(
            "it never opens: `closed` covers every time in which it could be written to",
        ));
    }
    Ok(maintenance)
}

/// Whether what comes again each week leaves no time at all. What comes once ends by itself, and does not count.
fn never_opens(maintenance: &Maintenance) -> bool {
    let Ok(mut windows) = windows(maintenance) else {
        return false;
    };
    let comes_again = |window: &Zoned| matches!(window.when, When::Weekly { .. });
    windows.closed.retain(comes_again);
    if windows.open.iter().any(|window| !comes_again(window)) {
        return false;
    }
    // Any year will do, and the answer must not depend on when it is asked.
    let at = Timestamp::constant(1_767_225_600, 0);
    !windows.is_open(at) && windows.next_change(at).is_none()
}
