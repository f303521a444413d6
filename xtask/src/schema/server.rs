//! A control plane that lives as long as its value.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{Result, command};

/// A running server. Dropping it kills it.
pub(super) struct Server {
    child: Child,
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    data: PathBuf,
}

impl Server {
    /// Starts an API server on loopback and waits until it is ready.
    pub(super) fn start(programs: &Path) -> Result<Self> {
        command::title("starting a server");
        let data = env::temp_dir().join(format!("xtask-schema-{}", std::process::id()));
        fs::create_dir_all(&data)?;
        let log = data.join("log");
        let mut serve = Command::new(programs.join("control-plane"));
        serve
            .args(["serve", "--controllers=false", "--pods=false", "--data"])
            .arg(&data)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(File::create(&log)?);
        let child = serve
            .spawn()
            .map_err(|error| command::cannot_start(&serve, &error))?;
        // From here on every way out kills it.
        let mut server = Self {
            child,
            kubectl: programs.join("kubectl"),
            kubeconfig: PathBuf::new(),
            data,
        };
        let mut line = String::new();
        if let Some(stdout) = &mut server.child.stdout {
            BufReader::new(stdout).read_line(&mut line)?;
        }
        let ready: Value = serde_json::from_str(&line).map_err(|error| {
            format!(
                "the server did not say that it is ready ({error}): see {}",
                log.display()
            )
        })?;
        let kubeconfig = ready["kubeconfig"]
            .as_str()
            .ok_or("the server names no kubeconfig")?;
        server.kubeconfig = PathBuf::from(kubeconfig);
        Ok(server)
    }

    /// What it answers.
    pub(super) fn get(&self, path: &str) -> Result<String> {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.arg("--kubeconfig").arg(&self.kubeconfig);
        command::output(kubectl.args(["get", "--raw", path]))
            .map_err(|error| format!("{path}: {error}").into())
    }

    /// What it answers, read.
    pub(super) fn json(&self, path: &str) -> Result<Value> {
        let answer = self.get(path)?;
        serde_json::from_str(&answer).map_err(|error| format!("{path}: {error}").into())
    }

    /// Ends it, and removes its data and log, which are left where something went wrong.
    pub(super) fn stop(self) -> Result {
        let data = self.data.clone();
        drop(self);
        Ok(fs::remove_dir_all(data)?)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; its data are thrown away.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}
