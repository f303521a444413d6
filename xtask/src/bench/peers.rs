//! `cargo xtask bench-peers`: `fleet-diff` beside what the field has for the same questions, on the same inputs.

mod table;

use std::{fs, path::Path, process::Command};

use serde_json::{Value, json};

use crate::{Result, command, control_plane, workspace};

/// How, and how long.
#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Args {
    /// A table for people, or a JSON list with times in nanoseconds
    #[arg(long, value_enum, default_value_t = Output::Table)]
    output: Output,
    /// How long each measurement lasts at least
    #[arg(long, default_value_t = 4)]
    seconds: u32,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
enum Output {
    Table,
    Json,
}

/// One question, asked us and a peer.
struct Row {
    name: String,
    ours_ns: f64,
    peer: String,
    peer_ns: f64,
    /// What the peer allocates for an answer.
    peer_allocations: f64,
    /// How many of its answers are not ours.
    other_answers: u64,
}

impl Row {
    fn ratio(&self) -> f64 {
        self.peer_ns / self.ours_ns
    }
}

/// Everything that was measured.
struct Measured {
    rows: Vec<Row>,
    /// Microseconds of a verdict in an inventory, by what it is: as many objects, as many of them changed.
    growth: Vec<(usize, usize, f64)>,
    /// What `field-memory` says.
    ours: Value,
    /// What the peers say.
    theirs: Vec<Value>,
}

/// Sizes of an inventory, and how many of its objects are changed.
const GROWTH: [(usize, usize); 6] = [
    (2_500, 0),
    (5_000, 0),
    (10_000, 0),
    (10_000, 1_000),
    (10_000, 2_000),
    (10_000, 4_000),
];

pub(crate) fn run(args: &Args) -> Result {
    let measured = measure(args.seconds)?;
    match args.output {
        Output::Table => table::print(&measured),
        Output::Json => {
            let rows = measured.rows.iter().map(|row| {
                json!({"name": row.name, "ours_ns": row.ours_ns, "peer": row.peer, "peer_ns": row.peer_ns, "ratio": row.ratio()})
            });
            println!("{:#}", Value::Array(rows.collect()));
            Ok(())
        }
    }
}

fn measure(seconds: u32) -> Result<Measured> {
    let folder = workspace::target().join("bench-peers");
    let (inputs, times) = (folder.join("inputs"), folder.join("criterion"));
    super::release(&["fleet-field-benches"])?;
    let peers = build_peers(&folder)?;
    let program = |name: &str| Command::new(workspace::target().join("release").join(name));
    let manifests = ["tests/fixtures", "../shared/manifests"];
    let mut write = program("field-inputs");
    write.arg(&inputs).args(manifests).current_dir(workspace::root());
    command::run("inputs", &mut write)?;
    command::title("fleet-diff: allocations and memory");
    let ours = serde_json::from_str(&command::output(program("field-memory").arg(&inputs))?)?;
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo
        .current_dir(workspace::root())
        .args([
            "bench",
            "--quiet",
            "--package",
            "fleet-field-benches",
            "--bench",
            "fields",
            "--",
        ])
        .args(["--noplot", "--quiet", "--measurement-time", &seconds.to_string()])
        .env("FIELD_INPUTS", &inputs)
        .env("CRITERION_HOME", &times)
        .stdout(std::io::stderr());
    command::run("fleet-diff", &mut cargo)?;
    command::title("peers");
    let mut ask = Command::new(peers);
    ask.arg(format!("-budget={seconds}s"))
        .arg(&inputs)
        .arg(published_types()?);
    let theirs: Vec<Value> = serde_json::from_str(&command::output(&mut ask)?)?;
    let mut rows = Vec::new();
    for peer in theirs.iter().filter(|peer| peer["ns"].is_number()) {
        let name = text(peer, "name");
        rows.push(Row {
            ours_ns: time(&times, &name)?,
            name,
            peer: text(peer, "peer"),
            peer_ns: number(peer, "ns"),
            peer_allocations: number(peer, "allocations"),
            other_answers: peer["other_answers"].as_u64().unwrap_or(0),
        });
    }
    let mut growth = Vec::new();
    for (objects, changed) in GROWTH {
        growth.push((
            objects,
            changed,
            time(&times, &format!("growth/{objects}-{changed}"))? / 1e3,
        ));
    }
    Ok(Measured {
        rows,
        growth,
        ours,
        theirs,
    })
}

fn text(of: &Value, field: &str) -> String {
    of[field].as_str().unwrap_or("").to_owned()
}

fn number(of: &Value, field: &str) -> f64 {
    of[field].as_f64().unwrap_or(0.0)
}

fn build_peers(folder: &Path) -> Result<std::path::PathBuf> {
    let program = folder.join("peers");
    let mut go = Command::new("go");
    go.current_dir(workspace::root().join("benches/peers"))
        .args(["build", "-o"])
        .arg(&program)
        .arg(".");
    command::run("building the peers", &mut go)?;
    Ok(program)
}

/// The OpenAPI v3 documents that the sources of Kubernetes have, of the version that the control plane is built of.
fn published_types() -> Result<std::path::PathBuf> {
    let version = control_plane::Args::default();
    let mut go = Command::new("go");
    go.current_dir(workspace::root().join("tests/control-plane"))
        .args(["mod", "download", "-json"])
        .arg(format!("-modfile=kubernetes-{}.mod", version.minor()))
        .arg("k8s.io/kubernetes");
    let found: Value = serde_json::from_str(&command::output(&mut go)?)?;
    Ok(Path::new(&text(&found, "Dir")).join("api/openapi-spec/v3"))
}

/// Nanoseconds of one answer, by what criterion found of a pass over all pairs.
fn time(folder: &Path, name: &str) -> Result<f64> {
    let read = |file: &str| -> Result<Value> {
        let path = folder.join(name).join("new").join(file);
        let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        Ok(serde_json::from_str(&text)?)
    };
    let median = number(&read("estimates.json")?["median"], "point_estimate");
    let pairs = number(&read("benchmark.json")?["throughput"], "Elements");
    Ok(median / pairs)
}
