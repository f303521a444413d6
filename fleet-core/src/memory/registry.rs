//! A registry that says what it was told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::{Hints, lock};
use crate::{
    edge::{Changed, Changes, ClusterRegistry},
    words::{Cluster, Unknown},
};

/// Answers the clusters it was given, by name, and tells listeners when they change. Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct MemoryRegistry {
    state: Arc<Mutex<State>>,
    hints: Hints,
}

#[derive(Debug, Default)]
struct State {
    clusters: BTreeMap<String, Cluster>,
    unknown: Option<Unknown>,
}

impl MemoryRegistry {
    /// With these clusters; of several with one name the last counts.
    pub fn new(clusters: impl IntoIterator<Item = Cluster>) -> Self {
        let registry = Self::default();
        lock(&registry.state).clusters = clusters.into_iter().map(|c| (c.name.clone(), c)).collect();
        registry
    }

    /// Adds a cluster, or replaces the one of its name.
    pub fn insert(&self, cluster: Cluster) {
        let name = cluster.name.clone();
        lock(&self.state).clusters.insert(name.clone(), cluster);
        self.hints.tell(&Changed::Cluster(name));
    }

    /// Removes the cluster of that name.
    pub fn remove(&self, name: &str) {
        lock(&self.state).clusters.remove(name);
        self.hints.tell(&Changed::Cluster(name.to_owned()));
    }

    /// Answers that the clusters are unknown, until [`MemoryRegistry::set_known`].
    pub fn set_unknown(&self, why: impl Into<Arc<str>>) {
        lock(&self.state).unknown = Some(Unknown::because(why));
        self.hints.tell(&Changed::All);
    }

    /// Answers the clusters again.
    pub fn set_known(&self) {
        lock(&self.state).unknown = None;
        self.hints.tell(&Changed::All);
    }
}

#[async_trait]
impl ClusterRegistry for MemoryRegistry {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        let state = lock(&self.state);
        match &state.unknown {
            Some(unknown) => Err(unknown.clone()),
            None => Ok(state.clusters.values().cloned().collect()),
        }
    }

    fn changes(&self) -> Changes {
        self.hints.subscribe()
    }
}
