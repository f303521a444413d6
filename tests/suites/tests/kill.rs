//! A reconciler is killed while it works, and the next one neither loses nor orphans anything. `cargo xtask kill` does
//! the same at every point.

use std::path::Path;

use fleet_suites::{
    kill::{self, SEED, seeded},
    on_runtime,
};

/// Points beside those that the guards need.
const POINTS: usize = 30;

#[test]
fn killed_at_any_point_nothing_is_lost_or_orphaned() {
    let reconciler = Path::new(env!("CARGO_BIN_EXE_reconciler"));
    let choose = |points| seeded(points, POINTS, SEED);
    let report = on_runtime(kill::run(reconciler, choose, |finding| println!("{finding}")));
    println!("{report}");
    let failures = report.failures();
    assert!(failures.is_empty(), "{failures:#?}");
}
