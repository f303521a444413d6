//! `cargo xtask rows`: a real API server is asked about built-in fields, and its answers are kept for the tests of
//! `fleet-diff`.

use crate::{Result, command, control_plane, suite};

/// Of which version, and what to ask.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    #[command(flatten)]
    control_plane: control_plane::Args,
    /// Only compare the answers with those that are kept
    #[arg(long)]
    check: bool,
    /// Only cases whose title contains this, such as `16:`
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
}

pub(crate) fn run(args: &Args) -> Result {
    let mut rows = suite::program("rows", &args.control_plane)?;
    rows.args(args.check.then_some("--check"));
    rows.args(args.only.iter().flat_map(|only| ["--only", only]));
    command::run("every case", &mut rows).map(drop)
}
