//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! Checks first (format, lints, docs, shape of dependencies, features), then every test binary of the workspace one
//! after the other, each with its seconds, then the examples of the documentation.

mod checks;
mod suites;

use std::{
    process::Command,
    time::{Duration, Instant},
};

use crate::{Result, command, control_plane};

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only suites whose name contains this; no checks
    #[arg(value_name = "NAME")]
    only: Option<String>,
}

/// One line of the closing table.
struct Row {
    name: String,
    took: Duration,
    /// Tests that passed, for a suite.
    passed: Option<usize>,
}

pub(crate) fn run(args: &Args) -> Result {
    let begin = Instant::now();
    let mut rows = Vec::new();
    let result = all(args, &mut rows);
    print(&rows, begin.elapsed());
    result
}

fn all(args: &Args, rows: &mut Vec<Row>) -> Result {
    timed(rows, "control plane", || {
        control_plane::run(&control_plane::Args::default())
    })?;
    if args.only.is_none() {
        checks::run(rows)?;
    }
    suites::run(args.only.as_deref(), rows)
}

fn timed(rows: &mut Vec<Row>, name: &str, work: impl FnOnce() -> Result) -> Result {
    let begin = Instant::now();
    let result = work();
    rows.push(Row {
        name: name.to_owned(),
        took: begin.elapsed(),
        passed: None,
    });
    result
}

/// A cargo of the same toolchain.
fn cargo(words: &[&str]) -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(words).current_dir(crate::workspace::root());
    cargo
}

fn step(rows: &mut Vec<Row>, name: &str, mut what: Command) -> Result {
    timed(rows, name, || command::run(name, &mut what).map(drop))
}

/// The table; some suites run beside others, so that the whole takes less than the sum.
fn print(rows: &[Row], total: Duration) {
    println!("\n{:<44} {:>9} {:>8}", "step", "seconds", "passed");
    let mut passed = 0;
    for row in rows {
        let count = row.passed.map_or(String::new(), |n| n.to_string());
        println!("{:<44} {:>9.1} {count:>8}", row.name, row.took.as_secs_f64());
        passed += row.passed.unwrap_or(0);
    }
    println!("{:<44} {:>9.1} {passed:>8}", "in all", total.as_secs_f64());
}
