//! The ledger as config maps in the cluster it is about.

mod config_maps;
#[cfg(test)]
mod tests;

use std::{
    collections::BTreeMap,
    sync::{Arc, PoisonError, atomic::AtomicBool},
};

use async_trait::async_trait;
use fleet_core::{
    DEFAULT_DOMAIN, Fault, Ledger, LedgerAnswer, LedgerWrite, Remedy, Target,
    shards::{SHARD_BYTES_MAX, Shards},
};
use tokio::sync::Mutex;

use crate::connection::Connection;

/// The namespace of ledgers, unless told otherwise.
pub const LEDGER_NAMESPACE: &str = "fleet-system";

/// A [`Ledger`] in config maps of the cluster itself, laid out as [`Shards`] says.
///
/// Their names are `fleet-ledger-INVENTORY-head` and `fleet-ledger-INVENTORY-s` with a shard's prefix; all of an
/// inventory bear the label `DOMAIN/ledger: INVENTORY`, so that one list reads them. The namespace is created before
/// the first record when it is not there, and is never deleted.
///
/// A record sends one request for each config map that changes, and none when nothing does. What is stored is
/// remembered with its resourceVersions, so recording reads nothing first. Each write holds only if the config map is
/// still as remembered, or must not exist yet. After any failure everything is forgotten and read again at the next
/// call: a write without an answer may have been stored.
///
/// The user needs `get`, `list`, `create`, `update` and `delete` on config maps in that namespace, and `create` on
/// namespaces until it is there (with `get`, the first record is faster).
pub struct ConfigMapLedger {
    connection: Connection,
    namespace: String,
    domain: String,
    shard_bytes_max: usize,
    /// Whether the namespace was looked for before the first create.
    looked_for_namespace: AtomicBool,
    /// What is remembered of each target; none after a failure.
    targets: std::sync::Mutex<BTreeMap<Target, Slot>>,
}

type Slot = Arc<Mutex<Option<Shards>>>;

impl ConfigMapLedger {
    /// In namespace [`LEDGER_NAMESPACE`] of the connection's cluster, in the name of its identity.
    pub fn new(connection: Connection) -> Self {
        Self {
            connection,
            namespace: LEDGER_NAMESPACE.to_owned(),
            domain: DEFAULT_DOMAIN.to_owned(),
            shard_bytes_max: SHARD_BYTES_MAX,
            looked_for_namespace: AtomicBool::new(false),
            targets: std::sync::Mutex::default(),
        }
    }

    /// In another namespace.
    #[must_use]
    pub fn namespace(mut self, name: impl Into<String>) -> Self {
        self.namespace = name.into();
        self
    }

    /// With another domain for the label; the one of the marks.
    #[must_use]
    pub fn domain(mut self, domain: impl Into<String>) -> Self {
        self.domain = domain.into();
        self
    }

    /// Another size at which shards are split, in bytes of their text. Default: [`SHARD_BYTES_MAX`].
    #[must_use]
    pub fn shard_bytes_max(mut self, bytes: usize) -> Self {
        self.shard_bytes_max = bytes;
        self
    }

    fn slot(&self, target: &Target) -> Slot {
        let mut targets = self.targets.lock().unwrap_or_else(PoisonError::into_inner);
        targets.entry(target.clone()).or_default().clone()
    }

    /// Reads everything that is stored for the target.
    async fn read(&self, target: &Target) -> Result<Shards, Fault> {
        let here = self.connection.cluster();
        if *here != target.cluster {
            let message = format!(
                "a ledger of cluster {} cannot be kept in cluster {here}",
                target.cluster
            );
            return Err(Fault::new(Remedy::Bug, message));
        }
        let blobs = self.list(target).await?;
        Ok(Shards::read(target, self.shard_bytes_max, blobs))
    }
}

#[async_trait]
impl Ledger for ConfigMapLedger {
    async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault> {
        let slot = self.slot(target);
        let mut slot = slot.lock().await;
        *slot = None;
        let shards = self.read(target).await?;
        let answer = shards.answer();
        *slot = Some(shards);
        Ok(answer)
    }

    async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault> {
        let slot = self.slot(target);
        let mut slot = slot.lock().await;
        // Whatever happens before the end, a dropped future included, leaves nothing remembered.
        let shards = match slot.take() {
            Some(shards) => shards,
            None => self.read(target).await?,
        };
        let mut writes = shards.write(writes)?;
        while let Some(request) = writes.next_request() {
            let version = self.send(target, request).await?;
            writes.done(version);
        }
        *slot = writes.finish();
        Ok(())
    }
}

impl std::fmt::Debug for ConfigMapLedger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "ConfigMapLedger({} in {})",
            self.connection.cluster(),
            self.namespace
        )
    }
}
