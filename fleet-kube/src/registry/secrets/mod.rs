//! Clusters from Secrets of another cluster.

mod describe;
mod forms;
mod listed;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
};

use async_trait::async_trait;
use fleet_core::{Cluster, ClusterRegistry, Digest, Fault, Remedy, Unknown};
use kube::Config;

use super::{
    CredentialPlugins,
    kubeconfig::{self, Files},
};
use crate::{
    connection::{Connection, ConnectionOptions},
    fleet::Connect,
};
use listed::{Entry, Memory};

pub use listed::{SECRETS_BYTES_MAX, SECRETS_MAX};

/// The Secrets of a namespace of one cluster, the hub, as the clusters of a fleet, and the means to connect to them.
///
/// Each Secret that a label selector finds is a cluster. How to connect to it stands in the Secret in one of these
/// forms; the first that is there counts:
///
/// - a kubeconfig under the key `kubeconfig`, or `value` as Cluster API writes it ([`keys`](Self::keys) chooses
///   others). Its current context is used, or its only one. It must hold what it needs: files it names would be files
///   of this program's machine, and are refused;
/// - `server` and `config` as Argo CD writes them.
///
/// The cluster's name is the annotation `cluster.fleet.internal/name`, or Cluster API's label
/// `cluster.x-k8s.io/cluster-name`, or Argo CD's key `name`, or the name of the Secret. Labels of the Secret are labels
/// of the cluster. What a [`RegistryFile`](super::RegistryFile) says of a context, annotations say here:
///
/// ```yaml
/// cluster.fleet.internal/uid: 8e1f1f0c-5a3b-4c39-9f0e-6a2f3b1c9d77
/// cluster.fleet.internal/life-cycle: ready    # joining, ready, cordoned, draining or leaving
/// cluster.fleet.internal/paused: upgrade of its nodes until Monday
/// property.cluster.fleet.internal/provider: example
/// cost.cluster.fleet.internal/cpu-hour: "31"
/// cluster.fleet.internal/taints: hardware=old:PreferNoSchedule, upgrade:NoExecute@2026-11-27T19:04:00Z
/// ```
///
/// Other Secrets of Cluster API (its certificates; type `cluster.x-k8s.io/secret` and a name that does not end in
/// `-kubeconfig`) are passed over.
///
/// # What goes wrong
///
/// When the hub cannot be reached or does not permit the list, when there are more Secrets than [`SECRETS_MAX`] or
/// more bytes in them than [`SECRETS_BYTES_MAX`], and when there is no Secret at all (but for
/// [`allow_none`](Self::allow_none)), it is unknown which clusters there are. A Secret that cannot be used still is a
/// cluster: only connecting to it fails, and a connection that is there is kept; what its other annotations say, such as
/// `paused`, counts. When it is its name that cannot be used (longer than 253 bytes, control characters, not text), or
/// the Secret became one of no known form, it goes on to be the cluster it was at the last reading. A name that two
/// Secrets claim belongs to neither; the cluster is paused or joins when one of them says so. No message holds anything
/// of a Secret's data.
///
/// The list is read whenever the clusters are asked for, so at the fleet's interval. The hub's user needs to list
/// Secrets in the namespace, and to get the namespace `kube-system`, by whose UID a cluster is known.
///
/// ```no_run
/// use fleet_core::{Cluster, InventoryId};
/// use fleet_kube::{
///     ConnectionOptions, DirectorySource, Fleet, KubeconfigConnect, KubeconfigRegistry, SecretRegistry,
/// };
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let hubs = KubeconfigRegistry::new("hub.kubeconfig");
/// let connect = KubeconfigConnect::new(hubs, ConnectionOptions::default());
/// let members = SecretRegistry::new(connect, Cluster::new("hub"), "fleet-system").selector("fleet.internal/member=true");
/// let fleet = Fleet::builder(InventoryId::new("shop")?)
///     .clusters(members)
///     .source(DirectorySource::new("inventory"))
///     .build()?;
/// fleet.run().await;
/// # Ok(())
/// # }
/// ```
///
/// Clones read together, until one is given another selector or other keys.
#[derive(Clone)]
pub struct SecretRegistry {
    hub: Hub,
    namespace: String,
    selector: Option<String>,
    keys: Vec<String>,
    plugins: CredentialPlugins,
    none_allowed: bool,
    options: ConnectionOptions,
    read: Arc<Mutex<Read>>,
}

/// What was read last.
#[derive(Default)]
struct Read {
    entries: Arc<BTreeMap<String, Entry>>,
    memory: Memory,
}

/// The cluster with the Secrets.
#[derive(Clone)]
struct Hub {
    connect: Arc<dyn Connect>,
    cluster: Cluster,
    held: Arc<tokio::sync::Mutex<Option<Held>>>,
}

/// A connection to it, and what it was made with.
struct Held {
    connection: Connection,
    fingerprint: Option<Digest>,
}

impl SecretRegistry {
    /// All Secrets of the namespace in the cluster `hub`, which is connected to by `connect`: when the clusters are
    /// first asked for, and anew when its credentials change or are refused.
    pub fn new(connect: impl Connect, hub: Cluster, namespace: impl Into<String>) -> Self {
        Self {
            hub: Hub {
                connect: Arc::new(connect),
                cluster: hub,
                held: Arc::default(),
            },
            namespace: namespace.into(),
            selector: None,
            keys: ["kubeconfig", "value"].map(str::to_owned).into(),
            plugins: CredentialPlugins::default(),
            none_allowed: false,
            options: ConnectionOptions::default(),
            read: Arc::default(),
        }
    }

    /// Only Secrets that this label selector finds, such as `fleet.internal/member=true`.
    #[must_use]
    pub fn selector(mut self, selector: impl Into<String>) -> Self {
        self.selector = Some(selector.into());
        self.read = Arc::default();
        self
    }

    /// Keys a kubeconfig may be under; the first that is there counts.
    #[must_use]
    pub fn keys(mut self, keys: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.keys = keys.into_iter().map(Into::into).collect();
        self.read = Arc::default();
        self
    }

    /// Whether programs that a kubeconfig names are run on this program's machine. Default: refused.
    #[must_use]
    pub fn credential_plugins(mut self, plugins: CredentialPlugins) -> Self {
        self.plugins = plugins;
        self
    }

    /// No Secret means no cluster. Default: it means that nothing is known, since a wrong selector finds none either.
    #[must_use]
    pub fn allow_none(mut self) -> Self {
        self.none_allowed = true;
        self
    }

    /// How connections to the clusters are made.
    #[must_use]
    pub fn options(mut self, options: ConnectionOptions) -> Self {
        self.options = options;
        self
    }

    /// What is needed to connect to a cluster of this registry, by what was read last.
    ///
    /// # Errors
    /// When there is no such cluster, or what its Secret holds cannot be used.
    pub async fn config_for(&self, cluster: &Cluster) -> Result<Config, Fault> {
        let mut read = self.last();
        if !read.contains_key(&cluster.name) {
            read = self
                .read()
                .await
                .map_err(|unknown| Fault::new(Remedy::Unreachable, unknown.message()))?;
        }
        let entry = read.get(&cluster.name).ok_or_else(|| {
            let message = format!("{}: there is none for cluster `{}`", self.place(), cluster.name);
            Fault::new(Remedy::Invalid, message)
        })?;
        let wrong = |remedy, why: &str| Fault::new(remedy, format!("{}: {why}", entry.place(&self.place())));
        let access = entry.access.as_ref().map_err(|why| wrong(Remedy::Invalid, why))?;
        kubeconfig::config(&access.kubeconfig, Files::Refused, &access.context, self.plugins)
            .await
            .map_err(|problem| wrong(problem.remedy(), &problem.words_without_content()))
    }

    /// Where Secrets are looked for.
    fn place(&self) -> String {
        let selected = self.selector.as_ref().map(|selector| format!(" with {selector}"));
        format!(
            "Secrets{} in namespace {} of cluster {}",
            selected.unwrap_or_default(),
            self.namespace,
            self.hub.cluster.name
        )
    }

    fn last(&self) -> Arc<BTreeMap<String, Entry>> {
        let read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entries.clone()
    }

    async fn read(&self) -> Result<Arc<BTreeMap<String, Entry>>, Unknown> {
        let unknown = |why: String| Unknown::because(format!("{}: {why}", self.place()));
        let hub = self.hub.connection().await.map_err(unknown)?;
        let secrets = listed::secrets(&hub, &self.namespace, self.selector.as_deref()).await;
        let secrets = secrets.map_err(|fault| unknown(fault.to_string()))?;
        let (read, keys) = (self.read.clone(), self.keys.clone());
        // Many and large ones take their time.
        let task = tokio::task::spawn_blocking(move || {
            let mut read = read.lock().unwrap_or_else(PoisonError::into_inner);
            listed::entries(secrets, &keys, &mut read.memory)
        });
        let failed = |_| unknown("the task that reads them failed".to_owned());
        let entries = task.await.map_err(failed)?;
        if entries.is_empty() && !self.none_allowed {
            // A selector with a mistake in it finds nothing either, and must not empty the fleet.
            let why = "there are none: look at namespace and selector; nothing changes meanwhile";
            return Err(unknown(why.to_owned()));
        }
        let entries = Arc::new(entries);
        let mut read = self.read.lock().unwrap_or_else(PoisonError::into_inner);
        read.entries = entries.clone();
        Ok(entries)
    }
}

impl Hub {
    async fn connection(&self) -> Result<Connection, String> {
        let mut held = self.held.lock().await;
        let prints = self
            .connect
            .fingerprints(std::slice::from_ref(&self.cluster))
            .await;
        let fingerprint = prints.get(&self.cluster.name).copied();
        if let Some(one) = held.as_ref().filter(|one| one.is_good(fingerprint)) {
            return Ok(one.connection.clone());
        }
        let connection = self.connect.connect(&self.cluster).await;
        let connection = connection.map_err(|fault| fault.to_string())?;
        if let Some(expected) = &self.cluster.expected_id
            && connection.cluster() != expected
        {
            return Err(format!(
                "this is cluster {}, and {expected} is expected",
                connection.cluster()
            ));
        }
        *held = Some(Held {
            connection: connection.clone(),
            fingerprint,
        });
        Ok(connection)
    }
}

impl Held {
    fn is_good(&self, fingerprint: Option<Digest>) -> bool {
        let contact = self.connection.contact();
        let is_refused =
            !contact.is_good() && contact.last_fault.is_some_and(|fault| fault.code == Some(401));
        !is_refused && (fingerprint.is_none() || fingerprint == self.fingerprint)
    }
}

#[async_trait]
impl ClusterRegistry for SecretRegistry {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        let read = self.read().await?;
        Ok(read.values().map(|entry| entry.cluster.clone()).collect())
    }
}

#[async_trait]
impl Connect for SecretRegistry {
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
        Connection::connect(self.config_for(cluster).await?, self.options.clone()).await
    }

    async fn fingerprints(&self, _: &[Cluster]) -> BTreeMap<String, Digest> {
        let print = |(name, entry): (&String, &Entry)| {
            let access = entry.access.as_ref().ok()?;
            let digest =
                kubeconfig::fingerprint(&access.kubeconfig, Files::Refused, &access.context, self.plugins)?;
            Some((name.clone(), digest))
        };
        self.last().iter().filter_map(print).collect()
    }
}

impl std::fmt::Debug for SecretRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SecretRegistry({})", self.place())
    }
}
