//! The rules that must always hold, each with a test of its name.
//!
//! A rule's check runs twice: with all guards it passes, and with its guard switched off it fails. So it is known to
//! look where the rule is.

#[path = "rules/mod.rs"]
mod rules;
mod support;
