//! Random histories of a fleet, and what must hold after every step of them.

#[path = "histories/mod.rs"]
mod histories;
