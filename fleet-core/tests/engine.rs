//! The engine against a cluster in memory: the main road.

mod support;

use fleet_core::*;
use serde_json::{Value, json};
use support::World;

fn map(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": "shop"}, "data": {"k": value}})
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn key(name: &str) -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some("shop"), name)
}

#[test]
fn creates_updates_deletes_and_then_sends_nothing() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    assert_eq!(
        world.keys(),
        ["ConfigMap shop/a", "ConfigMap shop/b", "Namespace shop"]
    );
    assert_eq!(world.writes().len(), 3);
    assert!(world.engine.status().is_clean(), "{:#?}", world.engine.status());
    assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 3);
    assert!(
        world
            .ledger
            .as_ref()
            .unwrap()
            .entries
            .values()
            .all(|e| e.uid.is_some())
    );
    assert_eq!(world.records, 2, "one write-ahead, one for the UIDs");

    world.push(Event::Replan);
    assert!(world.requests().is_empty());

    world.publish("2", [namespace("shop"), map("a", "2"), map("c", "1")]);
    assert_eq!(
        world.keys(),
        ["ConfigMap shop/a", "ConfigMap shop/c", "Namespace shop"]
    );
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2");
    assert!(world.engine.status().is_clean(), "{:#?}", world.engine.status());
    assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 3);

    world.requests();
    world.publish("3", [namespace("shop"), map("a", "2"), map("c", "1")]);
    world.push(Event::Replan);
    assert!(
        world.requests().is_empty(),
        "a new revision with the same content asks nothing"
    );
}

#[test]
fn drift_is_repaired_when_the_watch_shows_it() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    world.edit(&key("a"), "data.k", json!("drifted"), "someone");
    world.run();
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");

    let mut live = world.get(&key("a")).unwrap().clone();
    live["metadata"]["labels"] = json!({});
    world.store(live);
    world.run();
    assert_eq!(
        world.get(&key("a")).unwrap()["metadata"]["labels"]["fleet.internal/owner"],
        "fleet",
        "a removed label is drift"
    );

    world.vanish(&key("a"));
    world.run();
    assert_eq!(
        world.get(&key("a")).unwrap()["data"]["k"],
        "1",
        "a deleted object comes back"
    );
    assert!(world.engine.status().is_clean(), "{:#?}", world.engine.status());
}

#[test]
fn custom_resources_follow_their_definition_in_one_pass() {
    let crd = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1", "served": true}]},
    });
    let widget = json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}, "spec": {"size": 1}});
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [widget.clone(), crd, namespace("shop")]);
    world.pass(Millis::from_secs(10));
    assert!(world.engine.status().is_clean(), "{:#?}", world.engine.status());
    assert_eq!(world.objects.len(), 3);

    // The definition is not listed any more, and it may not go without a permission.
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_secs(10));
    assert_eq!(
        world.keys(),
        [
            "Namespace shop",
            "CustomResourceDefinition.apiextensions.k8s.io widgets.example.com"
        ]
    );
    assert!(world.codes().contains(&"permission-needed".into()));
}

#[test]
fn a_foreign_object_is_refused_adopted_when_equal_or_adopted() {
    for (policy, equal, adopted) in [
        ("refuse", true, false),
        ("adopt-equal", true, true),
        ("adopt-equal", false, false),
        ("adopt", false, true),
    ] {
        let mut world = World::new(EngineOptions::default());
        let mut theirs = map("a", if equal { "1" } else { "other" });
        theirs["data"]["extra"] = json!("kept");
        world.make(namespace("shop"));
        world.make(theirs);
        let mut ours = map("a", "1");
        ours["metadata"]["annotations"] = json!({"fleet.internal/adopt": policy});
        if policy == "adopt-equal" {
            world.edit(
                &key("a"),
                "metadata.annotations",
                json!({"fleet.internal/adopt": policy}),
                "someone",
            );
        }
        world.publish("1", [ours]);
        let live = world.get(&key("a")).unwrap();
        assert_eq!(live["data"]["extra"], "kept");
        assert_eq!(live["data"]["k"] == "1", equal || adopted, "{policy} {equal}");
        assert_eq!(
            live["metadata"]["labels"]["fleet.internal/owner"] == "fleet",
            adopted,
            "{policy} {equal}"
        );
    }
}

#[test]
fn a_finished_job_that_its_ttl_removed_is_not_made_again() {
    let job = |image: &str| json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "default"}, "spec": {"ttlSecondsAfterFinished": 1, "image": image}});
    let key = ObjectKey::new("batch", "Job", Some("default"), "j");
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [job("1")]);
    let mut live = world.get(&key).unwrap().clone();
    live["status"] = json!({"conditions": [{"type": "Complete", "status": "True"}]});
    world.store(live);
    world.run();
    world.vanish(&key);
    world.run();
    assert!(world.get(&key).is_none());
    assert!(world.engine.status().is_clean());
    world.restart(EngineOptions::default());
    world.publish("1", [job("1")]);
    assert!(world.get(&key).is_none(), "the ledger remembers");
    world.publish("2", [job("2")]);
    assert!(world.get(&key).is_some(), "a new definition runs again");
}

#[test]
fn a_job_takes_its_pods_with_it() {
    let job =
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "default"}});
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [job]);
    world.requests();
    world.publish("2", []);
    world.pass(Millis::from_mins(5));
    let sent = world.requests();
    let deletes: Vec<&Propagation> = sent
        .iter()
        .filter_map(|sent| match &sent.request {
            Request::Delete { propagation, .. } => Some(propagation),
            _ => None,
        })
        .collect();
    assert_eq!(
        deletes,
        [&Propagation::Background],
        "servers orphan them unless told"
    );
}

#[test]
fn only_kinds_of_the_inventory_are_watched() {
    let mut world = World::new(EngineOptions::default());
    for (version, kind) in [("v1", "Event"), ("coordination.k8s.io/v1", "Lease")] {
        world.make(
            json!({"apiVersion": version, "kind": kind, "metadata": {"name": "x", "namespace": "shop"}}),
        );
    }
    world.publish("1", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(1));
    let watched: Vec<&str> = world.watched.iter().map(Gvk::kind).collect();
    assert_eq!(watched, ["ConfigMap", "Namespace"]);
}
