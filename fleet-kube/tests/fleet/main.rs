//! Whole fleets over servers in this process, on a paused clock.

#[allow(
    dead_code,
    reason = "shared with the suite of connections, which uses all of it"
)]
#[path = "../connection/fake.rs"]
mod fake;

mod bed;
mod living;
mod waves;
