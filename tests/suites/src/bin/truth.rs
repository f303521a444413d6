//! Asks a real API server and the prediction the same questions: the long form of the test `truth`.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Parser;
use fleet_suites::{
    on_runtime,
    truth::{self, AlwaysUnsure},
};

/// What to ask.
#[derive(Parser)]
struct Args {
    /// The same seed gives the same cases
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Cases of each class
    #[arg(long, default_value_t = 400)]
    cases: usize,
    /// Only classes whose names contain one of these
    #[arg(long, value_delimiter = ',')]
    class: Vec<String>,
    /// Only manifests of these sets
    #[arg(long, value_delimiter = ',')]
    sets: Vec<String>,
    /// Write every case into this folder
    #[arg(long)]
    record: Option<PathBuf>,
    /// Say why the server refused
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let begin = Instant::now();
    let options = truth::Options {
        seed: args.seed,
        cases: args.cases,
        classes: args.class,
        sets: args.sets,
        record: args.record,
        verbose: args.verbose,
    };
    let report = on_runtime(truth::run(&options, &AlwaysUnsure));
    if args.verbose {
        report.refusals().for_each(|line| println!("{line}"));
    }
    println!(
        "\n{report}{:<24} {:>6.1}",
        "seconds",
        begin.elapsed().as_secs_f64()
    );
    ExitCode::SUCCESS
}
