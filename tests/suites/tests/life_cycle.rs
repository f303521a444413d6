//! A cluster joins, is paused, cordoned, drained, vetoed by its own people, and leaves: what is done, and what is not.

use std::{
    path::Path,
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use async_trait::async_trait;
use fleet_core::{
    Action, Cluster, ClusterId, ClusterRegistry, ContactLimits, ContactState, EngineOptions, GroupKind,
    Inventory, LifeCycle, MemoryStatus, Millis, Object, Observed, Posture, Status, StatusSink, Tick, Unknown,
    Window, confirm_restored,
};
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{Clock, Fleet, FleetBuilder, Wave};
use fleet_suites::{Bed, Settable, on_runtime};
use futures_util::future::join_all;
use k8s_openapi::api::{
    apps::v1::Deployment,
    core::v1::{ConfigMap, Namespace},
};
use kube::{
    Api, Client, ResourceExt,
    api::{DeleteParams, ListParams, PatchParams, PostParams},
};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

/// How long a fleet may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long it may take for what it must not do.
const A_WHILE: Duration = Duration::from_millis(1500);

/// A registry of one cluster that is what the test says.
#[derive(Clone)]
struct Declared(Arc<Mutex<Cluster>>);

#[async_trait]
impl ClusterRegistry for Declared {
    async fn clusters(&self) -> Result<Vec<Cluster>, Unknown> {
        Ok(vec![self.0.lock().unwrap().clone()])
    }
}

/// A cluster with a fleet that runs, and the same seen by somebody else.
struct Life {
    plane: ControlPlane,
    declared: Declared,
    source: Settable,
    fleet: Fleet,
    running: JoinHandle<()>,
    bed: Bed,
    client: Client,
}

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "registry.example.com/web:1"}]},
            },
        },
    })
}

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}})
}

fn inventory(objects: &[Value]) -> fleet_core::Snapshot {
    let objects = objects
        .iter()
        .map(|value| Object::from_json(value.clone()).unwrap());
    Inventory::with_content_revision(objects).unwrap().snapshot()
}

fn run(
    bed: &Bed,
    source: &Settable,
    declared: &Declared,
    build: impl FnOnce(FleetBuilder) -> FleetBuilder,
) -> (Fleet, JoinHandle<()>) {
    let fleet = bed
        .fleet(source.clone())
        .registry(declared.clone())
        .wave(Wave::All)
        .read_interval(Duration::from_millis(100));
    let fleet = build(fleet).build().unwrap();
    let running = fleet.clone();
    (fleet, tokio::spawn(async move { running.run().await }))
}

impl Life {
    /// A cluster at this point of its life, with a fleet that lists a map and a deployment, and runs.
    async fn begin(name: &str, change: impl FnOnce(&mut Cluster), options: EngineOptions) -> Self {
        let plane = ControlPlane::start(Options::new(name).pods(false)).expect("a cluster");
        let mut bed = Bed::new([&plane]);
        // Clusters go away in these tests, and nobody has time.
        bed.options = bed.options.retry_time(Duration::from_millis(300));
        let client = Client::try_from(bed.config(name, User::Someone).await).unwrap();
        let mut cluster = Cluster::new(name);
        change(&mut cluster);
        let declared = Declared(Arc::new(Mutex::new(cluster)));
        let source = Settable::new(inventory(&[map("a", "1"), deployment()]));
        let (fleet, running) = run(&bed, &source, &declared, |fleet| {
            fleet.options(move |_| options.clone())
        });
        Self {
            plane,
            declared,
            source,
            fleet,
            running,
            bed,
            client,
        }
    }

    /// The fleet's process ends, and another one begins.
    async fn begin_again(&mut self, build: impl FnOnce(FleetBuilder) -> FleetBuilder) {
        self.running.abort();
        let _ = (&mut self.running).await;
        (self.fleet, self.running) = run(&self.bed, &self.source, &self.declared, build);
    }

    fn declare(&self, change: impl FnOnce(&mut Cluster)) {
        change(&mut self.declared.0.lock().unwrap());
    }

    fn maps(&self) -> Api<ConfigMap> {
        Api::default_namespaced(self.client.clone())
    }

    /// The objects that are there, by kind and name.
    async fn objects(&self) -> Vec<String> {
        let deployments: Api<Deployment> = Api::default_namespaced(self.client.clone());
        let maps = self.maps().list(&ListParams::default()).await.unwrap();
        let mut found: Vec<String> = maps.items.iter().map(ResourceExt::name_any).collect();
        found.retain(|name| name != "kube-root-ca.crt");
        found.extend(
            deployments
                .list(&ListParams::default())
                .await
                .unwrap()
                .items
                .iter()
                .map(ResourceExt::name_any),
        );
        found
    }

    /// How the cluster stands once this holds.
    async fn until(&self, what: &str, holds: impl Fn(&Status) -> bool) -> Status {
        let deadline = Instant::now() + PATIENCE;
        let mut last = None;
        while Instant::now() < deadline {
            if let [one] = &self.fleet.kept()[..]
                && let Some(status) = one.driver.status().await
            {
                if status.converged && holds(&status) {
                    return status;
                }
                last = Some(status);
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{}: not {what}: {last:?}", self.plane.name());
    }

    async fn clean(&self) {
        self.until("clean", Status::is_clean).await;
    }

    /// Nothing is written, whatever would have to be.
    async fn holds_still(&self, code: &str, pending: usize) {
        self.until("on hold", |status| {
            status.on_hold.as_ref().is_some_and(|reason| reason.code == code)
                && status.pending.len() == pending
        })
        .await;
        let versions = async || {
            let maps = self.maps().list(&ListParams::default()).await.unwrap();
            let versions: Vec<_> = maps.items.iter().map(ResourceExt::resource_version).collect();
            (versions, self.objects().await)
        };
        let before = versions().await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(versions().await, before, "{}", self.plane.name());
    }

    async fn edit(&self) {
        let patch = json!({"data": {"k": "theirs"}});
        let params = PatchParams::default();
        self.maps()
            .patch("a", &params, &kube::api::Patch::Merge(&patch))
            .await
            .unwrap();
    }

    async fn value(&self) -> String {
        self.maps().get("a").await.unwrap().data.unwrap()["k"].clone()
    }
}

#[test]
fn a_cluster_joins_with_a_plan_first_and_is_served_when_it_is_ready() {
    on_runtime(async {
        let joining = |cluster: &mut Cluster| cluster.life_cycle = LifeCycle::Joining;
        let life = Life::begin("joining", joining, EngineOptions::default()).await;
        // Something of the same name is there: it shows in the report.
        let made = serde_json::from_value(map("a", "theirs")).unwrap();
        life.maps().create(&PostParams::default(), &made).await.unwrap();
        life.holds_still("joining", 1).await;
        let status = life.until("reported", |status| !status.blocked.is_empty()).await;
        assert_eq!(status.blocked.len(), 1, "{status:?}");
        life.maps().delete("a", &DeleteParams::default()).await.unwrap();
        life.declare(|cluster| cluster.life_cycle = LifeCycle::Ready);
        life.clean().await;
        assert_eq!(life.objects().await, ["a", "web"]);
    });
}

#[test]
fn a_paused_cluster_is_left_alone_drift_and_deletes_included() {
    on_runtime(async {
        let life = Life::begin("paused", |_| {}, EngineOptions::default()).await;
        life.clean().await;
        life.declare(|cluster| cluster.paused = Some("its nodes are replaced".to_owned()));
        life.until("paused", |status| status.on_hold.is_some()).await;
        life.edit().await;
        life.source.set(inventory(&[map("a", "1"), map("b", "1")]));
        life.holds_still("paused", 3).await;
        life.declare(|cluster| cluster.paused = None);
        life.clean().await;
        assert_eq!(
            (life.objects().await, life.value().await.as_str()),
            (vec!["a".into(), "b".into()], "1")
        );
    });
}

#[test]
fn a_cordoned_cluster_keeps_what_it_has_and_gets_nothing_new() {
    on_runtime(async {
        let life = Life::begin("cordoned", |_| {}, EngineOptions::default()).await;
        life.clean().await;
        life.declare(|cluster| cluster.life_cycle = LifeCycle::Cordoned);
        life.until("known to be cordoned", |status| {
            status.posture == Posture::Cordoned
        })
        .await;
        life.source
            .set(inventory(&[map("a", "2"), deployment(), map("new", "1")]));
        life.until("cordoned", |status| {
            status.blocked.values().any(|reason| reason.code == "cordoned")
        })
        .await;
        life.edit().await;
        life.until("repaired", |status| status.in_sync == 2).await;
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(
            (life.objects().await, life.value().await.as_str()),
            (vec!["a".into(), "web".into()], "2")
        );
        life.declare(|cluster| cluster.life_cycle = LifeCycle::Ready);
        life.clean().await;
        assert_eq!(life.objects().await, ["a", "new", "web"]);
    });
}

#[test]
fn a_drained_cluster_runs_nothing_and_keeps_the_rest() {
    on_runtime(async {
        let life = Life::begin("draining", |_| {}, EngineOptions::default()).await;
        life.clean().await;
        life.declare(|cluster| cluster.life_cycle = LifeCycle::Draining);
        life.until("drained", |status| status.owned == 1).await;
        assert_eq!(life.objects().await, ["a"]);
        life.edit().await;
        life.until("repaired", Status::is_clean).await;
        life.declare(|cluster| cluster.life_cycle = LifeCycle::Ready);
        life.until("served", |status| status.is_clean() && status.owned == 2)
            .await;
        assert_eq!(life.objects().await, ["a", "web"]);
    });
}

#[test]
fn a_cluster_that_leaves_keeps_its_objects_or_loses_them_as_the_policy_says() {
    for (clears, left) in [(false, vec!["a", "web"]), (true, vec![])] {
        on_runtime(async {
            let mut options = EngineOptions::default();
            options.clears = clears;
            options.permitted_kinds = [GroupKind::new("", "Namespace")].into();
            let life = Life::begin(if clears { "cleared" } else { "orphaned" }, |_| {}, options).await;
            life.clean().await;
            let uid = life.maps().get("a").await.unwrap().uid();
            life.declare(|cluster| cluster.life_cycle = LifeCycle::Leaving);
            life.until("left", |status| status.owned == 0).await;
            assert_eq!(life.objects().await, left);
            if !clears {
                let map = life.maps().get("a").await.unwrap();
                assert_eq!(map.uid(), uid);
                assert!(!map.labels().contains_key("fleet.internal/owner"));
                assert!(!map.annotations().contains_key("fleet.internal/object"));
            }
        });
    }
}

#[test]
fn a_veto_inside_the_cluster_stops_every_write_and_no_setting_overrides_it() {
    on_runtime(async {
        let life = Life::begin("vetoed", |_| {}, EngineOptions::default()).await;
        life.clean().await;
        let vetoes: Api<ConfigMap> = Api::namespaced(life.client.clone(), "fleet-system");
        let veto = json!({
            "metadata": {"name": "no-changes", "labels": {"fleet.internal/veto": ""}},
            "data": {"reason": "end of the quarter"},
        });
        vetoes
            .create(&PostParams::default(), &serde_json::from_value(veto).unwrap())
            .await
            .unwrap();
        let status = life.until("vetoed", |status| status.on_hold.is_some()).await;
        assert!(
            status
                .on_hold
                .unwrap()
                .message
                .contains("no-changes): end of the quarter")
        );
        life.edit().await;
        life.source.set(inventory(&[map("a", "1"), map("b", "1")]));
        life.holds_still("veto", 3).await;
        // Nothing that the fleet says of the cluster helps.
        life.declare(|cluster| {
            cluster.labels.insert("urgent".to_owned(), "yes".to_owned());
        });
        life.holds_still("veto", 3).await;
        vetoes
            .delete("no-changes", &DeleteParams::default())
            .await
            .unwrap();
        life.clean().await;
        assert_eq!(
            (life.objects().await, life.value().await.as_str()),
            (vec!["a".into(), "b".into()], "1")
        );
    });
}

#[test]
fn outside_its_windows_a_cluster_is_planned_and_not_written_to() {
    on_runtime(async {
        // 2026-11-30 is a Monday, and 22:00 in Berlin is this.
        let opens = Tick(1_796_072_400_000);
        let closes = Tick(opens.0 + 6 * 3_600_000);
        let before = |tick: Tick, millis: u64| Clock::at(Tick(tick.0 - millis));
        let nights = |cluster: &mut Cluster| {
            let window = Window::new("22:00", "04:00").on(["mon"]).zone("Europe/Berlin");
            cluster.maintenance.windows.push(window);
            // Until the test has set its clock.
            cluster.paused = Some("not yet".to_owned());
        };
        let mut life = Life::begin("windows", nights, EngineOptions::default()).await;
        life.declare(|cluster| cluster.paused = None);
        life.begin_again(|fleet| fleet.clock(before(opens, 5000))).await;
        life.holds_still("maintenance-window", 2).await;
        assert_eq!(life.objects().await, [""; 0]);
        let status = life.until("planned", |status| status.on_hold.is_some()).await;
        let reason = status.on_hold.unwrap();
        assert_eq!(reason.facts["opens"], "2026-11-30T21:00:00Z");
        life.clean().await;
        assert_eq!(life.objects().await, ["a", "web"]);
        life.begin_again(|fleet| fleet.clock(before(closes, 2500))).await;
        life.edit().await;
        while life.value().await != "1" {
            let kept = life.fleet.kept();
            assert!(
                kept.iter().all(|one| !one.driver.progress().on_hold),
                "closed before the repair"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        life.until("closed", |status| status.on_hold.is_some()).await;
        life.edit().await;
        life.source.set(inventory(&[map("a", "1"), map("b", "1")]));
        // A repair, a create and a delete.
        life.holds_still("maintenance-window", 3).await;
        assert_eq!(
            (life.objects().await, life.value().await.as_str()),
            (vec!["a".into(), "web".into()], "theirs")
        );
    });
}

/// What is stored of the cluster, once this holds.
async fn until_stored(sink: &MemoryStatus, name: &str, holds: impl Fn(&Observed) -> bool) -> Observed {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let stored = sink.load().await.unwrap().remove(name);
        if let Some(observed) = stored.filter(&holds) {
            return observed;
        }
        assert!(Instant::now() < deadline, "{name}: {:?}", sink.load().await);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[test]
fn a_cluster_that_is_lost_says_since_when_also_to_the_next_process_and_keeps_what_it_has() {
    on_runtime(async {
        let sink = MemoryStatus::default();
        let mut limits = ContactLimits::default();
        (limits.degraded_after, limits.steady_for) = (Millis(100), Millis(300));
        (limits.unreachable_after, limits.lost_after) = (Millis(200), Millis(400));
        let watched = |fleet: FleetBuilder| fleet.status(sink.clone()).contact(limits);
        let is = |state: ContactState| {
            move |observed: &Observed| observed.contact.is_some_and(|contact| contact.state == state)
        };
        let mut life = Life::begin("lost", |_| {}, EngineOptions::default()).await;
        life.begin_again(watched).await;
        life.clean().await;
        until_stored(&sink, "lost", is(ContactState::Online)).await;
        let before = life.maps().list(&ListParams::default()).await.unwrap().items;
        life.plane.kill().unwrap();
        let lost = until_stored(&sink, "lost", is(ContactState::Lost)).await;
        life.begin_again(watched).await;
        tokio::time::sleep(A_WHILE).await;
        let still = until_stored(&sink, "lost", is(ContactState::Lost)).await;
        assert_eq!(still.contact.unwrap().since, lost.contact.unwrap().since);
        let outcome = life.fleet.plan().await.unwrap().remove(0);
        assert_eq!(outcome.failure.unwrap().code, "unreachable");
        assert_eq!(outcome.contact.unwrap().since, lost.contact.unwrap().since);
        life.plane.restart().unwrap();
        let back = until_stored(&sink, "lost", is(ContactState::Online)).await;
        assert!(back.contact.unwrap().since > lost.contact.unwrap().since);
        assert_eq!((back.contact.unwrap().silent_since, back.id), (None, lost.id));
        life.clean().await;
        let after = life.maps().list(&ListParams::default()).await.unwrap().items;
        assert_eq!(after, before, "nothing was written");
    });
}

#[test]
fn another_cluster_under_a_known_name_is_left_alone_until_somebody_says_that_it_is_meant() {
    on_runtime(async {
        let sink = MemoryStatus::default();
        let mut life = Life::begin("renewed", |_| {}, EngineOptions::default()).await;
        life.begin_again(|fleet| fleet.status(sink.clone())).await;
        life.clean().await;
        let known = until_stored(&sink, "renewed", |observed| observed.id.is_some()).await;
        // Made anew under the same name and address, with something in it that the inventory does not list.
        life.plane.kill().unwrap();
        std::fs::remove_dir_all(life.plane.data_dir().join("etcd")).unwrap();
        life.plane.restart().unwrap();
        let made = serde_json::from_value(map("theirs", "1")).unwrap();
        life.maps().create(&PostParams::default(), &made).await.unwrap();
        // The process that runs writes nothing, however much there is to do, and the next one does not even begin.
        life.source
            .set(inventory(&[map("a", "2"), map("b", "1"), deployment()]));
        tokio::time::sleep(2 * A_WHILE).await;
        assert_eq!(life.objects().await, ["theirs"]);
        life.begin_again(|fleet| fleet.status(sink.clone())).await;
        let outcome = life.fleet.plan().await.unwrap().remove(0);
        let reason = outcome.failure.unwrap();
        assert_eq!(reason.code, "another-cluster");
        tokio::time::sleep(A_WHILE).await;
        assert_eq!(life.objects().await, ["theirs"]);
        assert!(life.fleet.kept().is_empty(), "no driver runs");
        let namespaces: Api<Namespace> = Api::all(life.client.clone());
        assert!(
            namespaces.get_opt("fleet-system").await.unwrap().is_none(),
            "no ledger either"
        );
        assert_eq!(until_stored(&sink, "renewed", |_| true).await.id, known.id);
        let uid = namespaces.get("kube-system").await.unwrap().uid().unwrap();
        assert!(reason.message.contains(&format!("`uid: {uid}`")), "{reason}");
        life.declare(|cluster| cluster.expected_id = Some(ClusterId::from(uid.as_str())));
        life.clean().await;
        assert_eq!(life.objects().await, ["a", "b", "theirs", "web"]);
        until_stored(&sink, "renewed", |observed| {
            observed.id == Some(ClusterId::from(uid.as_str()))
        })
        .await;
    });
}

/// All files of the first folder, and only those, in the second.
fn copy(from: &Path, to: &Path) {
    let _ = std::fs::remove_dir_all(to);
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let copied = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &copied);
        } else {
            std::fs::copy(&path, copied).unwrap();
        }
    }
}

#[test]
fn a_cluster_restored_from_a_backup_is_not_written_to_until_somebody_confirms_it() {
    on_runtime(async {
        let sink = MemoryStatus::default();
        let mut life = Life::begin("restored", |_| {}, EngineOptions::default()).await;
        life.begin_again(|fleet| fleet.status(sink.clone())).await;
        life.source.set(inventory(&[map("a", "1"), map("old", "1")]));
        life.until("at the backup", |status| status.is_clean() && status.owned == 2)
            .await;
        let backup = tempfile::tempdir().unwrap();
        let data = life.plane.data_dir().join("etcd");
        life.plane.kill().unwrap();
        copy(&data, backup.path());
        life.plane.restart().unwrap();
        // Much happens after the backup, and then one is changed, one deleted, and one made.
        let theirs =
            (0..300).map(|number| serde_json::from_value(map(&format!("theirs-{number}"), "1")).unwrap());
        let (maps, params) = (life.maps(), PostParams::default());
        let made: Vec<ConfigMap> = theirs.collect();
        join_all(made.iter().map(|map| maps.create(&params, map))).await;
        maps.delete_collection(
            &DeleteParams::default(),
            &ListParams::default().labels("!fleet.internal/owner"),
        )
        .await
        .unwrap();
        life.source.set(inventory(&[map("a", "2"), map("new", "1")]));
        while life.objects().await != ["a", "new"] || life.value().await != "2" {
            life.until("changed", Status::is_clean).await;
        }
        life.plane.kill().unwrap();
        copy(backup.path(), &data);
        life.plane.restart().unwrap();
        // The process that runs notices; so does the next one, and it goes on asking.
        for process in ["the same", "the next"] {
            life.holds_still("restored-backup", 3).await;
            assert_eq!(
                (life.objects().await, life.value().await.as_str()),
                (vec!["a".into(), "old".into()], "1"),
                "{process}"
            );
            let observed = until_stored(&sink, "restored", |observed| observed.restored.is_some()).await;
            let restored = observed.restored.unwrap();
            assert!(restored.to < restored.from && !restored.confirmed, "{restored:?}");
            life.begin_again(|fleet| fleet.status(sink.clone())).await;
        }
        let outcome = life.fleet.plan().await.unwrap().remove(0);
        let plan = outcome.plan.unwrap();
        let planned = [Action::Create, Action::Update, Action::Delete].map(|action| plan.count(action));
        assert_eq!(planned, [1, 1, 1], "what would be done is shown: {plan:?}");
        confirm_restored(&sink, "restored")
            .await
            .unwrap()
            .expect("something to confirm");
        life.clean().await;
        assert_eq!(
            (life.objects().await, life.value().await.as_str()),
            (vec!["a".into(), "new".into()], "2")
        );
        until_stored(&sink, "restored", |observed| observed.restored.is_none()).await;
    });
}
