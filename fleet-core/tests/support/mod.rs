//! A cluster in memory, just true enough to drive an engine: maps are applied field by field with owners, lists
//! are single fields. Real servers check the same rules in the suites across crates.
#![allow(dead_code, missing_docs, unreachable_pub)]

mod apply;
mod world;

pub use world::{Sent, World, object};
