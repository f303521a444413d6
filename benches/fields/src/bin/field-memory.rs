//! Memory and allocations.

fn main() {}
