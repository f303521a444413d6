//! What one answer may cost.

use std::time::Duration;

/// Limits of an [`HttpSource`](super::HttpSource).
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct HttpLimits {
    /// Largest body, as it is sent and as it is unpacked, in bytes. Default: 16 MiB.
    pub body_bytes_max: usize,
    /// Longest time to establish a connection, without TLS. Default: 5 s.
    pub connect_timeout: Duration,
    /// Longest wait for the head of an answer, connecting included. Default: 10 s.
    pub head_timeout: Duration,
    /// Longest wait for the next part of a body. Default: 10 s.
    pub idle_timeout: Duration,
    /// Longest time for all of it, redirects included, once a request may begin. Default: 10 s. A fleet waits 60 s for
    /// a source, the wait for other requests included.
    pub total_timeout: Duration,
    /// Redirects that are followed. Default: 3.
    pub redirects_max: usize,
    /// Requests at once, over all clusters. Default: 16. About clusters that there was no answer about in time the last
    /// time, a quarter as many are made beside those.
    pub requests_max: usize,
}

impl HttpLimits {
    /// Whether it failed because somebody took too long, if it took so long.
    pub(super) fn is_late(&self, took: Duration) -> bool {
        let limits = [
            self.connect_timeout,
            self.head_timeout,
            self.idle_timeout,
            self.total_timeout,
        ];
        limits.iter().any(|limit| took >= *limit)
    }
}

impl Default for HttpLimits {
    fn default() -> Self {
        Self {
            body_bytes_max: 16 << 20,
            connect_timeout: Duration::from_secs(5),
            head_timeout: Duration::from_secs(10),
            idle_timeout: Duration::from_secs(10),
            total_timeout: Duration::from_secs(10),
            redirects_max: 3,
            requests_max: 16,
        }
    }
}
