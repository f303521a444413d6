use std::fs;
use std::io::{BufRead, BufReader};
use std::process::Stdio;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use super::{Version, go};
use crate::{Result, command, workspace};

/// A program of the Go module.
pub(super) struct Program {
    pub(super) name: &'static str,
    package: &'static str,
}

/// What is built.
pub(super) const PROGRAMS: [Program; 2] = [
    Program {
        name: "control-plane",
        package: ".",
    },
    Program {
        name: "kubectl",
        package: "./kubectl",
    },
];

/// How it is built. `-v` is for the progress line.
pub(super) const FLAGS: [&str; 3] = ["-v", "-trimpath", "-buildvcs=false"];

/// How often the progress is told.
const TELL: Duration = Duration::from_secs(15);

/// Builds both programs.
pub(super) fn build(version: &Version) -> Result {
    command::title(&format!(
        "building {}: about 5 minutes on 2 cores the first time, 20 seconds later",
        version.title()
    ));
    let begin = Instant::now();
    // Not in place: a cluster may be running from there.
    let fresh = version.target.join("fresh");
    fs::create_dir_all(&fresh)?;
    let mut build = go();
    build
        .arg("build")
        .args(FLAGS)
        .arg(format!("-modfile={}", version.mod_file.display()))
        .arg(format!("-ldflags={}", linker_flags(version)?))
        .arg(format!("-o={}/", fresh.display()))
        .args(PROGRAMS.iter().map(|program| program.package))
        .stdin(Stdio::null())
        .stderr(Stdio::piped());
    let mut child = build
        .spawn()
        .map_err(|error| command::cannot_start(&build, &error))?;
    let (sender, lines) = channel();
    if let Some(stderr) = child.stderr.take() {
        thread::spawn(move || {
            for line in BufReader::new(stderr).lines().map_while(std::result::Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
    }
    tell(&lines, begin);
    let status = child.wait()?;
    if !status.success() {
        return Err(format!("go build: {status}").into());
    }
    fs::create_dir_all(version.bin())?;
    for program in PROGRAMS {
        fs::rename(fresh.join(program.name), version.bin().join(program.name))?;
    }
    fs::remove_dir_all(fresh)?;
    let seconds = begin.elapsed().as_secs();
    println!(
        "{} was built in {seconds} s: {}",
        version.title(),
        workspace::shown(&version.bin())
    );
    Ok(())
}

/// Without symbols, and with the version: clients read it from the server.
fn linker_flags(version: &Version) -> Result<String> {
    let (major, minor) = version
        .minor
        .split_once('.')
        .ok_or("a minor version looks like 1.36")?;
    let full = &version.kubernetes;
    let values = [
        ("gitVersion", full.as_str()),
        ("gitMajor", major),
        ("gitMinor", minor),
    ];
    let mut flags = vec!["-s".to_owned(), "-w".to_owned()];
    for package in ["k8s.io/component-base/version", "k8s.io/client-go/pkg/version"] {
        flags.extend(values.map(|(name, value)| format!("-X={package}.{name}={value}")));
    }
    Ok(flags.join(" "))
}

/// Tells how far the build is until it ends, and passes on what is neither a package nor a download.
fn tell(lines: &Receiver<String>, begin: Instant) {
    let (mut downloads, mut packages) = (0_u32, 0_u32);
    let mut next = begin + TELL;
    loop {
        match lines.recv_timeout(next.saturating_duration_since(Instant::now())) {
            Ok(line) if line.starts_with("go: downloading ") => downloads += 1,
            Ok(line) if is_package(&line) => packages += 1,
            Ok(line) => eprintln!("{line}"),
            Err(RecvTimeoutError::Timeout) => {
                let seconds = begin.elapsed().as_secs();
                eprintln!("    {seconds} s: {downloads} modules downloaded, {packages} packages compiled");
                next += TELL;
            }
            Err(RecvTimeoutError::Disconnected) => return,
        }
    }
}

/// Whether a line of `go build -v` is the path of a package: a word without a colon.
fn is_package(line: &str) -> bool {
    !line.is_empty() && !line.contains([' ', '\t', ':', '#'])
}
