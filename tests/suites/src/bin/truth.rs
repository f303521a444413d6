//! Asks a real API server and the prediction the same questions: the long form of the test `truth`.

use std::{path::PathBuf, process::ExitCode, time::Instant};

use clap::Parser;
use fleet_suites::{
    on_runtime,
    truth::{self, Local},
};

/// What to ask.
#[derive(Parser)]
struct Args {
    /// The same seed gives the same cases
    #[arg(long, default_value_t = truth::SEED)]
    seed: u64,
    /// Cases of each class
    #[arg(long, default_value_t = 360)]
    cases: usize,
    /// Only classes whose names contain one of these
    #[arg(long, value_delimiter = ',')]
    class: Vec<String>,
    /// Only manifests of these sets
    #[arg(long, value_delimiter = ',')]
    sets: Vec<String>,
    /// Only the case of this number
    #[arg(long)]
    only: Option<u64>,
    /// Write every case into this folder
    #[arg(long)]
    record: Option<PathBuf>,
    /// Write each case that was predicted wrongly into this folder
    #[arg(long)]
    save: Option<PathBuf>,
    /// Ask nobody, but predict the cases of this file or folder
    #[arg(long)]
    replay: Option<PathBuf>,
    /// Say why the server refused and why the prediction was unsure
    #[arg(long)]
    verbose: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let begin = Instant::now();
    let report = if let Some(path) = &args.replay {
        truth::replay(path, Local::new)
    } else {
        let options = truth::Options {
            seed: args.seed,
            cases: args.cases,
            classes: args.class,
            sets: args.sets,
            only: args.only,
            record: args.record,
            save: args.save,
        };
        on_runtime(truth::run(&options, Local::new))
    };
    if args.verbose {
        report.reasons().iter().for_each(|line| println!("{line}"));
    }
    println!("\n{report}{:.1} seconds", begin.elapsed().as_secs_f64());
    let cases = if args.only.is_some() || args.replay.is_some() {
        0
    } else {
        args.cases
    };
    let failures = report.failures(cases);
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
