//! The parts keep their promises, and the program says what it decides.

use std::process::Command;

use custom_policy::{Bill, CARBON, GPU, Idle, Together, scheduler};
use fleet_core::Resources;
use fleet_scheduler::{
    Target, Workload,
    conformance::{Suite, Violation},
};

/// What is drawn has the scores we look at, and a job of the sort that the policy is about.
fn suite() -> Suite {
    let needs = Resources::new().with(GPU, "2").unwrap();
    let mut job = Workload::new("ml/job", [Target::replicas(3)]).needs(needs);
    job.completes = true;
    Suite::default().score(CARBON).workload(job)
}

#[track_caller]
fn check(violations: Vec<Violation>) {
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_part_keeps_its_promises() {
    check(suite().filter(&Idle { percent: 50 }));
    check(suite().scorer(&Bill));
    check(suite().divider(&Together));
    check(suite().rebalancer(&Bill));
}

#[test]
fn all_together_keep_them() {
    check(suite().seed(2).draws(6).scheduler(&scheduler()));
}

#[test]
fn the_program_says_where_and_why() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-policy"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let row = |name: &str| {
        said.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
    };
    // The cheapest with its carbon; what does not fit there as a whole is not divided.
    assert!(row("ml/evaluate").contains("wind-1 2"), "{said}");
    assert!(row("ml/simulate").contains("hydro-1 7"), "{said}");
    assert!(row("ml/train").contains("coal-1 5"), "{said}");
    assert!(said.contains("12 of its 16 GPUs are in use"), "{said}");
}
