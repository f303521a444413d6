//! Clusters without objects, by name, and a fleet over them.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use fleet_core::{
    Cluster, ClusterRegistry, Digest, Fault, Inventory, InventoryId, Known, Ledger, LedgerAnswer,
    LedgerWrite, MemoryLedger, MemorySource, Note, Object, Observer, Snapshot, Target, Unknown,
};
use fleet_kube::{Clock, Connect, Connection, ConnectionOptions, Fleet, FleetBuilder, Wave};
use serde_json::json;

use crate::fake::{Act, Fake, Seen, json_reply, namespace, status};

/// What a cluster answers just now.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(crate) uid: String,
    /// The UID that the registry says it must have.
    pub(crate) expected: Option<&'static str>,
    pub(crate) paused: Option<&'static str>,
    /// Tokens are refused.
    pub(crate) locked: bool,
    /// Nothing is answered.
    pub(crate) silent: bool,
    /// What a connection is made with.
    pub(crate) entry: u8,
    pub(crate) connects: usize,
    /// How long connecting takes.
    pub(crate) slow: Duration,
}

/// All clusters, which of them the registry knows, and what was said about them.
#[derive(Clone, Default)]
pub(crate) struct Bed(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    servers: BTreeMap<String, Server>,
    listed: Option<Vec<String>>,
    unknown: Option<&'static str>,
    notes: Vec<(String, Note)>,
    ledgers: BTreeMap<Target, MemoryLedger>,
    panics: usize,
}

impl Bed {
    pub(crate) fn new(names: &[&str]) -> Self {
        let bed = Self::default();
        for name in names {
            bed.add(name, &format!("uid-{name}"));
        }
        bed
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner))
    }

    pub(crate) fn add(&self, name: &str, uid: &str) {
        let server = Server {
            uid: uid.to_owned(),
            expected: None,
            paused: None,
            locked: false,
            silent: false,
            entry: 0,
            connects: 0,
            slow: Duration::ZERO,
        };
        self.with(|state| state.servers.insert(name.to_owned(), server));
    }

    pub(crate) fn list(&self, names: &[&str]) {
        self.with(|state| state.listed = Some(names.iter().map(|n| (*n).to_owned()).collect()));
    }

    pub(crate) fn unknown(&self, why: Option<&'static str>) {
        self.with(|state| state.unknown = why);
    }

    pub(crate) fn change(&self, name: &str, change: impl FnOnce(&mut Server)) {
        self.with(|state| change(state.servers.get_mut(name).unwrap()));
    }

    pub(crate) fn connects(&self, name: &str) -> usize {
        self.with(|state| state.servers[name].connects)
    }

    fn ledger(&self, target: &Target) -> MemoryLedger {
        self.with(|state| state.ledgers.entry(target.clone()).or_default().clone())
    }

    /// The ledger of a cluster cannot be believed any more.
    pub(crate) fn lose_ledger(&self, name: &str) {
        let uid = self.with(|state| state.servers[name].uid.as_str().into());
        let target = Target::new(uid, InventoryId::new("fleet").unwrap());
        self.ledger(&target).lose(&target, "shard 3 is cut off");
    }

    /// The next so many notes of drivers end them.
    pub(crate) fn panic_at_next(&self, count: usize) {
        self.with(|state| state.panics = count);
    }

    /// Codes of what was said about a cluster, in order.
    pub(crate) fn said(&self, name: &str) -> Vec<Cow<'static, str>> {
        let code = |note: &Note| match note {
            Note::Remark { reason } | Note::Contact { reason, .. } | Note::InventoryUnknown { reason } => {
                Some(reason.code.clone())
            }
            _ => None,
        };
        self.with(|state| {
            let notes = state.notes.iter().filter(|(cluster, _)| cluster == name);
            notes.filter_map(|(_, note)| code(note)).collect()
        })
    }

    pub(crate) fn count(&self, name: &str, code: &str) -> usize {
        self.said(name).iter().filter(|said| *said == code).count()
    }

    pub(crate) fn fleet(&self, source: &MemorySource, first: Option<&str>) -> FleetBuilder {
        let ledgers = self.clone();
        let observer = self.clone();
        Fleet::builder(InventoryId::new("fleet").unwrap())
            .registry(self.clone())
            .connect(self.clone())
            .source(source.clone())
            .clock(Clock::at(fleet_core::Tick(1_000_000)))
            .ledger(move |_, target| Arc::new(Slow(ledgers.ledger(target))))
            .observer(move |cluster: &Cluster, note: &Note| observer.note(cluster, note))
            .read_interval(Duration::from_secs(10))
            .settle_max(Duration::from_secs(100))
            .wave(Wave::FirstThenRest {
                first: first.map(str::to_owned),
                first_max: Duration::from_secs(300),
            })
    }
}

/// A ledger that takes its time to record.
struct Slow(MemoryLedger);

#[async_trait]
impl Ledger for Slow {
    async fn load(&self, target: &Target) -> Result<LedgerAnswer, Fault> {
        self.0.load(target).await
    }

    async fn record(&self, target: &Target, writes: &[LedgerWrite]) -> Result<(), Fault> {
        tokio::time::sleep(Duration::from_secs(2)).await;
        self.0.record(target, writes).await
    }
}

impl Observer for Bed {
    fn note(&self, cluster: &Cluster, note: &Note) {
        let panic = self.with(|state| {
            state.notes.push((cluster.name.clone(), note.clone()));
            let panic = state.panics > 0 && matches!(note, Note::Revision { .. });
            state.panics -= usize::from(panic);
            panic
        });
        assert!(!panic, "this observer is broken on purpose");
    }
}

#[async_trait]
impl ClusterRegistry for Bed {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        self.with(|state| {
            if let Some(why) = state.unknown {
                return Err(Unknown::because(why));
            }
            let all: Vec<String> = state.servers.keys().cloned().collect();
            let names = state.listed.clone().unwrap_or(all);
            let cluster = |name: String| {
                let server = state.servers.get(&name);
                let expected = server.and_then(|server| server.expected);
                let paused = server.and_then(|server| server.paused);
                let mut cluster = Cluster::new(name).expect_id(expected.map(Into::into));
                cluster.paused = paused.map(str::to_owned);
                cluster
            };
            Ok(names.into_iter().map(cluster).collect())
        })
    }
}

#[async_trait]
impl Connect for Bed {
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
        self.change(&cluster.name, |server| server.connects += 1);
        let slow = self.with(|state| state.servers[&cluster.name].slow);
        tokio::time::sleep(slow).await;
        let (bed, name) = (self.clone(), cluster.name.clone());
        let fake = Fake::new(move |seen, _| answer(&bed.with(|state| state.servers[&name].clone()), seen));
        let options = ConnectionOptions::default()
            .head_timeout(Duration::from_secs(2))
            .call_timeout(Duration::from_secs(5))
            .retry_time(Duration::ZERO)
            .watch_idle_timeout(Duration::from_secs(5));
        Connection::over(fake.client(), options).await
    }

    async fn fingerprints(&self, clusters: &[Cluster]) -> BTreeMap<String, Digest> {
        let print = |c: &Cluster| {
            let entry = self.with(|state| state.servers[&c.name].entry);
            (c.name.clone(), Digest::of_bytes(&[entry]))
        };
        clusters.iter().map(print).collect()
    }
}

fn answer(server: &Server, seen: &Seen) -> Option<Act> {
    if server.silent {
        return Some(Act::Silence);
    }
    if server.locked {
        return Some(json_reply(
            401,
            &status(401, "Unauthorized", "Unauthorized", &json!({})),
        ));
    }
    if seen.path == "/api/v1/namespaces/kube-system" {
        return Some(json_reply(200, &namespace("kube-system", &server.uid)));
    }
    if seen.path.starts_with("/api/v1/namespaces/") && seen.path.contains("/configmaps/") {
        return Some(json_reply(
            404,
            &status(404, "NotFound", "no", &json!({"name": "x", "kind": "configmaps"})),
        ));
    }
    if seen.param("watch") == "true" || seen.param("watch") == "1" {
        return Some(Act::Stall(200, ""));
    }
    let list = json!({"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1",
        "metadata": {"resourceVersion": "1"}, "items": []});
    let is_list = [
        "configmaps",
        "namespaces",
        "secrets",
        "deployments",
        "customresourcedefinitions",
        "apiservices",
    ];
    let last = seen.path.rsplit('/').next().unwrap_or_default();
    (seen.method == "GET" && is_list.contains(&last)).then(|| json_reply(200, &list))
}

/// Nothing is listed.
#[allow(
    clippy::unnecessary_wraps,
    reason = "it is a source's answer, like the others"
)]
pub(crate) fn empty(revision: &str) -> Snapshot {
    Ok(Known::Empty(revision.into()))
}

/// One object of this kind.
pub(crate) fn one(revision: &str, api_version: &str, kind: &str) -> Snapshot {
    let metadata = json!({"name": "one", "namespace": "default"});
    let object = json!({"apiVersion": api_version, "kind": kind, "metadata": metadata});
    Inventory::new(revision, [Object::from_json(object).unwrap()])?.snapshot()
}

/// What the cluster cannot hold: it is blocked.
pub(crate) fn bad(revision: &str) -> Snapshot {
    one(revision, "example.com/v1", "Unserved")
}

/// Revisions of the drivers of a running fleet, as `a=1`; without one, `a`.
pub(crate) async fn revisions(fleet: &Fleet) -> String {
    let mut words = Vec::new();
    for kept in fleet.kept() {
        let status = kept.driver.status().await;
        let revision = status.and_then(|s| s.revision).map(|r| format!("={r}"));
        words.push(format!("{}{}", kept.cluster.name, revision.unwrap_or_default()));
    }
    words.join(" ")
}

/// Waits until the drivers have these revisions.
pub(crate) async fn reach(fleet: &Fleet, expected: &str) {
    for _ in 0..1000 {
        if revisions(fleet).await == expected {
            return;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    panic!("{} instead of {expected}", revisions(fleet).await);
}

/// They keep these revisions for so long.
pub(crate) async fn stay(fleet: &Fleet, expected: &str, seconds: u64) {
    for _ in 0..seconds {
        assert_eq!(revisions(fleet).await, expected);
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
}

pub(crate) fn source(answers: &[(&str, Snapshot)]) -> MemorySource {
    let source = MemorySource::new();
    for (name, answer) in answers {
        source.set(*name, answer.clone());
    }
    source
}

/// Runs the fleet until the returned guard is dropped.
pub(crate) fn keep_running(fleet: &Fleet) -> Running {
    let fleet = fleet.clone();
    Running(tokio::spawn(async move { fleet.run().await }))
}

pub(crate) struct Running(tokio::task::JoinHandle<()>);

impl Drop for Running {
    fn drop(&mut self) {
        self.0.abort();
    }
}
