//! An inventory of a million lines for one cluster, on a real server. `cargo xtask bench-large`.

mod child;
mod server;

use std::{
    io::{BufRead, BufReader, Write},
    path::PathBuf,
    process::{Command, Stdio},
};

use clap::Parser;
use fleet_benches::{Failure, large, machine, requests::Requests};
use fleet_harness::{ControlPlane, Options, merged_kubeconfig};

use child::{Measured, Work};

/// The name of the cluster, and so of its folder.
const CLUSTER: &str = "large";

#[derive(Parser)]
struct Args {
    /// Lines of YAML.
    #[arg(long, default_value_t = 1_000_000)]
    lines: usize,
    /// The same seed gives the same inventory.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Measures one piece of work in this process, and prints it as JSON: what the benchmark starts itself with.
    #[arg(long, hide = true, requires_all = ["inventory", "kubeconfig"])]
    work: Option<Work>,
    #[arg(long, hide = true)]
    inventory: Option<PathBuf>,
    #[arg(long, hide = true)]
    kubeconfig: Option<PathBuf>,
}

fn main() -> Result<(), Failure> {
    let args = Args::parse();
    match (args.work, args.inventory, args.kubeconfig) {
        (Some(work), Some(inventory), Some(kubeconfig)) => child::run(work, inventory, kubeconfig),
        _ => bench(args.lines, args.seed),
    }
}

fn bench(lines: usize, seed: u64) -> Result<(), Failure> {
    let dir = tempfile::tempdir()?;
    let inventory = dir.path().join("inventory");
    let written = large::write(&inventory.join(CLUSTER), lines, seed)?;
    let plane = ControlPlane::start(Options::new(CLUSTER).controllers(false).pods(false).audit(true))?;
    let kubeconfig = dir.path().join("kubeconfig");
    merged_kubeconfig(&[&plane], &kubeconfig)?;
    let bench = Bench {
        plane,
        inventory,
        kubeconfig,
    };
    head(&written, &bench.plane, seed);

    let objects = written.count();
    let parsed = bench.alone("parse", Work::Parse)?;
    expect("objects read", parsed.count, objects)?;
    let (planned, asked) = bench.process("plan, empty server", Work::Plan)?;
    expect("changes planned", planned.count, objects)?;
    expect("writes of a plan", asked.writes + asked.ledger, 0)?;

    let (applied, asked) = bench.process("apply, cold", Work::Apply)?;
    expect("objects in sync", applied.count, objects)?;
    expect("writes", asked.writes, u64::try_from(objects)?)?;
    let per_kind = server::objects(&bench.plane, written.objects.keys().copied())?;
    expect("objects on the server, by kind", &per_kind, &written.objects)?;
    let recorded = server::ledger(&bench.plane)?;

    let (again, asked) = bench.process("apply again, new process", Work::Apply)?;
    expect("objects in sync", again.count, objects)?;
    expect(
        "dry runs and writes",
        asked.dry_runs + asked.writes + asked.ledger,
        0,
    )?;

    expect("the line before", server::revision(&bench.plane)?, "0".to_owned())?;
    written.change("\"1\"")?;
    let (_, asked) = bench.process("one line changed, new process", Work::Apply)?;
    one_write(&asked)?;
    expect("the line after", server::revision(&bench.plane)?, "1".to_owned())?;

    let mut kept = bench.keep()?;
    let (started, asked) = kept.step(&bench, "run, until converged", None)?;
    expect("objects in sync", started.count, objects)?;
    expect(
        "dry runs and writes",
        asked.dry_runs + asked.writes + asked.ledger,
        0,
    )?;
    let (_, asked) = kept.step(&bench, "forced full plan, same process", Some(child::REPLAN))?;
    expect("requests", asked, Requests::default())?;
    written.change("\"2\"")?;
    let (_, asked) = kept.step(&bench, "one line changed, same process", Some(child::REREAD))?;
    one_write(&asked)?;
    expect("the line after", server::revision(&bench.plane)?, "2".to_owned())?;
    let (_, asked) = kept.step(
        &bench,
        "unchanged files read again",
        Some(child::REREAD_UNCHANGED),
    )?;
    expect("requests", asked, Requests::default())?;
    kept.end()?;

    let (maps, bytes) = recorded;
    println!(
        "\nthe ledger: {maps} config maps, {bytes} bytes, {} an object",
        bytes / objects
    );
    Ok(())
}

fn head(written: &large::Written, plane: &ControlPlane, seed: u64) {
    println!(
        "{} lines, {} objects, {:.1} MB of YAML (seed {seed}), one cluster: Kubernetes {}, no controllers",
        written.lines,
        written.count(),
        mega(written.bytes),
        plane.version()
    );
    let kinds = written
        .objects
        .iter()
        .map(|(kind, count)| format!("{count} {kind}"));
    println!("{}", kinds.collect::<Vec<_>>().join(", "));
    println!("{}\n", machine());
    println!(
        "{:<34} {:>8} {:>8} {:>8} {}",
        "",
        "seconds",
        "CPU s",
        "peak MB",
        Requests::head()
    );
}

/// A change of one object is one write of it and at most one of the record, and nothing is asked.
fn one_write(asked: &Requests) -> Result<(), Failure> {
    expect("writes of objects", asked.writes, 1)?;
    expect("dry runs", asked.dry_runs, 0)?;
    if asked.ledger > 1 {
        return Err(format!(
            "one object changed, and the ledger was written {} times",
            asked.ledger
        )
        .into());
    }
    Ok(())
}

fn expect<T: PartialEq<U> + std::fmt::Debug, U: std::fmt::Debug>(
    what: &str,
    found: T,
    expected: U,
) -> Result<(), Failure> {
    if found == expected {
        Ok(())
    } else {
        Err(format!("{what}: {found:?}, and there should be {expected:?}").into())
    }
}

/// Millions, near enough for people.
#[allow(clippy::cast_precision_loss, reason = "three digits are printed")]
fn mega(bytes: usize) -> f64 {
    bytes as f64 / 1e6
}

fn row(name: &str, measured: &Measured, asked: Option<&Requests>) {
    let peak = mega(usize::try_from(measured.peak).unwrap_or(usize::MAX));
    println!(
        "{name:<34} {:>8.2} {:>8.2} {peak:>8.0} {}",
        measured.seconds,
        measured.cpu,
        asked.map_or(String::new(), Requests::row)
    );
}

/// A server, and what is to be made of it.
struct Bench {
    plane: ControlPlane,
    inventory: PathBuf,
    kubeconfig: PathBuf,
}

impl Bench {
    fn command(&self, work: Work) -> Result<Command, Failure> {
        let mut command = Command::new(std::env::current_exe()?);
        command
            .args(["--work", work.name()])
            .arg("--inventory")
            .arg(&self.inventory)
            .arg("--kubeconfig")
            .arg(&self.kubeconfig)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::inherit());
        Ok(command)
    }

    /// One process from beginning to end.
    fn measure(&self, name: &str, work: Work) -> Result<Measured, Failure> {
        let output = self.command(work)?.output()?;
        if output.status.success() {
            Ok(serde_json::from_slice(&output.stdout)?)
        } else {
            Err(format!("{name} failed").into())
        }
    }

    /// One that asks no server.
    fn alone(&self, name: &str, work: Work) -> Result<Measured, Failure> {
        let measured = self.measure(name, work)?;
        row(name, &measured, None);
        Ok(measured)
    }

    /// One, and what it asked of the server.
    fn process(&self, name: &str, work: Work) -> Result<(Measured, Requests), Failure> {
        let mark = self.plane.audit_mark()?;
        let measured = self.measure(name, work)?;
        let asked = Requests::since(&self.plane, mark)?;
        row(name, &measured, Some(&asked));
        Ok((measured, asked))
    }

    /// A process that keeps the cluster, and does something more for each line it is sent.
    fn keep(&self) -> Result<Kept, Failure> {
        let mark = self.plane.audit_mark()?;
        let mut process = self.command(Work::Keep)?.stdin(Stdio::piped()).spawn()?;
        let answers = BufReader::new(process.stdout.take().ok_or("no output")?);
        Ok(Kept {
            mark,
            process,
            answers,
        })
    }
}

struct Kept {
    /// Where the first step begins.
    mark: fleet_harness::AuditMark,
    process: std::process::Child,
    answers: BufReader<std::process::ChildStdout>,
}

impl Kept {
    /// Waits for the next answer, which is to `line` if there is one.
    fn step(
        &mut self,
        bench: &Bench,
        name: &str,
        line: Option<&str>,
    ) -> Result<(Measured, Requests), Failure> {
        if let Some(line) = line {
            self.mark = bench.plane.audit_mark()?;
            let mut input = self.process.stdin.as_ref().ok_or("no input")?;
            writeln!(input, "{line}")?;
        }
        let mut answer = String::new();
        if self.answers.read_line(&mut answer)? == 0 {
            return Err(format!("{name} failed").into());
        }
        let measured = serde_json::from_str(&answer)?;
        let asked = Requests::since(&bench.plane, self.mark)?;
        row(name, &measured, Some(&asked));
        Ok((measured, asked))
    }

    /// It ends with its input.
    fn end(mut self) -> Result<(), Failure> {
        drop(self.process.stdin.take());
        let status = self.process.wait()?;
        if status.success() {
            Ok(())
        } else {
            Err("the process that kept the cluster failed".into())
        }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        // It has ended, unless a step failed; then nobody hears it any more.
        let _ = self.process.kill();
    }
}
