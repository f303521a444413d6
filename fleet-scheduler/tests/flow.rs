//! Minimum cost flow and the division of one workload: tables, brute force, certificates, and a linear program.
// Small numbers go through the floating point of the linear program.
#![allow(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss
)]

#[path = "flow/divide.rs"]
mod divide;
#[path = "flow/network.rs"]
mod network;
