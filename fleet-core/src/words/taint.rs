//! Taints of clusters: what keeps workloads away unless they tolerate it.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};

use super::Tick;

/// Keeps workloads away from a cluster unless they tolerate it, as a node's taint does with pods.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Taint {
    /// What it is about.
    pub key: String,
    /// More of it; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub value: String,
    /// What it does.
    pub effect: TaintEffect,
    /// Since when: what tolerates it for a time counts from here. None: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<Tick>,
}

impl Taint {
    /// A taint without a time.
    pub fn new(key: impl Into<String>, value: impl Into<String>, effect: TaintEffect) -> Self {
        Self {
            key: key.into(),
            value: value.into(),
            effect,
            since: None,
        }
    }

    /// There since then.
    #[must_use]
    pub fn since(mut self, since: Tick) -> Self {
        self.since = Some(since);
        self
    }
}

impl fmt::Display for Taint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let equals = if self.value.is_empty() { "" } else { "=" };
        write!(f, "{}{equals}{}:{}", self.key, self.value, self.effect)
    }
}

/// As kubectl writes it: `key=value:Effect`, or `key:Effect`.
///
/// ```
/// use fleet_core::{Taint, TaintEffect};
///
/// let taint: Taint = "hardware=old:PreferNoSchedule".parse()?;
/// assert_eq!(taint, Taint::new("hardware", "old", TaintEffect::PreferNoSchedule));
/// assert_eq!(taint.to_string(), "hardware=old:PreferNoSchedule");
/// # Ok::<(), fleet_core::InvalidTaint>(())
/// ```
impl FromStr for Taint {
    type Err = InvalidTaint;

    fn from_str(text: &str) -> Result<Self, InvalidTaint> {
        let (what, effect) = text.rsplit_once(':').ok_or(InvalidTaint::NoEffect)?;
        let (key, value) = what.split_once('=').unwrap_or((what, ""));
        let taint = Self::new(key, value, effect.parse()?);
        taint.check()?;
        Ok(taint)
    }
}

impl Taint {
    /// Makes sure that it can be written and matched: of letters, digits, and `-`, `_`, `.`, in the key also `/`.
    ///
    /// # Errors
    /// When it cannot.
    pub fn check(&self) -> Result<(), InvalidTaint> {
        let is_plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.".contains(letter);
        if self.key.is_empty() || !self.key.chars().all(|letter| is_plain(letter) || letter == '/') {
            return Err(InvalidTaint::Key);
        }
        if !self.value.chars().all(is_plain) {
            return Err(InvalidTaint::Value);
        }
        Ok(())
    }
}

/// Why a taint cannot be used. Nothing of its text is in it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTaint {
    /// There is no `:` with an effect behind it.
    #[error("has no effect: write `key=value:NoSchedule`")]
    NoEffect,
    /// The effect is not known.
    #[error("has none of the effects `PreferNoSchedule`, `NoSchedule` and `NoExecute`")]
    Effect,
    /// The key is empty, or has other characters.
    #[error("has a key that is not of letters, digits, `-`, `_`, `.` and `/`")]
    Key,
    /// The value has other characters.
    #[error("has a value that is not of letters, digits, `-`, `_` and `.`")]
    Value,
}

/// What a taint does to what does not tolerate it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
pub enum TaintEffect {
    /// Rather not here (Open Cluster Management: `PreferNoSelect`).
    PreferNoSchedule,
    /// Nothing new comes (`NoSelectIfNew`).
    NoSchedule,
    /// Nothing new comes, and what is here goes (`NoSelect`).
    NoExecute,
}

impl FromStr for TaintEffect {
    type Err = InvalidTaint;

    fn from_str(text: &str) -> Result<Self, InvalidTaint> {
        match text {
            "PreferNoSchedule" => Ok(Self::PreferNoSchedule),
            "NoSchedule" => Ok(Self::NoSchedule),
            "NoExecute" => Ok(Self::NoExecute),
            _ => Err(InvalidTaint::Effect),
        }
    }
}

impl fmt::Display for TaintEffect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::PreferNoSchedule => "PreferNoSchedule",
            Self::NoSchedule => "NoSchedule",
            Self::NoExecute => "NoExecute",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_a_taint_or_says_why_not() {
        let cases = [
            (
                "a=b:NoSchedule",
                Ok(Taint::new("a", "b", TaintEffect::NoSchedule)),
            ),
            (
                "x.io/a:NoExecute",
                Ok(Taint::new("x.io/a", "", TaintEffect::NoExecute)),
            ),
            (
                "a=:PreferNoSchedule",
                Ok(Taint::new("a", "", TaintEffect::PreferNoSchedule)),
            ),
            ("a=b", Err(InvalidTaint::NoEffect)),
            ("", Err(InvalidTaint::NoEffect)),
            ("a:", Err(InvalidTaint::Effect)),
            ("a:noschedule", Err(InvalidTaint::Effect)),
            ("=b:NoSchedule", Err(InvalidTaint::Key)),
            ("a b:NoSchedule", Err(InvalidTaint::Key)),
            ("a:b:NoSchedule", Err(InvalidTaint::Key)),
            ("a=b=c:NoSchedule", Err(InvalidTaint::Value)),
            ("a=x/y:NoSchedule", Err(InvalidTaint::Value)),
        ];
        for (text, expect) in cases {
            let found: Result<Taint, _> = text.parse();
            assert_eq!(found, expect, "{text}");
            if let Ok(taint) = found {
                assert_eq!(taint.to_string().parse(), Ok(taint), "{text}");
            }
        }
    }
}
