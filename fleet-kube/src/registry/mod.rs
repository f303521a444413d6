//! Which clusters there are: the contexts of a kubeconfig.

mod entries;
mod kubeconfig;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use fleet_core::{Cluster, ClusterRegistry, Digest, Fault, Remedy, Unknown};
use kube::{Config, config::Kubeconfig};

pub use entries::{ClusterEntry, RegistryFile};

use crate::files::{FileError, read_settings, read_text};

/// Largest kubeconfig or registry file, in bytes.
pub const REGISTRY_BYTES_MAX: usize = 16 << 20;

/// Added to the kubeconfig's name, the name of the registry file beside it: `fleet.kubeconfig.clusters.yaml`.
pub const REGISTRY_FILE_SUFFIX: &str = ".clusters.yaml";

/// The contexts of a kubeconfig as clusters, and the means to connect to them.
///
/// A file beside the kubeconfig (see [`RegistryFile`]) may add what a kubeconfig cannot say: labels, properties, cost,
/// life-cycle, and the UID a cluster must have. Both files are read again whenever the clusters are asked for, and
/// parsed again when their content has changed. What cannot be read, and a kubeconfig without contexts, is unknown;
/// messages name the file and the line, and never quote a kubeconfig.
///
/// A context whose user or cluster is missing is still a cluster of the fleet: only connecting to it fails.
///
/// # Credential plugins
///
/// A kubeconfig can make whoever uses it run programs (`exec`, `auth-provider`), so a file from elsewhere is as
/// powerful as a program from elsewhere. They are refused unless [`CredentialPlugins::Run`] says otherwise.
///
/// ```no_run
/// use fleet_core::ClusterRegistry;
/// use fleet_kube::{CredentialPlugins, KubeconfigRegistry};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let registry = KubeconfigRegistry::new("fleet.kubeconfig").credential_plugins(CredentialPlugins::Run);
/// for cluster in registry.clusters().await.map_err(|unknown| unknown.message().to_owned())? {
///     let config = registry.config_for(&cluster).await?;
///     println!("{} at {}", cluster.name, config.cluster_url);
/// }
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct KubeconfigRegistry {
    kubeconfig: PathBuf,
    registry_file: Option<PathBuf>,
    contexts: Option<Vec<String>>,
    plugins: CredentialPlugins,
    read: Arc<Mutex<Option<Read>>>,
}

/// Whether programs that a kubeconfig names are run for credentials.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum CredentialPlugins {
    /// Connecting by such a context fails.
    #[default]
    Refuse,
    /// They are run as the user of this process.
    Run,
}

/// What was found at the last reading.
#[derive(Clone)]
struct Read {
    digest: Digest,
    kubeconfig: Arc<Kubeconfig>,
    clusters: Arc<BTreeMap<String, Cluster>>,
}

impl KubeconfigRegistry {
    /// All contexts of the file, and the registry file beside it if there is one.
    pub fn new(kubeconfig: impl Into<PathBuf>) -> Self {
        Self {
            kubeconfig: kubeconfig.into(),
            registry_file: None,
            contexts: None,
            plugins: CredentialPlugins::default(),
            read: Arc::default(),
        }
    }

    /// Another registry file than the one beside the kubeconfig. This one must exist.
    #[must_use]
    pub fn registry_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.registry_file = Some(path.into());
        self
    }

    /// Only these contexts; each must be there.
    #[must_use]
    pub fn contexts(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.contexts = Some(names.into_iter().map(Into::into).collect());
        self
    }

    /// Whether programs that the kubeconfig names are run. Default: refused.
    #[must_use]
    pub fn credential_plugins(mut self, plugins: CredentialPlugins) -> Self {
        self.plugins = plugins;
        self
    }

    /// What is needed to connect to a cluster of this registry, by its name.
    ///
    /// # Errors
    /// When a file cannot be read, the context is not there or is not complete, names files that cannot be read, or
    /// needs a program that may not be run.
    pub async fn config_for(&self, cluster: &Cluster) -> Result<Config, Fault> {
        let read = self
            .read()
            .await
            .map_err(|unknown| Fault::new(Remedy::Invalid, unknown.message()))?;
        if !read.clusters.contains_key(&cluster.name) {
            let message = format!(
                "{}: there is no context `{}`",
                self.kubeconfig.display(),
                cluster.name
            );
            return Err(Fault::new(Remedy::Invalid, message));
        }
        let dir = self.kubeconfig.parent().unwrap_or(Path::new(""));
        kubeconfig::config(&read.kubeconfig, dir, &cluster.name, self.plugins)
            .await
            .map_err(|(remedy, why)| {
                let path = self.kubeconfig.display();
                Fault::new(remedy, format!("{path}: context `{}`: {why}", cluster.name))
            })
    }

    /// What connections to the clusters would be made with, as digests by name: their entries, and the files with
    /// certificates and keys these name. Empty when the files cannot be read.
    pub(crate) async fn fingerprints(&self) -> BTreeMap<String, Digest> {
        let registry = self.clone();
        let task = tokio::task::spawn_blocking(move || {
            let read = registry.read_now().ok()?;
            let dir = registry.kubeconfig.parent().unwrap_or(Path::new(""));
            let fingerprint = |name: &String| {
                let digest = kubeconfig::fingerprint(&read.kubeconfig, dir, name, registry.plugins)?;
                Some((name.clone(), digest))
            };
            Some(read.clusters.keys().filter_map(fingerprint).collect())
        });
        task.await.ok().flatten().unwrap_or_default()
    }

    /// Reads the files, off the threads that serve everything else.
    async fn read(&self) -> Result<Read, Unknown> {
        let registry = self.clone();
        let task = tokio::task::spawn_blocking(move || registry.read_now());
        task.await
            .map_err(|_| Unknown::because("the task that reads the kubeconfig failed"))?
    }

    fn read_now(&self) -> Result<Read, Unknown> {
        let text = read_text(&self.kubeconfig, REGISTRY_BYTES_MAX)?;
        let registry = self.read_registry_file()?;
        let mut parts = fleet_core::DigestBuilder::new().text(&text);
        if let Some((_, text)) = &registry {
            parts = parts.text(text);
        }
        let digest = parts.finish();
        let mut last = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(read) = last.as_ref().filter(|read| read.digest == digest) {
            return Ok(read.clone());
        }
        let kubeconfig = kubeconfig::parse(&self.kubeconfig, &text)?;
        let entries = match &registry {
            Some((path, text)) => (read_settings::<RegistryFile>(path, text)?, path.as_path()),
            None => (RegistryFile::default(), Path::new("")),
        };
        let clusters = self.clusters_of(&kubeconfig, entries)?;
        let read = Read {
            digest,
            kubeconfig: Arc::new(kubeconfig),
            clusters: Arc::new(clusters),
        };
        *last = Some(read.clone());
        Ok(read)
    }

    /// The registry file's path and text, if there is one.
    fn read_registry_file(&self) -> Result<Option<(PathBuf, String)>, FileError> {
        let path = if let Some(path) = &self.registry_file {
            path.clone()
        } else {
            let mut name = self.kubeconfig.clone().into_os_string();
            name.push(REGISTRY_FILE_SUFFIX);
            let path = PathBuf::from(name);
            match path.symlink_metadata() {
                Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
                _ => path,
            }
        };
        let text = read_text(&path, REGISTRY_BYTES_MAX)?;
        Ok(Some((path, text)))
    }

    fn clusters_of(
        &self,
        kubeconfig: &Kubeconfig,
        (mut registry, path): (RegistryFile, &Path),
    ) -> Result<BTreeMap<String, Cluster>, FileError> {
        let mut clusters = BTreeMap::new();
        for context in &kubeconfig.contexts {
            let name = &context.name;
            let mut cluster = Cluster::new(name);
            if let Some(entry) = registry.clusters.remove(name) {
                entry
                    .describe(&mut cluster)
                    .map_err(|why| FileError::new(path, format!("`{name}`: {why}")))?;
            }
            if clusters.insert(name.clone(), cluster).is_some() {
                return Err(FileError::new(
                    &self.kubeconfig,
                    format!("context `{name}` is defined twice"),
                ));
            }
        }
        if let Some(name) = registry.clusters.keys().next() {
            let kubeconfig = self.kubeconfig.display();
            return Err(FileError::new(
                path,
                format!("`{name}` is not a context of {kubeconfig}"),
            ));
        }
        if clusters.is_empty() {
            // An empty file is one that somebody is about to write; it must not empty the fleet.
            return Err(FileError::new(&self.kubeconfig, "has no contexts"));
        }
        Ok(clusters)
    }
}

#[async_trait]
impl ClusterRegistry for KubeconfigRegistry {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        let clusters = self.read().await?.clusters;
        let Some(wanted) = &self.contexts else {
            return Ok(clusters.values().cloned().collect());
        };
        if let Some(name) = wanted.iter().find(|name| !clusters.contains_key(*name)) {
            return Err(FileError::new(&self.kubeconfig, format!("there is no context `{name}`")).into());
        }
        Ok(clusters
            .values()
            .filter(|cluster| wanted.contains(&cluster.name))
            .cloned()
            .collect())
    }
}

impl std::fmt::Debug for KubeconfigRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KubeconfigRegistry({})", self.kubeconfig.display())
    }
}
