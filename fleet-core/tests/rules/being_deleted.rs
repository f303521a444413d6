//! What is being deleted, by us or by somebody else: what waits for it, and for how long.

use fleet_core::*;
use serde_json::json;

use crate::support::*;

/// A map that a finalizer of somebody else keeps.
fn kept() -> serde_json::Value {
    let mut value = map("a", "1");
    value["metadata"]["finalizers"] = json!(["example.com/keep"]);
    value
}

/// Somebody deletes an object, and something holds it.
fn mark_deleted(world: &mut World, key: &ObjectKey) {
    let mut live = world.get(key).unwrap().clone();
    live["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
    world.store(live);
    world.run();
}

#[test]
fn a_listed_object_that_is_being_deleted_is_not_clean() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), kept()]);
    assert!(world.engine.status().is_clean());
    world.notes.clear();
    mark_deleted(&mut world, &key("a"));
    world.pass(Millis::from_mins(10));
    assert!(world.engine.is_settled(), "a pass that runs once comes to an end");
    let status = world.engine.status();
    assert!(status.waiting.contains_key(&key("a")) && !status.is_clean());
    let held = world.notes.iter().find_map(|note| match note {
        Note::Converged { held, .. } => Some(*held),
        _ => None,
    });
    assert_eq!(held, Some(1), "{:?}", world.notes);
}

#[test]
fn deletes_that_are_not_done_are_worth_waiting_for_so_long() {
    let mut options = EngineOptions::default();
    options.permitted_kinds = [GroupKind::new("", "Namespace")].into();
    let mut world = World::new(options);
    world.publish("1", [namespace("shop"), kept(), namespace("other")]);
    assert!(!world.engine.is_deleting());
    world.publish("2", [namespace("other")]);
    // The map lingers, and the namespace waits for it: nothing to be done, and not done.
    assert!(world.engine.is_settled() && world.engine.is_deleting());
    world.pass(Millis::from_secs(59));
    assert!(world.engine.is_deleting());
    world.pass(Millis::from_secs(2));
    assert!(world.engine.is_settled() && !world.engine.is_deleting());
    let status = world.engine.status();
    assert!(status.deleting.contains_key(&key("a")) && !status.is_clean());
    // It goes at last: the rest follows, also long after.
    world.vanish(&key("a"));
    world.run();
    world.pass(Millis::from_secs(10));
    assert_eq!(world.keys(), ["Namespace other"]);
    assert!(!world.engine.is_deleting() && world.engine.status().is_clean());
}

#[test]
fn refused_deletes_are_not_waited_for() {
    let mut options = EngineOptions::default();
    options.permitted_kinds = [GroupKind::new("", "Namespace")].into();
    let mut world = World::new(options);
    world.publish("1", [namespace("shop"), map("a", "1"), namespace("other")]);
    world.interfere = Some(Box::new(|_, request| {
        let delete = matches!(request, Request::Delete { .. });
        delete.then(|| Answer::Refused(Fault::new(Remedy::Policy, "no").code(403)))
    }));
    world.publish("2", [namespace("other")]);
    assert!(world.engine.is_settled() && !world.engine.is_deleting());
    assert!(!world.engine.status().is_clean());
}

#[test]
fn what_is_in_a_namespace_comes_back_with_it() {
    let all = || [namespace("shop"), map("a", "1"), map("b", "1")];
    // Deleted for five minutes, or for no longer than it takes to be refused once.
    for minutes in [5, 0] {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", all());
        world.interfere = Some(Box::new(|world, request| {
            let shop = world.get(&namespace_key("shop"));
            let leaving = shop.is_some_and(|ns| ns.pointer("/metadata/deletionTimestamp").is_some());
            (leaving && request.is_write() && request.key().namespace() == Some("shop"))
                .then(|| Answer::Refused(Fault::new(Remedy::Forbidden, "it is being terminated").code(403)))
        }));
        // Its contents go first; that the namespace is going too is seen before or after that.
        let mut live = world.get(&namespace_key("shop")).unwrap().clone();
        live["metadata"]["deletionTimestamp"] = json!("2026-01-01T00:00:00Z");
        if minutes == 0 {
            world.objects.insert(namespace_key("shop"), live.clone());
            world.vanish(&key("a"));
            world.run();
            assert!(world.engine.status().refused.contains_key(&key("a")));
            world.store(live);
            world.vanish(&key("b"));
        } else {
            world.vanish(&key("a"));
            world.vanish(&key("b"));
            world.store(live);
        }
        world.run();
        world.requests();
        world.pass(Millis::from_mins(minutes));
        let status = world.engine.status();
        assert_eq!(
            status.waiting.get(&key("b")).map(|r| &*r.code),
            Some("namespace-leaving"),
            "{status:?}"
        );
        assert!(world.engine.is_settled());
        let asked = world.requests();
        assert!(
            asked.iter().all(|sent| sent.request.key().kind() == "Namespace"),
            "{asked:?}"
        );
        world.vanish(&namespace_key("shop"));
        world.run();
        assert_eq!(world.keys().len(), 3, "after {minutes} min: {:?}", world.keys());
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    }
}
