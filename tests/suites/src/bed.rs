//! A fleet over clusters of the harness.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fleet_core::{
    Cluster, ClusterRegistry, Fault, InventoryId, InventorySource, Note, Observer, Snapshot, Unknown,
};
use fleet_harness::{Cluster as Member, User};
use fleet_kube::{Connect, Connection, ConnectionOptions, Fleet, FleetBuilder};
use tokio::time::Instant;

/// Clusters as a registry, and the way to connect to them.
#[derive(Clone)]
pub struct Bed {
    members: Arc<BTreeMap<String, Member>>,
    /// How connections are made.
    pub options: ConnectionOptions,
}

impl Bed {
    /// These clusters, under their names.
    pub fn new(members: impl IntoIterator<Item: Into<Member>>) -> Self {
        let members = members.into_iter().map(Into::into);
        Self {
            members: Arc::new(
                members
                    .map(|member: Member| (member.name().to_owned(), member))
                    .collect(),
            ),
            options: ConnectionOptions::default(),
        }
    }

    /// A client configuration for one of them, which is a real one.
    pub async fn config(&self, name: &str, user: User) -> kube::Config {
        self.members[name].config(user).await.expect("config")
    }

    /// A client of one of them.
    pub async fn client(&self, name: &str, user: User) -> kube::Client {
        self.members[name].client(user).await.expect("a client")
    }

    /// A fleet over all of them, with this source.
    pub fn fleet(&self, source: impl InventorySource) -> FleetBuilder {
        self.fleet_of("fleet", source)
    }

    /// A fleet over all of them, with this inventory's id and source.
    pub fn fleet_of(&self, inventory: &str, source: impl InventorySource) -> FleetBuilder {
        Fleet::builder(InventoryId::new(inventory).expect("id"))
            .registry(self.clone())
            .connect(self.clone())
            .source(source)
            .settle_max(Duration::from_secs(30))
    }
}

#[async_trait]
impl ClusterRegistry for Bed {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        Ok(self.members.keys().map(Cluster::new).collect())
    }
}

#[async_trait]
impl Connect for Bed {
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
        let member = &self.members[&cluster.name];
        member.connect(User::Fleet, self.options.clone()).await
    }
}

/// An inventory source that says what it was told last.
#[derive(Clone)]
pub struct Settable(Arc<Mutex<BTreeMap<String, Snapshot>>>);

impl Settable {
    /// The same for every cluster.
    pub fn new(snapshot: Snapshot) -> Self {
        Self(Arc::new(Mutex::new(BTreeMap::from([(String::new(), snapshot)]))))
    }

    /// From now on this.
    pub fn set(&self, snapshot: Snapshot) {
        self.0
            .lock()
            .expect("not poisoned")
            .insert(String::new(), snapshot);
    }
}

#[async_trait]
impl InventorySource for Settable {
    async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
        let all = self.0.lock().expect("not poisoned");
        all.get(&cluster.name)
            .or_else(|| all.get(""))
            .cloned()
            .unwrap_or_else(|| Err(Unknown::because("nothing set")))
    }
}

/// Remembers and prints notes.
#[derive(Clone, Default)]
pub struct Notes(Arc<Mutex<Vec<(String, Note)>>>);

impl Notes {
    /// Everything heard so far.
    pub fn all(&self) -> Vec<(String, Note)> {
        self.0.lock().expect("not poisoned").clone()
    }
}

impl Observer for Notes {
    fn note(&self, cluster: &Cluster, note: &Note) {
        println!("{}: {}", cluster.name, serde_json::to_string(note).expect("json"));
        self.0
            .lock()
            .expect("not poisoned")
            .push((cluster.name.clone(), note.clone()));
    }
}

/// Runs async code of a test.
pub fn on_runtime<T>(future: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .expect("runtime")
        .block_on(future)
}

/// Waits until every cluster of a running fleet is as its inventory says, at least `revision` if one is given.
pub async fn clean(fleet: &Fleet, names: &[&str], revision: Option<&str>) {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        let kept: Vec<_> = fleet
            .kept()
            .into_iter()
            .filter(|k| names.contains(&k.cluster.name.as_str()))
            .collect();
        let mut all = kept.len() == names.len();
        let mut seen = Vec::new();
        for one in &kept {
            let status = one.driver.status().await.expect("the driver runs");
            all &= status.is_clean();
            all &= revision.is_none_or(|r| status.revision.as_ref().is_some_and(|v| v.as_str() == r));
            seen.push((one.cluster.name.clone(), status));
        }
        if all {
            return;
        }
        assert!(Instant::now() < deadline, "not converged: {seen:#?}");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}
