//! The in-process server answers as a real one does. `cargo xtask alike` does more.

use fleet_suites::{alike, on_runtime};

/// Operations of the test.
const OPERATIONS: usize = 1000;

#[test]
fn an_in_process_server_answers_as_a_real_one() {
    let report = on_runtime(alike::run(alike::SEED, OPERATIONS, None));
    print!("{}", report.table());
    assert!(report.differences.is_empty(), "{:#?}", report.differences);
    let [done, refused] = report.counts();
    assert!(refused * 2 < done, "{refused} of {done} were refused");
}
