//! `fleetctl place` as a program: what it reads, prints and returns.

#[path = "place/mod.rs"]
mod place;
