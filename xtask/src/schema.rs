//! `cargo xtask schema`: the table of built-in kinds that `fleet-diff` has of each Kubernetes version.
//!
//! It is made from what a live control plane publishes and from what its Go types say, and it is checked in. A new
//! version is also named in `fleet-diff/src/schema/builtin.rs`.

mod collect;

use std::{fs, path::PathBuf};

use fleet_diff::{Document, table_writer};

use crate::{Result, control_plane, difference, server::Server, workspace};
use collect::Collected;

/// Of which version, and what to do instead of writing its table.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    #[command(flatten)]
    control_plane: control_plane::Args,
    /// Only compare the table with what the control plane says now, and show what differs
    #[arg(long, conflicts_with_all = ["print", "collect"])]
    check: bool,
    /// Only show the table, a line for each gate, kind, type and field
    #[arg(long, conflicts_with = "collect")]
    print: bool,
    /// Only write the OpenAPI document of every version of an API group to DIR/openapi, which is replaced, and what
    /// the Go types say to DIR/types.json
    #[arg(long, value_name = "DIR")]
    collect: Option<PathBuf>,
}

pub(crate) fn run(args: &Args) -> Result {
    let version = &args.control_plane;
    if args.print {
        print!("{}", table_writer::text(&fs::read(path(version))?)?);
    } else if args.check {
        let server = Server::start(version)?;
        let outdated = outdated(version, &server)?;
        server.stop()?;
        if let Some(outdated) = outdated {
            return Err(outdated.into());
        }
        println!("{} is up to date", workspace::shown(&path(version)));
    } else if let Some(dir) = &args.collect {
        let server = Server::start(version)?;
        Collected::of(&server)?.write(dir)?;
        server.stop()?;
        println!("collected in {}", dir.display());
    } else {
        let server = Server::start(version)?;
        let (path, table) = (path(version), table(&server)?);
        server.stop()?;
        fs::write(&path, &table)?;
        println!("wrote {} ({} bytes)", workspace::shown(&path), table.len());
    }
    Ok(())
}

/// Says what differs, when the table of a version is not what its control plane says.
pub(crate) fn outdated(version: &control_plane::Args, server: &Server) -> Result<Option<String>> {
    let path = path(version);
    let (kept, made) = (fs::read(&path)?, table(server)?);
    if kept == made {
        return Ok(None);
    }
    // A table of another version of the format cannot be shown.
    let kept = table_writer::text(&kept).unwrap_or_default();
    let differs = difference::between(&kept, &table_writer::text(&made)?);
    Ok(Some(format!(
        "{} is not what the control plane says (- kept, + now):\n{differs}write it again: cargo xtask schema --kubernetes {}",
        workspace::shown(&path),
        version.minor(),
    )))
}

/// Where the table of a version is kept.
fn path(version: &control_plane::Args) -> PathBuf {
    let tables = workspace::root()
        .join("fleet-diff")
        .join("src")
        .join("schema")
        .join("builtin");
    tables.join(format!("{}.bin", version.minor()))
}

/// The table of a version, made anew.
fn table(server: &Server) -> Result<Vec<u8>> {
    let collected = Collected::of(server)?;
    let read = |of: &str, text: &str| -> Result<Document> {
        text.parse().map_err(|error| format!("{of}: {error}").into())
    };
    let mut documents = Vec::new();
    for (path, document) in &collected.documents {
        documents.push(read(path, document)?);
    }
    Ok(table_writer::table(
        &documents,
        &read("types", &collected.types)?,
    )?)
}
