//! Programs of the suites that ask real control planes.

use std::process::Command;

use crate::{Result, command, control_plane, workspace};

/// What commands take that pass the rest on to a program of the suites.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    #[command(flatten)]
    control_plane: control_plane::Args,
    /// What follows is passed on; `-- --help` says what there is
    #[arg(trailing_var_arg = true, allow_hyphen_values = true)]
    rest: Vec<String>,
}

/// Runs the program of this name; `what` is what it does, for people.
pub(crate) fn run(name: &str, what: &str, args: &Args) -> Result {
    let mut program = program(name, &args.control_plane)?;
    command::run(what, program.args(&args.rest)).map(drop)
}

/// A program of the suites, built, for a control plane that is built too.
pub(crate) fn program(name: &str, control_plane: &control_plane::Args) -> Result<Command> {
    control_plane::run(control_plane)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace::root())
        .args(["build", "--quiet", "--package", "fleet-suites", "--bins"]);
    command::run("building the program", &mut cargo)?;
    let mut program = Command::new(workspace::target().join("debug").join(name));
    program.env("FLEET_KUBERNETES", control_plane.minor());
    Ok(program)
}
