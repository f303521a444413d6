//! Rules that must always hold, on a real API server: each holds, and is seen to be broken without its guard. Rule 2 and
//! the preconditions of rule 3 are shown by the kill test, rules 9 and 10 by `race` and `freeze`, the rest in memory.

use std::{
    io::Write,
    process::Stdio,
    sync::{
        LazyLock,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use fleet_core::{
    DeleteBudget, EngineOptions, GroupKind, Inventory, Object, Parts, Snapshot, Switches, Unknown, Work,
};
use fleet_harness::{ControlPlane, Options, User};
use fleet_kube::{Fleet, Wave};
use fleet_suites::{Bed, LastMoment, Settable, clean, on_runtime};
use serde_json::{Value, json};
use tokio::task::JoinHandle;

static PLANE: LazyLock<ControlPlane> =
    LazyLock::new(|| ControlPlane::start(Options::new("rules").audit(true)).expect("a cluster"));
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// How long a reconciler may take for what it must not do.
const A_WHILE: Duration = Duration::from_millis(2500);

/// What a check answers: an error says what it saw.
type Check = Result<(), String>;

/// The check passes with all guards, and fails without this one. Both run at the same time: mostly they wait.
fn guarded(check: impl AsyncFn(Lab) -> Check, off: Switches) {
    on_runtime(async {
        let (with, without) = tokio::join!(check(Lab::new(Switches::default())), check(Lab::new(off)));
        if let Err(why) = with {
            panic!("with all guards: {why}");
        }
        assert!(
            without.is_err(),
            "the check does not notice that its guard is off"
        );
    });
}

/// A namespace and an inventory of their own on the shared cluster.
struct Lab {
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
    fn new(switches: Switches) -> Self {
        let mut options = EngineOptions::default();
        options.switches = switches;
        options.budget = DeleteBudget::unlimited();
        Self {
            name: format!("lab-{}", COUNT.fetch_add(1, Ordering::Relaxed)),
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
        let fleet = Bed::new([&*PLANE])
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

    /// Somebody else's kubectl in this namespace.
    fn kubectl(&self, words: &[&str]) -> Result<String, String> {
        kubectl_in(&self.name, words)
    }

    fn get(&self, kind: &str, name: &str) -> Result<Value, String> {
        let text = self.kubectl(&["get", kind, name, "-o", "json"])?;
        serde_json::from_str(&text).map_err(|error| error.to_string())
    }

    /// Successful writes of an object by the reconciler since a mark.
    fn writes(&self, since: fleet_harness::AuditMark) -> usize {
        let events = PLANE.audit_since(since).unwrap();
        let ours = |e: &&fleet_harness::AuditEvent| e.user == "fleet" && e.namespace == self.name;
        events
            .iter()
            .filter(ours)
            .filter(|e| e.is_write() && e.code < 300)
            .count()
    }
}

fn kubectl_in(namespace: &str, words: &[&str]) -> Result<String, String> {
    let output = PLANE
        .kubectl_as(User::Someone)
        .unwrap()
        .args(["--namespace", namespace])
        .args(words)
        .output()
        .unwrap();
    if output.status.success() {
        Ok(String::from_utf8(output.stdout).unwrap())
    } else {
        Err(String::from_utf8_lossy(&output.stderr).into_owned())
    }
}

/// Applies something that is in no namespace.
fn apply(object: &Value) -> Check {
    let mut kubectl = PLANE.kubectl_as(User::Admin).unwrap();
    kubectl
        .args(["apply", "-f", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null());
    let mut running = kubectl.spawn().map_err(|error| error.to_string())?;
    let written = running
        .stdin
        .take()
        .map(|mut stdin| stdin.write_all(object.to_string().as_bytes()));
    match (written, running.wait()) {
        (Some(Ok(())), Ok(status)) if status.success() => Ok(()),
        outcome => Err(format!("kubectl apply: {outcome:?}")),
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

#[test]
fn rule_01_an_unknown_inventory_changes_nothing() {
    guarded(
        async |lab: Lab| {
            let running = lab.run("1", [map("a", "1")]).await;
            running
                .source
                .set(Err(Unknown::because("the repository is away")));
            a_while().await;
            lab.get("configmap", "a").map(drop)
        },
        Switches::default().without_unknown(),
    );
}

#[test]
fn rule_03_many_deletes_stop_at_the_budget() {
    guarded(
        async |mut lab: Lab| {
            lab.options.budget = DeleteBudget::default();
            let running = lab.run("1", (0..30).map(|i| map(&format!("m-{i}"), "1"))).await;
            running.source.set(lab.inventory("2", [map("m-0", "1")]));
            a_while().await;
            lab.get("configmap", "m-29").map(drop)
        },
        Switches::default().without_budgets(),
    );
}

#[test]
fn rule_04_a_namespace_that_holds_something_of_others_stays() {
    guarded(
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
            kubectl_in(&inner, &["create", "configmap", "theirs"])?;
            running.source.set(both("3", vec![stays]));
            a_while().await;
            let found: Value =
                serde_json::from_str(&kubectl_in(&inner, &["get", "namespace", &inner, "-o", "json"])?)
                    .unwrap();
            match &found["metadata"]["deletionTimestamp"] {
                Value::Null => Ok(()),
                at => Err(format!("it is being deleted since {at}")),
            }
        },
        Switches::default().without_containers(),
    );
}

#[test]
fn rule_05_another_api_version_is_the_same_object() {
    guarded(
        async |lab: Lab| {
            let scaler = |version: &str| {
                json!({"apiVersion": version, "kind": "HorizontalPodAutoscaler", "metadata": {"name": "h"}, "spec": {
                    "maxReplicas": 3, "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}}})
            };
            let running = lab.run("1", [scaler("autoscaling/v1")]).await;
            let before = lab.get("hpa", "h")?["metadata"]["uid"].clone();
            running.source.set(lab.inventory("2", [scaler("autoscaling/v2")]));
            a_while().await;
            let after = lab.get("hpa", "h")?["metadata"]["uid"].clone();
            if before == after {
                Ok(())
            } else {
                Err(format!("{before} became {after}"))
            }
        },
        Switches::default().without_version_free_identity(),
    );
}

#[test]
fn rule_07_nothing_is_written_when_nothing_would_change() {
    guarded(
        async |lab: Lab| {
            let running = lab.start("1", [map("a", "1"), map("b", "1")]);
            until(|| lab.get("configmap", "b").is_ok()).await?;
            a_while().await;
            let mark = PLANE.audit_mark().unwrap();
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
    );
}

/// Sets `data.k` of the config maps of a namespace, whatever was written.
fn overwriting(namespace: &str) -> [Value; 2] {
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
    [policy, binding]
}

#[test]
fn rule_07_what_admission_overwrites_is_not_written_again() {
    let of = |value: &str, other: &str| {
        let mut map = map("a", value);
        map["data"]["other"] = json!(other);
        map
    };
    let check = async |lab: Lab| -> Check {
        let running = lab.run("1", []).await;
        for object in overwriting(&lab.name) {
            apply(&object)?;
        }
        let words = [
            "create",
            "configmap",
            "probe",
            "--from-literal=k=ours",
            "--dry-run=server",
            "-o",
            "json",
        ];
        until(|| lab.kubectl(&words).is_ok_and(|answer| answer.contains("theirs"))).await?;
        // The reconciler looks at admission when it connects, and then now and again.
        drop(running);

        let running = lab.run("2", [of("ours", "1")]).await;
        let live = lab.get("configmap", "a")?;
        if live["data"] != json!({"k": "theirs", "other": "1"}) {
            return Err(format!("it was made as {}", live["data"]));
        }
        let mark = PLANE.audit_mark().unwrap();
        for one in running.fleet.kept() {
            one.driver.replan().await;
        }
        a_while().await;
        expect(lab.writes(mark), 0, "writes when nothing has changed")?;

        // Another field is ours, and one write changes it.
        let mark = PLANE.audit_mark().unwrap();
        running.source.set(lab.inventory("3", [of("ours", "2")]));
        running.clean("3").await;
        a_while().await;
        expect(lab.writes(mark), 1, "writes of one change")?;
        let status = running.fleet.kept()[0].driver.status().await.unwrap();
        expect(status.contested.len(), 0, "contested objects")?;
        drop(running);

        // A new process asks at most once about the object, and writes nothing.
        let mark = PLANE.audit_mark().unwrap();
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
    on_runtime(async { check(Lab::new(Switches::default())).await }).unwrap();
}

#[test]
fn rule_08_a_change_is_written_only_on_what_it_was_judged_on() {
    guarded(
        async |mut lab: Lab| {
            // Somebody undoes the drift after it was judged, before our write.
            let undo = LastMoment::before(|work| matches!(work, Work::Update { .. }));
            lab.parts = Parts::default().strategy(undo.clone());
            let _running = lab.run("1", [map("a", "1")]).await;
            let namespace = lab.name.clone();
            let patch = |value: &str| format!(r#"{{"data":{{"k":"{value}"}}}}"#);
            let back = patch("1");
            undo.set(move || {
                kubectl_in(&namespace, &["patch", "configmap", "a", "-p", &back]).unwrap();
            });
            let mark = PLANE.audit_mark().unwrap();
            lab.kubectl(&["patch", "configmap", "a", "-p", &patch("drift")])?;
            until(|| undo.is_over()).await?;
            a_while().await;
            let events = PLANE.audit_since(mark).unwrap();
            let ours =
                |e: &&fleet_harness::AuditEvent| e.user == "fleet" && e.namespace == lab.name && e.is_write();
            match events.iter().find(ours).map(|event| event.code) {
                Some(409) => Ok(()),
                other => Err(format!(
                    "the first write was answered by {other:?}, and somebody had put it right"
                )),
            }
        },
        Switches::default().without_judge_again(),
    );
}

#[test]
fn rule_12_nothing_is_forced_on_what_is_not_ours() {
    guarded(
        async |lab: Lab| {
            let running = lab.run("1", []).await;
            lab.kubectl(&["create", "configmap", "a", "--from-literal=k=theirs"])?;
            running.source.set(lab.inventory("2", [map("a", "ours")]));
            a_while().await;
            match &lab.get("configmap", "a")?["data"]["k"] {
                value if value == "theirs" => Ok(()),
                value => Err(format!("it became {value}")),
            }
        },
        Switches::default().without_force_only_ours(),
    );
}

#[test]
fn rule_14_two_writers_are_not_fought_over() {
    guarded(
        async |lab: Lab| {
            let running = lab.run("1", [map("a", "1")]).await;
            for turn in 0..5 {
                lab.kubectl(&["patch", "configmap", "a", "-p", r#"{"data":{"k":"theirs"}}"#])?;
                let repaired = || {
                    lab.get("configmap", "a")
                        .is_ok_and(|live| live["data"]["k"] == "1")
                };
                let deadline = Instant::now() + Duration::from_millis(if turn < 3 { 5000 } else { 1500 });
                while !repaired() && Instant::now() < deadline {
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            let status = running.fleet.kept()[0].driver.status().await.unwrap();
            let live = lab.get("configmap", "a")?;
            if live["data"]["k"] == "theirs" && !status.contested.is_empty() {
                Ok(())
            } else {
                Err(format!("{} and {:?}", live["data"], status.contested))
            }
        },
        Switches::default().without_contest(),
    );
}

#[test]
fn rule_15_values_of_secrets_are_not_told() {
    guarded(
        async |lab: Lab| {
            let secret = |value: &str| json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"k": value}});
            drop(lab.run("1", [secret("hunter2")]).await);
            let options = lab.options.clone();
            let fleet = Bed::new([&*PLANE])
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
    );
}
