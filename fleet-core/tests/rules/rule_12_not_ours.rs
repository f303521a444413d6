//! Rule 12: on what is ours every listed field is forced back; on what is not ours yet nothing is forced.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn check(switches: Switches) -> Check {
    for adoption in [Adoption::Refuse, Adoption::AdoptEqual] {
        let mut options = options(switches);
        options.adoption = adoption;
        let mut world = World::new(options);
        world.make(namespace("shop"));
        world.make(map("a", "theirs"));
        world.edit(&key("a"), "data.k", json!("theirs"), "somebody");
        let before = world.get(&key("a")).unwrap().clone();
        world.publish("1", [map("a", "ours")]);
        world.pass(Millis::from_mins(5));
        need!(
            world.get(&key("a")) == Some(&before),
            "{adoption:?}: it was written"
        );
        let forced = world
            .writes()
            .into_iter()
            .any(|s| matches!(s.request, Request::Apply { force: true, .. }));
        need!(!forced, "{adoption:?}: something was forced");
        need!(
            world.engine.status().blocked.contains_key(&key("a")),
            "{adoption:?}: not reported"
        );
    }
    Ok(())
}

#[test]
fn rule_12_not_ours_is_not_forced() {
    guarded(check, Switches::default().without_force_only_ours());
}

#[test]
fn rule_12_ours_is_forced_back() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    world.edit(&key("a"), "data.k", json!("theirs"), "somebody");
    world.run();
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
}

#[test]
fn rule_12_an_object_of_another_inventory_is_not_taken_even_by_policy() {
    let other = Marks::new(
        DEFAULT_DOMAIN,
        &Target::new("cluster-1".into(), InventoryId::new("other").unwrap()),
    );
    let mut options = EngineOptions::default();
    options.adoption = Adoption::Adopt;
    let mut world = World::new(options.clone());
    world.make(namespace("shop"));
    world.make(map("a", "theirs"));
    // Applied by the other inventory's engine.
    world.serve(&Request::Apply {
        document: other.mark(&object(map("a", "theirs"))),
        manager: other.manager().to_owned(),
        uid: None,
        version: None,
        force: true,
        dry_run: false,
    });
    let before = world.get(&key("a")).unwrap().clone();
    for _ in 0..2 {
        world.publish("1", [map("a", "ours")]);
        world.pass(Millis::from_mins(30));
        assert_eq!(
            world.get(&key("a")),
            Some(&before),
            "the second inventory is refused"
        );
        assert!(
            world.engine.status().blocked[&key("a")].code == "of-another-inventory",
            "{:?}",
            world.engine.status()
        );
        world.restart(options.clone());
    }
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_mins(5));
    assert_eq!(world.get(&key("a")), Some(&before));
    assert!(!world.ledger.as_ref().unwrap().entries.contains_key(&key("a")));
}

#[test]
fn rule_12_finalizers_are_waited_for_and_never_removed() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1"), map("bad", "1")]);
    let mut live = world.get(&key("a")).unwrap().clone();
    live["metadata"]["finalizers"] = json!(["example.com/backup"]);
    world.store(live);
    world.run();
    world.publish("2", [namespace("shop"), map("b", "1")]);
    world.pass(Millis::from_mins(10));
    let status = world.engine.status();
    assert!(
        status.deleting[&key("a")].message.contains("example.com/backup"),
        "{status:?}"
    );
    assert!(
        world.get(&key("b")).is_some() && world.get(&key("bad")).is_none(),
        "others go on"
    );
    assert_eq!(
        world.get(&key("a")).unwrap()["metadata"]["finalizers"],
        json!(["example.com/backup"])
    );
    assert!(status.converged, "everything that can be done is done");
    let deletes = world
        .requests()
        .into_iter()
        .filter(|s| matches!(s.request, Request::Delete { .. }));
    assert_eq!(deletes.count(), 2, "each is deleted once");
    // A refused object is not held up by it.
    let mut refusals = 0;
    world.interfere = Some(Box::new(move |_, request| {
        let refused = request.key().name() == "c" && request.is_write() && refusals < 1;
        refusals += u32::from(refused);
        refused.then(|| Answer::Refused(Fault::new(Remedy::Invalid, "not yet").code(422)))
    }));
    world.publish("3", [namespace("shop"), map("b", "1"), map("c", "1")]);
    assert!(world.get(&key("c")).is_some(), "tried once more in the same pass");
    world.vanish(&key("a"));
    world.run();
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 3);
}

/// The map as another inventory of the same platform made it.
fn of_another_inventory() -> serde_json::Value {
    let mut value = map("a", "1");
    value["metadata"]["labels"] = serde_json::json!({"fleet.internal/owner": "old"});
    value["metadata"]["annotations"] =
        serde_json::json!({"fleet.internal/object": "cluster-1:old:/ConfigMap/shop/a"});
    value["metadata"]["managedFields"] = serde_json::json!([{"manager": "fleet-old", "operation": "Apply", "apiVersion": "v1",
        "fieldsV1": {"f:data": {"f:k": {}, "f:gone": {}}}, "fieldsType": "FieldsV1"}]);
    value["data"]["gone"] = "x".into();
    value
}

#[test]
fn what_belongs_to_another_inventory_is_taken_over_only_where_the_definition_names_that() {
    for (annotations, taken) in [
        (serde_json::json!({"fleet.internal/adopt": "take-over"}), false),
        (
            serde_json::json!({"fleet.internal/take-over-from": "other"}),
            false,
        ),
        (serde_json::json!({"fleet.internal/take-over-from": "old"}), true),
    ] {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", [namespace("shop")]);
        world.make(of_another_inventory());
        let uid = world.get(&key("a")).unwrap()["metadata"]["uid"].clone();
        world.requests();
        let mut listed = map("a", "2");
        listed["metadata"]["annotations"] = annotations.clone();
        world.publish("2", [namespace("shop"), listed]);
        world.pass(Millis::from_secs(10));
        let live = world.get(&key("a")).unwrap().clone();
        assert_eq!(live["metadata"]["uid"], uid, "{annotations}");
        if !taken {
            let reason = world.engine.status().blocked[&key("a")].to_string();
            assert!(reason.contains("take-over-from: old"), "{reason}");
            assert_eq!(world.writes().len(), 0, "{annotations}");
            continue;
        }
        assert_eq!(
            live["data"],
            serde_json::json!({"k": "2"}),
            "what it no longer lists goes"
        );
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
        assert_eq!(world.engine.marks().read(&object(live)), MarkState::Ours);
    }
}

#[test]
fn what_another_inventory_took_over_is_neither_fought_over_nor_deleted() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    let value = "cluster-1:new:/ConfigMap/shop/a".into();
    world.edit(
        &key("a"),
        "metadata.labels.fleet.internal/owner",
        "new".into(),
        "fleet-new",
    );
    // The paths of these tests have dots in them.
    let mut taken = world.get(&key("a")).unwrap().clone();
    taken["metadata"]["labels"] = serde_json::json!({"fleet.internal/owner": "new"});
    taken["metadata"]["annotations"]["fleet.internal/object"] = value;
    world.store(taken.clone());
    world.requests();
    world.run();
    world.pass(Millis::from_mins(30));
    let reason = world.engine.status().blocked[&key("a")].clone();
    assert_eq!(reason.code, "taken-over", "{reason}");
    world.publish("2", [namespace("shop")]);
    world.pass(Millis::from_mins(30));
    assert_eq!(world.get(&key("a")).unwrap()["data"], taken["data"]);
    assert_eq!(world.writes().len(), 0);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert!(!world.ledger.as_ref().unwrap().entries.contains_key(&key("a")));
}
