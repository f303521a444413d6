//! Policies that are one word, or one word with more to it.

use std::fmt;

use fleet_core::Millis;
use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess},
};

use crate::model::{LostPolicy, Survives, WorkloadId};

impl<'de> Deserialize<'de> for LostPolicy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Lost)
    }
}

const LOST: [&str; 4] = ["respin", "hold", "shrink", "follow"];

struct Lost;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Respin {
    #[serde(deserialize_with = "super::span::deserialize")]
    after: Millis,
}

impl<'de> de::Visitor<'de> for Lost {
    type Value = LostPolicy;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("hold, shrink, {respin: {after: 10m}} or {follow: WORKLOAD}")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<LostPolicy, E> {
        match word {
            "hold" => Ok(LostPolicy::Hold),
            "shrink" => Ok(LostPolicy::Shrink),
            "respin" => Err(E::custom("`respin` needs a time: write {respin: {after: 10m}}")),
            "follow" => Err(E::custom("`follow` needs a workload: write {follow: WORKLOAD}")),
            other => Err(E::unknown_variant(other, &LOST)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<LostPolicy, A::Error> {
        only(&mut map, &LOST, |map, word| match word {
            "respin" => {
                let Respin { after } = map.next_value()?;
                Ok(LostPolicy::Respin { after })
            }
            "follow" => Ok(LostPolicy::Follow(map.next_value::<WorkloadId>()?)),
            word => Err(alone(word)),
        })
    }
}

impl<'de> Deserialize<'de> for Survives {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Survive)
    }
}

const SURVIVES: [&str; 3] = ["nothing", "any-cluster", "any-domain"];

struct Survive;

impl<'de> de::Visitor<'de> for Survive {
    type Value = Survives;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("nothing, any-cluster or {any-domain: LABEL}")
    }

    fn visit_str<E: de::Error>(self, word: &str) -> Result<Survives, E> {
        match word {
            "nothing" => Ok(Survives::Nothing),
            "any-cluster" => Ok(Survives::AnyCluster),
            "any-domain" => Err(E::custom("`any-domain` needs a label: write {any-domain: LABEL}")),
            other => Err(E::unknown_variant(other, &SURVIVES)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Survives, A::Error> {
        only(&mut map, &SURVIVES, |map, word| match word {
            "any-domain" => Ok(Survives::AnyDomain(map.next_value()?)),
            word => Err(alone(word)),
        })
    }
}

/// Nothing can be said of these words, so what is said would not count.
fn alone<E: de::Error>(word: &str) -> E {
    E::custom(format!("`{word}` stands alone: write it without a colon"))
}

/// The only entry of a mapping.
fn only<'de, A: MapAccess<'de>, T>(
    map: &mut A,
    known: &'static [&'static str],
    read: impl FnOnce(&mut A, &str) -> Result<T, A::Error>,
) -> Result<T, A::Error> {
    use de::Error as _;
    let Some(word) = map.next_key::<String>()? else {
        return Err(A::Error::custom(format!(
            "one of {} is missing",
            known.join(", ")
        )));
    };
    if !known.contains(&word.as_str()) {
        return Err(A::Error::unknown_variant(&word, known));
    }
    let found = read(map, &word)?;
    match map.next_key::<String>()? {
        Some(other) => Err(A::Error::custom(format!(
            "`{word}` and `{other}` exclude each other"
        ))),
        None => Ok(found),
    }
}
