//! Taints as registries write them.

use fleet_core::{InvalidTaint, Taint, TaintEffect, Tick};
use jiff::Timestamp;
use serde::{Deserialize, Deserializer, de::Error as _};

use crate::times::tick;

/// Why taints cannot be used. Nothing that is written there is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(super) enum Wrong {
    /// One of them.
    #[error(transparent)]
    Taint(#[from] InvalidTaint),
    /// Its time is none.
    #[error("has a taint since no moment such as `2026-11-27T19:04:00Z`")]
    Since,
    /// Two of one key and effect.
    #[error("has two taints of one key and effect")]
    Twice,
}

/// In a file: a list of mappings.
pub(super) fn of_file<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Taint>, D::Error> {
    let mut taints = Vec::new();
    for Sound(taint) in Vec::<Sound>::deserialize(deserializer)? {
        add(&mut taints, taint).map_err(|wrong| D::Error::custom(format!("`taints` {wrong}")))?;
    }
    Ok(taints)
}

/// One that can be used, so that what is wrong is told with its line.
struct Sound(Taint);

impl<'de> Deserialize<'de> for Sound {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Written {
            key: String,
            #[serde(default)]
            value: String,
            effect: TaintEffect,
            since: Option<String>,
        }
        let written = Written::deserialize(deserializer)?;
        let mut taint = Taint::new(written.key, written.value, written.effect);
        let checked = taint.check().map_err(Wrong::Taint);
        let since = checked.and_then(|()| written.since.as_deref().map(moment).transpose());
        taint.since = since.map_err(|wrong| D::Error::custom(format!("`taints` {wrong}")))?;
        Ok(Self(taint))
    }
}

/// In a text: `key=value:Effect`, or `key:Effect@2026-11-27T19:04:00Z`, with commas in between. Those that can be read, and
/// what is wrong with the first that cannot.
pub(super) fn of_text(text: &str) -> (Vec<Taint>, Result<(), Wrong>) {
    let (mut taints, mut result) = (Vec::new(), Ok(()));
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        let added = read(one).and_then(|taint| add(&mut taints, taint));
        result = result.and(added);
    }
    (taints, result)
}

fn read(text: &str) -> Result<Taint, Wrong> {
    let (taint, since) = match text.split_once('@') {
        Some((taint, since)) => (taint, Some(since)),
        None => (text, None),
    };
    let mut taint: Taint = taint.trim().parse()?;
    taint.since = since.map(moment).transpose()?;
    Ok(taint)
}

fn moment(text: &str) -> Result<Tick, Wrong> {
    let at: Timestamp = text.trim().parse().map_err(|_| Wrong::Since)?;
    Ok(tick(at))
}

fn add(taints: &mut Vec<Taint>, taint: Taint) -> Result<(), Wrong> {
    let is_other = |one: &Taint| (&one.key, one.effect) != (&taint.key, taint.effect);
    if !taints.iter().all(is_other) {
        return Err(Wrong::Twice);
    }
    taints.push(taint);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_taints_as_far_as_they_can_be_read() {
        const AT: &str = "2026-11-27T19:04:00Z";
        let check = |text: &str, expect: &[&str], result: Result<(), &str>| {
            let (taints, found) = of_text(text);
            let show = |taint: &Taint| {
                let since = taint.since.map_or(String::new(), |since| format!("@{}", since.0));
                format!("{taint}{since}")
            };
            assert_eq!(taints.iter().map(show).collect::<Vec<_>>(), expect, "{text}");
            assert_eq!(
                found.map_err(|wrong| wrong.to_string()),
                result.map_err(str::to_owned),
                "{text}"
            );
        };
        check("", &[], Ok(()));
        check("a:NoSchedule", &["a:NoSchedule"], Ok(()));
        check(
            " example.com/gpu=old:NoExecute ,\n b=:PreferNoSchedule,",
            &["example.com/gpu=old:NoExecute", "b:PreferNoSchedule"],
            Ok(()),
        );
        check(
            &format!("a:NoExecute@{AT}"),
            &["a:NoExecute@1795806240000"],
            Ok(()),
        );
        check(
            "a=1:NoSchedule, a=2:NoExecute",
            &["a=1:NoSchedule", "a=2:NoExecute"],
            Ok(()),
        );
        let twice = "has two taints of one key and effect";
        check("a=1:NoSchedule, a=2:NoSchedule", &["a=1:NoSchedule"], Err(twice));
        let effect = "has none of the effects `PreferNoSchedule`, `NoSchedule` and `NoExecute`";
        check("a:NoSelect, b:NoSchedule", &["b:NoSchedule"], Err(effect));
        check("a", &[], Err("has no effect: write `key=value:NoSchedule`"));
        let key = "has a key that is not of letters, digits, `-`, `_`, `.` and `/`";
        check(":NoSchedule", &[], Err(key));
        check("a b:NoSchedule", &[], Err(key));
        let value = "has a value that is not of letters, digits, `-`, `_` and `.`";
        check("a=b/c:NoSchedule", &[], Err(value));
        let since = "has a taint since no moment such as `2026-11-27T19:04:00Z`";
        check("a:NoSchedule@yesterday", &[], Err(since));
    }
}
