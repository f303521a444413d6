//! `fleetctl`: makes a folder of manifests true in many clusters, and keeps it so.
//!
//! A starter binary: copy this package out, replace the source, the registry or the strategy, and keep the rest.

mod args;
mod assemble;
mod commands;
mod diff;
mod explain;
mod inventory;
mod leaving;
mod place;
mod progress;
mod registry;
mod render;
mod rulebook;
mod rules;
mod settings;

use std::process::ExitCode;

use clap::Parser;

/// Nothing to do, or everything done.
const DONE: u8 = 0;
/// Something went wrong.
const FAILED: u8 = 1;
/// Something would change, or less was changed than asked.
const NOT_AS_ASKED: u8 = 2;

#[tokio::main]
async fn main() -> ExitCode {
    // The library chooses no TLS provider; a binary does, first of all.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let args = match args::Args::try_parse() {
        Ok(args) => args,
        Err(error) => {
            // Nothing is left to be done when it cannot be printed.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { FAILED } else { DONE });
        }
    };
    match commands::run(args).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            anstream::eprintln!("{}", render::error(&*error));
            ExitCode::from(FAILED)
        }
    }
}
