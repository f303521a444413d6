//! Records what a real server answers to the cases of built-in fields, which the tests of `fleet-diff` replay.

mod play;
mod steady;

#[path = "../../../../fleet-diff/tests/rows/case.rs"]
mod case;
#[path = "../../../../fleet-diff/tests/rows/recording.rs"]
mod recording;
#[path = "../../../../fleet-diff/tests/rows/table.rs"]
mod table;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

use fleet_harness::{ControlPlane, Options, User};
use kube::Client;

use crate::{Bed, truth::Server};
use case::Case;
use play::Player;
use recording::Recording;

/// The crate that has the cases.
fn home() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fleet-diff")
}

/// Plays every case to a real server whose title contains `only`, and writes the answers and the page of the table, or
/// with `check` compares the answers with those that are written. Returns what went wrong.
pub async fn record(only: &str, check: bool) -> Vec<String> {
    let rows = case::rows(&home().join("tests/rows/cases"));
    // Pods are completed as in real clusters: with tokens of their service accounts.
    let options = Options::new("rows")
        .controllers(false)
        .pods(false)
        .apiserver_arg("--disable-admission-plugins=");
    let plane = ControlPlane::start(options).expect("a cluster");
    let kubernetes = plane.kubernetes().as_str();
    let cases: Vec<Case> = rows.iter().flat_map(case::Row::cases).collect();
    let titles: BTreeSet<String> = cases.iter().map(|case| case.title.clone()).collect();
    let cases: Vec<Case> = cases
        .into_iter()
        .filter(|case| case.is_for(kubernetes) && case.title.contains(only))
        .collect();
    let bed = Bed::new([&plane]);
    let client = Client::try_from(bed.config(plane.name(), User::Admin).await).expect("a client");
    let mut player = Player::new(Server::new(client, kubernetes).await, kubernetes);
    player.prepare(&cases).await;
    let (mut recording, mut failures) = (Recording::new(), Vec::new());
    for case in &cases {
        match player.play(case).await {
            Ok(recorded) => drop(recording.insert(case.title.clone(), recorded)),
            Err(problem) => failures.push(format!("{}: {problem}", case.title)),
        }
    }
    let path = home().join(format!("tests/rows/recorded/{kubernetes}.json"));
    let before = if path.exists() {
        recording::read(&path)
    } else {
        Recording::new()
    };
    if check {
        for (title, now) in &recording {
            match before.get(title) {
                None => failures.push(format!("{title}: is not recorded yet")),
                Some(then) if then != now => failures.push(format!("{title}: {}", play::differs(then, now))),
                Some(_) => {}
            }
        }
    } else {
        // What is not asked about now stays, as long as it is a case.
        for (title, then) in before.into_iter().filter(|(title, _)| !title.contains(only)) {
            if titles.contains(&title) {
                recording.entry(title).or_insert(then);
            }
        }
        fs::write(&path, recording::text(&recording)).expect("a file");
        fs::write(home().join("FIELDS.md"), table::page(&rows)).expect("a file");
    }
    println!("{} cases of Kubernetes {kubernetes}", cases.len());
    failures
}
