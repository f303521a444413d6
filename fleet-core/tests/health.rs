//! Which objects are healthy: a table.
#![allow(missing_docs, clippy::unwrap_used, clippy::pedantic)]

#[path = "health/mod.rs"]
mod health;
