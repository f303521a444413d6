//! The project's own commands: `cargo xtask COMMAND`.
//!
//! One file per command, each with its `Args` and its `run`; [`Task`] lists them. What commands share is in
//! `command` (programs with a visible title), `server` (a control plane to ask), `difference` (of two tables) and
//! `workspace` (where things are).

mod bench;
mod command;
mod control_plane;
mod difference;
mod kill;
mod mutants;
mod resources;
mod rows;
mod schema;
mod server;
mod suite;
mod test;
mod workspace;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// A task's end: nothing, or what went wrong and what to do about it.
type Result<T = ()> = std::result::Result<T, Box<dyn std::error::Error>>;

/// The project's own commands.
#[derive(Debug, Parser)]
#[command(name = "cargo xtask")]
struct Cli {
    #[command(subcommand)]
    task: Task,
}

#[derive(Debug, Subcommand)]
enum Task {
    /// Do the same random operations to the in-process server and to a real one, 20,000 of them
    Alike(suite::Args),
    /// Random changes of sample manifests, carried out by every strategy on real servers
    Strategies(suite::Args),
    /// Build the control plane and the kubectl that tests use
    ControlPlane(control_plane::Args),
    /// Apply 1,000 objects to a real server, beside kubectl and beside the limit
    BenchApply(bench::Args),
    /// Measure the engine alone, on 10,000 objects
    BenchEngine(bench::Args),
    /// Measure what healthy clusters lose beside frozen ones
    BenchFreeze(bench::Args),
    /// Measure an inventory of 1,000,000 lines for one cluster: time, memory, requests, ledger
    BenchLarge(bench::LargeArgs),
    /// Measure fleet-diff beside gitops-engine, the API server's field manager and structured-merge-diff
    BenchPeers(bench::peers::Args),
    /// Measure the scheduler on one core, on a fixed instance: from nothing, a cluster lost, a new workload, memory, growth
    BenchScheduler(bench::SchedulerArgs),
    /// Measure the in-process server beside a real one: requests a second, and memory
    BenchSim(bench::Args),
    /// Kill a reconciler at every write of a pass, at three moments of each
    Kill(kill::Args),
    /// Change the code of fleet-diff, one thing at a time, and see whether tests notice
    Mutants(mutants::Args),
    /// Write the table of what a Kubernetes version serves that fleet-sim has, or check it
    Resources(resources::Args),
    /// Ask a real API server about built-in fields, and keep its answers for the tests, or check them
    Rows(rows::Args),
    /// Write the table of built-in kinds that fleet-diff has of a Kubernetes version, or check it
    Schema(schema::Args),
    /// Run every check and every test
    Test(test::Args),
    /// Ask a real API server and the prediction the same questions, 10,000 of them
    Truth(suite::Args),
}

fn main() -> ExitCode {
    let result = match Cli::parse().task {
        Task::Alike(args) => suite::run("alike", "every operation", &args),
        Task::Strategies(args) => suite::run("strategies", "every change", &args),
        Task::ControlPlane(args) => control_plane::run(&args),
        Task::BenchApply(args) => bench::apply(&args),
        Task::BenchEngine(args) => bench::engine(&args),
        Task::BenchFreeze(args) => bench::freeze(&args),
        Task::BenchLarge(args) => bench::large(&args),
        Task::BenchPeers(args) => bench::peers::run(&args),
        Task::BenchScheduler(args) => bench::scheduler(&args),
        Task::BenchSim(args) => bench::sim(&args),
        Task::Kill(args) => kill::run(&args),
        Task::Mutants(args) => mutants::run(&args),
        Task::Resources(args) => resources::run(&args),
        Task::Rows(args) => rows::run(&args),
        Task::Schema(args) => schema::run(&args),
        Task::Test(args) => test::run(&args),
        Task::Truth(args) => suite::run("truth", "every question", &args),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::FAILURE
        }
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn commands_are_well_formed() {
        <super::Cli as clap::CommandFactory>::command().debug_assert();
    }
}
