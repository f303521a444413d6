use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// The line that `control-plane serve` prints when it is ready.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct ClusterReady {
    pub(crate) url: String,
    pub(crate) ca: String,
    pub(crate) ca_file: PathBuf,
    pub(crate) tokens: BTreeMap<String, String>,
    pub(crate) kubeconfig: PathBuf,
    pub(crate) kubernetes: String,
}

/// The line that `control-plane etcd` prints when it is ready.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct EtcdReady {
    pub(crate) url: String,
}
