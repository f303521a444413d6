//! The suites for parts: what is built in passes, and each way of being wrong is found.

#[path = "conformance/mod.rs"]
mod suites;
