//! What annotations of a Secret say about its cluster.

use std::borrow::Cow;

use fleet_core::LifeCycle;
use serde::{Deserialize, de::IntoDeserializer};

use super::{
    super::{ClusterEntry, taints},
    listed::Meta,
};

const ABOUT: &str = "cluster.fleet.internal/";
const PROPERTY: &str = "property.cluster.fleet.internal/";
const COST: &str = "cost.cluster.fleet.internal/";

/// What is said.
pub(super) struct Described {
    pub(super) name: Option<Name>,
    /// As far as it could be read.
    pub(super) entry: ClusterEntry,
    /// What is wrong with it.
    pub(super) wrong: Option<String>,
}

/// The name of a cluster, or why it cannot be one.
pub(super) type Name = Result<String, &'static str>;

/// Longest name of a cluster, in bytes: that of an object's.
const NAME_BYTES_MAX: usize = 253;

/// It is shown on terminals, and names files.
pub(super) fn name(text: &str) -> Name {
    let text = text.trim();
    if text.is_empty() {
        Err("is empty")
    } else if text.len() > NAME_BYTES_MAX {
        Err("is longer than 253 bytes")
    } else if text.contains(char::is_control) {
        Err("has control characters in it")
    } else {
        Ok(text.to_owned())
    }
}

pub(super) fn describe(meta: &Meta) -> Described {
    let mut called = None;
    let mut entry = ClusterEntry {
        labels: meta.labels.clone().unwrap_or_default(),
        ..ClusterEntry::default()
    };
    let mut wrong = None;
    for (key, value) in meta.annotations.iter().flatten() {
        let result: Result<(), Cow<'static, str>> = if let Some(property) = key.strip_prefix(PROPERTY) {
            entry.properties.insert(property.to_owned(), value.clone());
            Ok(())
        } else if let Some(good) = key.strip_prefix(COST) {
            let cost = value.parse().map_err(|_| "is not a whole number".into());
            cost.map(|cost| entry.cost.extend([(good.to_owned(), cost)]))
        } else {
            match key.strip_prefix(ABOUT) {
                None => Ok(()),
                Some("name") => {
                    let name = name(value);
                    called = Some(name.clone());
                    name.map(drop).map_err(Cow::from)
                }
                Some("uid") => {
                    entry.uid = Some(value.clone());
                    Ok(())
                }
                Some("paused") => {
                    // It is shown on terminals.
                    entry.paused = Some(value.replace(char::is_control, " "));
                    Ok(())
                }
                Some("taints") => {
                    let (taints, result) = taints::of_text(value);
                    entry.taints = taints;
                    result.map_err(|wrong| wrong.to_string().into())
                }
                Some("life-cycle") => life_cycle(value)
                    .map(|stage| entry.life_cycle = stage)
                    .map_err(Cow::from),
                Some(_) => Err("is not known".into()),
            }
        };
        if let Err(why) = result {
            wrong.get_or_insert(format!("its annotation `{key}` {why}"));
        }
    }
    Described {
        name: called,
        entry,
        wrong,
    }
}

fn life_cycle(text: &str) -> Result<LifeCycle, &'static str> {
    LifeCycle::deserialize(IntoDeserializer::<serde::de::value::Error>::into_deserializer(
        text,
    ))
    .map_err(|_| "is none of `joining`, `ready`, `cordoned`, `draining` and `leaving`")
}
