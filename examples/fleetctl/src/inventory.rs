//! What should be in the clusters: a folder, or a server.

use std::{collections::BTreeSet, error::Error, path::PathBuf, sync::Arc};

use fleet_core::{InventorySource, Unknown};
use fleet_kube::{DirectorySource, FLEET_FILE, FileError, FleetFile, HttpSource};

use crate::args::InventoryArgs;

/// Where inventories and settings are.
#[derive(Clone)]
pub(crate) enum Inventory {
    Folder(DirectorySource),
    Server(HttpSource, Option<PathBuf>),
}

impl Inventory {
    pub(crate) fn of(args: &InventoryArgs) -> Result<Self, Box<dyn Error + Send + Sync>> {
        if !args.inventory.contains("://") {
            let for_servers = [
                ("--settings", &args.settings),
                ("--inventory-token", &args.inventory_token),
                ("--inventory-ca", &args.inventory_ca),
                ("--inventory-certificate", &args.inventory_certificate),
            ];
            if let Some((name, _)) = for_servers.iter().find(|(_, value)| value.is_some()) {
                let why = format!("{name} is for inventories of a server; a folder has its own {FLEET_FILE}");
                return Err(why.into());
            }
            let warn = |why: &str| anstream::eprintln!("warning: {why}");
            return Ok(Self::Folder(
                DirectorySource::new(&args.inventory).on_trouble(warn),
            ));
        }
        let mut source = HttpSource::new(&args.inventory)?.require_cluster();
        only_with_tls(args)?;
        if let Some(path) = &args.inventory_token {
            source = source.token_file(path);
        }
        if let Some(path) = &args.inventory_ca {
            source = source.ca_file(path);
        }
        if let (Some(certificate), Some(key)) = (&args.inventory_certificate, &args.inventory_key) {
            source = source.client_certificate(certificate, key);
        }
        Ok(Self::Server(source, args.settings.clone()))
    }

    /// For the fleet.
    pub(crate) fn source(&self) -> Arc<dyn InventorySource> {
        match self {
            Self::Folder(source) => Arc::new(source.clone()),
            Self::Server(source, _) => Arc::new(source.clone()),
        }
    }

    /// The settings, as they are now; none where nothing is said.
    pub(crate) fn settings(&self) -> Result<Option<FleetFile>, FileError> {
        match self {
            Self::Folder(source) => source.find_settings(),
            Self::Server(_, Some(path)) => FleetFile::find(path),
            Self::Server(_, None) => Ok(None),
        }
    }

    /// What people call the settings.
    pub(crate) fn settings_name(&self) -> String {
        match self {
            Self::Server(_, Some(path)) => path.display().to_string(),
            _ => FLEET_FILE.to_owned(),
        }
    }

    /// Folders of clusters; none where any cluster may be asked about.
    pub(crate) fn folders(&self) -> Result<Option<BTreeSet<String>>, Unknown> {
        match self {
            Self::Folder(source) => Ok(Some(source.clusters()?)),
            Self::Server(..) => Ok(None),
        }
    }
}

/// What is secret is not sent for all to read, and what would have no effect is not passed over.
fn only_with_tls(args: &InventoryArgs) -> Result<(), String> {
    let Some((scheme, rest)) = args.inventory.split_once("://") else {
        return Ok(());
    };
    if !scheme.eq_ignore_ascii_case("http") {
        return Ok(());
    }
    for (name, value) in [
        ("--inventory-ca", &args.inventory_ca),
        ("--inventory-certificate", &args.inventory_certificate),
    ] {
        if value.is_some() {
            return Err(format!("{name} has no effect with `http://`: write `https://`"));
        }
    }
    let server = rest.split(['/', '?']).next().unwrap_or_default();
    if args.inventory_token.is_some() && !is_loopback(server) {
        let why = "the token would go through the network for all to read";
        return Err(format!(
            "--inventory-token is for `https://`, or a server on this machine: {why}"
        ));
    }
    Ok(())
}

/// Whether an authority of a URL is this machine.
fn is_loopback(server: &str) -> bool {
    let host = match server.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => server.split(':').next().unwrap_or_default(),
    };
    host.eq_ignore_ascii_case("localhost")
        || host
            .parse::<std::net::IpAddr>()
            .is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        inventory: InventoryArgs,
    }

    fn told(words: &[&str]) -> String {
        let line = match Line::try_parse_from([&["x", "--inventory"], words].concat()) {
            Ok(line) => line,
            Err(error) => return error.to_string(),
        };
        match Inventory::of(&line.inventory) {
            Ok(Inventory::Folder(source)) => format!("{source:?}"),
            Ok(Inventory::Server(source, settings)) => format!("{source:?} {settings:?}"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn folders_and_servers_are_told_apart() {
        let url = "https://h/{cluster}?token=x";
        let cases: &[(&[&str], &str)] = &[
            (&["dir/sub"], "DirectorySource(dir/sub)"),
            (&[url], "HttpSource(https://h/{cluster}?…) None"),
            (
                &[url, "--settings", "f"],
                "HttpSource(https://h/{cluster}?…) Some(\"f\")",
            ),
            (
                &[url, "--inventory-token", "t", "--inventory-ca", "c"],
                "HttpSource(",
            ),
            (
                &[url, "--inventory-certificate", "c", "--inventory-key", "k"],
                "HttpSource(",
            ),
            (&[url, "--inventory-certificate", "c"], "--inventory-key"),
            (
                &["http://h/{cluster}", "--inventory-token", "t"],
                "--inventory-token is for `https://`",
            ),
            (
                &["HTTP://127.0.0.1.evil.net:80/{cluster}", "--inventory-token", "t"],
                "--inventory-token is for `https://`",
            ),
            (
                &["http://127.0.0.1:80/{cluster}", "--inventory-token", "t"],
                "HttpSource(",
            ),
            (
                &["http://localhost/{cluster}", "--inventory-token", "t"],
                "HttpSource(",
            ),
            (
                &["http://[::1]:1/{cluster}", "--inventory-token", "t"],
                "HttpSource(",
            ),
            (
                &["http://localhost/{cluster}", "--inventory-ca", "c"],
                "--inventory-ca has no effect",
            ),
            (
                &[
                    "http://h/{cluster}",
                    "--inventory-certificate",
                    "c",
                    "--inventory-key",
                    "k",
                ],
                "--inventory-certificate has no effect",
            ),
            (&["https://h/x"], "the URL of inventories has no `{cluster}`"),
            (&["ftp://h/{cluster}"], "is neither `http` nor `https`"),
            (
                &["dir", "--settings", "f"],
                "--settings is for inventories of a server",
            ),
            (
                &["dir", "--inventory-token", "f"],
                "--inventory-token is for inventories of a server",
            ),
        ];
        for (words, expect) in cases {
            let told = told(words);
            assert!(told.contains(expect), "{words:?}: expected {expect}: {told}");
        }
    }
}
