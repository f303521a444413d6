use std::io;
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use crate::Result;

/// Says on stderr what begins now.
pub(crate) fn title(title: &str) {
    eprintln!("==> {title}");
}

/// Runs a program in the foreground under a title.
///
/// Returns how long it took. Anything but success is an error that names the title.
pub(crate) fn run(what: &str, command: &mut Command) -> Result<Duration> {
    title(what);
    let begin = Instant::now();
    let status = command.status().map_err(|error| cannot_start(command, &error))?;
    if status.success() {
        Ok(begin.elapsed())
    } else {
        Err(format!("{what}: {status}").into())
    }
}

/// Runs a program in silence and returns what it wrote to stdout, without the white space around it.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().map_err(|error| cannot_start(command, &error))?;
    if !status.success() {
        let stderr = String::from_utf8_lossy(&stderr);
        return Err(format!("{}: {status}: {}", name(command), stderr.trim()).into());
    }
    Ok(String::from_utf8(stdout)?.trim().to_owned())
}

/// The message for a program that could not even be started.
pub(crate) fn cannot_start(command: &Command, error: &io::Error) -> String {
    if error.kind() == io::ErrorKind::NotFound {
        format!(
            "there is no program {}: install it, or put it on the PATH",
            name(command)
        )
    } else {
        format!("cannot start {}: {error}", name(command))
    }
}

fn name(command: &Command) -> String {
    command.get_program().to_string_lossy().into_owned()
}
