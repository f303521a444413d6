//! Rule 4: what takes other objects with it needs a permission, and goes only when nothing that must stay is in it.

use std::collections::BTreeSet;

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn permitted(switches: Switches) -> EngineOptions {
    let mut options = options(switches);
    options.permitted_kinds = BTreeSet::from([GroupKind::new("", "Namespace"), crd_kind()]);
    options
}

fn foreign_inside(switches: Switches) -> Check {
    let mut world = World::new(permitted(switches));
    world.publish("1", [namespace("shop"), map("a", "1"), namespace("other")]);
    world.make(map("theirs", "1"));
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(5));
    need!(
        world.get(&key("theirs")).is_some(),
        "somebody else's object went with its namespace"
    );
    need!(
        world.engine.status().blocked.contains_key(&namespace_key("shop")),
        "not reported"
    );
    need!(world.get(&key("a")).is_none(), "our own object inside stayed");
    // Once it is empty it goes, without being told.
    world.vanish(&key("theirs"));
    world.pass(Millis::from_mins(20));
    need!(world.keys() == ["Namespace other"], "{:?}", world.keys());
    Ok(())
}

#[test]
fn rule_04_containers_stay_while_they_hold_what_is_not_ours() {
    guarded(foreign_inside, Switches::default().without_containers());
}

fn not_permitted(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish(
        "1",
        [
            namespace("shop"),
            of_kind("apps/v1", "StatefulSet", "db"),
            crd(),
            map("a", "1"),
        ],
    );
    world.publish("2", [map_in("default", "b", "1")]);
    world.pass(Millis::from_mins(5));
    let keys = world.keys();
    need!(keys.len() == 4 && world.get(&key("a")).is_none(), "{keys:?}");
    Ok(())
}

#[test]
fn rule_04_containers_need_a_permission_of_their_own() {
    guarded(not_permitted, Switches::default().without_containers());
}

fn never(switches: Switches) -> Check {
    let mut world = World::new(permitted(switches));
    world.publish(
        "1",
        [namespace("default"), namespace("kube-public"), namespace("mine")],
    );
    world.publish("2", [map_in("default", "a", "1")]);
    world.pass(Millis::from_mins(5));
    need!(
        world.keys()
            == [
                "ConfigMap default/a",
                "Namespace default",
                "Namespace kube-public"
            ],
        "{:?}",
        world.keys()
    );
    Ok(())
}

#[test]
fn rule_04_containers_default_and_kube_are_never_deleted() {
    guarded(never, Switches::default().without_containers());
}

fn custom_resources(switches: Switches) -> Check {
    let mut world = World::new(permitted(switches));
    world.publish("1", [namespace("shop"), crd(), widget("v1", "ours")]);
    world.pass(Millis::from_mins(1));
    world.make(widget("v1", "theirs"));
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_mins(5));
    need!(
        world.get(&widget_key("theirs")).is_some(),
        "somebody else's object went with its CRD"
    );
    need!(world.get(&widget_key("ours")).is_none(), "ours stayed");
    world.vanish(&widget_key("theirs"));
    world.pass(Millis::from_mins(20));
    need!(world.get(&crd_key()).is_none(), "the CRD stayed");
    Ok(())
}

#[test]
fn rule_04_containers_of_custom_resources_too() {
    guarded(custom_resources, Switches::default().without_containers());
}

fn made_after_the_reservation(switches: Switches) -> Check {
    let mut world = World::new(permitted(switches));
    world.publish("1", [namespace("shop"), map("a", "1"), namespace("other")]);
    // Somebody makes an object while ours inside is being deleted.
    world.interfere = Some(Box::new(|world, request| {
        if matches!(request, Request::Delete { .. }) && request.key().name() == "a" {
            world.make(map("theirs", "1"));
        }
        None
    }));
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(5));
    need!(world.get(&key("theirs")).is_some(), "it went with its namespace");
    Ok(())
}

#[test]
fn rule_04_containers_are_looked_into_again_just_before_their_delete() {
    guarded(
        made_after_the_reservation,
        Switches::default().without_containers(),
    );
}

#[test]
fn rule_04_containers_that_hold_nothing_else_go_and_count_for_what_they_take() {
    let mut world = World::new(permitted(Switches::default()));
    world.publish(
        "1",
        [
            namespace("shop"),
            map("a", "1"),
            of_kind("v1", "Service", "web"),
            namespace("other"),
        ],
    );
    // What the cluster makes, and what ours own.
    world.make(json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default", "namespace": "shop"}}));
    world.make(map("kube-root-ca.crt", "1"));
    world.make(
        json!({"apiVersion": "v1", "kind": "Endpoints", "metadata": {"name": "web", "namespace": "shop"}}),
    );
    let owner = world.get(&key("a")).unwrap()["metadata"]["uid"].clone();
    let mut child = secret("child", "eA==");
    child["metadata"]["ownerReferences"] = json!([{"uid": owner}]);
    world.make(child);
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(5));
    assert_eq!(world.keys(), ["Namespace other"]);
    // Namespace, map and service by themselves; the child and the Endpoints with them.
    assert_eq!(world.reserved, [(5, false)]);
}

#[test]
fn rule_04_containers_take_nothing_along_that_needs_a_permission_itself() {
    let mut world = World::new(permitted(Switches::default()));
    world.publish(
        "1",
        [
            namespace("shop"),
            of_kind("v1", "PersistentVolumeClaim", "data"),
            namespace("other"),
        ],
    );
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(5));
    assert_eq!(
        world.keys().len(),
        3,
        "the claim may not go, so neither may its namespace"
    );
}

#[test]
fn rule_04_containers_stay_while_a_group_cannot_be_discovered() {
    let mut world = World::new(permitted(Switches::default()));
    world.publish("1", [namespace("shop"), map("a", "1"), namespace("other")]);
    world.kinds.incomplete.insert("metrics.k8s.io".into());
    world.push(Event::Kinds(world.kinds.clone()));
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(5));
    assert_eq!(world.keys(), ["Namespace other", "Namespace shop"]);
    assert_eq!(
        world.engine.status().blocked[&namespace_key("shop")].code,
        "contents-unknown"
    );
}

#[test]
fn rule_04_kinds_that_the_user_names_and_single_objects() {
    let mut choice = EngineOptions::default();
    choice.guarded = BTreeSet::from([GroupKind::new("", "ConfigMap")]);
    choice.permitted = BTreeSet::from([key("a")]);
    let mut world = World::new(choice);
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    world.publish("2", [namespace("shop")]);
    assert_eq!(world.keys(), ["ConfigMap shop/b", "Namespace shop"]);
}

/// A plan whose intents are recorded, for a namespace with a claim in it, and nothing deleted yet.
fn recorded_intents(switches: Switches) -> World {
    let mut both = permitted(switches);
    both.permitted_kinds
        .insert(GroupKind::new("", "PersistentVolumeClaim"));
    let mut world = World::new(both);
    world.publish(
        "1",
        [
            namespace("shop"),
            of_kind("v1", "PersistentVolumeClaim", "data"),
            namespace("other"),
        ],
    );
    world.kill = Some(Kill {
        at: world.steps,
        moment: Moment::After,
    });
    world.publish("2", [namespace("other")]);
    assert!(world.killed);
    let entries = &world.ledger.as_ref().unwrap().entries;
    let intents = entries.values().filter(|e| e.state == EntryState::Deleting);
    assert_eq!(intents.count(), 2);
    world
}

fn permission_withdrawn(switches: Switches) -> Check {
    // Within the window of the recorded deletes, and after it.
    for wait in [0, 120] {
        let mut world = recorded_intents(switches);
        world.now = world.now + Millis::from_mins(wait);
        world.restart(permitted(switches));
        world.publish("2", [namespace("other")]);
        world.pass(Millis::from_mins(30));
        let keys = world.keys();
        need!(keys.len() == 3, "after {wait} min: {keys:?}");
        let blocked = world.engine.status().blocked;
        let why = &blocked[&namespace_key("shop")].message;
        need!(why.contains("shop/data (ours, and not"), "{why}");
        let blocked: Vec<&str> = blocked.values().map(|r| &*r.code).collect();
        need!(
            blocked == ["container-not-empty", "permission-needed"],
            "after {wait} min: {blocked:?}"
        );
    }
    Ok(())
}

#[test]
fn rule_04_a_recorded_intent_does_not_outlive_its_permission() {
    guarded(permission_withdrawn, Switches::default().without_containers());
}

#[test]
fn rule_04_recorded_intents_with_their_permissions_are_carried_out() {
    let mut world = recorded_intents(Switches::default());
    let mut both = permitted(Switches::default());
    both.permitted_kinds
        .insert(GroupKind::new("", "PersistentVolumeClaim"));
    world.restart(both);
    world.publish("2", [namespace("other")]);
    assert_eq!(world.keys(), ["Namespace other"]);
}
