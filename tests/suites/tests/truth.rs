//! What is predicted of a dry run is what a real server answers. `cargo xtask truth` asks more.

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
