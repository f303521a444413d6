//! Which clusters there are: the contexts of a kubeconfig, or a set of Secrets.

mod entries;
mod kubeconfig;
mod secrets;
mod taints;
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
pub use secrets::{SECRETS_BYTES_MAX, SECRETS_MAX, SecretRegistry};

use crate::files::{FileError, read_settings, read_text};
use kubeconfig::Files;

/// Largest kubeconfig or registry file, in bytes.
pub const REGISTRY_BYTES_MAX: usize = 16 << 20;

/// Added to the kubeconfig's name, the name of the registry file beside it: `fleet.kubeconfig.clusters.yaml`.
pub const REGISTRY_FILE_SUFFIX: &str = ".clusters.yaml";

/// The contexts of a kubeconfig as clusters, and the means to connect to them.
///
/// A file beside the kubeconfig (see [`RegistryFile`]) may add what a kubeconfig cannot say: labels, properties, cost,
/// life-cycle, and the UID a cluster must have. Both files are read again whenever the clusters are asked for, and
/// parsed again when their content has changed. What cannot be read, and a kubeconfig without contexts, is unknown, and so
/// is everything once a registry file that was there is gone or empty;
/// messages name the file and the line, and never quote a kubeconfig.
///
/// With this crate's feature `file-events` it hints at changes of both.
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
    #[cfg(feature = "file-events")]
    trouble: crate::files::events::Trouble,
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
    /// There was a registry file, with content.
    is_described: bool,
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
            #[cfg(feature = "file-events")]
            trouble: crate::files::events::Trouble::default(),
        }
    }

    /// Who is told when changes cannot be noticed by events and will be found only at the interval: once for each such
    /// time. Default: it is logged as a warning.
    #[cfg(feature = "file-events")]
    #[must_use]
    pub fn on_trouble(mut self, tell: impl Fn(&str) + Send + Sync + 'static) -> Self {
        self.trouble = crate::files::events::Trouble::new(tell);
        self
    }

    /// Another registry file than the one beside the kubeconfig. This one must exist.
    #[must_use]
    pub fn registry_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.registry_file = Some(path.into());
        self.read = Arc::default();
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
        kubeconfig::config(&read.kubeconfig, Files::In(dir), &cluster.name, self.plugins)
            .await
            .map_err(|problem| {
                let (path, why) = (self.kubeconfig.display(), problem.words());
                let message = format!("{path}: context `{}`: {why}", cluster.name);
                Fault::new(problem.remedy(), message)
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
                let digest =
                    kubeconfig::fingerprint(&read.kubeconfig, Files::In(dir), name, registry.plugins)?;
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
        let path = self.registry_path();
        let described: Option<RegistryFile> = match &registry {
            Some((_, text)) => read_settings(&path, text)?,
            None => None,
        };
        let is_described = described.is_some();
        if !is_described && last.as_ref().is_some_and(|read| read.is_described) {
            // Or a moment without it would end every pause.
            let why = "is gone or has no content any more, and it said something before: restore it (`{}` says nothing of any cluster), or start this program again";
            return Err(FileError::new(&path, why).into());
        }
        let clusters = self.clusters_of(&kubeconfig, (described.unwrap_or_default(), &path))?;
        let read = Read {
            digest,
            is_described,
            kubeconfig: Arc::new(kubeconfig),
            clusters: Arc::new(clusters),
        };
        *last = Some(read.clone());
        Ok(read)
    }

    /// The registry file's path and text, if there is one.
    fn read_registry_file(&self) -> Result<Option<(PathBuf, String)>, FileError> {
        let path = self.registry_path();
        let is_absent = || {
            let found = path.symlink_metadata();
            found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        };
        if self.registry_file.is_none() && is_absent() {
            return Ok(None);
        }
        let text = read_text(&path, REGISTRY_BYTES_MAX)?;
        Ok(Some((path, text)))
    }

    /// The one that was given, or the one beside the kubeconfig.
    fn registry_path(&self) -> PathBuf {
        self.registry_file.clone().unwrap_or_else(|| {
            let mut name = self.kubeconfig.clone().into_os_string();
            name.push(REGISTRY_FILE_SUFFIX);
            PathBuf::from(name)
        })
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

    #[cfg(feature = "file-events")]
    fn changes(&self) -> fleet_core::Changes {
        use crate::files::events::{Watched, changes};

        let files = [self.kubeconfig.clone(), self.registry_path()];
        changes(self.trouble.clone(), move || {
            let mut watched = Watched::default();
            files.iter().for_each(|file| watched.entry(file));
            Ok(watched)
        })
    }
}

impl std::fmt::Debug for KubeconfigRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "KubeconfigRegistry({})", self.kubeconfig.display())
    }
}
