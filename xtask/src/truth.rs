//! `cargo xtask truth`: a real API server and the prediction are asked the same. Its short form is among the tests.

use std::process::Command;

use crate::{Result, command, control_plane, workspace};

/// What to ask.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    #[command(flatten)]
    control_plane: control_plane::Args,
    /// What follows is passed on; `-- --help` says what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result {
    control_plane::run(&args.control_plane)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.current_dir(workspace::root()).args([
        "build",
        "--quiet",
        "--package",
        "fleet-suites",
        "--bin",
        "truth",
    ]);
    command::run("building the questions", &mut cargo)?;
    let mut truth = Command::new(workspace::target().join("debug").join("truth"));
    truth
        .env("FLEET_KUBERNETES", args.control_plane.minor())
        .args(&args.rest);
    command::run("every question", &mut truth).map(drop)
}
