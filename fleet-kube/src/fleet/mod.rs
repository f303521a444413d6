//! A fleet: one inventory, many clusters, one driver each.
//!
//! [`Fleet::builder`] is the place to start; then [`Fleet::plan`], [`Fleet::apply`] or [`Fleet::run`].

mod apply;
mod builder;
mod crew;
mod explain;
mod kubeconfig;
mod member;
mod observed;
mod posts;
mod readings;
mod rollout;
mod run;
mod settings;
mod unmanaged;
mod wave;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use fleet_core::{
    Approval, Cluster, ClusterId, ClusterRegistry, ContactStatus, Digest, EngineOptions, Fault, FleetBudget,
    Heard, InventoryId, InventorySource, Ledger, Marks, Note, Observed, Observer, Parts, Plan, Posture,
    Reason, Restored, Snapshot, Status, Target, Unknown,
};
use futures_util::{StreamExt, stream};
use serde::Serialize;

pub use builder::{FleetBuilder, FleetError};
pub use explain::{Explanation, Named, Record, Standing};
pub use kubeconfig::KubeconfigConnect;
pub use member::Kept;
pub use run::FLEET_ITSELF;
pub use unmanaged::{Leftovers, Unmanaged};
pub use wave::Wave;

use crate::{
    capacity::CapacityOptions,
    connection::{Connection, Doubt},
    driver::Clock,
};
use member::Member;
use observed::Observations;

/// Makes connections to the clusters of a registry.
#[async_trait]
pub trait Connect: Send + Sync + 'static {
    /// Connects to one cluster.
    ///
    /// # Errors
    /// When it cannot be reached, or the credentials are refused.
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault>;

    /// What connections to these clusters would be made with (address, credentials), as digests by name. Where one
    /// changes, the cluster is connected to anew. A cluster that is left out is not, on this account.
    ///
    /// Default: nothing is known of any.
    async fn fingerprints(&self, clusters: &[Cluster]) -> BTreeMap<String, Digest> {
        let _ = clusters;
        BTreeMap::new()
    }
}

macro_rules! forward {
    ($($pointer:ty),*) => {$(
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl<T: Connect + ?Sized> Connect for $pointer {
            async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
                (**self).connect(cluster).await
            }

            async fn fingerprints(&self, clusters: &[Cluster]) -> BTreeMap<String, Digest> {
                (**self).fingerprints(clusters).await
            }
        }
    )*};
}
forward!(Box<T>, Arc<T>);

/// Makes the ledger of a target.
pub type MakeLedger = Arc<dyn Fn(&Connection, &Target) -> Arc<dyn Ledger> + Send + Sync>;
/// Chooses the engine's options for a cluster, as they are now; unknown changes nothing.
pub type ChooseOptions = Arc<dyn Fn(&Cluster) -> Result<EngineOptions, Unknown> + Send + Sync>;

/// The code of the reason for an attempt to connect without a usable answer.
const UNREACHABLE: &str = "unreachable";

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
    parts: Arc<dyn Fn(&EngineOptions) -> Parts + Send + Sync>,
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
    observed: Observations,
    /// None: nobody wants to know what clusters can carry.
    capacity: Option<CapacityOptions>,
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
    /// How contact with it stands, and since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactStatus>,
    #[serde(skip)]
    held_back: bool,
}

impl Outcome {
    /// Of a cluster about which nothing is known yet: for tests of programs that show outcomes.
    pub fn new(cluster: impl Into<String>) -> Self {
        Self {
            cluster: cluster.into(),
            status: None,
            plan: None,
            failure: None,
            contact: None,
            held_back: false,
        }
    }

    /// It keeps what it has because the cluster that went first is not done, as this says.
    #[must_use]
    pub fn held_back(mut self, reason: Reason) -> Self {
        self.failure = Some(reason);
        self.held_back = true;
        self
    }

    /// It keeps what it has because the cluster that went first is not done; nothing is wrong with this one.
    pub fn is_held_back(&self) -> bool {
        self.held_back
    }

    /// Everything is as the inventory says.
    pub fn is_clean(&self) -> bool {
        self.failure.is_none() && self.status.as_ref().is_some_and(Status::is_clean)
    }

    async fn of(member: &Member, failure: Option<Reason>) -> Self {
        Self {
            cluster: member.cluster.name.clone(),
            status: member.driver.status().await,
            plan: member.driver.plan().await,
            failure,
            contact: None,
            held_back: false,
        }
    }

    fn failed(cluster: &Cluster, failure: Reason) -> Self {
        Self {
            failure: Some(failure),
            ..Self::new(&cluster.name)
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

    /// What is known of clusters, by their names in the registry: contact, and what they can carry where that is
    /// [read](FleetBuilder::capacity). Before the first command of this fleet, nothing.
    pub fn observed(&self) -> BTreeMap<String, Observed> {
        self.inner.observed.all()
    }

    /// What would be done in each cluster. Nothing is written anywhere.
    ///
    /// # Errors
    /// When the registry does not know which clusters there are.
    pub async fn plan(&self) -> Result<Vec<Outcome>, Unknown> {
        let clusters = self.clusters().await?;
        self.inner.recall().await;
        let outcomes = stream::iter(
            clusters
                .into_iter()
                .map(|cluster| async move { self.inner.look(&cluster).await }),
        );
        let mut outcomes: Vec<Outcome> = outcomes.buffer_unordered(CLUSTERS_AT_ONCE).collect().await;
        outcomes.sort_by(|a, b| a.cluster.cmp(&b.cluster));
        self.inner.finish(&mut outcomes).await;
        Ok(outcomes)
    }
}

impl Inner {
    /// Connects to a cluster, makes sure which one it is, and reads what its engine is to run with.
    async fn reach(&self, cluster: &Cluster) -> Result<(Connection, EngineOptions), Reason> {
        let result = self.connect_to(cluster).await;
        let heard = result.as_ref().map_or_else(heard_from, |_| Heard::Answer);
        self.hear(cluster, heard);
        result
    }

    /// Takes in what a connection has seen of its cluster's state. True when it turns out just now that it is not what a
    /// driver believes it to be.
    fn observe(&self, cluster: &Cluster, connection: &Connection) -> bool {
        let (name, now) = (&cluster.name, self.clock.now());
        match (connection.doubt(), connection.revision()) {
            (Some(Doubt::WentBack { from, to }), _) => self.observed.went_back(name, from, to, now),
            (Some(Doubt::Another(_)), _) => true,
            (None, Some(revision)) => {
                self.observed.saw(name, revision, now);
                false
            }
            (None, None) => false,
        }
    }

    /// Takes in what was heard of a cluster.
    fn hear(&self, cluster: &Cluster, heard: Heard) {
        if let Some(reason) = self.observed.hear(&cluster.name, heard, self.clock.now()) {
            self.observer.note(cluster, &Note::Remark { reason });
        }
    }

    /// Reads what the last process observed.
    async fn recall(&self) {
        if let Err(unknown) = self.observed.load().await {
            let message = format!(
                "what was observed of the clusters before cannot be read, and is observed anew: {unknown}"
            );
            self.say("status-unread", message);
        }
    }

    /// Stores what was observed, and adds it to what came out.
    async fn finish(&self, outcomes: &mut [Outcome]) {
        for outcome in outcomes {
            outcome.contact = self.observed.contact(&outcome.cluster);
        }
        if let Err(unknown) = self.observed.save().await {
            self.not_stored(&unknown);
        }
    }

    fn not_stored(&self, unknown: &Unknown) {
        let message =
            format!("what was observed of the clusters cannot be stored for the next process: {unknown}");
        self.say("status-not-stored", message);
    }

    async fn connect_to(&self, cluster: &Cluster) -> Result<(Connection, EngineOptions), Reason> {
        let connection = self
            .connect
            .connect(cluster)
            .await
            .map_err(|fault| Reason::new(UNREACHABLE, fault.to_string()))?;
        let id = connection.cluster().clone();
        if let Some(expected) = cluster.expected_id.as_ref().filter(|expected| **expected != id) {
            let message =
                format!("this is cluster {id}, and the registry expects {expected}: nothing is done");
            return Err(Reason::new("other-cluster", message));
        }
        self.identify(&id, &cluster.name)?;
        self.observed.identify(cluster, &id)?;
        let restored = self.observed.restored(&cluster.name);
        let doubt = restored.map(|Restored { from, to, .. }| Doubt::WentBack { from, to });
        let options =
            (self.options)(cluster).map_err(|unknown| Reason::new("settings-unknown", unknown.message()))?;
        let target = Target::new(id, self.inventory.clone());
        let marks = Marks::new(&options.domain, &target);
        connection.guard(self.observed.revision(&cluster.name), doubt, marks.veto_key());
        if let Err(fault) = connection.check_same().await {
            // Whoever plans sees it, and whoever writes is stopped by it.
            tracing::warn!(cluster = %cluster.name, %fault, "nothing is written for now");
        }
        self.observe(cluster, &connection);
        Ok((connection, options))
    }

    /// A cluster has one name.
    fn identify(&self, id: &ClusterId, name: &str) -> Result<(), Reason> {
        let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(other) = identities.get(id).filter(|other| *other != name) {
            let message = format!(
                "{other} and {name} are the same cluster ({id}): nothing is done under the second name"
            );
            return Err(Reason::new("same-cluster-twice", message));
        }
        // The name may have meant another cluster before.
        identities.retain(|_, other| other != name);
        identities.insert(id.clone(), name.to_owned());
        Ok(())
    }

    /// Names that left the registry are no names of any cluster any more.
    fn forget_identities(&self, names: &BTreeSet<String>) {
        let mut identities = self.identities.lock().unwrap_or_else(PoisonError::into_inner);
        identities.retain(|_, name| names.contains(name));
    }

    /// Plans: asks the source, and has an engine look that may not write.
    async fn look(&self, cluster: &Cluster) -> Outcome {
        let (connection, options) = match self.reach(cluster).await {
            Ok(reached) => reached,
            Err(reason) => return Outcome::failed(cluster, reason),
        };
        let snapshot = self.source.snapshot(cluster).await;
        let outcome = self.look_through(cluster, connection.clone(), options, snapshot);
        let outcome = outcome.await;
        self.read_capacity_once(cluster, &connection).await;
        outcome
    }

    /// Hands over the inventory to an engine that may not write, and waits until it has looked at everything.
    async fn look_through(
        &self,
        cluster: &Cluster,
        connection: Connection,
        mut options: EngineOptions,
        snapshot: Snapshot,
    ) -> Outcome {
        options.approval = Approval::Never;
        options.posture = Posture::of(cluster.life_cycle, options.clears);
        let member = Member::start(self, cluster, connection, options);
        let unknown = snapshot.as_ref().err().map(Unknown::message).map(str::to_owned);
        member.driver.inventory(snapshot).await;
        let failure = match unknown {
            Some(why) => Some(Reason::new("inventory-unknown", why)),
            None => member.settled(self.settle_max).await.err().map(Reason::from),
        };
        self.observe(cluster, &member.connection);
        Outcome::of(&member, failure).await
    }
}

/// What a failed attempt to connect says of contact: whoever refuses something answers.
fn heard_from(reason: &Reason) -> Heard {
    if reason.code == UNREACHABLE {
        Heard::silence(1)
    } else {
        Heard::Answer
    }
}
