//! An inventory source that says what it was told.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;
use fleet_diff::Object;

use super::{Hints, lock};
use crate::{
    edge::{Changed, Changes, InventorySource},
    words::{Cluster, Inventory, InventoryError, Known, Snapshot, Unknown},
};

/// Answers what it was told for each cluster, by the cluster's name, and tells listeners when that changes. Clones
/// share their content. A cluster nobody spoke about is unknown.
///
/// ```
/// use fleet_core::{Cluster, InventorySource, MemorySource, Object};
/// # use serde_json::json;
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let source = MemorySource::new();
/// let eu = Cluster::new("eu-1");
/// assert!(source.snapshot(&eu).await.is_err());
///
/// let map = Object::from_json(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}}))?;
/// source.set_objects("eu-1", [map])?;
/// # let Ok(known) = source.snapshot(&eu).await else { panic!() };
/// assert_eq!(known.objects().len(), 1);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct MemorySource {
    answers: Arc<Mutex<BTreeMap<String, Snapshot>>>,
    hints: Hints,
}

impl MemorySource {
    /// Knows nothing about any cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// Answers this for the cluster of that name from now on.
    pub fn set(&self, cluster: impl Into<String>, answer: impl Into<Snapshot>) {
        let cluster = cluster.into();
        lock(&self.answers).insert(cluster.clone(), answer.into());
        self.hints.tell(&Changed::Cluster(cluster));
    }

    /// Answers these objects, with the hash of the content as revision.
    ///
    /// # Errors
    /// When there are none, or an identity occurs twice; nothing changes then.
    pub fn set_objects(
        &self,
        cluster: impl Into<String>,
        objects: impl IntoIterator<Item = Object>,
    ) -> Result<(), InventoryError> {
        let inventory = Inventory::with_content_revision(objects)?;
        self.set(cluster, Ok(Known::Objects(inventory)));
        Ok(())
    }

    /// Answers that nothing should be there, and that this is meant.
    pub fn set_empty(&self, cluster: impl Into<String>) {
        self.set(cluster, Ok(Known::Empty("empty".into())));
    }

    /// Answers that the inventory is unknown.
    pub fn set_unknown(&self, cluster: impl Into<String>, why: impl Into<Arc<str>>) {
        self.set(cluster, Err(Unknown::because(why)));
    }
}

#[async_trait]
impl InventorySource for MemorySource {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let answer = lock(&self.answers).get(&cluster.name).cloned();
        answer.unwrap_or_else(|| {
            Err(Unknown::because(format!(
                "nothing was said about {}",
                cluster.name
            )))
        })
    }

    fn changes(&self) -> Changes {
        self.hints.subscribe()
    }
}
