//! Does the same random operations to the in-process server and to a real one, and says what they answer differently.

use std::process::ExitCode;

use clap::Parser;
use fleet_suites::{alike, on_runtime};

/// What to do.
#[derive(Parser)]
struct Args {
    /// The same seed gives the same operations
    #[arg(long, default_value_t = alike::SEED)]
    seed: u64,
    /// How many
    #[arg(long, default_value_t = 20_000)]
    operations: usize,
    /// Print what is answered about this object, such as `configmaps/one`
    #[arg(long)]
    trace: Option<String>,
    /// Differences to show
    #[arg(long, default_value_t = 50)]
    show: usize,
}

fn main() -> ExitCode {
    let args = Args::parse();
    let report = on_runtime(alike::run(args.seed, args.operations, args.trace.as_deref()));
    print!("{}", report.table());
    for difference in report.differences.iter().take(args.show) {
        println!("{difference}");
    }
    let [done, refused] = report.counts();
    let fewest = report.kinds.values().min().copied().unwrap_or(0);
    println!(
        "seed {}: {done} operations of {} sorts on {} kinds, each at least {fewest} times, {refused} of them refused, {} \
         differences",
        args.seed,
        report.rows.len() - 1,
        report.kinds.len(),
        report.differences.len()
    );
    if report.differences.is_empty() {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}
