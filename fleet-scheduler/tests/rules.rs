//! Every rule of scheduling holds with all guards, and is seen to be broken without its guard.

#[path = "rules/mod.rs"]
mod rules;
