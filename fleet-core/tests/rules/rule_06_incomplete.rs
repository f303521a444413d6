//! Rule 6: what cannot be seen whole is not deleted; other kinds go on.

use fleet_core::*;

use super::{Check, guarded, need, options};
use crate::support::*;

fn deployment_key() -> ObjectKey {
    ObjectKey::new("apps", "Deployment", Some("shop"), "web")
}

fn deployment() -> serde_json::Value {
    of_kind("apps/v1", "Deployment", "web")
}

fn incomplete_discovery(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish(
        "1",
        [namespace("shop"), deployment(), map("a", "1"), map("b", "1")],
    );
    let whole = world.kinds.clone();
    world.kinds.kinds.remove(deployment_key().group_kind());
    world.kinds.incomplete.insert("apps".into());
    world.restart(options(switches));
    world.publish("2", [namespace("shop"), map("b", "1")]);
    world.pass(Millis::from_mins(10));
    need!(world.get(&deployment_key()).is_some(), "deleted unseen");
    need!(
        world
            .ledger
            .as_ref()
            .unwrap()
            .entries
            .contains_key(&deployment_key()),
        "its entry was closed"
    );
    need!(world.get(&key("a")).is_none(), "other kinds do not go on");
    world.kinds = whole.clone();
    world.push(Event::Kinds(whole));
    world.pass(Millis::from_mins(1));
    need!(
        world.get(&deployment_key()).is_none(),
        "not deleted once it can be seen"
    );
    Ok(())
}

#[test]
fn rule_06_incomplete_discovery_deletes_nothing_of_its_group() {
    guarded(
        incomplete_discovery,
        Switches::default().without_incomplete_kinds(),
    );
}

fn unlistable(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish(
        "1",
        [namespace("shop"), deployment(), map("a", "1"), map("b", "1")],
    );
    world.unlistable.insert(deployment_key().group_kind().clone());
    world.restart(options(switches));
    world.publish("2", [namespace("shop"), map("b", "2")]);
    for _ in 0..20 {
        world.pass(Millis::from_secs(30));
        // Also not when a watch shows it while the listing is tried again.
        world.reset_watches();
        world.run();
    }
    need!(
        world.get(&deployment_key()).is_some(),
        "deleted while its kind cannot be listed"
    );
    need!(world.get(&key("a")).is_none(), "other kinds do not go on");
    need!(
        world.get(&key("b")).unwrap()["data"]["k"] == "2",
        "other kinds do not go on"
    );
    world.unlistable.clear();
    world.pass(Millis::from_mins(1));
    need!(
        world.get(&deployment_key()).is_none(),
        "not deleted once it can be listed"
    );
    Ok(())
}

#[test]
fn rule_06_incomplete_listing_deletes_nothing_of_its_kind() {
    guarded(unlistable, Switches::default().without_incomplete_kinds());
}

fn unmapped(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    let kind = deployment_key().group_kind().clone();
    world.publish(
        "1",
        [namespace("shop"), deployment(), map("a", "1"), map("b", "1")],
    );
    // A kind that is gone from discovery for the moment, and an object of it that is listed.
    let info = world.kinds.kinds.remove(&kind).unwrap();
    world.push(Event::Kinds(world.kinds.clone()));
    world.publish(
        "2",
        [
            namespace("shop"),
            of_kind("apps/v1", "Deployment", "other"),
            map("b", "1"),
        ],
    );
    world.pass(Millis::from_mins(10));
    need!(
        world
            .ledger
            .as_ref()
            .unwrap()
            .entries
            .contains_key(&deployment_key()),
        "its entry was closed while its kind is not known"
    );
    need!(world.get(&key("a")).is_none(), "other kinds do not go on");
    world.kinds.kinds.insert(kind, info);
    world.push(Event::Kinds(world.kinds.clone()));
    world.pass(Millis::from_mins(1));
    need!(
        world.get(&deployment_key()).is_none(),
        "not deleted once it can be mapped"
    );
    Ok(())
}

#[test]
fn rule_06_an_object_that_cannot_be_mapped_keeps_all_of_its_kind() {
    guarded(unmapped, Switches::default().without_incomplete_kinds());
}

#[test]
fn rule_06_a_kind_that_is_really_gone_closes_its_entries() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), deployment(), map("a", "1")]);
    world.vanish(&deployment_key());
    world.kinds.kinds.remove(deployment_key().group_kind());
    world.restart(EngineOptions::default());
    world.publish("2", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(1));
    assert!(
        !world
            .ledger
            .as_ref()
            .unwrap()
            .entries
            .contains_key(&deployment_key())
    );
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn rule_06_a_version_that_is_not_served_is_reported_and_deletes_nothing() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), deployment(), map("a", "1")]);
    world.publish(
        "2",
        [
            namespace("shop"),
            of_kind("apps/v9", "Deployment", "web"),
            map("a", "2"),
        ],
    );
    world.pass(Millis::from_mins(5));
    assert_eq!(
        world.engine.status().blocked[&deployment_key()].code,
        "version-not-served"
    );
    assert!(world.get(&deployment_key()).is_some());
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2");
}

/// A CRD with an object, both gone while nobody looked; one listed map is to go.
fn kind_gone() -> World {
    let mut world = World::new(EngineOptions::default());
    world.publish(
        "1",
        [
            namespace("shop"),
            crd(),
            widget("v1", "w"),
            map("a", "1"),
            map("b", "1"),
        ],
    );
    world.pass(Millis::from_mins(1));
    world.restart(EngineOptions::default());
    world.objects.remove(&crd_key());
    world.objects.remove(&widget_key("w"));
    world
}

fn recorded(world: &World) -> Vec<String> {
    let entries = &world.ledger.as_ref().unwrap().entries;
    entries.keys().map(ToString::to_string).collect()
}

#[test]
fn rule_06_a_failed_question_after_a_kind_holds_up_no_other_kind_and_is_asked_again() {
    let mut world = kind_gone();
    world.gone_fails = 3;
    world.publish("2", [namespace("shop"), map("b", "1")]);
    assert_eq!(world.keys(), ["ConfigMap shop/b", "Namespace shop"]);
    assert!(world.engine.is_settled());
    let status = world.engine.status();
    assert_eq!(
        status.blocked.get(&widget_key("w")).map(|r| &*r.code),
        Some("kind-not-served")
    );
    world.pass(Millis::from_secs(60));
    let said = world
        .notes
        .iter()
        .filter(|note| matches!(note, Note::Blocked { reason, .. } if reason.code == "kind-not-served"));
    assert_eq!(said.count(), 1, "said once, however often it fails");
    world.pass(Millis::from_secs(31));
    assert_eq!(world.gone_fails, 0);
    assert_eq!(recorded(&world), ["ConfigMap shop/b", "Namespace shop"]);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn rule_06_a_kind_that_is_defined_and_not_served_is_asked_about_again_with_each_discovery() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), crd(), widget("v1", "w")]);
    world.pass(Millis::from_mins(1));
    // Discovery forgets the kind, and the CRD is still there.
    world.hold_kinds = true;
    let mut kinds = world.discovery();
    kinds.kinds.remove(&GroupKind::new("example.com", "Widget"));
    world.push(Event::Kinds(kinds.clone()));
    world.publish("2", [namespace("shop")]);
    let status = world.engine.status();
    assert_eq!(
        status.blocked.get(&widget_key("w")).map(|r| &*r.code),
        Some("kind-not-served")
    );
    world.vanish(&crd_key());
    world.run();
    world.push(Event::Kinds(kinds));
    assert_eq!(recorded(&world), ["Namespace shop"]);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn rule_06_objects_of_a_vanished_kind_are_looked_at_when_discovery_comes_last() {
    let mut world = kind_gone();
    world.hold_kinds = true;
    world.publish("2", [namespace("shop"), map("b", "1")]);
    assert_eq!(recorded(&world).len(), 5);
    let kinds = world.discovery();
    world.push(Event::Kinds(kinds));
    assert_eq!(recorded(&world), ["ConfigMap shop/b", "Namespace shop"]);
}

#[test]
fn rule_06_a_kind_that_is_served_at_no_version_is_not_served() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), crd(), widget("v1", "w")]);
    world.pass(Millis::from_mins(1));
    world.restart(EngineOptions::default());
    let kinds = world.discovery();
    world.hold_kinds = true;
    let mut none = kinds.clone();
    let shown = none.kinds.get_mut(&GroupKind::new("example.com", "Widget"));
    shown.unwrap().versions.clear();
    world.queue(Event::Kinds(none));
    world.publish("2", [namespace("shop"), crd()]);
    world.pass(Millis::from_mins(1));
    let status = world.engine.status();
    assert_eq!(
        status.blocked.get(&widget_key("w")).map(|r| &*r.code),
        Some("kind-not-served"),
        "{status:?}"
    );
    assert!(world.engine.is_settled());
    world.push(Event::Kinds(kinds));
    assert!(!recorded(&world).iter().any(|key| key.contains("Widget")));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}
