//! `cargo xtask bench-…`: benchmarks, beside peers that do the same work in the same run.

pub(crate) mod peers;

use std::process::Command;

use crate::{Result, command, control_plane, workspace};

/// One benchmark.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

/// The inventory of a million lines.
#[derive(Debug, clap::Args)]
pub(crate) struct LargeArgs {
    /// Lines of YAML
    #[arg(long, default_value_t = 1_000_000)]
    lines: usize,
    /// The same seed gives the same inventory
    #[arg(long, default_value_t = 1)]
    seed: u64,
}

/// The scheduler on a fixed instance.
#[derive(Debug, clap::Args)]
pub(crate) struct SchedulerArgs {
    /// Passed on, such as --growth, --workloads, --clusters, --seed, --output json; --help lists all
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    words: Vec<std::ffi::OsString>,
}

/// A thousand objects into one server, beside kubectl and the limit.
pub(crate) fn apply(_: &Args) -> Result {
    build(&["fleetctl", "fleet-benches"])?;
    let fleetctl = workspace::target().join("release").join("fleetctl");
    run("apply", &[fleetctl.into_os_string()])
}

/// Six clusters, three of them frozen.
pub(crate) fn freeze(_: &Args) -> Result {
    build(&["fleet-benches"])?;
    run("freeze", &[])
}

/// A million lines for one cluster: time, memory and requests of each step.
pub(crate) fn large(args: &LargeArgs) -> Result {
    build(&["fleet-benches"])?;
    let words = [
        "--lines",
        &args.lines.to_string(),
        "--seed",
        &args.seed.to_string(),
    ];
    run("large", &words.map(Into::into))
}

/// The in-process server beside a real one.
pub(crate) fn sim(_: &Args) -> Result {
    build(&["fleet-benches"])?;
    run("sim", &[])
}

/// The engine alone, on ten thousand objects.
pub(crate) fn engine(_: &Args) -> Result {
    release(&["fleet-benches"])?;
    run("engine", &[])
}

/// The scheduler on one core: from nothing, a cluster lost, a new workload; `--growth` for other sizes.
pub(crate) fn scheduler(args: &SchedulerArgs) -> Result {
    release(&["fleet-scheduler-bench"])?;
    run("scheduler", &args.words)
}

fn build(packages: &[&str]) -> Result {
    control_plane::run(&control_plane::Args::default())?;
    release(packages)
}

fn release(packages: &[&str]) -> Result {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace::root())
        .args(["build", "--release", "--quiet"]);
    for package in packages {
        cargo.args(["--package", package]);
    }
    command::run("building in release mode", &mut cargo).map(drop)
}

fn run(name: &str, words: &[std::ffi::OsString]) -> Result {
    let mut bench = Command::new(workspace::target().join("release").join(name));
    command::run(name, bench.args(words).current_dir(workspace::root())).map(drop)
}
