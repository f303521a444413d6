//! Limits and habits of a connection.

use std::time::Duration;

/// How a connection speaks to its cluster. Every wait, body and queue has a limit here; the unit is in the name or
/// the type.
///
/// ```
/// use std::time::Duration;
/// use fleet_kube::ConnectionOptions;
///
/// let options = ConnectionOptions::default().concurrent_requests(4).head_timeout(Duration::from_secs(10));
/// assert_eq!(options.concurrent_requests_max, 4);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ConnectionOptions {
    /// Requests under way at once, over all identities of the cluster. Open watches are not counted.
    pub concurrent_requests_max: usize,
    /// Requests started per second, watches included, over all identities of the cluster.
    pub requests_per_second: u32,
    /// Requests that may start at once after a quiet time.
    pub request_burst: u32,
    /// Longest wait for the two limits above; a request that waits longer is not sent.
    pub queue_timeout: Duration,
    /// Longest time to establish a connection, TLS included.
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer, connecting included.
    pub head_timeout: Duration,
    /// Longest time for one try of a request: head and whole body. Watches have their own limits.
    pub call_timeout: Duration,
    /// Largest body of an answer, and largest event of a watch, in bytes.
    pub body_bytes_max: usize,
    /// No try begins later than this after the first one.
    pub retry_time_max: Duration,
    /// Wait before the first retry; doubles with each, with jitter.
    pub retry_base: Duration,
    /// Longest wait between two tries, unless the server asks for more.
    pub retry_delay_max: Duration,
    /// For this long after contact was lost and came back, a refusal for lack of rights is tried again: a server that
    /// starts does not know everybody's rights yet.
    pub recovery_grace: Duration,
    /// Objects per page of a list.
    pub list_page_size: u32,
    /// How often a list whose pages expired is begun again before it is asked for in one piece.
    pub list_restarts_max: u32,
    /// Longest silence of a watch before it is opened anew. A healthy server says something about each minute.
    pub watch_idle_timeout: Duration,
    /// Longest time in which a watch streams what is there at first; then it is listed in pages instead.
    pub watch_initial_timeout: Duration,
    /// Shortest life of a watch on a healthy server; each asks for up to twice that.
    pub watch_life: Duration,
    /// Wait before a watch that failed is opened again; doubles with each failure, with jitter.
    pub watch_backoff_base: Duration,
    /// Longest wait of that kind.
    pub watch_backoff_max: Duration,
    /// What the server does about fields it does not know.
    pub field_validation: FieldValidation,
    /// Sent as `User-Agent`.
    pub user_agent: String,
    /// Seed of the jitter. Connections to different servers differ under the same seed.
    pub seed: u64,
}

impl Default for ConnectionOptions {
    fn default() -> Self {
        Self {
            concurrent_requests_max: 16,
            requests_per_second: 1000,
            request_burst: 1000,
            queue_timeout: Duration::from_secs(60),
            connect_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(30),
            call_timeout: Duration::from_secs(60),
            body_bytes_max: 64 << 20,
            retry_time_max: Duration::from_secs(15),
            retry_base: Duration::from_millis(100),
            retry_delay_max: Duration::from_secs(5),
            recovery_grace: Duration::from_secs(10),
            list_page_size: 500,
            list_restarts_max: 3,
            watch_idle_timeout: Duration::from_secs(75),
            watch_initial_timeout: Duration::from_secs(60),
            watch_life: Duration::from_secs(300),
            watch_backoff_base: Duration::from_millis(500),
            watch_backoff_max: Duration::from_secs(30),
            field_validation: FieldValidation::Warn,
            user_agent: concat!("fleet-kube/", env!("CARGO_PKG_VERSION")).to_owned(),
            seed: 0,
        }
    }
}

impl ConnectionOptions {
    /// Sets [`concurrent_requests_max`](Self::concurrent_requests_max); at least one.
    #[must_use]
    pub fn concurrent_requests(mut self, max: usize) -> Self {
        self.concurrent_requests_max = max.max(1);
        self
    }

    /// Sets [`requests_per_second`](Self::requests_per_second) and [`request_burst`](Self::request_burst); at least
    /// one each.
    #[must_use]
    pub fn rate(mut self, per_second: u32, burst: u32) -> Self {
        (self.requests_per_second, self.request_burst) = (per_second.max(1), burst.max(1));
        self
    }

    /// Sets [`head_timeout`](Self::head_timeout).
    #[must_use]
    pub fn head_timeout(mut self, span: Duration) -> Self {
        self.head_timeout = span;
        self
    }

    /// Sets [`call_timeout`](Self::call_timeout).
    #[must_use]
    pub fn call_timeout(mut self, span: Duration) -> Self {
        self.call_timeout = span;
        self
    }

    /// Sets [`retry_time_max`](Self::retry_time_max).
    #[must_use]
    pub fn retry_time(mut self, max: Duration) -> Self {
        self.retry_time_max = max;
        self
    }

    /// Sets [`list_page_size`](Self::list_page_size); at least one.
    #[must_use]
    pub fn list_pages(mut self, size: u32) -> Self {
        self.list_page_size = size.max(1);
        self
    }

    /// Sets [`watch_idle_timeout`](Self::watch_idle_timeout).
    #[must_use]
    pub fn watch_idle_timeout(mut self, span: Duration) -> Self {
        self.watch_idle_timeout = span;
        self
    }

    /// Sets [`field_validation`](Self::field_validation).
    #[must_use]
    pub fn field_validation(mut self, level: FieldValidation) -> Self {
        self.field_validation = level;
        self
    }

    /// Sets [`user_agent`](Self::user_agent).
    #[must_use]
    pub fn user_agent(mut self, text: impl Into<String>) -> Self {
        self.user_agent = text.into();
        self
    }

    /// Sets [`seed`](Self::seed).
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }
}

/// What the server does about unknown and doubled fields of a definition.
///
/// Fields unknown to a kind's schema are refused by server-side apply whatever is chosen here.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub enum FieldValidation {
    /// Takes the definition, says nothing.
    Ignore,
    /// Takes the definition, with a warning: what a server does when nothing is asked.
    #[default]
    Warn,
    /// Refuses the definition.
    Strict,
}

impl FieldValidation {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ignore => "Ignore",
            Self::Warn => "Warn",
            Self::Strict => "Strict",
        }
    }
}
