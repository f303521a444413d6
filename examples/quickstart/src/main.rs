//! Twenty clusters, one inventory: what Fleet does, told in seconds.
//!
//! `cargo run -p quickstart` starts clusters inside this process, makes a bundled example fleet true in them, and shows
//! what happens when things go wrong. `--real` tells it of three real control planes, which needs Go. Everything it
//! starts ends with it.

mod clusters;
mod inventory;
mod story;

use std::process::ExitCode;

use clap::Parser;

/// Twenty clusters, one inventory: what Fleet does, told in seconds.
#[derive(Parser, Debug)]
struct Args {
    /// Three real control planes instead of twenty clusters inside this process; needs Go 1.26 or newer.
    #[arg(long)]
    real: bool,
}

/// Anything that stops the story.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let args = Args::parse();
    let _ = rustls::crypto::ring::default_provider().install_default();
    match story::tell(args.real).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("the story ends early: {failure}");
            ExitCode::FAILURE
        }
    }
}
