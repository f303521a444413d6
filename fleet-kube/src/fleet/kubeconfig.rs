//! Connections by kubeconfig.

use std::collections::BTreeMap;

use async_trait::async_trait;
use fleet_core::{Cluster, Digest, Fault};

use super::Connect;
use crate::{
    connection::{Connection, ConnectionOptions},
    registry::KubeconfigRegistry,
};

/// Connects to the contexts of a kubeconfig.
#[derive(Clone, Debug)]
pub struct KubeconfigConnect {
    registry: KubeconfigRegistry,
    options: ConnectionOptions,
}

impl KubeconfigConnect {
    /// Over the contexts of `registry`, each connection with these options.
    pub fn new(registry: KubeconfigRegistry, options: ConnectionOptions) -> Self {
        Self { registry, options }
    }
}

#[async_trait]
impl Connect for KubeconfigConnect {
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
        Connection::connect(self.registry.config_for(cluster).await?, self.options.clone()).await
    }

    async fn fingerprints(&self, _: &[Cluster]) -> BTreeMap<String, Digest> {
        self.registry.fingerprints().await
    }
}
