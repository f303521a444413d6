//! A reconciler is killed while it works, and the next one neither loses nor orphans anything. `cargo xtask kill` does
//! the same at every point.

use std::path::Path;

use fleet_suites::{
    kill::{self, SEED, remade, seeded, some_points},
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

/// Points while objects are made again.
const REMADE_POINTS: usize = 24;

#[test]
fn killed_while_objects_are_made_again_each_is_there_or_in_its_copy() {
    let reconciler = Path::new(env!("CARGO_BIN_EXE_reconciler"));
    let choose = |points| some_points(points, REMADE_POINTS, SEED);
    let remade = on_runtime(remade(reconciler, choose, |finding| println!("{finding}")));
    println!("{:?} writes, {} points", remade.writes, remade.reached);
    assert!(remade.wrong.is_empty(), "{:#?}", remade.wrong);
    // How many writes there are to the ledger depends on what comes together.
    assert!(
        remade.reached * 4 >= REMADE_POINTS * 3,
        "{} points were reached",
        remade.reached
    );
}
