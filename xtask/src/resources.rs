//! `cargo xtask resources`: the table that `fleet-sim` has of what each Kubernetes version serves of itself.
//!
//! It is made from what a live control plane answers, and it is checked in. A new version is also named in
//! `fleet-sim/src/resources/builtin.rs`.

use std::{fs, path::PathBuf};

use fleet_sim::table_writer::{self, Answers};

use crate::{Result, control_plane, difference, server::Server, workspace};

/// Of which version, and whether only to compare.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    #[command(flatten)]
    control_plane: control_plane::Args,
    /// Only compare the table with what the control plane says now, and show what differs
    #[arg(long)]
    check: bool,
}

pub(crate) fn run(args: &Args) -> Result {
    let version = &args.control_plane;
    let path = path(version);
    let server = Server::start(version)?;
    if args.check {
        let outdated = outdated(version, &server)?;
        server.stop()?;
        if let Some(outdated) = outdated {
            return Err(outdated.into());
        }
        println!("{} is up to date", workspace::shown(&path));
    } else {
        let table = table(&server)?;
        server.stop()?;
        fs::write(&path, &table)?;
        println!("wrote {} ({} bytes)", workspace::shown(&path), table.len());
    }
    Ok(())
}

/// Says what differs, when the table of a version is not what its control plane says.
pub(crate) fn outdated(version: &control_plane::Args, server: &Server) -> Result<Option<String>> {
    let path = path(version);
    let (kept, made) = (fs::read_to_string(&path)?, table(server)?);
    if kept == made {
        return Ok(None);
    }
    Ok(Some(format!(
        "{} is not what the control plane says (- kept, + now):\n{}write it again: cargo xtask resources --kubernetes {}",
        workspace::shown(&path),
        difference::between(&kept, &made),
        version.minor(),
    )))
}

/// Where the table of a version is kept.
fn path(version: &control_plane::Args) -> PathBuf {
    let tables = workspace::root().join("fleet-sim").join("src").join("resources");
    tables.join(format!("kubernetes-{}.txt", version.minor()))
}

/// The table of a version, made anew.
fn table(server: &Server) -> Result<String> {
    let mut lists = Vec::new();
    for version in server.versions()? {
        lists.push(server.json(&format!("/{version}"))?);
    }
    Ok(table_writer::table(&Answers {
        version: server.json("/version")?,
        services: server.json("/apis/apiregistration.k8s.io/v1/apiservices")?,
        lists,
    })?)
}
