//! Rules that must always hold, on clusters of both kinds: each holds, and is seen to be broken without its guard. Rule 2 and
//! the preconditions of rule 3 are shown by the kill test, rules 9 and 10 by `race` and `freeze`, the rest in memory.

use std::{
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use fleet_core::{
    DeleteBudget, EngineOptions, GroupKind, Inventory, Object, Parts, Snapshot, Switches, Unknown, Work,
};
use fleet_harness::{AuditEvent, AuditMark, Cluster, Kind, Need, Options};
use fleet_kube::{Fleet, Wave};
use fleet_sim::{Admission, Review};
use fleet_suites::{Bed, Hand, LastMoment, Settable, clean, on_both_kinds};
use serde_json::{Value, json};
use tokio::{task::JoinHandle, time::Instant};

on_both_kinds! {
    rule_01_an_unknown_inventory_changes_nothing: [];
    rule_03_many_deletes_stop_at_the_budget: [];
    rule_04_a_namespace_that_holds_something_of_others_stays: [];
    rule_05_another_api_version_is_the_same_object: [];
    rule_07_nothing_is_written_when_nothing_would_change: [Audit];
    rule_07_what_admission_overwrites_is_not_written_again: [Audit];
    rule_08_a_change_is_written_only_on_what_it_was_judged_on: [Audit];
    rule_12_nothing_is_forced_on_what_is_not_ours: [];
    rule_14_two_writers_are_not_fought_over: [];
    rule_15_values_of_secrets_are_not_told: [];
}

/// All labs on real servers share one.
static REAL: LazyLock<Cluster> = LazyLock::new(|| Cluster::start(Kind::Real, options()).expect("a cluster"));

fn options() -> Options {
    let can_note = Kind::Real.hindrance(&[Need::Audit]).expect("known").is_none();
    Options::new("rules")
        .controllers(false)
        .pods(false)
        .audit(can_note)
}

fn cluster(kind: Kind) -> Cluster {
    match kind {
        Kind::Real => REAL.clone(),
        Kind::InProcess => Cluster::start(kind, options()).expect("a cluster"),
    }
}

static COUNT: AtomicUsize = AtomicUsize::new(0);

/// How long a reconciler may take for what it must not do.
const A_WHILE: Duration = Duration::from_millis(2500);

/// What a check answers: an error says what it saw.
type Check = Result<(), String>;

/// The check passes with all guards, and fails without this one. Both run at the same time: mostly they wait.
async fn guarded(kind: Kind, check: impl AsyncFn(Lab) -> Check, off: Switches) {
    let cluster = cluster(kind);
    let lab = |switches| Lab::new(&cluster, switches);
    let (with, without) = tokio::join!(check(lab(Switches::default())), check(lab(off)));
    if let Err(why) = with {
        panic!("with all guards: {why}");
    }
    assert!(
        without.is_err(),
        "the check does not notice that its guard is off"
    );
}

/// A namespace and an inventory of their own on the shared cluster.
struct Lab {
    cluster: Cluster,
    somebody: Hand,
    name: String,
    options: EngineOptions,
    parts: Parts,
}

/// A fleet that runs until it is dropped.
struct Running {
    fleet: Fleet,
    source: Settable,
    task: JoinHandle<()>,
}

impl Drop for Running {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl Running {
    async fn clean(&self, revision: &str) {
        clean(&self.fleet, &["rules"], Some(revision)).await;
    }
}

impl Lab {
    fn new(cluster: &Cluster, switches: Switches) -> Self {
        let mut options = EngineOptions::default();
        options.switches = switches;
        options.budget = DeleteBudget::unlimited();
        let name = format!("lab-{}", COUNT.fetch_add(1, Ordering::Relaxed));
        Self {
            somebody: Hand::new(cluster, &*name),
            cluster: cluster.clone(),
            name,
            options,
            parts: Parts::default(),
        }
    }

    /// Namespace and these objects in it.
    fn inventory(&self, revision: &str, objects: impl IntoIterator<Item = Value>) -> Snapshot {
        let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.name}});
        let inside = objects.into_iter().map(|mut object| {
            object["metadata"]["namespace"] = json!(self.name);
            object
        });
        let all = std::iter::once(namespace).chain(inside);
        Inventory::new(revision, all.map(|value| Object::from_json(value).unwrap()))
            .unwrap()
            .snapshot()
    }

    /// Runs a fleet on this inventory, and waits until everything is as it says.
    async fn run(&self, revision: &str, objects: impl IntoIterator<Item = Value>) -> Running {
        let running = self.start(revision, objects);
        running.clean(revision).await;
        running
    }

    /// Runs a fleet on this inventory.
    fn start(&self, revision: &str, objects: impl IntoIterator<Item = Value>) -> Running {
        let source = Settable::new(self.inventory(revision, objects));
        let options = self.options.clone();
        let mut bed = Bed::new([&self.cluster]);
        // Without its guard one writes as fast as it may, and the time of in-process clusters waits for that.
        bed.options = bed.options.rate(100, 100);
        let fleet = bed
            .fleet_of(&self.name, source.clone())
            .options(move |_| options.clone())
            .parts(self.parts.clone())
            .budget(DeleteBudget::unlimited())
            .wave(Wave::All)
            .read_interval(Duration::from_millis(100))
            .build()
            .unwrap();
        let keeper = fleet.clone();
        let task = tokio::spawn(async move { keeper.run().await });
        Running { fleet, source, task }
    }

    fn get(&self, name: &str) -> Result<Value, String> {
        self.somebody.get("configmaps", name)
    }

    fn patch(&self, name: &str, value: &str) -> Check {
        let patch = json!({"data": {"k": value}});
        self.somebody.patch("configmaps", name, &patch).map(drop)
    }

    /// Successful writes of an object by the reconciler since a mark.
    fn writes(&self, since: AuditMark) -> usize {
        let events = self.cluster.audit_since(since).unwrap();
        let ours = |e: &&AuditEvent| e.user == "fleet" && e.namespace == self.name;
        events
            .iter()
            .filter(ours)
            .filter(|e| e.is_write() && e.code < 300)
            .count()
    }
}

fn expect(found: usize, wanted: usize, what: &str) -> Check {
    if found == wanted {
        Ok(())
    } else {
        Err(format!("{found} {what}, not {wanted}"))
    }
}

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": {"k": value}})
}

/// What a reconciler must not do, it has not done after a while.
async fn a_while() {
    tokio::time::sleep(A_WHILE).await;
}

/// Waits until something is so.
async fn until(what: impl Fn() -> bool) -> Check {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !what() {
        if Instant::now() > deadline {
            return Err("it did not happen".to_owned());
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

async fn rule_01_an_unknown_inventory_changes_nothing(kind: Kind) {
    guarded(
        kind,
        async |lab: Lab| {
            let running = lab.run("1", [map("a", "1")]).await;
            running
                .source
                .set(Err(Unknown::because("the repository is away")));
            a_while().await;
            lab.get("a").map(drop)
        },
        Switches::default().without_unknown(),
    )
    .await;
}

async fn rule_03_many_deletes_stop_at_the_budget(kind: Kind) {
    guarded(
        kind,
        async |mut lab: Lab| {
            lab.options.budget = DeleteBudget::default();
            let running = lab.run("1", (0..30).map(|i| map(&format!("m-{i}"), "1"))).await;
            running.source.set(lab.inventory("2", [map("m-0", "1")]));
            a_while().await;
            lab.get("m-29").map(drop)
        },
        Switches::default().without_budgets(),
    )
    .await;
}

async fn rule_04_a_namespace_that_holds_something_of_others_stays(kind: Kind) {
    guarded(
        kind,
        async |mut lab: Lab| {
            lab.options
                .permitted_kinds
                .insert(GroupKind::new("", "Namespace"));
            let inner = format!("{}-inner", lab.name);
            let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": inner}});
            let both = |revision, objects: Vec<Value>| {
                let objects = objects.into_iter().map(|value| Object::from_json(value).unwrap());
                Inventory::new(revision, objects).unwrap().snapshot()
            };
            let stays = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": lab.name}});
            let running = lab.run("1", []).await;
            running.source.set(both("2", vec![stays.clone(), namespace]));
            running.clean("2").await;
            let inside = Hand::new(&lab.cluster, &*inner);
            inside.create("configmaps", &map("theirs", "1"))?;
            running.source.set(both("3", vec![stays]));
            a_while().await;
            let found = Hand::new(&lab.cluster, "").get("namespaces", &inner)?;
            match &found["metadata"]["deletionTimestamp"] {
                Value::Null => Ok(()),
                at => Err(format!("it is being deleted since {at}")),
            }
        },
        Switches::default().without_containers(),
    )
    .await;
}

async fn rule_05_another_api_version_is_the_same_object(kind: Kind) {
    guarded(
        kind,
        async |lab: Lab| {
            let scaler = |version: &str| {
                json!({"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": {
                    "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
            };
            let running = lab.run("1", [scaler("autoscaling/v1")]).await;
            let before = lab.somebody.get("autoscaling/v2/horizontalpodautoscalers", "h")?["metadata"]["uid"].clone();
            running.source.set(lab.inventory("2", [scaler("autoscaling/v2")]));
            a_while().await;
            let after = lab.somebody.get("autoscaling/v2/horizontalpodautoscalers", "h")?["metadata"]["uid"].clone();
            if before == after {
                Ok(())
            } else {
                Err(format!("{before} became {after}"))
            }
        },
        Switches::default().without_version_free_identity(),
    )
    .await;
}

async fn rule_07_nothing_is_written_when_nothing_would_change(kind: Kind) {
    guarded(
        kind,
        async |lab: Lab| {
            let running = lab.start("1", [map("a", "1"), map("b", "1")]);
            until(|| lab.get("b").is_ok()).await?;
            a_while().await;
            let mark = lab.cluster.audit_mark().unwrap();
            running
                .source
                .set(lab.inventory("2", [map("a", "1"), map("b", "1")]));
            for one in running.fleet.kept() {
                one.driver.replan().await;
            }
            a_while().await;
            match lab.writes(mark) {
                0 => Ok(()),
                count => Err(format!("{count} writes")),
            }
        },
        Switches::default().without_nothing_without_change(),
    )
    .await;
}

/// Sets `data.k` of the config maps of a namespace, whatever was written.
fn overwriting(namespace: &str) -> [(&'static str, Value); 2] {
    let policy = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": namespace},
        "spec": {
            "matchConstraints": {
                "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
                "resourceRules": [{"apiGroups": [""], "apiVersions": ["v1"], "resources": ["configmaps"],
                    "operations": ["CREATE", "UPDATE"]}],
            },
            "failurePolicy": "Fail", "reinvocationPolicy": "Never",
            "mutations": [{"patchType": "ApplyConfiguration",
                "applyConfiguration": {"expression": "Object{data: {\"k\": \"theirs\"}}"}}],
        },
    });
    let binding = json!({
        "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": namespace}, "spec": {"policyName": namespace},
    });
    [
        ("mutatingadmissionpolicies", policy),
        ("mutatingadmissionpolicybindings", binding),
    ]
}

async fn rule_07_what_admission_overwrites_is_not_written_again(kind: Kind) {
    let of = |value: &str, other: &str| {
        let mut map = map("a", value);
        map["data"]["other"] = json!(other);
        map
    };
    let check = async |lab: Lab| -> Check {
        let running = lab.run("1", []).await;
        let admission = "/apis/admissionregistration.k8s.io/v1/";
        for (plural, object) in overwriting(&lab.name) {
            lab.somebody
                .apply_cluster_wide(&format!("{admission}{plural}"), &object)?;
        }
        if let Some(simulated) = lab.cluster.simulated() {
            // In-process servers read no policies.
            let namespace = lab.name.clone();
            let overwrite = move |review: &Review<'_>| match review.object {
                Some(object) if review.resource == "configmaps" && review.namespace == Some(&*namespace) => {
                    let mut object = object.clone();
                    object["data"]["k"] = json!("theirs");
                    Admission::Change(object)
                }
                _ => Admission::Allow,
            };
            simulated.with(|server, _| server.set_admission(&*lab.name, overwrite));
        }
        let is_overwritten = || {
            let made = lab.somebody.create_dry("configmaps", &map("probe", "ours"));
            made.is_ok_and(|made| made["data"]["k"] == "theirs")
        };
        until(is_overwritten).await?;
        // The reconciler looks at admission when it connects, and then now and again.
        drop(running);

        let running = lab.run("2", [of("ours", "1")]).await;
        let live = lab.get("a")?;
        if live["data"] != json!({"k": "theirs", "other": "1"}) {
            return Err(format!("it was made as {}", live["data"]));
        }
        let mark = lab.cluster.audit_mark().unwrap();
        for one in running.fleet.kept() {
            one.driver.replan().await;
        }
        a_while().await;
        expect(lab.writes(mark), 0, "writes when nothing has changed")?;

        // Another field is ours, and one write changes it.
        let mark = lab.cluster.audit_mark().unwrap();
        running.source.set(lab.inventory("3", [of("ours", "2")]));
        running.clean("3").await;
        a_while().await;
        expect(lab.writes(mark), 1, "writes of one change")?;
        let status = running.fleet.kept()[0].driver.status().await.unwrap();
        expect(status.contested.len(), 0, "contested objects")?;
        drop(running);

        // A new process asks at most once about the object, and writes nothing.
        let mark = lab.cluster.audit_mark().unwrap();
        let running = lab.run("3", [of("ours", "2")]).await;
        a_while().await;
        expect(lab.writes(mark), 0, "writes of a new process")?;
        let asked = running.fleet.kept()[0]
            .driver
            .status()
            .await
            .unwrap()
            .judgements
            .asked;
        expect(
            usize::try_from(asked).unwrap(),
            1,
            "objects that the server was asked about",
        )
    };
    check(Lab::new(&cluster(kind), Switches::default()))
        .await
        .unwrap();
}

async fn rule_08_a_change_is_written_only_on_what_it_was_judged_on(kind: Kind) {
    guarded(
        kind,
        async |mut lab: Lab| {
            // Somebody undoes the drift after it was judged, before our write.
            let undo = LastMoment::before(|work| matches!(work, Work::Update { .. }));
            lab.parts = Parts::default().strategy(undo.clone());
            let _running = lab.run("1", [map("a", "1")]).await;
            let somebody = lab.somebody.clone();
            undo.set(move || {
                let back = json!({"data": {"k": "1"}});
                somebody.patch("configmaps", "a", &back).unwrap();
            });
            let mark = lab.cluster.audit_mark().unwrap();
            lab.patch("a", "drift")?;
            until(|| undo.is_over()).await?;
            a_while().await;
            let events = lab.cluster.audit_since(mark).unwrap();
            let ours = |e: &&AuditEvent| e.user == "fleet" && e.namespace == lab.name && e.is_write();
            match events.iter().find(ours).map(|event| event.code) {
                Some(409) => Ok(()),
                other => Err(format!(
                    "the first write was answered by {other:?}, and somebody had put it right"
                )),
            }
        },
        Switches::default().without_judge_again(),
    )
    .await;
}

async fn rule_12_nothing_is_forced_on_what_is_not_ours(kind: Kind) {
    guarded(
        kind,
        async |lab: Lab| {
            let running = lab.run("1", []).await;
            lab.somebody.create("configmaps", &map("a", "theirs"))?;
            running.source.set(lab.inventory("2", [map("a", "ours")]));
            a_while().await;
            match &lab.get("a")?["data"]["k"] {
                value if value == "theirs" => Ok(()),
                value => Err(format!("it became {value}")),
            }
        },
        Switches::default().without_force_only_ours(),
    )
    .await;
}

async fn rule_14_two_writers_are_not_fought_over(kind: Kind) {
    guarded(
        kind,
        async |lab: Lab| {
            let running = lab.run("1", [map("a", "1")]).await;
            for turn in 0..5 {
                lab.patch("a", "theirs")?;
                let repaired = || lab.get("a").is_ok_and(|live| live["data"]["k"] == "1");
                let deadline = Instant::now() + Duration::from_millis(if turn < 3 { 5000 } else { 1500 });
                while !repaired() && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            let status = running.fleet.kept()[0].driver.status().await.unwrap();
            let live = lab.get("a")?;
            if live["data"]["k"] == "theirs" && !status.contested.is_empty() {
                Ok(())
            } else {
                Err(format!("{} and {:?}", live["data"], status.contested))
            }
        },
        Switches::default().without_contest(),
    )
    .await;
}

async fn rule_15_values_of_secrets_are_not_told(kind: Kind) {
    guarded(
        kind,
        async |lab: Lab| {
            let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": value}});
            drop(lab.run("1", [secret("hunter2")]).await);
            let options = lab.options.clone();
            let fleet = Bed::new([&lab.cluster])
                .fleet_of(&lab.name, Settable::new(lab.inventory("2", [secret("hunter3")])))
                .options(move |_| options.clone())
                .build()
                .unwrap();
            let plan = serde_json::to_string(&fleet.plan().await.unwrap()).unwrap();
            if !plan.contains("\"update\"") {
                return Err(format!("no update is planned: {plan}"));
            }
            match ["hunter", "aHVudGVyM"].iter().find(|value| plan.contains(*value)) {
                None => Ok(()),
                Some(value) => Err(format!("the plan tells {value}")),
            }
        },
        Switches::default().without_mask(),
    )
    .await;
}
