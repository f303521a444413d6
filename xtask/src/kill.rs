//! `cargo xtask kill`: the kill test at every point. Its short form is among the tests.

use std::process::Command;

use crate::{Result, command, control_plane, workspace};

/// Everything is run.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {}

pub(crate) fn run(_: &Args) -> Result {
    control_plane::run(&control_plane::Args::default())?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace::root())
        .args(["build", "--quiet", "--package", "fleet-suites", "--bins"]);
    command::run("building the reconciler", &mut cargo)?;
    let mut points = Command::new(workspace::target().join("debug").join("kill-points"));
    command::run("every point", &mut points).map(drop)
}
