//! Three clusters, one inventory: what Fleet does, told in a minute.
//!
//! `cargo run -p quickstart` starts three clusters, makes a bundled example fleet true in them, and shows what happens
//! when things go wrong. Everything it starts ends with it.

mod clusters;
mod inventory;
mod story;

use std::process::ExitCode;

/// Anything that stops the story.
pub(crate) type Failure = Box<dyn std::error::Error + Send + Sync>;

#[tokio::main]
async fn main() -> ExitCode {
    let _ = rustls::crypto::ring::default_provider().install_default();
    match story::tell().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            anstream::eprintln!("the story ends early: {failure}");
            ExitCode::FAILURE
        }
    }
}
