mod answers;
mod builtin;
mod plans;
mod presets;

use std::collections::BTreeSet;

use fleet_scheduler::conformance::{Suite, Violation};

/// Few fleets are enough to find what is wrong always.
fn small() -> Suite {
    Suite::default().draws(4)
}

/// What is told must be exactly what was expected; every case that is otherwise shows.
#[track_caller]
fn all_break<'a>(cases: impl IntoIterator<Item = (&'a str, Vec<Violation>, &'a [&'a str])>) {
    let mut wrong = Vec::new();
    for (what, violations, expected) in cases {
        let broken: BTreeSet<&str> = violations.iter().map(|violation| violation.promise).collect();
        if broken != expected.iter().copied().collect() {
            wrong.push(format!("{what}: {broken:?} rather than {expected:?}:"));
            wrong.extend(violations.iter().map(ToString::to_string));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[track_caller]
fn breaks(what: &str, violations: Vec<Violation>, expected: &[&str]) {
    all_break([(what, violations, expected)]);
}
