//! A control plane that lives as long as its value.

use std::env;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use serde_json::Value;

use crate::{Result, command, control_plane};

/// A running server. Dropping it kills it.
pub(crate) struct Server {
    child: Child,
    program: PathBuf,
    kubectl: PathBuf,
    kubeconfig: PathBuf,
    data: PathBuf,
}

impl Server {
    /// Starts an API server of a version on loopback, which is built first if it is not yet, and waits until it is ready.
    pub(crate) fn start(version: &control_plane::Args) -> Result<Self> {
        let programs = control_plane::programs(version)?;
        command::title("starting a server");
        let data = env::temp_dir().join(format!("xtask-server-{}", std::process::id()));
        fs::create_dir_all(&data)?;
        let log = data.join("log");
        let program = programs.join("control-plane");
        let mut serve = Command::new(&program);
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
            program,
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

    /// What its Go types say (`control-plane types`).
    pub(crate) fn types(&self) -> Result<String> {
        command::output(Command::new(&self.program).arg("types"))
    }

    /// What it answers.
    pub(crate) fn get(&self, path: &str) -> Result<String> {
        let mut kubectl = Command::new(&self.kubectl);
        kubectl.arg("--kubeconfig").arg(&self.kubeconfig);
        command::output(kubectl.args(["get", "--raw", path]))
            .map_err(|error| format!("{path}: {error}").into())
    }

    /// What it answers, read.
    pub(crate) fn json(&self, path: &str) -> Result<Value> {
        let answer = self.get(path)?;
        serde_json::from_str(&answer).map_err(|error| format!("{path}: {error}").into())
    }

    /// The versions that it serves, those of the core first, by paths like `apis/apps/v1`.
    pub(crate) fn versions(&self) -> Result<Vec<String>> {
        Ok(versions(&self.json("/api")?, &self.json("/apis")?))
    }

    /// Ends it, and removes its data and log, which are left where something went wrong.
    pub(crate) fn stop(self) -> Result {
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

fn versions(core: &Value, groups: &Value) -> Vec<String> {
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let core = list(&core["versions"]);
    let core = core.iter().filter_map(Value::as_str).map(|v| format!("api/{v}"));
    let versions = list(&groups["groups"])
        .into_iter()
        .flat_map(|group| list(&group["versions"]));
    let versions = versions.filter_map(|version| Some(format!("apis/{}", version["groupVersion"].as_str()?)));
    core.chain(versions).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn versions_are_in_the_order_of_discovery() {
        let groups =
            json!({"groups": [{"versions": [{"groupVersion": "apps/v2"}, {"groupVersion": "apps/v1"}]}]});
        let versions = versions(&json!({"versions": ["v1"]}), &groups);
        assert_eq!(versions, ["api/v1", "apis/apps/v2", "apis/apps/v1"]);
    }
}
