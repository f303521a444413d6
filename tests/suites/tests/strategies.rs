//! Every strategy carries out the same change, or says why not: over sample manifests, with random changes. `cargo xtask
//! strategies` tries more.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use fleet_core::{
    DeleteBudget, EngineOptions, GUARDED_KINDS, GroupKind, Inventory, JsonPatch, MergePatch, ObjectKey,
    Parts, ServerSideApply, Strategies, Update,
};
use fleet_harness::{ControlPlane, Options as PlaneOptions, User};
use fleet_kube::{Fleet, Verb, Wave};
use fleet_suites::{
    Bed, Settable,
    manifests::{Plain, Set, SetVersion, all},
    on_runtime,
    ways::{Options, content, run},
};
use futures_util::future::join_all;
use serde_json::Value;

/// Of all objects every eighth, with one change; the same ones in each run.
const SHARE: Options = Options {
    seed: 1,
    changes: 1,
    every: 8,
};

#[test]
fn every_strategy_makes_the_same_of_a_change() {
    let ways = on_runtime(run(SHARE, |set, ways| print!("{set:<24} {ways}")));
    println!("in all {ways}");
    assert!(
        ways.wrong.is_empty(),
        "{} wrong:\n{}",
        ways.wrong.len(),
        ways.wrong.join("\n")
    );
    assert!(ways.equal * 2 > ways.changes, "{ways}");
}

/// Sets that fleets make true by every strategy: with versions, CRDs and what controllers write to.
const SETS: [&str; 2] = ["moves", "observability"];

#[test]
fn fleets_of_every_strategy_end_alike_and_then_write_nothing() {
    let sets: Vec<Set> = all()
        .0
        .into_iter()
        .filter(|set| SETS.contains(&set.name.as_str()))
        .collect();
    assert_eq!(sets.len(), SETS.len());
    let mut wrong = Vec::new();
    for set in &sets {
        wrong.extend(on_runtime(one_set(set)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The set at each of its versions, and back at the first, by each strategy on a cluster of its own.
async fn one_set(set: &Set) -> Vec<String> {
    let names = ["server-side-apply", "update", "json-patch", "merge-patch"];
    let planes = ControlPlane::start_all(names.map(|name| PlaneOptions::new(name).pods(false))).unwrap();
    let back = &set.versions[..set.versions.len() - 1];
    let mut wrong = Vec::new();
    for (step, version) in set.versions.iter().chain(back).enumerate() {
        let revision = format!("step-{step}");
        let ends = planes
            .iter()
            .map(async |plane| (plane.name().to_owned(), end(set, version, plane, &revision).await));
        let mut ends: BTreeMap<String, End> = join_all(ends).await.into_iter().collect();
        let place = format!("{} {} (step {step})", set.name, version.name);
        let expect = ends.remove("server-side-apply").unwrap();
        for (strategy, found) in ends {
            wrong.extend(
                compare(&expect, &found)
                    .into_iter()
                    .map(|what| format!("{place} by {strategy}: {what}")),
            );
        }
    }
    wrong
}

/// What is in a cluster when its fleet has come to rest.
struct End {
    objects: BTreeMap<ObjectKey, Option<Value>>,
    held_back: BTreeMap<ObjectKey, String>,
    /// What a second process wrote, which has nothing to do.
    later_writes: u64,
}

async fn end(set: &Set, version: &SetVersion, plane: &ControlPlane, revision: &str) -> End {
    let bed = Bed::new([plane]);
    let fleet = |parts: Parts| {
        let inventory = Inventory::new(revision, version.objects.iter().cloned()).unwrap();
        let mut options = EngineOptions::default();
        set.default_namespace.clone_into(&mut options.default_namespace);
        let guarded = GUARDED_KINDS
            .iter()
            .map(|(group, kind)| GroupKind::new(*group, *kind));
        options.permitted_kinds = guarded.collect();
        options.budget = DeleteBudget::unlimited();
        bed.fleet_of(&set.name, Settable::new(inventory.snapshot()))
            .options(move |_| options.clone())
            .parts(parts)
            .budget(DeleteBudget::unlimited())
            .wave(Wave::All)
            .build()
            .unwrap()
    };
    let parts = || {
        let strategies = Strategies::default();
        match plane.name() {
            "update" => Parts::default().strategies(strategies.usually(Update)),
            "json-patch" => Parts::default().strategies(strategies.usually(JsonPatch)),
            "merge-patch" => Parts::default().strategies(strategies.usually(MergePatch)),
            _ => Parts::default().strategies(strategies.usually(ServerSideApply)),
        }
    };
    let held_back = settled(fleet(parts())).await.0;
    let later_writes = settled(fleet(parts())).await.1;
    let client = kube::Client::try_from(bed.config(plane.name(), User::Someone).await).unwrap();
    let plain = Plain::new(client, set.default_namespace).await;
    let mut objects = BTreeMap::new();
    for object in &version.objects {
        let live = plain
            .get(object)
            .await
            .ok()
            .map(|live| content(&fleet_core::Object::from_json(live).unwrap()));
        objects.insert(plain.key(object), live);
    }
    End {
        objects,
        held_back,
        later_writes,
    }
}

/// What is held back when nothing more is done, and how much was written to objects.
async fn settled(fleet: Fleet) -> (BTreeMap<ObjectKey, String>, u64) {
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        assert!(Instant::now() < deadline, "not settled");
        tokio::time::sleep(Duration::from_millis(50)).await;
        let kept = fleet.kept();
        let [one] = &kept[..] else { continue };
        let status = one.driver.status().await.expect("the driver runs");
        let busy = !status.converged || !status.waiting.is_empty() || !status.pending.is_empty();
        if busy || !status.deleting.is_empty() {
            continue;
        }
        let contact = one.connection.contact();
        let writes = [Verb::Apply, Verb::Create, Verb::Update, Verb::Patch, Verb::Delete];
        let count = writes.into_iter().map(|verb| contact.requests(verb)).sum();
        task.abort();
        let held = status.blocked.iter().chain(&status.refused);
        return (
            held.map(|(key, reason)| (key.clone(), reason.to_string()))
                .collect(),
            count,
        );
    }
}

fn compare(expect: &End, found: &End) -> Vec<String> {
    let mut wrong = Vec::new();
    // What is refused is tried again by every one.
    if found.later_writes != expect.later_writes {
        let (theirs, ours) = (found.later_writes, expect.later_writes);
        wrong.push(format!(
            "a second process writes {theirs} times instead of {ours}"
        ));
    }
    for (key, reason) in &found.held_back {
        if !expect.held_back.contains_key(key) {
            wrong.push(format!("{key} is held back: {reason}"));
        }
    }
    for key in expect.held_back.keys() {
        if !found.held_back.contains_key(key) {
            wrong.push(format!("{key} is not held back"));
        }
    }
    for (key, object) in &expect.objects {
        let theirs = &found.objects[key];
        let strip = |object: &Option<Value>| object.clone().map(|value| chosen_aside(value, key));
        let (ours, theirs) = (strip(object), strip(theirs));
        if ours != theirs && !found.held_back.contains_key(key) {
            wrong.push(format!("{key} is {theirs:?} instead of {ours:?}"));
        }
    }
    wrong
}

/// An object without what each server chooses by itself, and without the cluster's name in our mark.
fn chosen_aside(mut object: Value, key: &ObjectKey) -> Value {
    let metadata = object["metadata"].as_object_mut().expect("metadata");
    for field in ["uid", "creationTimestamp"] {
        metadata.remove(field);
    }
    if let Some(annotations) = metadata.get_mut("annotations").and_then(Value::as_object_mut) {
        annotations.remove("fleet.internal/object");
        // What controllers note, in their own time.
        annotations.retain(|name, _| !name.contains("kubernetes.io/"));
    }
    if key.is("", "Service") {
        let spec = object["spec"].as_object_mut().expect("a spec");
        for field in ["clusterIP", "clusterIPs", "healthCheckNodePort"] {
            spec.remove(field);
        }
        let ports = spec.get_mut("ports").and_then(Value::as_array_mut);
        ports
            .into_iter()
            .flatten()
            .filter_map(Value::as_object_mut)
            .for_each(|port| drop(port.remove("nodePort")));
    }
    if key.is("", "PersistentVolume")
        && let Some(claim) = object
            .pointer_mut("/spec/claimRef")
            .and_then(Value::as_object_mut)
    {
        claim.remove("uid");
        claim.remove("resourceVersion");
    }
    if key.is("batch", "Job") {
        // Named after the UID.
        let text = object.to_string();
        let uid = object
            .pointer("/spec/selector/matchLabels/batch.kubernetes.io~1controller-uid")
            .and_then(Value::as_str);
        if let Some(uid) = uid {
            object = serde_json::from_str(&text.replace(uid, "UID")).expect("json");
        }
    }
    object
}

/// Between all strategies: what was defined and is defined no longer goes, whoever wrote it.
#[test]
fn an_object_passes_from_strategy_to_strategy_and_loses_what_is_no_longer_defined() {
    let plane = ControlPlane::start(PlaneOptions::new("passes").pods(false)).unwrap();
    let steps = [
        ("update", "a b"),
        ("server-side-apply", "a c"),
        ("json-patch", "c d"),
        ("merge-patch", "d e"),
        ("server-side-apply", "e"),
        ("update", "f"),
        ("create-only", "g"),
    ];
    on_runtime(async {
        let bed = Bed::new([&plane]);
        let client = kube::Client::try_from(bed.config(plane.name(), User::Someone).await).unwrap();
        let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::default_namespaced(client);
        for (number, (strategy, keys)) in steps.into_iter().enumerate() {
            let data: BTreeMap<&str, &str> = keys.split(' ').map(|key| (key, "1")).collect();
            let map = serde_json::json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": "passes", "annotations": {"fleet.internal/strategy": strategy}}, "data": data,
            });
            let objects = [fleet_core::Object::from_json(map).unwrap()];
            let inventory = Inventory::new(format!("{number}").as_str(), objects).unwrap();
            let fleet = bed
                .fleet(Settable::new(inventory.snapshot()))
                .wave(Wave::All)
                .build()
                .unwrap();
            let (held_back, _) = settled(fleet).await;
            assert!(held_back.is_empty(), "{strategy}: {held_back:?}");
            let live = maps.get("passes").await.unwrap();
            let found: Vec<String> = live.data.unwrap().into_keys().collect();
            // What is made once is left as it is.
            let expect = if strategy == "create-only" { "f" } else { keys };
            assert_eq!(found.join(" "), expect, "step {number}, {strategy}");
            let remembers = live
                .metadata
                .annotations
                .unwrap()
                .contains_key("fleet.internal/fields");
            assert_eq!(
                remembers,
                !matches!(strategy, "server-side-apply"),
                "step {number}, {strategy}"
            );
        }
    });
}

/// By every strategy: what others add where a rule says that there is nothing but ours goes again; the rest stays.
#[test]
fn what_others_add_goes_where_a_rule_says_so() {
    let plane = ControlPlane::start(PlaneOptions::new("foreign").pods(false)).unwrap();
    on_runtime(async {
        let bed = Bed::new([&plane]);
        let client = kube::Client::try_from(bed.config(plane.name(), User::Someone).await).unwrap();
        let maps: kube::Api<k8s_openapi::api::core::v1::ConfigMap> = kube::Api::default_namespaced(client);
        for strategy in ["server-side-apply", "update", "json-patch", "merge-patch"] {
            let map = serde_json::json!({
                "apiVersion": "v1", "kind": "ConfigMap",
                "metadata": {"name": strategy, "annotations": {
                    "fleet.internal/strategy": strategy,
                    "fleet.internal/rules": r#"[{"id": "only-ours", "path": ".data", "do": "remove-foreign"}]"#,
                }},
                "data": {"a": "1"},
            });
            let objects = [fleet_core::Object::from_json(map).unwrap()];
            let inventory = Inventory::new("1", objects).unwrap();
            let snapshot = inventory.snapshot();
            let fleet = || {
                let source = Settable::new(snapshot.clone());
                bed.fleet_of(strategy, source).wave(Wave::All).build().unwrap()
            };
            let (held_back, _) = settled(fleet()).await;
            assert!(held_back.is_empty(), "{strategy}: {held_back:?}");
            let patch = serde_json::json!({"data": {"theirs": "x"}, "metadata": {"labels": {"theirs": "x"}}});
            let params = kube::api::PatchParams::default();
            maps.patch(strategy, &params, &kube::api::Patch::Merge(&patch))
                .await
                .unwrap();
            let (held_back, writes) = settled(fleet()).await;
            assert!(held_back.is_empty(), "{strategy}: {held_back:?}");
            let live = maps.get(strategy).await.unwrap();
            assert_eq!(
                live.data.unwrap().into_keys().collect::<Vec<_>>(),
                ["a"],
                "{strategy}"
            );
            assert!(live.metadata.labels.unwrap().contains_key("theirs"), "{strategy}");
            assert_eq!(writes, 1, "{strategy}");
            assert_eq!(settled(fleet()).await.1, 0, "{strategy}");
        }
    });
}
