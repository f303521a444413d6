//! Where the clusters come from: the one place that knows.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};

use crate::Failure;

/// Running clusters and a kubeconfig with a context for each.
pub(crate) struct Clusters {
    planes: Vec<ControlPlane>,
    pub(crate) kubeconfig: PathBuf,
}

/// Starts one real control plane per name; they end with this process.
pub(crate) fn start(names: &[&str], dir: &Path) -> Result<Clusters, Failure> {
    let planes = ControlPlane::start_all(names.iter().map(|name| Options::new(*name)))?;
    let kubeconfig = dir.join("kubeconfig");
    merged_kubeconfig(&planes.iter().collect::<Vec<_>>(), &kubeconfig)?;
    Ok(Clusters { planes, kubeconfig })
}

/// The control plane is a Go program of this project, built once.
pub(crate) fn build() -> Result<(), Failure> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(cargo).args(["xtask", "control-plane"]).status()?;
    if status.success() {
        Ok(())
    } else {
        Err("the control plane could not be built (it needs Go 1.26 or newer)".into())
    }
}

impl Clusters {
    /// Somebody else runs kubectl against one of them.
    pub(crate) fn kubectl(&self, cluster: &str, words: &[&str]) -> Result<String, Failure> {
        let plane = self
            .planes
            .iter()
            .find(|p| p.name() == cluster)
            .ok_or("no such cluster")?;
        let output = plane.kubectl_as(User::Someone)?.args(words).output()?;
        if !output.status.success() {
            return Err(String::from_utf8_lossy(&output.stderr).trim().to_owned().into());
        }
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    }
}
