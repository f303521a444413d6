//! So many requests at once; those that hang do not keep the others waiting.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use tokio::{
    sync::{Semaphore, SemaphorePermit},
    time::{sleep, timeout},
};

use super::{HttpLimits, exchange::Wrong};
use crate::connection::Random;

/// Longest wait of what was late for a place among its like.
const LATE_WAIT: Duration = Duration::from_secs(2);
/// It comes at some moment within this time, so that it is not always the same ones that get a place.
const SHUFFLE: Duration = Duration::from_millis(100);

/// Places for requests.
pub(super) struct Lanes {
    usual: Semaphore,
    /// For those that were late.
    slow: Semaphore,
    /// Clusters that there was no answer about in time, and what was said then.
    late: Mutex<BTreeMap<String, Wrong>>,
    random: Random,
}

impl Lanes {
    pub(super) fn new(limits: &HttpLimits) -> Self {
        Self {
            usual: Semaphore::new(limits.requests_max.max(1)),
            slow: Semaphore::new((limits.requests_max / 4).max(1)),
            late: Mutex::default(),
            random: Random::new(0),
        }
    }

    /// A place for a request about a cluster; without one for what was late, what was wrong then.
    pub(super) async fn enter(&self, cluster: &str) -> Result<Option<SemaphorePermit<'_>>, Wrong> {
        // They are never closed.
        let Some(last) = self.with_late(|late| late.get(cluster).cloned()) else {
            return Ok(self.usual.acquire().await.ok());
        };
        sleep(self.random.between(Duration::ZERO, SHUFFLE)).await;
        let place = timeout(LATE_WAIT, self.slow.acquire()).await;
        place.map(Result::ok).map_err(|_| last)
    }

    /// What was wrong about a cluster that there was no answer about in time; nothing, if there was one.
    pub(super) fn remember(&self, cluster: &str, late: Option<&Wrong>) {
        self.with_late(|all| match late {
            Some(wrong) => all.insert(cluster.to_owned(), wrong.clone()),
            None => all.remove(cluster),
        });
    }

    fn with_late<T>(&self, work: impl FnOnce(&mut BTreeMap<String, Wrong>) -> T) -> T {
        work(&mut self.late.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
