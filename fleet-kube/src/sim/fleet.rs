//! Several in-process clusters under their names.

use std::{collections::BTreeMap, sync::Arc};

use async_trait::async_trait;
use fleet_core::{Cluster, ClusterRegistry, Fault, Remedy, Unknown};

use super::SimCluster;
use crate::{Connect, Connection, ConnectionOptions};

/// In-process clusters as a registry, and the way to connect to them. Cheap to clone.
#[derive(Clone, Debug)]
pub struct SimFleet {
    clusters: Arc<BTreeMap<String, SimCluster>>,
    options: ConnectionOptions,
}

impl SimFleet {
    /// Starts clusters of these names, each with a seed of its own.
    ///
    /// # Panics
    /// Outside of a tokio runtime.
    pub fn start<N: Into<String>>(names: impl IntoIterator<Item = N>) -> Self {
        let start = |(seed, name): (u64, N)| {
            let settings = fleet_sim::Settings::default().seed(seed);
            (name.into(), SimCluster::start(settings))
        };
        Self::of((0..).zip(names).map(start))
    }

    /// These clusters.
    pub fn of(clusters: impl IntoIterator<Item = (String, SimCluster)>) -> Self {
        Self {
            clusters: Arc::new(clusters.into_iter().collect()),
            options: ConnectionOptions::default(),
        }
    }

    /// How connections are made.
    #[must_use]
    pub fn options(self, options: ConnectionOptions) -> Self {
        Self { options, ..self }
    }

    /// One of them.
    pub fn get(&self, name: &str) -> Option<&SimCluster> {
        self.clusters.get(name)
    }
}

#[async_trait]
impl ClusterRegistry for SimFleet {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        Ok(self.clusters.keys().map(Cluster::new).collect())
    }
}

#[async_trait]
impl Connect for SimFleet {
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
        match self.clusters.get(&cluster.name) {
            Some(found) => found.connect(self.options.clone()).await,
            None => Err(Fault::new(
                Remedy::Invalid,
                format!("there is no in-process cluster `{}`", cluster.name),
            )),
        }
    }
}
