//! Putting a fleet together.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use fleet_core::{
    Cluster, ClusterRegistry, ContactLimits, DeleteBudget, EngineOptions, FleetBudget, InventoryId,
    InventorySource, Ledger, MemoryStatus, Observer, Parts, Silent, StatusSink, Target, Unknown,
};

use super::{ChooseOptions, Connect, Fleet, Inner, MakeLedger, Wave, observed::Observations};
use crate::{capacity::CapacityOptions, connection::Connection, driver::Clock, ledger::ConfigMapLedger};

/// What is missing to build a fleet.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FleetError {
    /// A part that has no default was not given.
    #[error("a fleet needs {0}")]
    Missing(&'static str),
}

/// Collects the parts of a [`Fleet`]. Registry, connections and source must be given; the rest has defaults.
pub struct FleetBuilder {
    inventory: InventoryId,
    registry: Option<Arc<dyn ClusterRegistry>>,
    connect: Option<Arc<dyn Connect>>,
    source: Option<Arc<dyn InventorySource>>,
    observer: Arc<dyn Observer>,
    parts: Arc<dyn Fn(&EngineOptions) -> Parts + Send + Sync>,
    options: ChooseOptions,
    ledger: MakeLedger,
    budget: DeleteBudget,
    clock: Option<Clock>,
    wave: Wave,
    read_interval: Duration,
    settle_max: Duration,
    status: Arc<dyn StatusSink>,
    contact: ContactLimits,
    capacity: Option<CapacityOptions>,
}

impl FleetBuilder {
    pub(super) fn new(inventory: InventoryId) -> Self {
        Self {
            inventory,
            registry: None,
            connect: None,
            source: None,
            observer: Arc::new(Silent),
            parts: Arc::new(|_| Parts::default()),
            options: Arc::new(|_| Ok(EngineOptions::default())),
            ledger: Arc::new(|connection, _| Arc::new(ConfigMapLedger::new(connection.clone()))),
            budget: DeleteBudget::new(500, 10, 20),
            clock: None,
            wave: Wave::default(),
            read_interval: Duration::from_secs(30),
            settle_max: Duration::from_secs(600),
            status: Arc::new(MemoryStatus::default()),
            contact: ContactLimits::default(),
            capacity: None,
        }
    }

    /// Which clusters there are. Required.
    #[must_use]
    pub fn registry(mut self, registry: impl ClusterRegistry) -> Self {
        self.registry = Some(Arc::new(registry));
        self
    }

    /// How to connect to them. Required.
    #[must_use]
    pub fn connect(mut self, connect: impl Connect) -> Self {
        self.connect = Some(Arc::new(connect));
        self
    }

    /// Which clusters there are and how to connect to them, where one thing knows both.
    #[must_use]
    pub fn clusters(self, both: impl ClusterRegistry + Connect + Clone) -> Self {
        self.registry(both.clone()).connect(both)
    }

    /// What should be in them. Required.
    #[must_use]
    pub fn source(mut self, source: impl InventorySource) -> Self {
        self.source = Some(Arc::new(source));
        self
    }

    /// Who hears what happens. Default: nobody.
    #[must_use]
    pub fn observer(mut self, observer: impl Observer) -> Self {
        self.observer = Arc::new(observer);
        self
    }

    /// Judge and strategy. Default: the local judge with the built-in rules, and server-side apply.
    #[must_use]
    pub fn parts(self, parts: Parts) -> Self {
        self.parts_by(move |_| parts.clone())
    }

    /// The same, where they are made of rules that are read again: of those that [`EngineOptions::rules`] names. Other
    /// rules are a change like other options.
    #[must_use]
    pub fn parts_by(mut self, parts: impl Fn(&EngineOptions) -> Parts + Send + Sync + 'static) -> Self {
        self.parts = Arc::new(parts);
        self
    }

    /// The engine's options for each cluster; its approval is set by what is done with the fleet.
    ///
    /// They are asked for whenever the inventory is read. Other options than before are a change like a changed
    /// revision: they go to one cluster first, and a cluster gets a new engine for them.
    #[must_use]
    pub fn options(self, choose: impl Fn(&Cluster) -> EngineOptions + Send + Sync + 'static) -> Self {
        self.settings(move |cluster| Ok(choose(cluster)))
    }

    /// As [`options`](Self::options), where they may be unknown, such as while a file with settings cannot be read.
    /// Then nothing changes. Must not block.
    #[must_use]
    pub fn settings(
        mut self,
        choose: impl Fn(&Cluster) -> Result<EngineOptions, Unknown> + Send + Sync + 'static,
    ) -> Self {
        self.options = Arc::new(choose);
        self
    }

    /// Where ledgers are kept. Default: config maps in the cluster itself.
    #[must_use]
    pub fn ledger(
        mut self,
        make: impl Fn(&Connection, &Target) -> Arc<dyn Ledger> + Send + Sync + 'static,
    ) -> Self {
        self.ledger = Arc::new(make);
        self
    }

    /// The budget of deletes over all clusters. Default: 10 percent of what is owned, at least 20 and at most 500,
    /// in an hour.
    #[must_use]
    pub fn budget(mut self, budget: DeleteBudget) -> Self {
        self.budget = budget;
        self
    }

    /// The clock. Default: the system's.
    #[must_use]
    pub fn clock(mut self, clock: Clock) -> Self {
        self.clock = Some(clock);
        self
    }

    /// How a changed revision reaches the clusters. Default: one first, then the rest.
    #[must_use]
    pub fn wave(mut self, wave: Wave) -> Self {
        self.wave = wave;
        self
    }

    /// Between two reads of the inventory when nothing hints at a change. Default: 30 s.
    #[must_use]
    pub fn read_interval(mut self, span: Duration) -> Self {
        self.read_interval = span;
        self
    }

    /// How long one-shot commands wait for a cluster. Default: 600 s.
    #[must_use]
    pub fn settle_max(mut self, span: Duration) -> Self {
        self.settle_max = span;
        self
    }

    /// Where what is observed of clusters is kept for the next process: contact, which cluster each name means, and what
    /// they can carry if that is [asked for](Self::capacity). The latter is stored with the first reading of any cluster
    /// after a minute where it is other than before, and else every five minutes.
    /// Default: nowhere; [`FileStatus`](crate::FileStatus) is a file.
    #[must_use]
    pub fn status(mut self, sink: impl StatusSink) -> Self {
        self.status = Arc::new(sink);
        self
    }

    /// When contact is called degraded, unreachable or lost.
    #[must_use]
    pub fn contact(mut self, limits: ContactLimits) -> Self {
        self.contact = limits;
        self
    }

    /// Has what clusters can carry read now and then, for whoever decides where things run: it is part of what is observed
    /// of them ([`Fleet::observed`], [`status`](Self::status)). Default: it is not, and no request is made for it.
    ///
    /// [`Fleet::run`] reads at the interval; [`Fleet::plan`] once, unless what is known is younger than that. Readings have
    /// tasks of their own, and one request under way for each cluster. A cluster that cannot be read is told, and why is
    /// in what is observed of it.
    #[must_use]
    pub fn capacity(mut self, options: CapacityOptions) -> Self {
        self.capacity = Some(options);
        self
    }

    /// The fleet.
    ///
    /// # Errors
    /// When registry, connections or source were not given.
    pub fn build(self) -> Result<Fleet, FleetError> {
        let inner = Inner {
            inventory: self.inventory,
            registry: self
                .registry
                .ok_or(FleetError::Missing("a registry of clusters"))?,
            connect: self
                .connect
                .ok_or(FleetError::Missing("a way to connect to clusters"))?,
            source: self.source.ok_or(FleetError::Missing("an inventory source"))?,
            observer: self.observer,
            parts: self.parts,
            options: self.options,
            ledger: self.ledger,
            budget: Arc::new(Mutex::new(FleetBudget::new(self.budget))),
            clock: self.clock.unwrap_or_else(Clock::system),
            wave: self.wave,
            read_interval: self.read_interval,
            settle_max: self.settle_max,
            kept: Mutex::new(BTreeMap::new()),
            identities: Mutex::new(BTreeMap::new()),
            observed: Observations::new(self.status, self.contact),
            capacity: self.capacity,
        };
        Ok(Fleet {
            inner: Arc::new(inner),
        })
    }
}
