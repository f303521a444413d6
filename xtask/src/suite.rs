//! Programs of the suites that ask real control planes.

use std::process::Command;

use crate::{Result, command, control_plane, workspace};

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
