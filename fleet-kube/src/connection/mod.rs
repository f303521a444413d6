//! From a kubeconfig context to answers.
//!
//! [`Connection`] is the place to start: [`Connection::connect`] with a [`kube::Config`], then
//! [`discover`](Connection::discover), [`list_meta`](Connection::list_meta), [`watch`](Connection::watch) and
//! [`execute`](Connection::execute). What went wrong is always a [`Fault`] that says what the caller can do.

mod address;
mod answer;
mod call;
mod client;
mod contact;
mod discovery;
mod execute;
mod gone;
mod guard;
mod identity;
mod limits;
mod list;
mod options;
mod random;
mod refusal;
mod reply;
mod secret;
mod transport;
mod types;
mod version;
mod watch;

use std::sync::{Arc, PoisonError, RwLock};

use fleet_core::{ClusterId, Digest, DigestBuilder, Fault, Identity, KindMap, Remedy, Tick};
use http::{HeaderMap, HeaderValue, header::USER_AGENT};
use kube::{Client, Config};

pub use contact::{Contact, Verb};
pub use options::{ConnectionOptions, FieldValidation};
pub use version::OLDEST_MINOR;
pub use watch::WatchEvent;

pub(crate) use address::Query;
pub(crate) use guard::Doubt;
pub(crate) use limits::millis;
pub(crate) use list::{ACCEPT_META, ACCEPT_OBJECTS, Paged, Selection};
#[cfg(feature = "http")]
pub(crate) use random::Random;
pub(crate) use refusal::Refusal;
pub(crate) use reply::{Broken, Call, JSON};
#[cfg(feature = "http")]
pub(crate) use transport::words;
pub(crate) use types::mutating_kinds;

/// A connection to one cluster in the name of one identity. Cheap to clone.
///
/// Limits, discovery, contact and the underlying HTTP client belong to the cluster: every
/// [`as_identity`](Self::as_identity) of a connection shares them, and nothing is shared between clusters. Reads are
/// never cached.
#[derive(Clone)]
pub struct Connection {
    shared: Arc<Shared>,
    identity: Option<Identity>,
    /// User agent and impersonation: on every request.
    headers: Arc<HeaderMap>,
}

/// What all identities of one cluster have in common.
struct Shared {
    client: Client,
    cluster: ClusterId,
    version: String,
    options: ConnectionOptions,
    limits: limits::Limits,
    contact: contact::ContactRecord,
    guard: guard::Guard,
    random: random::Random,
    kinds: RwLock<Arc<KindMap>>,
}

impl Connection {
    /// Connects to the cluster of a kubeconfig context: reads its version, then the UID of its `kube-system`
    /// namespace.
    ///
    /// The program must have chosen a TLS provider: see [the crate](crate#choose-tls-and-a-kubernetes-version). When several rustls providers are compiled in, it must also have called
    /// `CryptoProvider::install_default()`, or this panics inside kube.
    ///
    /// Impersonation set in the kubeconfig is kept until [`as_identity`](Self::as_identity) replaces it.
    ///
    /// # Errors
    /// When the configuration is unusable, the cluster does not answer within the limits, its version is older than
    /// 1.33, or the namespace cannot be read.
    pub async fn connect(mut config: Config, options: ConnectionOptions) -> Result<Self, Fault> {
        config.default_retry = false;
        config.connect_timeout = Some(options.connect_timeout);
        config.read_timeout = None;
        config.write_timeout = Some(options.call_timeout);
        let headers = identity::take(&mut config.auth_info)?;
        let digest = Digest::of_bytes(config.cluster_url.to_string().as_bytes());
        let seed = seed_from(options.seed, &digest);
        let client = client::make(config, &options).await?;
        Self::begin(client, options, headers, seed).await
    }

    /// Like [`connect`](Self::connect), over a client of your own: for other transports, and for tests.
    ///
    /// The client must not retry by itself. An [`io::Error`](std::io::Error) of kind `ConnectionRefused` from its
    /// service says that the request was certainly not sent.
    ///
    /// # Errors
    /// As [`connect`](Self::connect).
    pub async fn over(client: Client, options: ConnectionOptions) -> Result<Self, Fault> {
        let seed = options.seed;
        Self::begin(client, options, HeaderMap::new(), seed).await
    }

    async fn begin(
        client: Client,
        options: ConnectionOptions,
        headers: HeaderMap,
        seed: u64,
    ) -> Result<Self, Fault> {
        let headers = Arc::new(with_user_agent(headers, &options)?);
        let shared = Shared {
            client,
            cluster: ClusterId::new(""),
            version: String::new(),
            limits: limits::Limits::new(&options),
            contact: contact::ContactRecord::default(),
            guard: guard::Guard::default(),
            random: random::Random::new(seed),
            kinds: RwLock::new(Arc::new(discovery::well_known())),
            options,
        };
        let first = Self {
            shared: Arc::new(shared),
            identity: None,
            headers,
        };
        let version = first.read_version().await?;
        let cluster = first.read_cluster_id().await?;
        let Self {
            shared,
            identity,
            headers,
        } = first;
        let mut shared = Arc::into_inner(shared)
            .ok_or_else(|| Fault::new(Remedy::Bug, "a connection was shared before it was complete"))?;
        (shared.cluster, shared.version) = (cluster, version);
        Ok(Self {
            shared: Arc::new(shared),
            identity,
            headers,
        })
    }

    /// A connection to the same cluster that impersonates `identity` in every request, reads too.
    ///
    /// # Errors
    /// When a name cannot be sent in a header.
    pub fn as_identity(&self, identity: &Identity) -> Result<Self, Fault> {
        let headers = with_user_agent(identity::headers(identity)?, &self.shared.options)?;
        Ok(Self {
            shared: self.shared.clone(),
            identity: Some(identity.clone()),
            headers: Arc::new(headers),
        })
    }

    /// The cluster: the UID its `kube-system` namespace had when the connection was made.
    pub fn cluster(&self) -> &ClusterId {
        &self.shared.cluster
    }

    /// The server's version, such as `v1.36.3`.
    pub fn server_version(&self) -> &str {
        &self.shared.version
    }

    /// Whom this connection impersonates.
    pub fn identity(&self) -> Option<&Identity> {
        self.identity.as_ref()
    }

    /// The options it was made with.
    pub fn options(&self) -> &ConnectionOptions {
        &self.shared.options
    }

    /// How contact with the cluster stands, over all identities.
    pub fn contact(&self) -> Contact {
        self.shared.contact.copy()
    }

    /// When the credentials end, if they are of a kind that cannot be renewed in place (certificates from a
    /// plugin): connect again before that.
    pub fn valid_until(&self) -> Option<Tick> {
        let end = self.shared.client.valid_until().as_ref()?.as_millisecond();
        Some(Tick(u64::try_from(end).unwrap_or(0)))
    }

    /// The kinds of the last [`discover`](Self::discover), by any identity. Before the first, only what this crate
    /// itself needs is known: namespaces, config maps, secrets, leases, CRDs and API services.
    pub fn kinds(&self) -> Arc<KindMap> {
        self.shared
            .kinds
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

impl std::fmt::Debug for Connection {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Connection");
        debug
            .field("cluster", &self.shared.cluster)
            .field("identity", &self.identity);
        debug.finish_non_exhaustive()
    }
}

/// Mixes a seed with a digest.
fn seed_from(seed: u64, digest: &Digest) -> u64 {
    let mixed = DigestBuilder::new()
        .digest(digest)
        .bytes(&seed.to_le_bytes())
        .finish();
    mixed
        .as_bytes()
        .iter()
        .take(8)
        .fold(0, |all, byte| (all << 8) | u64::from(*byte))
}

fn with_user_agent(mut headers: HeaderMap, options: &ConnectionOptions) -> Result<HeaderMap, Fault> {
    let value = HeaderValue::from_str(&options.user_agent)
        .map_err(|_| Fault::new(Remedy::Invalid, "user_agent cannot be sent in a header"))?;
    headers.insert(USER_AGENT, value);
    Ok(headers)
}
