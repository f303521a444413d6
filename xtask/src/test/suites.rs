//! The tests: built together, run one binary after the other.

use std::{
    collections::BTreeMap,
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::{Duration, Instant},
};

use serde_json::Value;

use super::{Clusters, Row, cargo, step, timed};
use crate::{Result, command};

/// Suites that mostly wait: they run beside the others.
const IDLE: [&str; 2] = ["suites: quiet", "fleet-kube: file_events"];

/// What was built.
#[derive(Default)]
struct Built {
    suites: Vec<Suite>,
    /// Programs that tests run, by name.
    programs: BTreeMap<String, PathBuf>,
}

/// A test binary.
struct Suite {
    name: String,
    program: PathBuf,
    folder: PathBuf,
}

pub(super) fn run(only: Option<&str>, clusters: &Clusters, rows: &mut Vec<Row>) -> Result {
    let mut built = Built::default();
    timed(rows, "building the tests", || {
        built = build()?;
        Ok(())
    })?;
    let programs = &built.programs;
    let wanted = built
        .suites
        .iter()
        .filter(|s| only.is_none_or(|name| s.name.contains(name)));
    let (wanted, hindered): (Vec<&Suite>, Vec<&Suite>) =
        wanted.partition(|suite| clusters.hindrance(&suite.name).is_none());
    rows.extend(hindered.into_iter().map(|suite| Row {
        name: suite.name.clone(),
        took: Duration::ZERO,
        passed: None,
        not_run: clusters.hindrance(&suite.name).into_iter().collect(),
    }));
    let wanted = wanted.into_iter();
    let (idle, busy): (Vec<&Suite>, Vec<&Suite>) = wanted.partition(|s| IDLE.contains(&s.name.as_str()));
    let mut failed = Vec::new();
    std::thread::scope(|scope| -> Result {
        let beside: Vec<_> = idle
            .iter()
            .map(|suite| {
                scope.spawn(move || {
                    let mut out = Vec::new();
                    let ran = run_one(suite, clusters, programs, &mut out).map_err(|error| error.to_string());
                    (suite, out, ran)
                })
            })
            .collect();
        for suite in busy {
            command::title(&suite.name);
            let (row, ok) = run_one(suite, clusters, programs, &mut std::io::stdout())?;
            rows.push(row);
            if !ok {
                failed.push(suite.name.as_str());
            }
        }
        for thread in beside {
            let (suite, out, ran) = thread.join().map_err(|_| "a test's thread failed")?;
            command::title(&suite.name);
            std::io::stdout().write_all(&out)?;
            let (row, ok) = ran?;
            rows.push(row);
            if !ok {
                failed.push(suite.name.as_str());
            }
        }
        Ok(())
    })?;
    if only.is_none() {
        step(
            rows,
            "examples of the documentation",
            cargo(&["test", "--workspace", "--doc", "--quiet", "--all-features"]),
        )?;
    }
    if failed.is_empty() {
        Ok(())
    } else {
        Err(format!("failed: {}", failed.join(", ")).into())
    }
}

fn build() -> Result<Built> {
    command::title("building the tests");
    let words = [
        "test",
        "--workspace",
        "--all-features",
        "--no-run",
        "--message-format",
        "json-render-diagnostics",
    ];
    let mut build = cargo(&words);
    let mut child = build
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| command::cannot_start(&build, &e))?;
    let mut built = Built::default();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        built.take(&line?);
    }
    if !child.wait()?.success() {
        return Err("the tests do not compile".into());
    }
    built.suites.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(built)
}

impl Built {
    /// Takes one of cargo's messages.
    fn take(&mut self, line: &str) {
        let Ok(message) = serde_json::from_str::<Value>(line) else {
            return;
        };
        if message["reason"] != "compiler-artifact" {
            return;
        }
        if message["profile"]["test"] == true {
            self.suites.extend(suite(&message));
        } else if let (Some(name), Some(program)) =
            (message["target"]["name"].as_str(), message["executable"].as_str())
        {
            self.programs.insert(name.to_owned(), program.into());
        }
    }
}

fn suite(message: &Value) -> Option<Suite> {
    let program = PathBuf::from(message["executable"].as_str()?);
    let folder = Path::new(message["manifest_path"].as_str()?).parent()?.to_owned();
    let package = folder.file_name()?.to_string_lossy().into_owned();
    let target = message["target"]["name"].as_str()?;
    let name = if target.replace('_', "-") == package {
        package
    } else {
        format!("{package}: {target}")
    };
    Some(Suite {
        name,
        program,
        folder,
    })
}

fn run_one(
    suite: &Suite,
    clusters: &Clusters,
    programs: &BTreeMap<String, PathBuf>,
    out: &mut dyn Write,
) -> Result<(Row, bool)> {
    let begin = Instant::now();
    let mut run = Command::new(&suite.program);
    run.current_dir(&suite.folder)
        .env("CARGO_MANIFEST_DIR", &suite.folder)
        .env("FLEET_CLUSTERS", clusters.variable());
    // What is built already is not built again with fewer features.
    for (name, program) in programs {
        run.env(format!("FLEET_PROGRAM_{name}"), program);
    }
    let mut child = run
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| command::cannot_start(&run, &e))?;
    let mut passed: usize = 0;
    let mut not_run = Vec::new();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let line = line?;
        writeln!(out, "{line}")?;
        passed += count(&line).unwrap_or(0);
        // The harness says it in the middle of what the tests say.
        let said = line
            .split_once("not run: ")
            .and_then(|(_, said)| said.split_once(": "));
        not_run.extend(said.map(|(_, why)| why.to_owned()));
    }
    let status = child.wait()?;
    Ok((
        Row {
            name: suite.name.clone(),
            took: begin.elapsed(),
            // One that did not run has passed to those who counted.
            passed: Some(passed.saturating_sub(not_run.len())),
            not_run,
        },
        status.success(),
    ))
}

/// From `test result: ok. 12 passed; …`.
fn count(line: &str) -> Option<usize> {
    let rest = line.strip_prefix("test result:")?;
    let (before, _) = rest.split_once(" passed")?;
    before.rsplit(' ').next()?.parse().ok()
}
