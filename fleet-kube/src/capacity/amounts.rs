//! Amounts of resources as objects hold them.

use std::fmt;

use fleet_core::{InvalidAmount, Resources};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, MapAccess, Visitor},
};

/// A `ResourceList`. No object of a cluster may spoil the sum over all: what is negative (a node that reserves more than
/// it has) is 0, and what cannot be counted is [`i64::MAX`]. So do the servers; only what somebody asks for is refused then
/// ([`Resources::set_quantity`]).
#[derive(Clone, Default)]
pub(super) struct Amounts(pub(super) Resources);

impl<'de> Deserialize<'de> for Amounts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Read)
    }
}

struct Read;

/// Servers write texts; numbers are permitted in what is sent to them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Number(serde_json::Number),
}

impl<'de> Visitor<'de> for Read {
    type Value = Amounts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("amounts of resources")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Amounts, A::Error> {
        let mut amounts = Resources::new();
        while let Some((name, written)) = map.next_entry::<String, Written>()? {
            let text = match written {
                Written::Text(text) => text,
                Written::Number(number) => number.to_string(),
            };
            let rest = match amounts.set_quantity(&name, &text) {
                Ok(()) => continue,
                Err(InvalidAmount::Negative { .. }) => 0,
                Err(InvalidAmount::TooLarge { .. }) => i64::MAX,
                Err(error) => return Err(A::Error::custom(error)),
            };
            amounts.set(&name, rest).map_err(A::Error::custom)?;
        }
        Ok(Amounts(amounts))
    }
}

/// `null` is what it is by default.
pub(super) fn or_default<'de, D: Deserializer<'de>, T: Deserialize<'de> + Default>(
    deserializer: D,
) -> Result<T, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}
