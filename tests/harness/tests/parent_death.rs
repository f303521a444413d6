//! A cluster does not outlive the process that started it.

use std::env;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use fleet_harness::{ControlPlane, Options};

/// Set for the run of this test in a process that is to be killed.
const VICTIM: &str = "FLEET_HARNESS_VICTIM";

#[test]
fn a_cluster_dies_with_its_process() {
    if env::var_os(VICTIM).is_some() {
        // The thread that starts the cluster ends; only the end of the process may end the cluster.
        let start = || ControlPlane::start(Options::new("orphan").separate_etcd(true)).expect("a cluster");
        let cluster = thread::spawn(start).join().expect("a cluster");
        let (server, etcd) = (
            cluster.pid().expect("a server"),
            cluster.etcd_pid().expect("an etcd"),
        );
        eprintln!("victim {server} {etcd} {}", cluster.data_dir().display());
        loop {
            thread::park();
        }
    }

    let mut victim = Command::new(env::current_exe().expect("this test"))
        .args(["--exact", "a_cluster_dies_with_its_process", "--nocapture"])
        .env(VICTIM, "1")
        .stderr(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("this test runs");
    let stderr = victim.stderr.take().expect("its words");
    let words = BufReader::new(stderr)
        .lines()
        .map_while(Result::ok)
        .find_map(|line| Some(line.strip_prefix("victim ")?.to_owned()));
    let words = words.expect("the victim starts a cluster");
    let mut words = words.split(' ');
    let mut word = || words.next().expect("a word");
    let processes: [PathBuf; 2] = [word(), word()].map(|pid| Path::new("/proc").join(pid));
    let dir = PathBuf::from(word());
    // Long enough for a signal that the end of the starting thread had sent.
    thread::sleep(Duration::from_millis(300));
    assert!(
        processes.iter().all(|process| lives(process)),
        "it died with the thread that started it"
    );

    victim.kill().expect("killed");
    victim.wait().expect("gone");
    let end = Instant::now() + Duration::from_secs(10);
    while processes.iter().any(|process| lives(process)) {
        assert!(Instant::now() < end, "{processes:?} live on");
        thread::sleep(Duration::from_millis(20));
    }
    assert!(dir.exists(), "a killed process cannot remove its directory");

    // The next process that starts a cluster does it.
    let next = ControlPlane::start(Options::new("next").controllers(false)).expect("a cluster");
    assert!(!dir.exists(), "{} is still there", dir.display());
    assert_ne!(next.data_dir(), dir);
}

/// Whether there is such a process that has not ended: one that nobody waits for keeps its number.
fn lives(process: &Path) -> bool {
    let stat = fs::read_to_string(process.join("stat")).unwrap_or_default();
    // The state comes after the name in parentheses.
    stat.rsplit(')')
        .next()
        .is_some_and(|rest| !rest.trim().is_empty() && !rest.trim().starts_with(['Z', 'X']))
}
