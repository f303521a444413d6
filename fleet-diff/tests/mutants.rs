//! The tests that `cargo xtask mutants` runs, as one program: linking several would take longer than running them.
//! Nothing else runs it.
#![allow(clippy::duplicate_mod, reason = "each test brings its own support")]

#[path = "creations.rs"]
mod creations;
#[path = "entries.rs"]
mod entries;
#[path = "extract.rs"]
mod extract;
#[path = "hand_over.rs"]
mod hand_over;
#[path = "kinds.rs"]
mod kinds;
#[path = "last_applied.rs"]
mod last_applied;
#[path = "memory.rs"]
mod memory;
#[path = "misfits.rs"]
mod misfits;
#[path = "owners.rs"]
mod owners;
#[path = "owners_model.rs"]
mod owners_model;
#[path = "recorded.rs"]
mod recorded;
#[path = "refusals.rs"]
mod refusals;
#[path = "removals.rs"]
mod removals;
#[path = "ruled.rs"]
mod ruled;
#[path = "scenarios.rs"]
mod scenarios;
#[path = "sets.rs"]
mod sets;
#[path = "typed_laws.rs"]
mod typed_laws;
#[path = "typed_tables.rs"]
mod typed_tables;
#[path = "types_change.rs"]
mod types_change;
#[path = "updates.rs"]
mod updates;
#[path = "writes.rs"]
mod writes;
