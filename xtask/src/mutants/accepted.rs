//! The list of mutants that may survive, each with the reason.

use std::{collections::BTreeMap, fs};

use super::outcomes::{Fate, Mutant};
use crate::{Result, workspace};

/// From the workspace's folder.
pub(super) const LIST: &str = "fleet-diff/mutants.md";

/// How often a mutant of each name may survive: names have no places, and a function may have several alike.
pub(super) struct Accepted(BTreeMap<String, usize>);

impl Accepted {
    pub(super) fn read() -> Result<Self> {
        let text =
            fs::read_to_string(workspace::root().join(LIST)).map_err(|error| format!("{LIST}: {error}"))?;
        Self::parse(&text)
    }

    /// Every item of a list that begins with code is one: its name as the code, a colon and the reason.
    fn parse(text: &str) -> Result<Self> {
        let mut names = BTreeMap::new();
        for line in text.lines() {
            let Some(rest) = line.strip_prefix("- `") else {
                continue;
            };
            match rest.split_once("`: ") {
                Some((name, reason)) if !reason.trim().is_empty() => {
                    *names.entry(name.to_owned()).or_default() += 1;
                }
                _ => return Err(format!("{LIST}: no reason: {line}").into()),
            }
        }
        Ok(Self(names))
    }

    /// Survivors beyond the list.
    pub(super) fn unlisted<'m>(&self, missed: &[&'m Mutant]) -> Vec<&'m Mutant> {
        let mut left = self.0.clone();
        let mut found = Vec::new();
        for mutant in missed {
            match left.get_mut(&mutant.name()) {
                Some(times) if *times > 0 => *times -= 1,
                _ => found.push(*mutant),
            }
        }
        found
    }

    /// Names in the list of which fewer survive, if all mutants of a file were tried.
    pub(super) fn outdated(&self, all: &[Mutant]) -> Vec<&str> {
        let mut survive: BTreeMap<String, usize> = BTreeMap::new();
        for mutant in all.iter().filter(|mutant| mutant.fate == Fate::Missed) {
            *survive.entry(mutant.name()).or_default() += 1;
        }
        let was_tried = |name: &str| {
            all.iter()
                .any(|mutant| name.starts_with(&format!("{}: ", mutant.file)))
        };
        let names = self
            .0
            .iter()
            .filter(|(name, times)| survive.get(*name).copied().unwrap_or(0) < **times && was_tried(name));
        names.map(|(name, _)| name.as_str()).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{super::outcomes::tests::mutants, *};

    const TEXT: &str =
        "# Title\n\n- `a/b.rs: delete ! in f`: the same\n- `a/b.rs: gone`: was\n- `c.rs: x`: not tried\n";

    #[test]
    fn the_list_and_the_survivors_are_compared_by_name_and_number() {
        let accepted = Accepted::parse(TEXT).unwrap();
        let all = mutants(&[
            ("a/b.rs:1:1: delete ! in f", "MissedMutant"),
            ("a/b.rs:2:1: delete ! in f", "MissedMutant"),
            ("a/b.rs:3:1: gone", "CaughtMutant"),
        ]);
        let missed: Vec<&Mutant> = all.iter().filter(|mutant| mutant.fate == Fate::Missed).collect();
        let unlisted: Vec<String> = accepted
            .unlisted(&missed)
            .iter()
            .map(ToString::to_string)
            .collect();
        assert_eq!(unlisted, ["a/b.rs:2:1: delete ! in f"]);
        assert_eq!(accepted.outdated(&all), ["a/b.rs: gone"]);
    }

    #[test]
    fn each_has_a_reason() {
        assert!(Accepted::parse("- `a/b.rs: delete !`:").is_err());
        assert!(Accepted::read().is_ok(), "the list of this project");
    }
}
