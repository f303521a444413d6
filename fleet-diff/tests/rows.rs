//! Built-in fields that mislead plain comparisons: what this crate says of them, beside what real servers answered.
//!
//! `cargo xtask rows` records the answers.

#[path = "rows/case.rs"]
mod case;
#[path = "rows/recording.rs"]
mod recording;
#[path = "rows/replay.rs"]
mod replay;
#[path = "rows/same.rs"]
mod same;
#[path = "rows/table.rs"]
mod table;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use case::{Case, Expected, Row};
use fleet_diff::Schemas;

/// The versions that answers are recorded of.
const VERSIONS: [&str; 2] = ["1.36", "1.37"];
/// The rows of the table.
const ROWS: u16 = 136;
/// Those of them that must be covered.
const ENOUGH: usize = 125;

fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).to_owned()
}

fn rows() -> Vec<Row> {
    case::rows(&home().join("tests/rows/cases"))
}

fn cases() -> Vec<Case> {
    rows().iter().flat_map(Row::cases).collect()
}

#[test]
fn servers_answer_what_is_said_here() {
    let cases = cases();
    let mut failures = Vec::new();
    for version in VERSIONS {
        let recording = recording::read(&home().join(format!("tests/rows/recorded/{version}.json")));
        let builtin = Schemas::for_kubernetes(version).expect("a known version");
        for case in cases.iter().filter(|case| case.is_for(version)) {
            let problems = match recording.get(&case.title) {
                Some(recorded) => replay::problems(case, recorded, &builtin),
                None => vec!["is not recorded: run `cargo xtask rows`".to_owned()],
            };
            failures.extend(
                problems
                    .into_iter()
                    .map(|problem| format!("{version}: {}: {problem}", case.title)),
            );
        }
        let titles: BTreeSet<&String> = cases.iter().map(|case| &case.title).collect();
        let left = recording.keys().filter(|title| !titles.contains(title));
        failures.extend(left.map(|title| format!("{version}: {title}: is no case any more")));
    }
    assert!(
        failures.is_empty(),
        "{} problems:\n{}",
        failures.len(),
        failures.join("\n")
    );
}

#[test]
fn no_case_passes_whatever_is_said() {
    for case in cases() {
        assert!(
            replay::says_something(&case),
            "{} expects nothing of any field",
            case.title
        );
    }
}

#[test]
fn every_row_is_covered_or_says_why_not() {
    let rows = rows();
    let numbers: Vec<u16> = rows.iter().map(|row| row.number).collect();
    assert_eq!(numbers, (1..=ROWS).collect::<Vec<u16>>());
    let mut played: BTreeSet<u16> = cases().into_iter().map(|case| case.row).collect();
    for row in rows.iter().filter(|row| !row.tests.is_empty()) {
        row.tests.iter().for_each(|test| assert_test_exists(test));
        played.insert(row.number);
    }
    for row in &rows {
        let covered = played.contains(&row.number);
        assert_ne!(
            covered,
            row.untestable.is_some(),
            "row {} is covered: {covered}",
            row.number
        );
    }
    assert!(played.len() >= ENOUGH, "{} rows are covered", played.len());
}

/// A rule that a row names must have decided something in a case of the row.
#[test]
fn every_rule_that_is_named_decides_in_a_case() {
    let mut idle = Vec::new();
    for row in rows() {
        let decided: BTreeSet<String> = row
            .cases()
            .into_iter()
            .flat_map(|case| case.fields)
            .filter_map(ruled)
            .collect();
        let named = row
            .by
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|word| word.contains('/'));
        let not = named.filter(|id| !decided.contains(*id));
        idle.extend(not.map(|id| format!("{id} in row {}", row.number)));
        let mute = decided
            .iter()
            .filter(|id| id.contains('/') && !row.by.contains(&format!("`{id}`")));
        idle.extend(mute.map(|id| format!("{id} decides in row {} and is not named", row.number)));
    }
    assert!(idle.is_empty(), "{}", idle.join("\n"));
}

fn ruled((_, expected): (String, Expected)) -> Option<String> {
    match expected {
        Expected::Ruled(_, rule) => Some(rule),
        Expected::Verdict(_) => None,
    }
}

/// `file::function`, with the file as seen from the workspace.
fn assert_test_exists(test: &str) {
    let (file, function) = test
        .split_once("::")
        .unwrap_or_else(|| panic!("{test} names no function"));
    let path = home().join("..").join(file);
    let text = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{test}: {error}"));
    assert!(text.contains(&format!("fn {function}(")), "there is no {test}");
}

#[test]
fn the_page_is_what_the_cases_say() {
    let written = fs::read_to_string(home().join("FIELDS.md")).expect("the page");
    assert!(
        written == table::page(&rows()),
        "FIELDS.md is outdated: run `cargo xtask rows`"
    );
}
