//! What became of each mutant.

use std::{collections::BTreeMap, fmt, fmt::Write as _, fs, path::Path};

use serde_json::Value;

use crate::Result;

/// One change, and what the tests said.
#[derive(Debug)]
pub(super) struct Mutant {
    /// From the workspace's folder.
    pub(super) file: String,
    /// Line and column.
    place: String,
    /// What was changed, in which function.
    what: String,
    pub(super) fate: Fate,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    Caught,
    Missed,
    /// The tests did not end: that is noticed too.
    Timeout,
    /// It does not compile.
    Unviable,
}

impl Mutant {
    /// Its name, which stays when lines move.
    pub(super) fn name(&self) -> String {
        format!("{}: {}", self.file, self.what)
    }

    /// `typed` of `fleet-diff/src/typed/merge.rs`.
    fn folder(&self) -> &str {
        self.file.split('/').rev().nth(1).unwrap_or_default()
    }
}

impl fmt::Display for Mutant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.place, self.what)
    }
}

/// Reads what cargo-mutants wrote.
pub(super) fn read(path: &Path) -> Result<Vec<Mutant>> {
    let text = fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))?;
    parse(&serde_json::from_str(&text)?)
}

fn parse(outcomes: &Value) -> Result<Vec<Mutant>> {
    let mut all = Vec::new();
    for outcome in outcomes["outcomes"].as_array().into_iter().flatten() {
        // The first one is the code as it is.
        let Some(mutant) = outcome["scenario"].get("Mutant") else {
            continue;
        };
        let fate = match outcome["summary"].as_str() {
            Some("CaughtMutant") => Fate::Caught,
            Some("MissedMutant") => Fate::Missed,
            Some("Timeout") => Fate::Timeout,
            Some("Unviable") => Fate::Unviable,
            other => return Err(format!("cargo-mutants says {other:?} of a mutant").into()),
        };
        let name = mutant["name"].as_str().unwrap_or_default();
        // `file:line:column: what`
        let mut parts = name.splitn(4, ':');
        let mut part = || parts.next().map(str::trim).ok_or("a mutant without a name");
        let (file, line, column, what) = (part()?, part()?, part()?, part()?);
        all.push(Mutant {
            file: file.to_owned(),
            place: format!("{line}:{column}"),
            what: what.to_owned(),
            fate,
        });
    }
    Ok(all)
}

/// How many the tests noticed, of how many that compile.
pub(super) fn noticed(all: &[Mutant]) -> (usize, usize) {
    let is = |fate: Fate| all.iter().filter(|mutant| mutant.fate == fate).count();
    let noticed = is(Fate::Caught) + is(Fate::Timeout);
    (noticed, noticed + is(Fate::Missed))
}

/// A line for each folder, and one for all.
pub(super) fn table(all: &[Mutant]) -> String {
    let mut folders: BTreeMap<&str, Vec<&Mutant>> = BTreeMap::new();
    for mutant in all {
        folders.entry(mutant.folder()).or_default().push(mutant);
    }
    let mut out = format!(
        "\n{:<12} {:>8} {:>8} {:>8} {:>8} {:>8} {:>8}\n",
        "folder", "caught", "missed", "timeout", "viable", "unviable", "percent"
    );
    for (folder, mutants) in &folders {
        line(&mut out, folder, mutants);
    }
    line(&mut out, "in all", &all.iter().collect::<Vec<_>>());
    out
}

fn line(out: &mut String, title: &str, mutants: &[&Mutant]) {
    let is = |fate: Fate| mutants.iter().filter(|mutant| mutant.fate == fate).count();
    let noticed = is(Fate::Caught) + is(Fate::Timeout);
    let viable = noticed + is(Fate::Missed);
    let tenths = (noticed * 1000).checked_div(viable).unwrap_or(1000);
    let percent = format!("{}.{}", tenths / 10, tenths % 10);
    // Writing to a text cannot fail.
    let _ = writeln!(
        out,
        "{title:<12} {:>8} {:>8} {:>8} {viable:>8} {:>8} {percent:>8}",
        is(Fate::Caught),
        is(Fate::Missed),
        is(Fate::Timeout),
        is(Fate::Unviable),
    );
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    pub(in super::super) fn mutants(of: &[(&str, &str)]) -> Vec<Mutant> {
        let outcome = |(name, summary): &(&str, &str)| json!({"scenario": {"Mutant": {"name": name}}, "summary": summary});
        let mut outcomes: Vec<Value> = of.iter().map(outcome).collect();
        outcomes.insert(0, json!({"scenario": "Baseline", "summary": "Success"}));
        parse(&json!({"outcomes": outcomes})).unwrap()
    }

    #[test]
    fn each_folder_has_its_line() {
        let all = mutants(&[
            (
                "fleet-diff/src/set/mod.rs:1:2: replace a::b with c",
                "CaughtMutant",
            ),
            ("fleet-diff/src/set/mod.rs:3:4: delete !", "MissedMutant"),
            ("fleet-diff/src/set/codec.rs:5:6: delete !", "Timeout"),
            ("fleet-diff/src/typed/mod.rs:7:8: delete !", "Unviable"),
        ]);
        assert_eq!(all[0].name(), "fleet-diff/src/set/mod.rs: replace a::b with c");
        assert_eq!(all[1].to_string(), "fleet-diff/src/set/mod.rs:3:4: delete !");
        assert_eq!(noticed(&all), (2, 3));
        let lines: Vec<Vec<String>> = table(&all)
            .lines()
            .skip(2)
            .map(|line| line.split_whitespace().map(str::to_owned).collect())
            .collect();
        let expected = [
            vec!["set", "1", "1", "1", "3", "0", "66.6"],
            vec!["typed", "0", "0", "0", "0", "1", "100.0"],
            vec!["in", "all", "1", "1", "1", "3", "1", "66.6"],
        ];
        assert_eq!(lines, expected);
    }

    #[test]
    fn an_outcome_that_is_not_known_is_an_error() {
        let odd = json!({"outcomes": [{"scenario": {"Mutant": {"name": "a:1:2: b"}}, "summary": "Odd"}]});
        assert!(parse(&odd).is_err());
    }
}
