//! What a cluster can carry: its nodes and pods, added up.
//!
//! [`Connection::capacity`](crate::Connection::capacity) reads one cluster;
//! [`FleetBuilder::capacity`](crate::FleetBuilder::capacity) has every cluster of a fleet read now and then.

mod amounts;
mod nodes;
mod pods;
mod read;
mod served;
mod tally;
#[cfg(test)]
mod tests;

use std::{collections::BTreeSet, time::Duration};

pub(crate) use served::keep_unspoken;

/// How often a cluster's nodes and pods are read, and at what cost.
///
/// A reading lists nodes and pods in pages, one request after the other, and keeps sums only: besides those, no more than
/// a page is in memory. Finished pods are left out by the server. Lists are those of a moment, and not of an API server's
/// cache by resource version 0: for that, servers ignore the size of pages.
///
/// ```
/// use std::time::Duration;
/// use fleet_kube::CapacityOptions;
///
/// let options = CapacityOptions::default().interval(Duration::from_secs(300)).tolerate("example.com/batch");
/// assert_eq!(options.pods_max, 50_000);
/// ```
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct CapacityOptions {
    /// Between two readings of a cluster; clusters take turns within it, by their names. At least a second.
    /// Default: 60 s.
    pub interval: Duration,
    /// The same after readings that failed: it doubles up to this; where a reading is forbidden, or there is too much to
    /// read, it is this at once. Default: 10 min.
    pub interval_max: Duration,
    /// Longest time for one reading. Default: 30 s.
    pub timeout: Duration,
    /// Objects per page of a list. Default: 250.
    pub page_size: u32,
    /// Most nodes; where there are more, nothing is known. Default: 10 000.
    pub nodes_max: usize,
    /// Most pods that are not finished; where there are more, nothing is known: sums without some of them would promise
    /// room that is not there. Default: 50 000.
    pub pods_max: usize,
    /// Keys of taints that keep no node out: see [`tolerate`](Self::tolerate). Default: none.
    pub tolerated: BTreeSet<String>,
}

impl Default for CapacityOptions {
    fn default() -> Self {
        Self {
            interval: Duration::from_secs(60),
            interval_max: Duration::from_secs(600),
            timeout: Duration::from_secs(30),
            page_size: 250,
            nodes_max: 10_000,
            pods_max: 50_000,
            tolerated: BTreeSet::new(),
        }
    }
}

impl CapacityOptions {
    /// Sets [`interval`](Self::interval).
    #[must_use]
    pub fn interval(mut self, span: Duration) -> Self {
        self.interval = span;
        self
    }

    /// Sets [`interval_max`](Self::interval_max).
    #[must_use]
    pub fn interval_max(mut self, span: Duration) -> Self {
        self.interval_max = span;
        self
    }

    /// Sets [`timeout`](Self::timeout).
    #[must_use]
    pub fn timeout(mut self, span: Duration) -> Self {
        self.timeout = span;
        self
    }

    /// Sets [`page_size`](Self::page_size); at least one.
    #[must_use]
    pub fn page_size(mut self, objects: u32) -> Self {
        self.page_size = objects.max(1);
        self
    }

    /// Sets [`nodes_max`](Self::nodes_max).
    #[must_use]
    pub fn nodes_max(mut self, nodes: usize) -> Self {
        self.nodes_max = nodes;
        self
    }

    /// Sets [`pods_max`](Self::pods_max).
    #[must_use]
    pub fn pods_max(mut self, pods: usize) -> Self {
        self.pods_max = pods;
        self
    }

    /// Nodes with a taint of this key count: what the fleet places tolerates it. Without that, nodes that keep pods away
    /// (`NoSchedule`, `NoExecute`) offer nothing, as they do to a pod without tolerations.
    #[must_use]
    pub fn tolerate(mut self, key: impl Into<String>) -> Self {
        self.tolerated.insert(key.into());
        self
    }
}
