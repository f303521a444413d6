//! Numbers that only make sense within a range, for `serde(deserialize_with)`.

use std::{fmt, ops::RangeInclusive};

use fleet_core::Millis;
use serde::{
    Deserializer,
    de::{self, Unexpected},
};

use super::span;

/// From 0 to 100.
pub(crate) fn percent<'de, D: Deserializer<'de>>(deserializer: D) -> Result<u8, D::Error> {
    let within = Within(0..=100, "a percentage, a whole number from 0 to 100");
    deserializer
        .deserialize_any(within)
        .map(|number| u8::try_from(number).unwrap_or(u8::MAX))
}

/// 1 or more.
pub(crate) fn at_least_one<'de, D: Deserializer<'de>>(deserializer: D) -> Result<usize, D::Error> {
    let within = Within(1..=u64::MAX, "a whole number, at least 1");
    deserializer
        .deserialize_any(within)
        .map(|number| usize::try_from(number).unwrap_or(usize::MAX))
}

/// A span of time that is not nothing.
pub(crate) fn some_time<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Millis, D::Error> {
    match span::deserialize(deserializer)? {
        Millis(0) => Err(de::Error::custom(
            "a limit for no time limits nothing: write a time such as 1h",
        )),
        span => Ok(span),
    }
}

struct Within(RangeInclusive<u64>, &'static str);

impl de::Visitor<'_> for Within {
    type Value = u64;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.1)
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<u64, E> {
        match self.0.contains(&number) {
            true => Ok(number),
            false => Err(E::invalid_value(Unexpected::Unsigned(number), &self)),
        }
    }
}
