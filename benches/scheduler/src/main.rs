//! The scheduler on one core, on a fixed instance that is hard enough to mean something. `cargo xtask bench-scheduler`.

mod figures;
mod growth;
mod instance;
mod random;
mod runs;
mod verify;
mod watch;

use clap::{Parser, ValueEnum};
use fleet_measure::machine;
use instance::{Instance, Size};

/// Anything that stops a benchmark.
type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Measures the scheduler on one core.
#[derive(Debug, Parser)]
struct Args {
    /// How many workloads
    #[arg(long, default_value_t = 10_000)]
    workloads: usize,
    /// How many clusters
    #[arg(long, default_value_t = 1_000)]
    clusters: usize,
    /// How many distinct constraint sets, if there are as many workloads
    #[arg(long, default_value_t = 2_500)]
    sets: usize,
    /// The same seed gives the same instance
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How often everything is decided from nothing
    #[arg(long, default_value_t = 5)]
    runs: usize,
    /// How many new workloads are decided, one by one
    #[arg(long, default_value_t = 500)]
    new: usize,
    /// How many clusters are lost, one by one
    #[arg(long, default_value_t = 21)]
    lost: usize,
    /// Also from 1,000 to 100,000 workloads and from 100 to 5,000 clusters, each in a process of its own
    #[arg(long)]
    growth: bool,
    /// For people, or for programs
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, ValueEnum)]
enum Output {
    Text,
    Json,
}

impl Args {
    fn size(&self) -> Size {
        Size {
            workloads: self.workloads,
            clusters: self.clusters,
            sets: self.sets,
            seed: self.seed,
        }
    }
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    let is_text = args.output == Output::Text;
    if is_text {
        println!("the scheduler on one core; {}\n", machine());
    }
    let instance = Instance::new(args.size(), args.new)?;
    let figures = runs::measure(&instance, &args)?;
    if is_text {
        figures.print();
    }
    let growth = match args.growth {
        true => growth::measure(&args)?,
        false => Vec::new(),
    };
    if is_text {
        growth::print(&growth);
    } else {
        let growth: Vec<_> = growth.iter().map(growth::Cell::json).collect();
        println!(
            "{:#}",
            serde_json::json!({"machine": machine(), "figures": figures.json(), "growth": growth})
        );
    }
    Ok(())
}
