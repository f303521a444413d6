//! What the benchmarks share: the work, the machine's name, tables.

pub mod bare;
pub mod large;
pub mod requests;
pub mod usage;
pub mod work;

use std::time::Duration;

/// Anything that stops a benchmark.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Processor, cores and memory, for the head of a table.
pub fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, name: &str| {
        let line = text.lines().find(|line| line.starts_with(name));
        line.and_then(|l| l.split_once(':'))
            .map(|(_, v)| v.trim().to_owned())
    };
    let cpu = field(&read("/proc/cpuinfo"), "model name").unwrap_or_else(|| "unknown processor".into());
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    let kib = field(&read("/proc/meminfo"), "MemTotal");
    let kib: u64 = kib.and_then(|v| v.split(' ').next()?.parse().ok()).unwrap_or(0);
    format!("{cpu}, {cores} cores, {} GiB", kib / (1 << 20))
}

/// The middle one.
pub fn median(mut spans: Vec<Duration>) -> Duration {
    spans.sort();
    spans.get(spans.len() / 2).copied().unwrap_or_default()
}
