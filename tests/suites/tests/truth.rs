//! What is predicted of a dry run is what a real server answers. `cargo xtask truth` asks more.

use std::time::{SystemTime, UNIX_EPOCH};

use fleet_suites::{
    on_runtime,
    truth::{self, Local, SEED},
};

/// Cases of each class.
const CASES: usize = 200;

#[test]
fn predictions_are_what_a_server_answers() {
    let options = truth::Options {
        seed: SEED,
        cases: CASES,
        ..truth::Options::default()
    };
    let report = on_runtime(truth::run(&options, Local::new));
    println!("{report}");
    let failures = report.failures(CASES);
    assert!(failures.is_empty(), "{failures:#?}");
}

/// Cases of each class that nobody has seen before.
const FRESH_CASES: usize = 20;

#[test]
fn predictions_of_a_fresh_seed_are_what_a_server_answers() {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970");
    let options = truth::Options {
        seed: now.as_secs(),
        cases: FRESH_CASES,
        ..truth::Options::default()
    };
    println!("the fresh seed is {}", options.seed);
    let report = on_runtime(truth::run(&options, Local::new));
    println!("{report}");
    let failures = report.failures(FRESH_CASES);
    assert!(failures.is_empty(), "seed {}: {failures:#?}", options.seed);
}
