//! Inventories from an HTTP(S) server: one URL per cluster.

mod access;
mod body;
mod document;
mod exchange;
mod lanes;
mod limits;
mod url;

use std::{
    collections::BTreeMap,
    fmt,
    path::PathBuf,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fleet_core::{Cluster, Digest, InventorySource, Known, Snapshot, Unknown};
use http::{HeaderName, HeaderValue, Uri};
use tokio::time::Instant;

pub use limits::HttpLimits;

use access::Access;
use exchange::{Exchange, Fetched, Tag};
use lanes::Lanes;
use url::Template;

/// What was not asked for in this long is forgotten.
const REMEMBERED: Duration = Duration::from_secs(3600);
/// What came so long ago is sent whole again, whatever its tag: servers make mistakes with tags.
const WHOLE_AGAIN: Duration = Duration::from_secs(3600);

/// Asks an HTTP(S) server what each cluster should hold, by a URL with `{cluster}` in the place of its name.
///
/// The server answers one document in JSON, or the same in YAML:
///
/// ```json
/// {
///   "apiVersion": "fleet.internal/v1",
///   "kind": "Inventory",
///   "revision": "4f2a91c",
///   "cluster": "eu-1",
///   "objects": [{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}]
/// }
/// ```
///
/// `revision` names the content: other objects need another one, which is checked as far as the last answer goes.
/// `cluster` may be left out, but for [`require_cluster`](Self::require_cluster); when it is there it must be the one
/// asked for. `objects: []` says that the cluster is
/// meant to hold nothing; there is no other way to say so. Other fields are refused, since they may mean that there
/// is more. YAML must close with a line `...`, because it does not show by itself when its end is missing.
///
/// Everything else is unknown, and so changes nothing: any status but 200 and 304 (404 and 204, too), an empty body,
/// one that is cut or whose end the protocol does not show, one that is not such a document (a proxy's page, an error
/// in JSON), one beyond a limit ([`HttpLimits`]), an encoding other than `gzip`, a redirect from `https` to `http` or
/// beyond the limit, an object listed twice. The reason names the address without what stands in its query, and never
/// quotes a body.
///
/// An `ETag` is given back (`If-None-Match`) for an hour, and `304` then means: as before. The server is asked at the interval of
/// the fleet (`FleetBuilder::read_interval`); there are no hints of change. Redirects are followed; headers go only
/// to the server that was asked first, by `http` as readable as everything else, and so does the certificate. Proxies named in the environment are not used. HTTP is version 1.1.
///
/// ```no_run
/// use fleet_kube::{HttpLimits, HttpSource};
///
/// # fn example() -> Result<(), fleet_kube::HttpSourceError> {
/// let mut limits = HttpLimits::default();
/// limits.body_bytes_max = 4 << 20;
/// let source = HttpSource::new("https://inventories.example.com/v1/{cluster}?env=production")?
///     .token_file("/var/run/secrets/inventories/token")
///     .ca_file("/etc/inventories/ca.crt")
///     .limits(limits);
/// # Ok(())
/// # }
/// ```
///
/// Clones remember together, until one is given other headers, another token or other certificates.
#[derive(Clone)]
pub struct HttpSource {
    template: Template,
    access: Arc<Access>,
    limits: HttpLimits,
    cluster_required: bool,
    lanes: Arc<Lanes>,
    remembered: Arc<Mutex<BTreeMap<String, Remembered>>>,
}

/// Why no source can be made of what was given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum HttpSourceError {
    /// The URL cannot be used.
    #[error("the URL of inventories {0}")]
    Url(String),
    /// A header cannot be sent. Its value is not shown.
    #[error(
        "the header `{0}` cannot be sent: its name or its value is not valid, or is for the source to choose"
    )]
    Header(String),
}

/// The last answer about a cluster.
#[derive(Clone)]
struct Remembered {
    known: Known,
    content: Digest,
    tag: Option<Tag>,
    asked: Instant,
    came: Instant,
}

impl HttpSource {
    /// By this URL, which has `{cluster}` in its path or query; nothing is asked yet.
    ///
    /// # Errors
    /// When that is not so, or the URL is not one of `http` or `https`, or has a user or a password in it.
    pub fn new(url: &str) -> Result<Self, HttpSourceError> {
        let limits = HttpLimits::default();
        Ok(Self {
            template: Template::parse(url).map_err(HttpSourceError::Url)?,
            access: Arc::default(),
            lanes: Arc::new(Lanes::new(&limits)),
            limits,
            cluster_required: false,
            remembered: Arc::default(),
        })
    }

    /// Sends a header with each request. Its value is taken for a secret.
    ///
    /// # Errors
    /// When it is not a valid header, or one that the source sends by itself.
    pub fn header(mut self, name: &str, value: &str) -> Result<Self, HttpSourceError> {
        let wrong = || HttpSourceError::Header(name.to_owned());
        let parsed = HeaderName::try_from(name).map_err(|_| wrong())?;
        let mut value = HeaderValue::try_from(value).map_err(|_| wrong())?;
        if exchange::OWN_HEADERS.contains(&parsed) {
            return Err(wrong());
        }
        value.set_sensitive(true);
        self.changed(|access| {
            access.headers.append(parsed, value);
        });
        Ok(self)
    }

    /// Sends the content of this file as bearer token. It is read again for each request.
    #[must_use]
    pub fn token_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.changed(|access| access.token = Some(path.into()));
        self
    }

    /// Trusts the certificates of this file (PEM) and no others. Default: those that the system trusts.
    #[must_use]
    pub fn ca_file(mut self, path: impl Into<PathBuf>) -> Self {
        self.changed(|access| access.tls.ca = Some(path.into()));
        self
    }

    /// Identifies itself with the certificate and the key of these files (PEM). They are read again when they change.
    #[must_use]
    pub fn client_certificate(mut self, certificate: impl Into<PathBuf>, key: impl Into<PathBuf>) -> Self {
        self.changed(|access| access.tls.identity = Some((certificate.into(), key.into())));
        self
    }

    /// A document without `cluster` is no inventory: a server, or a cache before it, that takes no notice of what was
    /// asked would have every cluster hold the same.
    #[must_use]
    pub fn require_cluster(mut self) -> Self {
        self.cluster_required = true;
        self
    }

    /// Other limits.
    #[must_use]
    pub fn limits(mut self, limits: HttpLimits) -> Self {
        self.lanes = Arc::new(Lanes::new(&limits));
        self.limits = limits;
        self
    }

    fn changed(&mut self, change: impl FnOnce(&mut Access)) {
        let mut access = self.access.setup();
        change(&mut access);
        self.access = Arc::new(access);
        // Who is asked differently may be answered differently.
        self.remembered = Arc::default();
    }

    fn remembered<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Remembered>) -> T) -> T {
        work(&mut self.remembered.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was answered last, which is now in use again.
    fn recall(&self, cluster: &str) -> Option<Remembered> {
        let now = Instant::now();
        self.remembered(|all| {
            if let Some(one) = all.get_mut(cluster) {
                one.asked = now;
            }
            all.retain(|_, one| now.duration_since(one.asked) < REMEMBERED);
            all.get(cluster).cloned()
        })
    }

    async fn ask(&self, cluster: &str, url: Uri) -> Result<Known, exchange::Wrong> {
        let _place = self.lanes.enter(cluster).await?;
        let begun = Instant::now();
        let result = self.ask_now(cluster, &url).await;
        let late = result.as_ref().err();
        let late = late.filter(|_| self.limits.is_late(begun.elapsed()));
        self.lanes.remember(cluster, late);
        result
    }

    async fn ask_now(&self, cluster: &str, url: &Uri) -> Result<Known, exchange::Wrong> {
        let wrong = |why| exchange::Wrong::new(url, why);
        let ready = self.access.ready(&self.limits).await.map_err(wrong)?;
        let before = self.recall(cluster);
        let exchange = Exchange {
            ready: &ready,
            limits: &self.limits,
            tag: before
                .as_ref()
                .filter(|before| before.came.elapsed() < WHOLE_AGAIN)
                .and_then(|before| before.tag.as_ref()),
        };
        let page = match (exchange.fetch(url.clone()).await?, &before) {
            (Fetched::Same, Some(before)) => return Ok(before.known.clone()),
            (Fetched::Same, None) => return Err(wrong("answers 304, and nothing is remembered".to_owned())),
            (Fetched::Page(page), _) => page,
        };
        let (at, tag) = (page.url.clone(), page.tag.clone());
        let (name, bytes_max) = (cluster.to_owned(), self.limits.body_bytes_max);
        let required = self.cluster_required;
        // Large ones take their time.
        let read = tokio::task::spawn_blocking(move || {
            let text = page.text(bytes_max)?;
            let known = document::read(&text, &name, required, bytes_max)
                .map_err(|why| page.is_no_inventory(&why))?;
            let content = document::content(&known);
            Ok::<_, String>((known, content))
        });
        let read = read
            .await
            .unwrap_or_else(|_| Err("the task that reads it failed".to_owned()));
        let (known, content) = read.map_err(|why| exchange::Wrong::new(&at, why))?;
        if before
            .is_some_and(|before| before.known.revision() == known.revision() && before.content != content)
        {
            let why = format!(
                "revision `{}` was answered before with other objects",
                known.revision()
            );
            return Err(exchange::Wrong::new(&at, why));
        }
        let came = Instant::now();
        let now = Remembered {
            known: known.clone(),
            content,
            tag,
            asked: came,
            came,
        };
        self.remembered(|all| all.insert(cluster.to_owned(), now));
        Ok(known)
    }
}

#[async_trait]
impl InventorySource for HttpSource {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let url = self.template.url(&cluster.name).map_err(Unknown::because)?;
        self.ask(&cluster.name, url)
            .await
            .map_err(|wrong| Unknown::because(wrong.to_string()))
    }
}

impl fmt::Debug for HttpSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "HttpSource({})", self.template)
    }
}
