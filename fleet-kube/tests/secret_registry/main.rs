//! Clusters from Secrets of a hub.
#![cfg(feature = "sim")]
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod hub;
mod reading;
mod unknown;
