//! Spans of time as people write them: `90s`, `10m`, `1h30m`.

use std::fmt::{self, Write as _};

use fleet_core::Millis;
use serde::{Deserializer, Serializer, de};

/// The units and their milliseconds, the largest first.
const UNITS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// Why a text is no span of time.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error(
    "`{text}` is not a span of time{why}: write whole numbers with d, h, m, s or ms, such as 10m or 1h30m"
)]
pub struct InvalidSpan {
    text: String,
    why: &'static str,
}

/// Reads a span such as `90s`, `10m` or `1h30m`: whole numbers, each with one of the units `d`, `h`, `m`, `s` and
/// `ms`, the larger unit first.
///
/// # Errors
/// When it is none, or too long to be counted in milliseconds.
///
/// ```
/// use fleet_core::Millis;
/// use fleet_scheduler::span;
///
/// assert_eq!(span("1h30m")?, Millis::from_mins(90));
/// assert!(span("10").is_err(), "ten of what is not said");
/// # Ok::<(), fleet_scheduler::InvalidSpan>(())
/// ```
pub fn span(text: &str) -> Result<Millis, InvalidSpan> {
    let wrong = |why| InvalidSpan {
        text: text.to_owned(),
        why,
    };
    let mut rest = text.trim();
    if rest.is_empty() {
        return Err(wrong(""));
    }
    let (mut sum, mut units) = (0_u64, UNITS.iter());
    while !rest.is_empty() {
        let digits = rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, after) = rest.split_at(digits);
        let letters = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (unit, after) = after.split_at(letters);
        if number.is_empty() {
            return Err(wrong(""));
        }
        // Each unit once, and in order: `30m1h` is more likely a mistake than meant.
        let (_, millis) = units.find(|(name, _)| *name == unit).ok_or_else(|| wrong(""))?;
        sum = number
            .parse::<u64>()
            .ok()
            .and_then(|number| number.checked_mul(*millis))
            .and_then(|part| sum.checked_add(part))
            .ok_or_else(|| wrong(" that can be counted"))?;
        rest = after;
    }
    Ok(Millis(sum))
}

/// As it is read again.
fn written(span: Millis) -> String {
    let mut rest = span.0;
    let mut text = String::new();
    for (name, millis) in UNITS {
        let number = rest / millis;
        if number > 0 {
            // Writing to a text cannot fail.
            let _ = write!(text, "{number}{name}");
        }
        rest %= millis;
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

/// For `serde(with)`.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks so")]
pub(crate) fn serialize<S: Serializer>(span: &Millis, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(&written(*span))
}

/// For `serde(with)`: a text, or a number of milliseconds.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    struct Spans;

    impl de::Visitor<'_> for Spans {
        type Value = Millis;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a span of time such as 10m, or a number of milliseconds")
        }

        fn visit_u64<E: de::Error>(self, millis: u64) -> Result<Millis, E> {
            Ok(Millis(millis))
        }

        fn visit_str<E: de::Error>(self, text: &str) -> Result<Millis, E> {
            span(text).map_err(E::custom)
        }
    }

    deserializer.deserialize_any(Spans)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn spans_are_numbers_with_units() {
        let day = 86_400_000;
        for (text, expect) in [
            ("0s", Some(0)),
            ("90s", Some(90_000)),
            ("10m", Some(600_000)),
            ("1h30m", Some(5_400_000)),
            ("2d", Some(2 * day)),
            ("1d1h1m1s1ms", Some(day + 3_661_001)),
            (" 5s ", Some(5_000)),
            ("", None),
            ("10", None),
            ("m", None),
            ("-5m", None),
            ("1.5h", None),
            ("5 m", None),
            ("5min", None),
            ("30m1h", None),
            ("1m1m", None),
            ("1h30", None),
            ("18446744073709551615ms", Some(u64::MAX)),
            ("18446744073709551616ms", None),
            ("213503982335d", None),
            ("10\u{0663}m", None),
        ] {
            assert_eq!(span(text).ok(), expect.map(Millis), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_again(millis: u64) {
            prop_assert_eq!(span(&written(Millis(millis))), Ok(Millis(millis)));
        }

        #[test]
        fn no_text_makes_it_panic(text in ".{0,40}") {
            let _ = span(&text);
        }
    }
}
