//! Changes every sample manifest at random and carries the change out by every strategy, as dry runs on real servers.

use std::process::ExitCode;

use clap::Parser;
use fleet_suites::{
    on_runtime,
    ways::{Options, run},
};

/// What to try.
#[derive(Parser)]
struct Args {
    /// The same seed gives the same changes
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Random changes of each object
    #[arg(long, default_value_t = 3)]
    changes: usize,
    /// Of all objects every so many-th
    #[arg(long, default_value_t = 1)]
    every: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let options = Options {
        seed: args.seed,
        changes: args.changes,
        every: args.every,
    };
    let ways = on_runtime(run(options, |set, ways| print!("{set:<24} {ways}")));
    println!("seed {}: {ways}", args.seed);
    for wrong in &ways.wrong {
        println!("wrong: {wrong}");
    }
    ExitCode::from(u8::from(!ways.wrong.is_empty()))
}
