//! A status sink that remembers.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use async_trait::async_trait;

use super::lock;
use crate::{
    edge::{Observed, StatusSink},
    words::Unknown,
};

/// Keeps what it is given as long as it lives. Clones share their content.
#[derive(Clone, Debug, Default)]
pub struct MemoryStatus {
    clusters: Arc<Mutex<BTreeMap<String, Observed>>>,
}

#[async_trait]
impl StatusSink for MemoryStatus {
    async fn load(&self) -> Result<BTreeMap<String, Observed>, Unknown> {
        Ok(lock(&self.clusters).clone())
    }

    async fn store(&self, changed: &BTreeMap<String, Option<Observed>>) -> Result<(), Unknown> {
        let mut clusters = lock(&self.clusters);
        for (name, observed) in changed {
            match observed {
                Some(observed) => drop(clusters.insert(name.clone(), observed.clone())),
                None => drop(clusters.remove(name)),
            }
        }
        Ok(())
    }
}
