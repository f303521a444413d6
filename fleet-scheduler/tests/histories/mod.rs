//! Each history is a thousand random events, all from one seed. `PROPTEST_CASES` says how many histories are played.

mod budgets;
mod events;
mod laws;
mod make;
mod play;
mod random;
mod steps;
mod world;

/// The seeds of so many histories, unless `PROPTEST_CASES` says how many.
fn seeds(count: u64) -> std::ops::RangeInclusive<u64> {
    let asked = std::env::var("PROPTEST_CASES").ok();
    1..=asked.and_then(|count| count.parse().ok()).unwrap_or(count)
}
