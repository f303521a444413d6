//! How much is asked of one cluster at once.

use std::{sync::Mutex, sync::PoisonError, time::Duration};

use fleet_core::{Fault, Millis, Remedy};
use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{Instant, sleep_until, timeout},
};

use super::ConnectionOptions;

/// Limits of one cluster, shared by all its identities and by nobody else.
#[derive(Debug)]
pub(crate) struct Limits {
    permits: Semaphore,
    bucket: TokenBucket,
    queue_timeout: Duration,
}

impl Limits {
    pub(crate) fn new(options: &ConnectionOptions) -> Self {
        Self {
            permits: Semaphore::new(options.concurrent_requests_max.clamp(1, Semaphore::MAX_PERMITS)),
            bucket: TokenBucket::new(options.requests_per_second, options.request_burst),
            queue_timeout: options.queue_timeout,
        }
    }

    /// Waits until a request may start; the permit is held while it is under way.
    pub(crate) async fn enter(&self) -> Result<SemaphorePermit<'_>, Fault> {
        let both = async {
            // The semaphore is never closed.
            let permit = self.permits.acquire().await.ok()?;
            self.bucket.take().await;
            Some(permit)
        };
        timeout(self.queue_timeout, both)
            .await
            .ok()
            .flatten()
            .ok_or_else(|| self.too_long())
    }

    /// Waits until a watch may be opened, which the limit of requests under way does not count.
    pub(crate) async fn enter_watch(&self) -> Result<(), Fault> {
        timeout(self.queue_timeout, self.bucket.take())
            .await
            .map_err(|_| self.too_long())
    }

    fn too_long(&self) -> Fault {
        let limit = millis(self.queue_timeout);
        let message = format!("not sent: waited {limit} for other requests to this cluster (queue_timeout)");
        Fault::new(Remedy::Unreachable, message)
    }
}

/// Lets `per_second` through on average and `burst` at once, in order of arrival, on the runtime's clock.
#[derive(Debug)]
struct TokenBucket {
    interval: Duration,
    slack: Duration,
    /// When the bucket would be full of debt-free tokens again: the moment the next token is nominally due.
    due: Mutex<Option<Instant>>,
}

impl TokenBucket {
    fn new(per_second: u32, burst: u32) -> Self {
        let interval = Duration::from_secs(1) / per_second.max(1);
        Self {
            interval,
            slack: interval * burst.max(1).saturating_sub(1),
            due: Mutex::new(None),
        }
    }

    async fn take(&self) {
        let start = {
            let now = Instant::now();
            let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
            let mine = due.map_or(now, |due| due.max(now));
            *due = Some(mine + self.interval);
            mine.checked_sub(self.slack).unwrap_or(now)
        };
        if start > Instant::now() {
            sleep_until(start).await;
        }
    }
}

/// A duration in the words of `fleet-core`.
pub(crate) fn millis(span: Duration) -> Millis {
    Millis(u64::try_from(span.as_millis()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_burst_passes_and_the_rest_is_spread() {
        let bucket = TokenBucket::new(10, 5);
        let start = Instant::now();
        for _ in 0..5 {
            bucket.take().await;
        }
        assert_eq!(start.elapsed(), Duration::ZERO);
        for _ in 0..10 {
            bucket.take().await;
        }
        let took = start.elapsed();
        assert!((990..=1010).contains(&took.as_millis()), "{took:?}");
        tokio::time::sleep(Duration::from_secs(60)).await;
        let later = Instant::now();
        for _ in 0..5 {
            bucket.take().await;
        }
        assert_eq!(later.elapsed(), Duration::ZERO, "a quiet time restores one burst");
        bucket.take().await;
        assert!(later.elapsed() >= Duration::from_millis(99), "and not more");
    }

    #[tokio::test(start_paused = true)]
    async fn waiting_has_a_limit() {
        let limits = Limits::new(&ConnectionOptions::default().concurrent_requests(1));
        let held = limits.enter().await.unwrap();
        let start = Instant::now();
        let fault = limits.enter().await.unwrap_err();
        assert_eq!(start.elapsed(), Duration::from_secs(60));
        assert!(fault.message.contains("queue_timeout") && fault.remedy == Remedy::Unreachable);
        limits.enter_watch().await.unwrap();
        drop(held);
        drop(limits.enter().await.unwrap());
    }
}
