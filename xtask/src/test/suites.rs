//! The tests: built together, run one binary after the other.

use std::{
    io::{BufRead, BufReader, Write},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

use serde_json::Value;

use super::{Row, cargo, step, timed};
use crate::{Result, command};

/// Suites that wait for nothing to happen: they run beside the others.
const IDLE: [&str; 1] = ["suites: quiet"];

/// A test binary.
struct Suite {
    name: String,
    program: PathBuf,
    folder: PathBuf,
}

pub(super) fn run(only: Option<&str>, rows: &mut Vec<Row>) -> Result {
    let mut suites = Vec::new();
    timed(rows, "building the tests", || {
        suites = build()?;
        Ok(())
    })?;
    let wanted = suites
        .iter()
        .filter(|s| only.is_none_or(|name| s.name.contains(name)));
    let (idle, busy): (Vec<&Suite>, Vec<&Suite>) = wanted.partition(|s| IDLE.contains(&s.name.as_str()));
    let mut failed = Vec::new();
    std::thread::scope(|scope| -> Result {
        let beside: Vec<_> = idle
            .iter()
            .map(|suite| {
                scope.spawn(move || {
                    let mut out = Vec::new();
                    let ran = run_one(suite, &mut out).map_err(|error| error.to_string());
                    (suite, out, ran)
                })
            })
            .collect();
        for suite in busy {
            command::title(&suite.name);
            let (row, ok) = run_one(suite, &mut std::io::stdout())?;
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

fn build() -> Result<Vec<Suite>> {
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
    let mut suites = Vec::new();
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        suites.extend(suite(&line?));
    }
    if !child.wait()?.success() {
        return Err("the tests do not compile".into());
    }
    suites.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(suites)
}

/// A test binary named in one of cargo's messages.
fn suite(line: &str) -> Option<Suite> {
    let message: Value = serde_json::from_str(line).ok()?;
    if message["reason"] != "compiler-artifact" || message["profile"]["test"] != true {
        return None;
    }
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

fn run_one(suite: &Suite, out: &mut dyn Write) -> Result<(Row, bool)> {
    let begin = Instant::now();
    let mut run = Command::new(&suite.program);
    run.current_dir(&suite.folder)
        .env("CARGO_MANIFEST_DIR", &suite.folder);
    let mut child = run
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|e| command::cannot_start(&run, &e))?;
    let mut passed = 0;
    for line in child
        .stdout
        .take()
        .into_iter()
        .flat_map(|out| BufReader::new(out).lines())
    {
        let line = line?;
        writeln!(out, "{line}")?;
        passed += count(&line).unwrap_or(0);
    }
    let status = child.wait()?;
    Ok((
        Row {
            name: suite.name.clone(),
            took: begin.elapsed(),
            passed: Some(passed),
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
