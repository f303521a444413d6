//! The reconciler as a process, behind a proxy of its own.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Stdio,
};

use fleet_harness::{Access, write_kubeconfig};
use serde_json::Value;
use tokio::process::Command;

use super::cases::Guard;
use crate::proxy::{Proxy, Rule};

/// How to start the reconciler against a control plane.
pub(super) struct Launcher {
    program: PathBuf,
    /// Kubeconfigs, inventories and outputs.
    dir: tempfile::TempDir,
    access: Access,
    server: kube::Client,
}

/// How a run ended.
pub(super) struct Ran {
    /// None when it was killed.
    pub(super) code: Option<i32>,
    /// Requests that changed something.
    pub(super) writes: usize,
    /// What it said.
    pub(super) output: String,
}

impl Launcher {
    pub(super) fn new(program: &Path, access: Access, server: kube::Client) -> Self {
        Self {
            program: program.to_owned(),
            dir: tempfile::tempdir().expect("a directory"),
            access,
            server,
        }
    }

    /// Runs it once over `inventory`, until it ends or its proxy stops; then it is killed.
    pub(super) async fn run(
        &self,
        id: &str,
        inventory: &[Value],
        rule: impl Rule,
        without: Option<Guard>,
    ) -> Ran {
        let proxy = Proxy::start(self.server.clone(), rule).await.expect("a proxy");
        let file = |name: &str| self.dir.path().join(format!("{id}-{name}"));
        let (kubeconfig, objects, output) = (file("kubeconfig"), file("inventory"), file("output"));
        let access = Access {
            url: proxy.url().to_owned(),
            ..self.access.clone()
        };
        write_kubeconfig(&[access], &kubeconfig).expect("written");
        std::fs::write(&objects, serde_json::to_vec(inventory).expect("json")).expect("written");
        let mut child = Command::new(&self.program)
            .args([&kubeconfig, &objects, Path::new(id)])
            .args(without.map(Guard::word))
            .stdin(Stdio::piped())
            .stdout(File::create(&output).expect("a file"))
            .kill_on_drop(true)
            .spawn()
            .expect("the reconciler starts");
        // It ends when this does. Waiting for it would close it.
        let stdin = child.stdin.take();
        let code = tokio::select! {
            status = child.wait() => Some(status.expect("an end").code().unwrap_or(-1)),
            () = proxy.stopped() => {
                child.kill().await.expect("killed");
                None
            }
        };
        drop(stdin);
        Ran {
            code,
            writes: proxy.writes().await.len(),
            output: std::fs::read_to_string(&output).unwrap_or_default(),
        }
    }
}
