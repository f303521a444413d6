//! Records what a real API server answers to the cases of built-in fields: `cargo xtask rows`.

use std::process::ExitCode;

use clap::Parser;
use fleet_suites::{on_runtime, rows};

/// What to record.
#[derive(Parser)]
struct Args {
    /// Only cases whose title contains this, such as `16:`; what is recorded of others stays
    #[arg(long, default_value = "")]
    only: String,
    /// Only compare the answers with those that are recorded
    #[arg(long)]
    check: bool,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let failures = on_runtime(rows::record(&args.only, args.check));
    for failure in &failures {
        eprintln!("failed: {failure}");
    }
    ExitCode::from(u8::from(!failures.is_empty()))
}
