//! A cluster in memory, just true enough to drive an engine: maps are applied field by field with owners, lists
//! are single fields. Real servers check the same rules in the suites across crates.
#![allow(
    dead_code,
    missing_docs,
    unreachable_pub,
    unused_imports,
    clippy::pedantic,
    clippy::unwrap_used
)]

mod apply;
mod manifests;
mod server;
mod world;

pub use manifests::*;
pub use world::{Grants, Interfere, Kill, Moment, Sent, World, lost, object};
