//! `cargo xtask test`: everything that must hold before a change lands.
//!
//! Checks first (format, lints, docs, shape of dependencies, features), then every test binary of the workspace one
//! after the other, each with its seconds, then the examples of the documentation.

mod checks;
mod clusters;
mod suites;

use std::{
    collections::BTreeMap,
    process::Command,
    time::{Duration, Instant},
};

use crate::{Result, command, control_plane};
use clusters::Clusters;

/// What to run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Only suites whose name contains this; no checks
    #[arg(value_name = "NAME")]
    only: Option<String>,
    /// Only clusters of this kind; without it, tests that can run on both kinds do. `in-process` needs no Go
    #[arg(long, value_name = "KIND", value_parser = ["in-process", "real"])]
    clusters: Option<String>,
}

/// One line of the closing table.
struct Row {
    name: String,
    took: Duration,
    /// Tests that passed, for a suite.
    passed: Option<usize>,
    /// Why each of the others did not run.
    not_run: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result {
    let begin = Instant::now();
    let mut rows = Vec::new();
    let result = all(args, &mut rows);
    print(&rows, begin.elapsed());
    result
}

fn all(args: &Args, rows: &mut Vec<Row>) -> Result {
    let clusters = Clusters::of(args.clusters.as_deref())?;
    if clusters.has_own() {
        timed(rows, "control plane", || {
            control_plane::run(&control_plane::Args::default())
        })?;
    }
    if args.only.is_none() {
        checks::run(&clusters, rows)?;
    }
    suites::run(args.only.as_deref(), &clusters, rows)
}

fn timed(rows: &mut Vec<Row>, name: &str, work: impl FnOnce() -> Result) -> Result {
    let begin = Instant::now();
    let result = work();
    rows.push(Row {
        name: name.to_owned(),
        took: begin.elapsed(),
        passed: None,
        not_run: Vec::new(),
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
    let mut reasons: BTreeMap<&str, usize> = BTreeMap::new();
    for why in rows.iter().flat_map(|row| &row.not_run) {
        *reasons.entry(why).or_default() += 1;
    }
    let count: usize = reasons.values().sum();
    if count > 0 {
        println!("\n{count} did not run:");
    }
    for (why, count) in reasons {
        println!("{count:>4}  {why}");
    }
}
