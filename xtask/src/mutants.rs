//! `cargo xtask mutants`: do the tests notice when the code of `fleet-diff` is wrong?
//!
//! cargo-mutants changes one thing at a time (an operator, a result, a guard), builds, and runs the tests. A change that
//! no test notices is a survivor. `accepted` reads the list of those that may survive, `outcomes` what came out.

mod accepted;
mod outcomes;

use std::{fs, path::PathBuf, process::Command};

use nix::sys::resource::{Resource, setrlimit};

use crate::{Result, command, workspace};
use accepted::Accepted;
use outcomes::{Fate, Mutant};

const VERSION: &str = "27.1.0";
/// Folders of `fleet-diff/src`: merging, sets and their codec, the server's bookkeeping of owners, and ours.
const FOLDERS: [&str; 4] = ["managed", "ownership", "set", "typed"];
/// The tests that know these folders, all of them quick: a mutant takes a few seconds.
const TEST: &str = "mutants";
/// Cases of each property, the same ones for each mutant. What fails need not be made small.
const PROPTEST: [(&str, &str); 4] = [
    ("PROPTEST_CASES", "32"),
    ("PROPTEST_RNG_SEED", "1"),
    ("PROPTEST_MAX_SHRINK_ITERS", "0"),
    ("PROPTEST_DISABLE_FAILURE_PERSISTENCE", "true"),
];
/// Seconds for the tests; they take two on an idle machine.
const TIMEOUT: &str = "30";
/// Bytes for each program: a loop without an end that fills a list must not take all the memory there is.
const MEMORY: u64 = 8 << 30;
/// How many of a hundred mutants must be caught, of those that compile.
const LEAST: usize = 90;

/// What to change.
#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// One part of all mutants: `0/4` is the first of four
    #[arg(long, value_name = "K/N")]
    shard: Option<String>,
    /// Only files that match, like `fleet-diff/src/set/*.rs`; may be given again
    #[arg(long, value_name = "PATTERN")]
    file: Vec<String>,
}

pub(crate) fn run(args: &Args) -> Result {
    let program = install()?;
    let folder = workspace::target().join("mutants");
    fs::create_dir_all(&folder)?;
    let mut mutants = Command::new(program);
    mutants
        .current_dir(workspace::root())
        // Dependencies are built once for all runs.
        .env("CARGO_TARGET_DIR", folder.join("build"))
        .envs(PROPTEST)
        .args(["mutants", "--package", "fleet-diff", "--profile", "mutants"])
        // Nothing else is built or run.
        .args(["--cargo-arg=--test", "--cargo-arg", TEST])
        .args(["--features", "typed-operations"])
        .args(["--jobs", "1", "--timeout", TIMEOUT, "--output"])
        .arg(&folder);
    if let Some(shard) = &args.shard {
        mutants.args(["--sharding", "round-robin", "--shard", shard]);
    }
    for file in files(args) {
        mutants.args(["--file", &file]);
    }
    setrlimit(Resource::RLIMIT_AS, MEMORY, MEMORY)?;
    command::title("changing the code, one thing at a time");
    let status = mutants
        .status()
        .map_err(|error| command::cannot_start(&mutants, &error))?;
    // 2: some survive, 3: some run into the timeout.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        return Err(format!("cargo-mutants: {status}").into());
    }
    let all = outcomes::read(&folder.join("mutants.out").join("outcomes.json"))?;
    judge(&all, &Accepted::read()?, args.shard.is_none())
}

fn files(args: &Args) -> Vec<String> {
    if args.file.is_empty() {
        FOLDERS
            .iter()
            .map(|folder| format!("fleet-diff/src/{folder}/**"))
            .collect()
    } else {
        args.file.clone()
    }
}

/// The program, of the version that the list of survivors was made with.
fn install() -> Result<PathBuf> {
    let root = workspace::target().join("tools");
    let program = root.join("bin").join("cargo-mutants");
    let is_there = program.is_file()
        && command::output(Command::new(&program).args(["mutants", "--version"]))?
            .split(' ')
            .any(|word| word == VERSION);
    if !is_there {
        let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
        cargo
            .args(["install", "cargo-mutants", "--version", VERSION])
            .args(["--locked", "--root"])
            .arg(&root);
        command::run("installing cargo-mutants", &mut cargo)?;
    }
    Ok(program)
}

/// Prints what became of all, and what the list does not say.
fn judge(all: &[Mutant], accepted: &Accepted, is_complete: bool) -> Result {
    print!("{}", outcomes::table(all));
    let missed: Vec<&Mutant> = all.iter().filter(|mutant| mutant.fate == Fate::Missed).collect();
    let unlisted = accepted.unlisted(&missed);
    if !unlisted.is_empty() {
        println!("\nsurvive, and {} does not say why:", accepted::LIST);
        unlisted.iter().for_each(|mutant| println!("  {mutant}"));
    }
    if is_complete {
        let outdated = accepted.outdated(all);
        if !outdated.is_empty() {
            println!("\nare in {}, and no longer survive:", accepted::LIST);
            outdated.iter().for_each(|name| println!("  {name}"));
        }
    }
    let (noticed, viable) = outcomes::noticed(all);
    if noticed * 100 < viable * LEAST {
        return Err(format!("fewer than {LEAST} of 100 mutants are caught: {noticed} of {viable}").into());
    }
    Ok(())
}
