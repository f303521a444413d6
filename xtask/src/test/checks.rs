//! Checks that run no test.

use std::process::{Command, Stdio};

use super::{Clusters, Row, cargo, step, timed};
use crate::{Result, command, control_plane, resources, schema, server::Server, workspace};

/// What a crate's ordinary dependencies must not contain.
const SHAPE: [(&str, &[&str]); 4] = [
    (
        "fleet-diff",
        &[
            "fleet-core",
            "fleet-kube",
            "kube",
            "tokio",
            "k8s-openapi",
            "time",
            "chrono",
        ],
    ),
    (
        "fleet-core",
        &[
            "fleet-kube",
            "kube",
            "tokio",
            "k8s-openapi",
            "hyper",
            "time",
            "chrono",
        ],
    ),
    (
        "fleet-scheduler",
        &[
            "fleet-kube",
            "fleet-sim",
            "kube",
            "tokio",
            "k8s-openapi",
            "hyper",
            "time",
            "chrono",
        ],
    ),
    (
        "fleet-sim",
        &[
            "fleet-core",
            "fleet-kube",
            "kube",
            "tokio",
            "k8s-openapi",
            "hyper",
            "time",
            "chrono",
        ],
    ),
];

/// Every feature of every library, alone.
const FEATURES: [(&str, &[&str]); 5] = [
    ("fleet-diff", &["", "yaml", "table-writer", "typed-operations"]),
    ("fleet-core", &["", "conformance", "testing", "yaml"]),
    ("fleet-kube", &["", "file-events", "http", "sim"]),
    ("fleet-scheduler", &["", "conformance", "testing"]),
    ("fleet-sim", &["", "table-writer"]),
];

/// TLS is chosen by programs, never by the library.
const NO_TLS: [&str; 4] = ["rustls", "native-tls", "openssl", "ring"];

pub(super) fn run(clusters: &Clusters, rows: &mut Vec<Row>) -> Result {
    step(rows, "format", cargo(&["fmt", "--all", "--check"]))?;
    step(rows, "format of Go", gofmt())?;
    step(
        rows,
        "lints",
        cargo(&[
            "clippy",
            "--workspace",
            "--all-targets",
            "--all-features",
            "--quiet",
            "--",
            "-D",
            "warnings",
        ]),
    )?;
    let mut doc = cargo(&["doc", "--workspace", "--no-deps", "--all-features", "--quiet"]);
    doc.env("RUSTDOCFLAGS", "-D warnings");
    step(rows, "documentation", doc)?;
    timed(rows, "shape of dependencies", shape)?;
    timed(rows, "features one by one", features)?;
    if clusters.has_own() {
        timed(rows, "schema and resources tables", tables)?;
    }
    for (tool, words) in [
        ("cargo-deny", &["deny", "--workspace", "check"][..]),
        (
            "cargo-semver-checks",
            &["semver-checks", "--workspace", "--baseline-rev", "HEAD"][..],
        ),
    ] {
        if is_installed(tool) {
            step(rows, tool, cargo(words))?;
        } else {
            println!("{tool} is not installed: not run");
        }
    }
    Ok(())
}

/// What is kept of a version of Kubernetes is what its control plane says. One answers for both tables.
fn tables() -> Result {
    let version = control_plane::Args::default();
    let server = Server::start(&version)?;
    let mut found = Vec::new();
    found.extend(schema::outdated(&version, &server)?);
    found.extend(resources::outdated(&version, &server)?);
    server.stop()?;
    if found.is_empty() {
        Ok(())
    } else {
        Err(found.join("\n").into())
    }
}

fn gofmt() -> Command {
    let mut sh = Command::new("sh");
    sh.current_dir(workspace::root()).args([
        "-c",
        "found=$(gofmt -l tests/control-plane benches/peers); [ -z \"$found\" ] || { echo \"not formatted: $found\" >&2; exit 1; }",
    ]);
    sh
}

fn shape() -> Result {
    command::title("shape of dependencies");
    for (package, banned) in SHAPE {
        forbid(package, banned)?;
    }
    forbid("fleet-kube", &NO_TLS)
}

fn forbid(package: &str, banned: &[&str]) -> Result {
    let tree = command::output(&mut cargo(&[
        "tree",
        "--package",
        package,
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
    ]))?;
    let found = tree
        .lines()
        .filter_map(|line| line.split(' ').next())
        .find(|name| banned.contains(name));
    match found {
        Some(name) => Err(format!("{package} must not depend on {name}").into()),
        None => Ok(()),
    }
}

fn features() -> Result {
    command::title("features one by one");
    for (package, features) in FEATURES {
        for feature in features {
            let mut check = cargo(&[
                "check",
                "--quiet",
                "--package",
                package,
                "--no-default-features",
                "--features",
                feature,
            ]);
            let status = check.status()?;
            if !status.success() {
                return Err(format!("{package} does not compile with feature `{feature}` alone").into());
            }
        }
    }
    Ok(())
}

fn is_installed(tool: &str) -> bool {
    let mut version = Command::new(tool);
    version
        .arg("--version")
        .stdout(Stdio::null())
        .stderr(Stdio::null());
    version.status().is_ok_and(|status| status.success())
}
