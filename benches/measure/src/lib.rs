//! What all benchmarks share: the machine's name, medians, memory.

use std::{io, time::Duration};

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

/// The most memory this process has had so far (`VmHWM`), in bytes.
///
/// # Errors
/// When the system does not say.
pub fn peak_memory() -> io::Result<u64> {
    status("VmHWM:")
}

/// The memory this process has now (`VmRSS`), in bytes.
///
/// # Errors
/// When the system does not say.
pub fn resident_memory() -> io::Result<u64> {
    status("VmRSS:")
}

fn status(field: &str) -> io::Result<u64> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status.lines().find_map(|line| line.strip_prefix(field));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kib.map(|kib| kib * 1024)
        .ok_or_else(|| io::Error::other(format!("no {field} in /proc/self/status")))
}
