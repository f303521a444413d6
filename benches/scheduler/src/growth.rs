//! How time and memory grow: other sizes, each in a process of its own, so that none measures the memory of another.

use std::{process::Command, time::Duration};

use serde_json::Value;

use crate::{
    Args, Failure,
    figures::{mib, say},
};

const WORKLOADS: [usize; 3] = [1_000, 10_000, 100_000];
const CLUSTERS: [usize; 3] = [100, 1_000, 5_000];

/// One size, and what was measured.
pub(crate) struct Cell(Value);

/// Measures all sizes.
pub(crate) fn measure(args: &Args) -> Result<Vec<Cell>, Failure> {
    let program = std::env::current_exe()?;
    let mut cells = Vec::new();
    for workloads in WORKLOADS {
        for clusters in CLUSTERS {
            let words = [
                ("--workloads", workloads.to_string()),
                ("--clusters", clusters.to_string()),
                ("--sets", args.sets.to_string()),
                ("--seed", args.seed.to_string()),
                ("--runs", "1".to_owned()),
                ("--new", args.new.to_string()),
                ("--lost", args.lost.to_string()),
                ("--output", "json".to_owned()),
            ];
            let words = words.iter().flat_map(|(name, value)| [*name, value]);
            let output = Command::new(&program).args(words).output()?;
            if !output.status.success() {
                let error = String::from_utf8_lossy(&output.stderr).into_owned();
                return Err(format!("{workloads} workloads, {clusters} clusters: {error}").into());
            }
            let mut answer: Value = serde_json::from_slice(&output.stdout)?;
            cells.push(Cell(answer["figures"].take()));
        }
    }
    Ok(cells)
}

/// Prints a table, if there is anything to print.
pub(crate) fn print(cells: &[Cell]) {
    if cells.is_empty() {
        return;
    }
    println!(
        "\n{:>9} {:>8} {:>12} {:>12} {:>12} {:>12} {:>12} {:>11} {:>11}",
        "workloads",
        "clusters",
        "from nothing",
        "all again",
        "new",
        "observation",
        "lost",
        "memory",
        "a workload"
    );
    for cell in cells {
        let count = |field: &str| cell.count(field);
        let span = |value: &Value| say(Duration::from_micros(value.as_u64().unwrap_or(0)));
        let middle = |field: &str| span(&cell.0[field]["medianMicros"]);
        println!(
            "{:>9} {:>8} {:>12} {:>12} {:>12} {:>12} {:>12} {:>11} {:>9} B",
            count("workloads"),
            count("clusters"),
            span(&cell.0["fromNothingMicros"]),
            span(&cell.0["everythingAgainMicros"]),
            middle("newWorkload"),
            middle("observation"),
            middle("lostCluster"),
            mib(count("memoryBytes")),
            count("bytesPerWorkload"),
        );
    }
}

impl Cell {
    fn count(&self, field: &str) -> u64 {
        self.0[field].as_u64().unwrap_or(0)
    }

    /// For programs.
    pub(crate) fn json(&self) -> Value {
        self.0.clone()
    }
}
