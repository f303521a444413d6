//! What was observed of clusters, kept for the next process.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde::{Deserialize, Serialize};

use crate::words::{Capacity, ClusterId, ContactStatus, Tick, Unknown};

/// What was observed of a cluster.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Observed {
    /// How contact stands, and since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactStatus>,
    /// Which cluster the name meant when it was first connected to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<ClusterId>,
    /// The highest revision of its state that was seen (the resourceVersion of lists and bookmarks).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub revision: Option<u64>,
    /// Its state went back, and nothing is written to it until somebody answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restored: Option<Restored>,
    /// What it can carry and what it serves, as it was read last. None: not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// Why that could not be read since. None while it can.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity_unread: Option<Unread>,
}

/// Something cannot be read.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Unread {
    /// When that began.
    pub since: Tick,
    /// Why, as it was at the last attempt.
    pub why: String,
}

impl Unread {
    /// Since then, for this reason.
    pub fn new(since: Tick, why: impl Into<String>) -> Self {
        let why = why.into();
        Self { since, why }
    }
}

/// A cluster's state went back to an earlier one: it was restored from a backup.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Restored {
    /// The highest revision seen before.
    pub from: u64,
    /// The revision it had when that was noticed.
    pub to: u64,
    /// When that was.
    pub noticed: Tick,
    /// Somebody has said that it goes on from there.
    #[serde(default)]
    pub confirmed: bool,
}

impl Restored {
    /// Noticed now, and not confirmed.
    pub fn new(from: u64, to: u64, noticed: Tick) -> Self {
        Self {
            from,
            to,
            noticed,
            confirmed: false,
        }
    }
}

/// Keeps what was observed of clusters, by their names in the registry. What it has lost is observed anew: nothing
/// that must be right depends on it.
#[async_trait]
pub trait StatusSink: Send + Sync + 'static {
    /// Everything that was stored last.
    ///
    /// # Errors
    /// When it cannot be read; the caller then begins with nothing.
    async fn load(&self) -> Result<BTreeMap<String, Observed>, Unknown>;

    /// Stores these; none: the cluster is forgotten. What is not named stays.
    ///
    /// # Errors
    /// When it cannot be stored: the caller keeps it, and tries again with the next change.
    async fn store(&self, changed: &BTreeMap<String, Option<Observed>>) -> Result<(), Unknown>;
}

/// Says that a cluster which was restored from a backup goes on from there. Whoever keeps it takes that in at the next read
/// of its registry. What was confirmed; none when nothing is to be.
///
/// # Errors
/// When what was observed cannot be read or stored.
pub async fn confirm_restored(
    sink: &(impl StatusSink + ?Sized),
    cluster: &str,
) -> Result<Option<Restored>, Unknown> {
    let Some(mut observed) = sink.load().await?.remove(cluster) else {
        return Ok(None);
    };
    let Some(restored) = observed.restored.as_mut().filter(|restored| !restored.confirmed) else {
        return Ok(None);
    };
    restored.confirmed = true;
    let confirmed = restored.clone();
    sink.store(&[(cluster.to_owned(), Some(observed))].into()).await?;
    Ok(Some(confirmed))
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: StatusSink + ?Sized> StatusSink for $pointer {
            async fn load(&self) -> Result<BTreeMap<String, Observed>, Unknown> {
                (**self).load().await
            }

            async fn store(&self, changed: &BTreeMap<String, Option<Observed>>) -> Result<(), Unknown> {
                (**self).store(changed).await
            }
        }
    )*};
}
forward!(Box<T>, std::sync::Arc<T>);
