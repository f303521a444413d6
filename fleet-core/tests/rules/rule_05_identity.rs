//! Rule 5: identity is group, kind, namespace and name; versions and UIDs are not part of it.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn version_moves(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", [namespace("shop"), crd(), widget("v1alpha1", "w")]);
    world.pass(Millis::from_mins(1));
    let uid = world.get(&widget_key("w")).unwrap()["metadata"]["uid"].clone();
    world.requests();
    world.publish("2", [namespace("shop"), crd(), widget("v1", "w")]);
    world.pass(Millis::from_mins(1));
    let deletes = world
        .requests()
        .into_iter()
        .filter(|s| matches!(s.request, Request::Delete { .. }));
    need!(deletes.count() == 0, "another API version was deleted");
    let live = world.get(&widget_key("w"));
    need!(
        live.is_some_and(|live| live["metadata"]["uid"] == uid),
        "it is another object now"
    );
    need!(
        world.ledger.as_ref().unwrap().entries[&widget_key("w")].version == "v1",
        "not recorded"
    );
    Ok(())
}

#[test]
fn rule_05_identity_is_without_version() {
    guarded(version_moves, Switches::default().without_version_free_identity());
}

fn group_moves(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    let (old, new) = (
        GroupKind::new("extensions", "Ingress"),
        GroupKind::new("networking.k8s.io", "Ingress"),
    );
    world.kinds.kinds.insert(
        old.clone(),
        KindInfo::new("ingresses", true, ["v1beta1".to_owned()]),
    );
    world.alias = Some((old, new));
    world.publish(
        "1",
        [namespace("shop"), of_kind("extensions/v1beta1", "Ingress", "web")],
    );
    let moved = ObjectKey::new("networking.k8s.io", "Ingress", Some("shop"), "web");
    let uid = world.get(&moved).unwrap()["metadata"]["uid"].clone();
    world.publish(
        "2",
        [
            namespace("shop"),
            of_kind("networking.k8s.io/v1", "Ingress", "web"),
        ],
    );
    world.pass(Millis::from_mins(5));
    let live = world.get(&moved);
    need!(
        live.is_some_and(|live| live["metadata"]["uid"] == uid),
        "it was deleted under its old group"
    );
    let entries: Vec<_> = world.ledger.as_ref().unwrap().entries.keys().collect();
    need!(entries == [&namespace_key("shop"), &moved], "{entries:?}");
    need!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    Ok(())
}

#[test]
fn rule_05_identity_of_one_uid_under_two_groups() {
    guarded(group_moves, Switches::default().without_version_free_identity());
}

#[test]
fn rule_05_a_listed_object_restored_with_another_uid_is_reported_and_left_alone() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    let mut copy = world.get(&key("a")).unwrap().clone();
    world.vanish(&key("a"));
    copy["data"]["k"] = json!("restored");
    world.make(copy);
    world.run();
    world.pass(Millis::from_mins(5));
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "restored");
    assert_eq!(
        world.engine.status().blocked[&key("a")].code,
        "mark-with-other-uid"
    );
}

#[test]
fn rule_05_two_versions_of_one_object_are_one_object_listed_twice() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), crd(), widget("v1", "w")]);
    world.pass(Millis::from_mins(1));
    let mut twice = widget("v1", "w");
    twice["metadata"].as_object_mut().unwrap().remove("namespace");
    let mut options = EngineOptions::default();
    options.default_namespace = "shop".into();
    world.restart(options);
    world.publish("2", [namespace("shop"), crd(), widget("v1", "w"), twice]);
    assert_eq!(
        world.engine.status().blocked[&widget_key("w")].code,
        "listed-twice"
    );
    assert!(world.get(&widget_key("w")).is_some());
}
