//! One file a subject.

mod documents;
mod ends;
mod explain;
mod inputs;
mod leaving;
mod lost;
mod mistakes;
mod notes;
mod runs;

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use serde_json::Value;
use tempfile::TempDir;

/// A folder of files, and the program in it.
struct Lab(TempDir);

struct Answer {
    code: i32,
    out: String,
    err: String,
}

impl Answer {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}{}", self.out, self.err))
    }

    /// That the program ended so and told all of this.
    fn expect(&self, code: i32, told: &[&str]) -> &Self {
        let text = format!("{}{}", self.out, self.err);
        assert_eq!(self.code, code, "{text}");
        for words in told {
            assert!(text.contains(words), "`{words}` is missing: {text}");
        }
        self
    }
}

impl Lab {
    /// With the documented examples in it.
    fn new() -> Self {
        let lab = Self(tempfile::tempdir().unwrap());
        for name in ["clusters.yaml", "workloads.yaml"] {
            fs::copy(examples().join(name), lab.path(name)).unwrap();
        }
        lab
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> &Self {
        fs::write(self.path(name), content).unwrap();
        self
    }

    fn json(&self, name: &str) -> Value {
        serde_json::from_str(&fs::read_to_string(self.path(name)).unwrap()).unwrap()
    }

    fn run(&self, words: &str) -> Answer {
        self.feed(words, b"")
    }

    fn feed(&self, words: &str, input: &[u8]) -> Answer {
        let mut command = Command::new(env!("CARGO_BIN_EXE_fleetctl"));
        command
            .current_dir(self.0.path())
            .arg("place")
            .args(words.split_whitespace());
        command.env_remove("NO_COLOR").env_remove("KUBECONFIG");
        let piped = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap();
        let mut stdin = child.stdin.take().unwrap();
        let input = input.to_vec();
        let writer = std::thread::spawn(move || {
            // A program that reads nothing is gone before.
            let _ = stdin.write_all(&input);
        });
        let output = child.wait_with_output().unwrap();
        writer.join().unwrap();
        Answer {
            code: output.status.code().expect("it ends by itself"),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }
}

fn examples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("examples")
}

const FILES: &str = "--clusters clusters.yaml --workloads workloads.yaml";
const SMALL: &str = "--clusters c.yaml --workloads w.yaml --now 2026-11-27T18:05:00Z";

/// Two clusters with room for four replicas each, and two workloads.
fn small() -> Lab {
    let lab = Lab::new();
    lab.file(
        "c.yaml",
        "clusters:\n\
         - {name: a, labels: {zone: north}, allocatable: {cpu: 4}}\n\
         - {name: b, labels: {zone: south}, allocatable: {cpu: 4}}\n",
    );
    lab.file(
        "w.yaml",
        "- {name: web, needs: {cpu: 1}, targets: [{replicas: 3}]}\n\
         - {name: db, needs: {cpu: 1}, targets: [{clusters: [b], replicas: 1}]}\n",
    );
    lab
}
