//! Moments as people write them: RFC 3339, or milliseconds.

use std::fmt;

use fleet_core::Tick;
use serde::{Deserializer, de};

/// Why a text is no moment.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("`{text}` is not a time{why}: write it like 2026-11-27T19:04:00Z, or in milliseconds since 1970")]
pub struct InvalidMoment {
    text: String,
    why: &'static str,
}

/// Reads a moment: RFC 3339 (`2026-11-27T19:04:00Z`, with an offset in the place of `Z`, and with fractions, of which
/// milliseconds count), a date alone (its beginning by UTC), or milliseconds since the Unix epoch.
///
/// # Errors
/// When it is none, says no zone, or is before 1970.
///
/// ```
/// use fleet_core::Tick;
/// use fleet_scheduler::moment;
///
/// assert_eq!(moment("1970-01-01T01:00:01+01:00")?, Tick(1_000));
/// assert_eq!(moment("1700000000000")?, Tick(1_700_000_000_000));
/// # Ok::<(), fleet_scheduler::InvalidMoment>(())
/// ```
pub fn moment(text: &str) -> Result<Tick, InvalidMoment> {
    let wrong = |why| InvalidMoment {
        text: text.to_owned(),
        why,
    };
    let trimmed = text.trim();
    if !trimmed.is_empty() && trimmed.bytes().all(|byte| byte.is_ascii_digit()) {
        let millis = trimmed.parse().map_err(|_| wrong(" that can be counted"))?;
        return Ok(Tick(millis));
    }
    let mut rest = Rest(trimmed.as_bytes());
    let millis = rest.moment().map_err(wrong)?;
    u64::try_from(millis)
        .map(Tick)
        .map_err(|_| wrong(": it is before 1970"))
}

/// What is still to be read.
struct Rest<'a>(&'a [u8]);

const NOT: &str = "";

impl Rest<'_> {
    fn moment(&mut self) -> Result<i64, &'static str> {
        let year = self.number(4, 0..=9999)?;
        self.expect(b"-")?;
        let month = self.number(2, 1..=12)?;
        self.expect(b"-")?;
        let day = self.number(2, 1..=days_in(year, month))?;
        let days = days_since_1970(year, month, day);
        if self.0.is_empty() {
            return Ok(days * 86_400_000);
        }
        self.expect(b"Tt ")?;
        let hour = self.number(2, 0..=23)?;
        self.expect(b":")?;
        let minute = self.number(2, 0..=59)?;
        let (mut second, mut millis) = (0, 0);
        if self.0.first() == Some(&b':') {
            self.expect(b":")?;
            // A leap second is the first moment of the next minute, as the Unix epoch counts.
            second = self.number(2, 0..=60)?;
            millis = self.fraction()?;
        }
        let offset = self.offset()?;
        if !self.0.is_empty() {
            return Err(NOT);
        }
        Ok((((days * 24 + hour) * 60 + minute - offset) * 60 + second) * 1000 + millis)
    }

    fn number(&mut self, digits: usize, range: std::ops::RangeInclusive<i64>) -> Result<i64, &'static str> {
        let (number, rest) = self.0.split_at_checked(digits).ok_or(NOT)?;
        if !number.iter().all(u8::is_ascii_digit) {
            return Err(NOT);
        }
        self.0 = rest;
        let number = number
            .iter()
            .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        range.contains(&number).then_some(number).ok_or(" that there is")
    }

    fn expect(&mut self, one_of: &[u8]) -> Result<u8, &'static str> {
        let (first, rest) = self.0.split_first().ok_or(NOT)?;
        self.0 = rest;
        one_of.contains(first).then_some(*first).ok_or(NOT)
    }

    /// Milliseconds; what is finer is cut off.
    fn fraction(&mut self) -> Result<i64, &'static str> {
        let Some((b'.' | b',', rest)) = self.0.split_first() else {
            return Ok(0);
        };
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (fraction, rest) = rest.split_at(digits);
        self.0 = rest;
        if fraction.is_empty() {
            return Err(NOT);
        }
        let digit = |at: usize| fraction.get(at).map_or(0, |digit| i64::from(digit - b'0'));
        Ok(digit(0) * 100 + digit(1) * 10 + digit(2))
    }

    /// Minutes east of UTC.
    fn offset(&mut self) -> Result<i64, &'static str> {
        if self.0.is_empty() {
            return Err(" in any zone: end it with Z for UTC");
        }
        let sign = match self.expect(b"Zz+-")? {
            b'+' => 1,
            b'-' => -1,
            _ => return Ok(0),
        };
        let hours = self.number(2, 0..=23)?;
        self.expect(b":")?;
        Ok(sign * (hours * 60 + self.number(2, 0..=59)?))
    }
}

fn days_in(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar. Years are counted from March, so that a leap day is the
/// last of its year (Howard Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`).
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    era * 146_097 + day_of_era - 719_468
}

/// For `serde(deserialize_with)`: a text or a number of milliseconds; none where nothing is said.
pub(crate) fn optional_moment<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Tick>, D::Error> {
    struct Moments;

    impl<'de> de::Visitor<'de> for Moments {
        type Value = Option<Tick>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a time like 2026-11-27T19:04:00Z, or milliseconds since 1970")
        }

        fn visit_none<E: de::Error>(self) -> Result<Option<Tick>, E> {
            Ok(None)
        }

        fn visit_unit<E: de::Error>(self) -> Result<Option<Tick>, E> {
            Ok(None)
        }

        fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<Option<Tick>, D::Error> {
            deserializer.deserialize_any(self)
        }

        fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Option<Tick>, E> {
            Ok(Some(Tick(millis)))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Option<Tick>, E> {
            moment(text).map(Some).map_err(E::custom)
        }
    }

    deserializer.deserialize_option(Moments)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn moments_are_rfc_3339_or_milliseconds() {
        let now = 1_795_806_240_000;
        for (text, expect) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2026-11-27T19:04:00Z", Some(now)),
            ("2026-11-27t19:04:00z", Some(now)),
            ("2026-11-27 19:04:00Z", Some(now)),
            ("2026-11-27T19:04Z", Some(now)),
            ("2026-11-27T20:04:00+01:00", Some(now)),
            ("2026-11-27T13:34:00-05:30", Some(now)),
            ("2026-11-27T19:04:00.5Z", Some(now + 500)),
            ("2026-11-27T19:04:00.1239Z", Some(now + 123)),
            ("2026-11-27", Some(1_795_737_600_000)),
            ("2024-02-29T00:00:00Z", Some(1_709_164_800_000)),
            ("2016-12-31T23:59:60Z", Some(1_483_228_800_000)),
            ("9999-12-31T23:59:59Z", Some(253_402_300_799_000)),
            ("0", Some(0)),
            ("1795806240000", Some(now)),
            ("", None),
            ("soon", None),
            ("-1", None),
            ("2026-02-29", None),
            ("2100-02-29", None),
            ("2026-13-01", None),
            ("2026-00-01", None),
            ("2026-04-31", None),
            ("2026-11-27T24:00:00Z", None),
            ("2026-11-27T19:60:00Z", None),
            ("2026-11-27T19:04:61Z", None),
            ("2026-11-27T19:04:00", None),
            ("2026-11-27T19:04:00.Z", None),
            ("2026-11-27T19:04:00Zulu", None),
            ("2026-11-27T19:04:00+1:00", None),
            ("26-11-27", None),
            ("1969-12-31T23:59:59Z", None),
            ("99999999999999999999", None),
        ] {
            assert_eq!(moment(text).ok(), expect.map(Tick), "{text:?}");
        }
        let wrong = moment("2026-11-27T19:04:00").unwrap_err().to_string();
        assert!(wrong.contains("end it with Z for UTC"), "{wrong}");
    }

    #[test]
    fn days_are_counted_one_by_one() {
        // The slow way: day after day from 1970 on.
        let mut days = 0;
        for year in 1970..2110 {
            for month in 1..=12 {
                for day in 1..=days_in(year, month) {
                    assert_eq!(days_since_1970(year, month, day), days, "{year}-{month}-{day}");
                    days += 1;
                }
            }
        }
    }

    proptest! {
        #[test]
        fn no_text_makes_it_panic(text in "[0-9TZtz:.+ -]{0,30}") {
            let _ = moment(&text);
        }
    }
}
