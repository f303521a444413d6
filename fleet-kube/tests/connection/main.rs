//! The connection layer against servers made up in this process, on a paused clock.
#![allow(clippy::unwrap_used, reason = "helpers of tests")]

mod answers;
mod capacity;
mod contact;
mod discovery;
mod fake;
mod limits;
mod lists;
mod requests;
mod retries;
mod watches;
