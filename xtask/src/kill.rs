//! `cargo xtask kill`: the kill test at every point. Its short form is among the tests.

use crate::{Result, command, control_plane, suite};

/// Everything is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result {
    let mut points = suite::program("kill-points", &control_plane::Args::default())?;
    command::run("every point", &mut points).map(drop)
}
