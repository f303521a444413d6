use std::fs;
use std::path::{Path, PathBuf};

use serde_json::json;

use crate::control_plane::ControlPlane;
use crate::error::{Error, Result};
use crate::user::User;

/// How to reach a cluster as one user: a context of a kubeconfig.
#[derive(Debug, Clone)]
pub struct Access {
    /// Name of the context, and of its cluster and user entries.
    pub name: String,
    /// Where the API server, or a proxy before it, listens.
    pub url: String,
    /// File with the certificate of the authority that signed the server's, as PEM.
    pub ca_file: PathBuf,
    /// The user's bearer token.
    pub token: String,
}

/// Writes a kubeconfig with a context per entry. The first one is the current context.
///
/// # Errors
/// When the file cannot be written.
pub fn write_kubeconfig(contexts: &[Access], path: &Path) -> Result<()> {
    let named = |key: &str, value: fn(&Access) -> serde_json::Value| -> Vec<serde_json::Value> {
        contexts
            .iter()
            .map(|access| json!({ "name": access.name, key: value(access) }))
            .collect()
    };
    // JSON is YAML too.
    let config = json!({
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": contexts.first().map_or("", |access| &access.name),
        "clusters": named("cluster", |a| json!({ "server": a.url, "certificate-authority": a.ca_file })),
        "users": named("user", |a| json!({ "token": a.token })),
        "contexts": named("context", |a| json!({ "cluster": a.name, "user": a.name })),
    });
    fs::write(path, format!("{config:#}\n")).map_err(Error::io(format!("write {}", path.display())))
}

/// Writes one kubeconfig for several clusters: a context per cluster, by the cluster's name, as
/// [`User::Fleet`].
///
/// # Errors
/// When the file cannot be written.
pub fn merged_kubeconfig(clusters: &[&ControlPlane], path: &Path) -> Result<()> {
    let contexts: Vec<Access> = clusters
        .iter()
        .map(|cluster| cluster.access(User::Fleet))
        .collect();
    write_kubeconfig(&contexts, path)
}
