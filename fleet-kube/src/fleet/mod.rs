//! A fleet: one inventory, many clusters, one driver each.
//!
//! [`Fleet::builder`] is the place to start; then [`Fleet::plan`], [`Fleet::apply`] or [`Fleet::run`].

mod builder;
mod kubeconfig;
mod member;
mod run;
mod wave;

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fleet_core::{
    Approval, Cluster, ClusterId, ClusterRegistry, EngineOptions, Fault, FleetBudget, InventoryId,
    InventorySource, Known, Ledger, Observer, Parts, Plan, Reason, Status, Target, Unknown,
};
use futures_util::{StreamExt, future::join_all, stream};
use serde::Serialize;

pub use builder::{FleetBuilder, FleetError};
pub use kubeconfig::KubeconfigConnect;
pub use member::Kept;
pub use wave::Wave;

use crate::{connection::Connection, driver::Clock};
use member::Member;

/// Makes connections to the clusters of a registry.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Connects to one cluster.
    ///
    /// # Errors
    /// When it cannot be reached, or the credentials are refused.
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault>;
}

/// Makes the ledger of a target.
pub type MakeLedger = Arc<dyn Fn(&Connection, &Target) -> Arc<dyn Ledger> + Send + Sync>;
/// Chooses the engine's options for a cluster.
pub type ChooseOptions = Arc<dyn Fn(&Cluster) -> EngineOptions + Send + Sync>;

/// Clusters worked on at once by one-shot commands.
const CLUSTERS_AT_ONCE: usize = 64;

/// One inventory, kept in many clusters.
#[derive(Clone)]
pub struct Fleet {
    inner: Arc<Inner>,
}

struct Inner {
    inventory: InventoryId,
    registry: Arc<dyn ClusterRegistry>,
    connect: Arc<dyn Connect>,
    source: Arc<dyn InventorySource>,
    observer: Arc<dyn Observer>,
    parts: Parts,
    options: ChooseOptions,
    ledger: MakeLedger,
    budget: Arc<Mutex<FleetBudget>>,
    clock: Clock,
    wave: Wave,
    /// Between two reads of the inventory when nothing hints at a change.
    read_interval: Duration,
    /// For one cluster to do everything that can be done, in one-shot commands.
    settle_max: Duration,
    /// Clusters that `run` keeps at the moment.
    kept: Mutex<BTreeMap<String, Kept>>,
    /// Which registry entry has which cluster.
    identities: Mutex<BTreeMap<ClusterId, String>>,
}

/// How one cluster came out of a one-shot command.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Outcome {
    /// The cluster's name.
    pub cluster: String,
    /// How its target stands; none when it was not reached.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub status: Option<Status>,
    /// What is planned, or was left to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub plan: Option<Plan>,
    /// Why it was not reached, or is not done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failure: Option<Reason>,
}

impl Outcome {
    /// Everything is as the inventory says.
    pub fn is_clean(&self) -> bool {
        self.failure.is_none() && self.status.as_ref().is_some_and(Status::is_clean)
    }

    fn failed(cluster: &Cluster, failure: Reason) -> Self {
        Self {
            cluster: cluster.name.clone(),
            status: None,
            plan: None,
            failure: Some(failure),
        }
    }
}

impl Fleet {
    /// A builder; see there for what must be given.
    pub fn builder(inventory: InventoryId) -> FleetBuilder {
        FleetBuilder::new(inventory)
    }

    /// The clusters of the registry.
    ///
    /// # Errors
    /// When the registry does not know.
    pub async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        self.inner.registry.clusters().await
    }

    /// The clusters that [`Fleet::run`] is connected to at the moment, by name.
    pub fn kept(&self) -> Vec<Kept> {
        self.inner
            .kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .values()
            .cloned()
            .collect()
    }

    /// What would be done in each cluster. Nothing is written anywhere.
    ///
    /// # Errors
    /// When the registry does not know which clusters there are.
    pub async fn plan(&self) -> Result<Vec<Outcome>, Unknown> {
        let clusters = self.clusters().await?;
        let outcomes = stream::iter(clusters.into_iter().map(|cluster| async move {
            match self.inner.member(&cluster, Approval::Never).await {
                Ok(member) => self.inner.settle(&member).await,
                Err(reason) => Outcome::failed(&cluster, reason),
            }
        }));
        let mut outcomes: Vec<Outcome> = outcomes.buffer_unordered(CLUSTERS_AT_ONCE).collect().await;
        outcomes.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        Ok(outcomes)
    }

    /// Makes each cluster what its inventory says, once: one cluster first, then the rest, as the wave says. A token
    /// of a plan confirms the deletes it covers.
    ///
    /// # Errors
    /// When the registry does not know which clusters there are.
    pub async fn apply(&self, tokens: &[String]) -> Result<Vec<Outcome>, Unknown> {
        let clusters = self.clusters().await?;
        let connected = join_all(clusters.iter().map(|c| self.inner.member(c, Approval::Auto))).await;
        let mut outcomes = Vec::new();
        let mut members = Vec::new();
        for (cluster, result) in clusters.iter().zip(connected) {
            match result {
                Ok(member) => members.push(member),
                Err(reason) => outcomes.push(Outcome::failed(cluster, reason)),
            }
        }
        if let Some(first) = self.inner.wave.choose(&members) {
            let first = members.remove(first);
            let outcome = self
                .inner
                .settle_confirmed(&first, tokens, self.inner.wave.first_max())
                .await;
            let good = outcome.is_clean();
            let name = outcome.cluster.clone();
            outcomes.push(outcome);
            if !good {
                let reason = Reason::new(
                    "first-failed",
                    format!("{name} went first and is not done: this cluster keeps what it has"),
                );
                outcomes.extend(
                    members
                        .drain(..)
                        .map(|m| Outcome::failed(&m.cluster, reason.clone())),
                );
            }
        }
        let limit = self.inner.settle_max;
        outcomes.extend(
            join_all(
                members
                    .iter()
                    .map(|m| self.inner.settle_confirmed(m, tokens, limit)),
            )
            .await,
        );
        outcomes.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        Ok(outcomes)
    }
}

impl Inner {
    /// Connects and starts a driver that knows nothing of the inventory yet.
    async fn member(&self, cluster: &Cluster, approval: Approval) -> Result<Member, Reason> {
        let connection = self
            .connect
            .connect(cluster)
            .await
            .map_err(|fault| Reason::new("unreachable", fault.to_string()))?;
        let id = connection.cluster().clone();
        if let Some(expected) = cluster.expected_id.as_ref().filter(|expected| **expected != id) {
            let message =
                format!("this is cluster {id}, and the registry expects {expected}: nothing is done");
            return Err(Reason::new("other-cluster", message));
        }
        {
            let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
            let name = identities
                .entry(id.clone())
                .or_insert_with(|| cluster.name.clone());
            if *name != cluster.name {
                let message = format!(
                    "{name} and {} are the same cluster ({id}): nothing is done under the second name",
                    cluster.name
                );
                return Err(Reason::new("same-cluster-twice", message));
            }
        }
        let mut options = (self.options)(cluster);
        options.approval = approval;
        let mut target = Target::new(id, self.inventory.clone());
        target.scope = options.scope.clone();
        Ok(Member::start(self, cluster, connection, target, options))
    }

    async fn settle(&self, member: &Member) -> Outcome {
        self.settle_confirmed(member, &[], self.settle_max).await
    }

    /// Hands over the inventory and waits until everything is done that can be done.
    async fn settle_confirmed(&self, member: &Member, tokens: &[String], limit: Duration) -> Outcome {
        for token in tokens {
            member.driver.confirm(token.clone()).await;
        }
        let snapshot = self.source.snapshot(&member.cluster).await;
        let unknown = snapshot
            .as_ref()
            .err()
            .map(|u| Reason::new("inventory-unknown", u.message()));
        member.driver.inventory(snapshot).await;
        let failure = match unknown {
            Some(reason) => Some(reason),
            None => member.driver.settled(limit).await.err(),
        };
        Outcome {
            cluster: member.cluster.name.clone(),
            status: member.driver.status().await,
            plan: member.driver.plan().await,
            failure,
        }
    }
}

/// The revision of a definite answer.
fn revision(snapshot: &fleet_core::Snapshot) -> Option<fleet_core::Revision> {
    snapshot.as_ref().ok().map(Known::revision).cloned()
}
