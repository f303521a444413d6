//! Reading what the clusters of a fleet can carry: when it is done, and when it is not. On a paused clock.

use std::{
    borrow::Cow,
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use fleet_core::{
    Capacity, Cluster, ClusterRegistry, Fault, Inventory, InventoryId, MemorySource, MemoryStatus, Note,
    Object, StatusSink, Unknown,
};
use fleet_kube::{
    CapacityOptions, Clock, Connect, Connection, ConnectionOptions, Fleet, FleetBuilder, SimCluster,
};
use http::{Request, Response};
use kube::client::Body;
use serde_json::{Value, json};
use tokio::time::sleep;

/// In-process clusters, and what was asked of them.
#[derive(Clone)]
struct Bed {
    clusters: Arc<BTreeMap<String, SimCluster>>,
    /// Lists of nodes, one page each.
    readings: Arc<AtomicUsize>,
    forbidden: Arc<AtomicBool>,
    said: Arc<Mutex<Vec<Cow<'static, str>>>>,
    status: MemoryStatus,
    /// Of all processes.
    clock: Clock,
}

impl Bed {
    /// Clusters with a node and a pod.
    async fn new(names: &[&str]) -> Self {
        let mut clusters = BTreeMap::new();
        for (seed, name) in (0..).zip(names) {
            let cluster = SimCluster::start(fleet_sim::Settings::default().seed(seed));
            add_node(&cluster, "n1", "4").await;
            create(&cluster, "/api/v1/namespaces/default/pods", &pod()).await;
            clusters.insert((*name).to_owned(), cluster);
        }
        Self {
            clusters: Arc::new(clusters),
            readings: Arc::default(),
            forbidden: Arc::default(),
            said: Arc::default(),
            status: MemoryStatus::default(),
            clock: Clock::system(),
        }
    }

    fn fleet(&self) -> FleetBuilder {
        let source = MemorySource::new();
        for name in self.clusters.keys() {
            let map = json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}});
            let inventory = Inventory::new("1", [Object::from_json(map).unwrap()]).unwrap();
            source.set(name.as_str(), inventory.snapshot());
        }
        let said = self.said.clone();
        Fleet::builder(InventoryId::new("fleet").unwrap())
            .registry(self.clone())
            .connect(self.clone())
            .source(source)
            .status(self.status.clone())
            .clock(self.clock)
            .observer(move |_: &Cluster, note: &Note| {
                if let Note::Remark { reason } = note
                    && reason.code.starts_with("capacity-")
                {
                    said.lock().unwrap().push(reason.code.clone());
                }
            })
    }

    /// How many readings were begun since this was asked last.
    fn readings(&self) -> usize {
        self.readings.swap(0, Ordering::Relaxed)
    }

    fn said(&self) -> Vec<Cow<'static, str>> {
        std::mem::take(&mut self.said.lock().unwrap())
    }
}

#[async_trait]
impl ClusterRegistry for Bed {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        Ok(self.clusters.keys().map(Cluster::new).collect())
    }
}

#[async_trait]
impl Connect for Bed {
    async fn connect(&self, cluster: &Cluster) -> Result<Connection, Fault> {
        let (bed, client) = (self.clone(), self.clusters[&cluster.name].client());
        let service = tower::service_fn(move |request: Request<Body>| {
            let (bed, client) = (bed.clone(), client.clone());
            async move {
                // Drivers look for what bears their mark.
                let is_search = request
                    .uri()
                    .query()
                    .is_some_and(|query| query.contains("labelSelector"));
                if request.uri().path() == "/api/v1/nodes" && !is_search {
                    bed.readings.fetch_add(1, Ordering::Relaxed);
                    if bed.forbidden.load(Ordering::Relaxed) {
                        let status = json!({"kind": "Status", "apiVersion": "v1", "status": "Failure", "code": 403,
                            "reason": "Forbidden", "message": "nodes is forbidden: fleet cannot list them"});
                        let body = Body::from(status.to_string().into_bytes());
                        return Ok(Response::builder().status(403).body(body).unwrap());
                    }
                }
                client.send(request).await
            }
        });
        let options = ConnectionOptions::default()
            .head_timeout(Duration::from_secs(5))
            .call_timeout(Duration::from_secs(5))
            .retry_time(Duration::ZERO)
            .watch_idle_timeout(Duration::from_secs(20));
        Connection::over(kube::Client::new(service, "default"), options).await
    }
}

/// One that is ready; servers taint new ones until somebody says that.
async fn add_node(cluster: &SimCluster, name: &str, cpu: &str) {
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
    create(cluster, "/api/v1/nodes", &node).await;
    let status = json!({"status": {
        "allocatable": {"cpu": cpu, "pods": "10"}, "conditions": [{"type": "Ready", "status": "True"}]}});
    let untainted = json!({"spec": {"taints": null}});
    for (path, patch) in [("", untainted), ("/status", status)] {
        let request = Request::patch(format!("/api/v1/nodes/{name}{path}"));
        let request = request.header("content-type", "application/merge-patch+json");
        send(cluster, request, &patch).await;
    }
}

fn pod() -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"nodeName": "n1", "containers":
        [{"name": "a", "image": "a", "resources": {"requests": {"cpu": "500m"}}}]}})
}

async fn create(cluster: &SimCluster, path: &str, object: &Value) {
    let request = Request::post(path).header("content-type", "application/json");
    send(cluster, request, object).await;
}

async fn send(cluster: &SimCluster, request: http::request::Builder, body: &Value) {
    let request = request.body(body.to_string().into_bytes()).unwrap();
    cluster.client().request::<Value>(request).await.unwrap();
}

fn known(fleet: &Fleet, name: &str) -> Option<Capacity> {
    fleet.observed().remove(name)?.capacity
}

fn amounts(capacity: &Capacity) -> (String, String) {
    (capacity.allocatable.to_string(), capacity.requested.to_string())
}

fn keep_running(fleet: &Fleet) -> impl Drop + use<> {
    struct Running(tokio::task::JoinHandle<()>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.abort();
        }
    }
    let fleet = fleet.clone();
    Running(tokio::spawn(async move { fleet.run().await }))
}

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test(start_paused = true)]
async fn nothing_is_read_unless_asked_for() {
    let bed = Bed::new(&["a"]).await;
    let fleet = bed.fleet().build().unwrap();
    let running = keep_running(&fleet);
    sleep(MINUTE).await;
    let requests = fleet.kept()[0].connection.contact().object_requests();
    sleep(30 * MINUTE).await;
    assert_eq!(fleet.kept()[0].connection.contact().object_requests(), requests);
    assert_eq!((bed.readings(), known(&fleet, "a")), (0, None));
    drop(running);
    fleet.plan().await.unwrap();
    assert_eq!((bed.readings(), known(&fleet, "a")), (0, None));
}

#[tokio::test(start_paused = true)]
async fn each_cluster_is_read_at_the_interval_and_not_more_often() {
    let bed = Bed::new(&["a", "b"]).await;
    let fleet = bed.fleet().capacity(CapacityOptions::default()).build().unwrap();
    let _running = keep_running(&fleet);
    sleep(Duration::from_secs(10)).await;
    assert_eq!(bed.readings(), 2, "when it was connected to");
    for name in ["a", "b"] {
        let capacity = known(&fleet, name).unwrap();
        let expect = ("cpu 4, pods 10".to_owned(), "cpu 500m, pods 1".to_owned());
        assert_eq!(amounts(&capacity), expect);
        assert!(capacity.version.unwrap().starts_with("1.36"));
        assert!(capacity.kinds.unwrap().contains("Deployment.v1.apps"));
        let stored = bed.status.load().await.unwrap().remove(name);
        assert!(stored.unwrap().capacity.is_some() || name == "b", "{name}");
    }
    sleep(10 * MINUTE).await;
    assert!(
        (18..=20).contains(&bed.readings()),
        "ten each, less what was left of the first minutes"
    );
    add_node(&bed.clusters["b"], "n2", "8").await;
    sleep(MINUTE + Duration::from_secs(5)).await;
    assert_eq!(
        known(&fleet, "b").unwrap().allocatable.to_string(),
        "cpu 12, pods 20"
    );
    assert_eq!(
        known(&fleet, "a").unwrap().allocatable.to_string(),
        "cpu 4, pods 10"
    );
    sleep(MINUTE).await;
    let stored = bed
        .status
        .load()
        .await
        .unwrap()
        .remove("b")
        .unwrap()
        .capacity
        .unwrap();
    assert_eq!((stored.nodes, stored.allocatable.get("cpu")), (2, 12_000));
    assert_eq!(bed.said(), [""; 0]);
}

#[tokio::test(start_paused = true)]
async fn a_cluster_that_does_not_answer_is_not_read_and_holds_nobody_up() {
    let bed = Bed::new(&["a", "b"]).await;
    let fleet = bed.fleet().capacity(CapacityOptions::default()).build().unwrap();
    let _running = keep_running(&fleet);
    sleep(MINUTE).await;
    bed.clusters["a"].freeze();
    // Until that is noticed, it may be asked.
    sleep(3 * MINUTE).await;
    bed.readings();
    let [a, b] = ["a", "b"].map(|name| known(&fleet, name).unwrap());
    sleep(10 * MINUTE).await;
    assert_eq!(
        known(&fleet, "a"),
        Some(a.clone()),
        "what is known stays, with its time"
    );
    let later = known(&fleet, "b").unwrap();
    assert!(later.observed_at.since(b.observed_at).0 >= 540_000 && later.is_same(&b));
    assert_eq!(bed.readings(), 10, "of the other one");
    bed.clusters["a"].thaw();
    sleep(3 * MINUTE).await;
    assert!(known(&fleet, "a").unwrap().observed_at > a.observed_at);
    assert_eq!(bed.said(), [""; 0], "that it does not answer is said by others");
}

#[tokio::test(start_paused = true)]
async fn what_may_not_be_read_is_said_once_and_tried_rarely() {
    let bed = Bed::new(&["a"]).await;
    bed.forbidden.store(true, Ordering::Relaxed);
    let fleet = bed.fleet().capacity(CapacityOptions::default()).build().unwrap();
    let _running = keep_running(&fleet);
    sleep(60 * MINUTE).await;
    let readings = bed.readings();
    assert!((5..=7).contains(&readings), "each ten minutes: {readings}");
    assert_eq!(bed.said(), ["capacity-unread"]);
    let observed = bed.status.load().await.unwrap().remove("a").unwrap();
    let unread = observed.capacity_unread.unwrap();
    assert_eq!(observed.capacity, None);
    assert!(unread.why.contains("fleet cannot list them"), "{unread:?}");
    assert_eq!(fleet.observed()["a"].capacity_unread, Some(unread.clone()));

    bed.forbidden.store(false, Ordering::Relaxed);
    sleep(12 * MINUTE).await;
    assert_eq!(bed.said(), ["capacity-read"]);
    let observed = bed.status.load().await.unwrap().remove("a").unwrap();
    assert!(observed.capacity.is_some() && observed.capacity_unread.is_none());
    // And as often as others from then on.
    bed.readings();
    sleep(5 * MINUTE).await;
    assert_eq!(bed.readings(), 5);
}

#[tokio::test(start_paused = true)]
async fn a_plan_reads_once_unless_what_is_known_is_new() {
    let bed = Bed::new(&["a"]).await;
    // Each is another process, which knows what is stored.
    let plan = async || {
        let fleet = bed.fleet().capacity(CapacityOptions::default()).build().unwrap();
        fleet.plan().await.unwrap();
        known(&fleet, "a").unwrap()
    };
    let first = plan().await;
    assert_eq!((bed.readings(), first.requested.get("cpu")), (1, 500));
    sleep(Duration::from_secs(50)).await;
    assert_eq!((plan().await, bed.readings()), (first.clone(), 0));
    sleep(Duration::from_secs(11)).await;
    add_node(&bed.clusters["a"], "n2", "8").await;
    let second = plan().await;
    assert_eq!((bed.readings(), second.nodes), (1, 2));
    let running = bed.fleet().capacity(CapacityOptions::default()).build().unwrap();
    let _running = keep_running(&running);
    sleep(Duration::from_secs(30)).await;
    assert_eq!(bed.readings(), 0, "nor by who goes on after it");
    sleep(MINUTE).await;
    assert!((1..=2).contains(&bed.readings()));
    bed.forbidden.store(true, Ordering::Relaxed);
    sleep(MINUTE).await;
    let other = bed
        .fleet()
        .capacity(CapacityOptions::default().interval(Duration::from_secs(1)))
        .build()
        .unwrap();
    other.plan().await.unwrap();
    let observed = other.observed().remove("a").unwrap();
    assert!(observed.capacity.is_some() && observed.capacity_unread.is_some());
}
