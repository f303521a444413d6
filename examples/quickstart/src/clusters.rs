//! Where the clusters come from: the one place that knows.

use std::{
    path::{Path, PathBuf},
    process::Command,
};

use fleet_harness::{ControlPlane, Options, User, merged_kubeconfig};
use fleet_kube::{ConnectionOptions, FleetBuilder, KubeconfigConnect, KubeconfigRegistry, SimFleet};
use kube::{
    Client, Config,
    config::{KubeConfigOptions, Kubeconfig},
};

use crate::Failure;

/// Running clusters. They end with this process.
pub(crate) enum Clusters {
    /// In this process.
    Simulated(Box<SimFleet>),
    /// Real control planes, and a kubeconfig with a context for each.
    Real {
        planes: Vec<ControlPlane>,
        kubeconfig: PathBuf,
    },
}

impl Clusters {
    /// Starts one in-process cluster per name.
    pub(crate) fn simulate(names: &[&str]) -> Self {
        Self::Simulated(Box::new(SimFleet::start(names.iter().copied())))
    }

    /// Starts one real control plane per name.
    pub(crate) fn start(names: &[&str], dir: &Path) -> Result<Self, Failure> {
        let planes = ControlPlane::start_all(names.iter().map(|name| Options::new(*name)))?;
        let kubeconfig = dir.join("kubeconfig");
        merged_kubeconfig(&planes.iter().collect::<Vec<_>>(), &kubeconfig)?;
        Ok(Self::Real { planes, kubeconfig })
    }

    /// What each of them is.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Simulated(_) => "each an API server in this process",
            Self::Real { .. } => "each a real control plane",
        }
    }

    /// A fleet finds and reaches them so.
    pub(crate) fn known_to(&self, fleet: FleetBuilder) -> FleetBuilder {
        match self {
            Self::Simulated(clusters) => {
                let clusters: &SimFleet = clusters;
                fleet.registry(clusters.clone()).connect(clusters.clone())
            }
            Self::Real { kubeconfig, .. } => {
                let registry = KubeconfigRegistry::new(kubeconfig);
                let connect = KubeconfigConnect::new(registry.clone(), ConnectionOptions::default());
                fleet.registry(registry).connect(connect)
            }
        }
    }

    /// Somebody else's client of one of them.
    pub(crate) async fn client(&self, cluster: &str) -> Result<Client, Failure> {
        match self {
            Self::Simulated(clusters) => Ok(clusters.get(cluster).ok_or("no such cluster")?.client()),
            Self::Real { planes, .. } => {
                let plane = planes
                    .iter()
                    .find(|p| p.name() == cluster)
                    .ok_or("no such cluster")?;
                let options = KubeConfigOptions {
                    context: Some(User::Someone.as_str().to_owned()),
                    ..KubeConfigOptions::default()
                };
                let kubeconfig = Kubeconfig::read_from(plane.kubeconfig())?;
                let config = Config::from_custom_kubeconfig(kubeconfig, &options).await?;
                Ok(Client::try_from(config)?)
            }
        }
    }
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
