//! `cargo xtask truth`: a real API server and the prediction are asked the same. Its short form is among the tests.

use crate::{Result, command, control_plane, suite};

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
    let mut truth = suite::program("truth", &args.control_plane)?;
    command::run("every question", truth.args(&args.rest)).map(drop)
}
