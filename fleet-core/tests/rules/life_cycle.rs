//! A cluster's life: held back, cordoned, drained, left; what is not done counts as much as what is.

use fleet_core::*;
use serde_json::{Value, json};

use crate::support::*;

fn postured(posture: Posture) -> EngineOptions {
    let mut options = EngineOptions::default();
    options.posture = posture;
    options
}

fn hold(code: &'static str) -> Event {
    Event::Hold(Some(Reason::new(code, "not now")))
}

fn listed(value: &str) -> Vec<Value> {
    vec![
        namespace("shop"),
        map("a", value),
        of_kind("apps/v1", "Deployment", "web"),
        of_kind("batch/v1", "Job", "once"),
    ]
}

/// Everything listed is there, made by an engine that serves.
fn served() -> World {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", listed("1"));
    world.requests();
    world
}

#[test]
fn on_hold_everything_is_planned_and_nothing_written_not_even_the_ledger() {
    let mut world = World::new(EngineOptions::default());
    world.queue(hold("paused"));
    world.publish("1", listed("1"));
    world.pass(Millis::from_mins(5));
    let status = world.engine.status();
    assert_eq!(world.writes().len(), 0, "{status:?}");
    assert_eq!(world.records, 0);
    assert_eq!(world.engine.plan().count(Action::Create), 4);
    assert_eq!(
        (status.pending.len(), status.is_clean()),
        (4, false),
        "{status:?}"
    );
    assert_eq!(
        status.on_hold.as_ref().map(|reason| &*reason.code),
        Some("paused")
    );
    assert!(status.converged, "a pass comes to its end");
    world.push(Event::Hold(None));
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert_eq!(world.keys().len(), 4);
}

#[test]
fn drift_and_deletes_wait_for_the_end_of_a_hold() {
    let mut world = served();
    world.push(hold("window"));
    world.edit(&key("a"), "data.k", json!("theirs"), "somebody");
    world.publish(
        "2",
        listed("1")
            .into_iter()
            .filter(|value| value["kind"] != "Deployment"),
    );
    world.pass(Millis::from_mins(5));
    assert_eq!(world.writes().len(), 0);
    let plan = world.engine.plan();
    assert_eq!(
        (plan.count(Action::Update), plan.count(Action::Delete)),
        (1, 1),
        "{plan:?}"
    );
    world.push(Event::Hold(None));
    world.pass(Millis::from_mins(1));
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    assert_eq!(
        world.keys(),
        ["ConfigMap shop/a", "Namespace shop", "Job.batch shop/once"]
    );
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

/// Whenever it ends, before or after deletes are proposed.
#[test]
fn a_hold_that_ends_at_any_request_forgets_no_delete() {
    for at in 0..12 {
        let mut world = served();
        world.restart(EngineOptions::default());
        let mut number = 0;
        world.interfere = Some(Box::new(move |world, _| {
            if number == at {
                world.queue(Event::Hold(None));
            }
            number += 1;
            None
        }));
        world.queue(hold(STARTING));
        world.publish("2", [namespace("shop"), map("b", "1")]);
        world.push(Event::Hold(None));
        world.pass(Millis::from_mins(1));
        assert_eq!(world.keys(), ["ConfigMap shop/b", "Namespace shop"], "{at}");
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    }
}

/// What was deleted to be made again is made again in a pause; against a veto it is not.
#[test]
fn a_hold_ends_no_recreation_half_way_and_a_veto_does() {
    let fixed = |value: &str| {
        let mut map = map("a", value);
        map["metadata"]["annotations"] = json!({"fleet.internal/recreate": "allow"});
        map
    };
    for (code, made) in [
        ("paused", true),
        ("maintenance-window", true),
        (VETO, false),
        (STARTING, false),
    ] {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", [namespace("shop"), fixed("1")]);
        world.interfere = Some(Box::new(move |world, request| {
            let Request::Apply { document, .. } = request else {
                return None;
            };
            let live = world.get(&key("a")).filter(|_| *request.key() == key("a"))?;
            let value = document.root().at(&["data", "k"])?.as_str()?;
            (live["data"]["k"] != value)
                .then(|| Answer::Refused(Fault::new(Remedy::Invalid, "field is immutable").code(422)))
        }));
        world.edit(
            &key("a"),
            "metadata.finalizers",
            json!(["example.com/slow"]),
            "someone",
        );
        world.publish("2", [namespace("shop"), fixed("2")]);
        world.push(hold(code));
        world.vanish(&key("a"));
        world.pass(Millis::from_mins(1));
        assert_eq!(
            world.get(&key("a")).is_some(),
            made,
            "{code}: {:?}",
            world.engine.status()
        );
        world.push(Event::Hold(None));
        world.pass(Millis::from_mins(1));
        assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2", "{code}");
        assert!(
            world.engine.status().is_clean(),
            "{code}: {:?}",
            world.engine.status()
        );
    }
}

#[test]
fn cordoned_what_is_new_is_not_made_and_what_is_there_is_kept() {
    let mut world = served();
    world.restart(postured(Posture::Cordoned));
    let mut new = listed("2");
    new.push(map("new", "1"));
    world.vanish(&ObjectKey::new("apps", "Deployment", Some("shop"), "web"));
    world.publish("2", new);
    world.pass(Millis::from_mins(5));
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2", "changed");
    assert!(
        world.keys().contains(&"Deployment.apps shop/web".to_owned()),
        "made again: it was there"
    );
    assert!(world.get(&key("new")).is_none());
    assert_eq!(world.engine.status().blocked[&key("new")].code, "cordoned");
    world.publish(
        "3",
        listed("2").into_iter().filter(|value| value["kind"] != "Job"),
    );
    world.pass(Millis::from_mins(1));
    assert_eq!(world.keys().len(), 3, "what is dropped goes: {:?}", world.keys());
}

#[test]
fn drained_what_runs_pods_goes_within_the_budget_and_the_rest_stays() {
    let mut world = served();
    let mut options = postured(Posture::Draining);
    options.budget = DeleteBudget::new(1, 100, 0);
    world.restart(options);
    world.publish("1", listed("1"));
    world.pass(Millis::from_mins(5));
    assert_eq!(world.keys().len(), 4, "more than the budget allows");
    let token = world.engine.plan().token.expect("it can be confirmed");
    world.push(Event::Confirm(token));
    world.pass(Millis::from_mins(1));
    assert_eq!(world.keys(), ["ConfigMap shop/a", "Namespace shop"]);
    world.edit(&key("a"), "data.k", json!("theirs"), "somebody");
    world.run();
    assert_eq!(
        world.get(&key("a")).unwrap()["data"]["k"],
        "1",
        "the rest is kept as it should be"
    );
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    // Back in service.
    world.restart(EngineOptions::default());
    world.publish("1", listed("1"));
    world.pass(Millis::from_mins(1));
    assert_eq!(world.keys().len(), 4);
}

#[test]
fn while_the_inventory_is_unknown_nothing_is_drained_or_let_go_of() {
    for posture in [Posture::Draining, Posture::Orphaning, Posture::Clearing] {
        let mut world = served();
        let before = world.objects.clone();
        world.restart(postured(posture));
        world.unknown("the source is down");
        world.pass(Millis::from_mins(30));
        assert_eq!(world.objects, before, "{posture:?}");
        assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 4, "{posture:?}");
    }
}

#[test]
fn a_cluster_that_leaves_keeps_what_is_orphaned_without_our_marks() {
    let mut world = served();
    let uids: Vec<Value> = world
        .objects
        .values()
        .map(|value| value["metadata"]["uid"].clone())
        .collect();
    world.restart(postured(Posture::Orphaning));
    world.publish("1", listed("1"));
    world.pass(Millis::from_mins(5));
    let after: Vec<Value> = world
        .objects
        .values()
        .map(|value| value["metadata"]["uid"].clone())
        .collect();
    assert_eq!(after, uids, "nothing is deleted");
    assert!(
        world.ledger.as_ref().unwrap().entries.is_empty(),
        "{:?}",
        world.engine.status()
    );
    for value in world.objects.values() {
        let left = object(value.clone());
        assert_eq!(
            world.engine.marks().read(&left),
            MarkState::None,
            "{}",
            left.key()
        );
        assert_eq!(left.label("fleet.internal/owner"), None);
    }
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn a_cluster_that_leaves_is_cleared_where_that_is_the_policy_permissions_and_budgets_included() {
    let mut world = served();
    let mut options = postured(Posture::Clearing);
    world.restart(options.clone());
    world.publish("1", listed("1"));
    world.pass(Millis::from_mins(5));
    assert_eq!(
        world.keys(),
        ["Namespace shop"],
        "that takes a permission of its own"
    );
    options.permitted_kinds = [GroupKind::new("", "Namespace")].into();
    world.restart(options);
    world.publish("1", listed("1"));
    world.pass(Millis::from_mins(5));
    assert_eq!(world.keys(), [""; 0], "{:?}", world.engine.status());
}

/// A map that must be made again to get another value.
fn fixed(value: &str) -> Value {
    let mut map = map("a", value);
    map["metadata"]["annotations"] = json!({"fleet.internal/recreate": "allow"});
    map
}

fn is_update(world: &World, request: &Request) -> bool {
    let Request::Apply { document, .. } = request else {
        return false;
    };
    let live = world.get(&key("a")).filter(|_| *request.key() == key("a"));
    let value = document.root().at(&["data", "k"]).and_then(Node::as_str);
    live.zip(value)
        .is_some_and(|(live, value)| live["data"]["k"] != value)
}

fn immutable() -> Answer {
    Answer::Refused(Fault::new(Remedy::Invalid, "field is immutable").code(422))
}

/// The end of a pause is waited for with the delete; with what is gone already nothing waits.
#[test]
fn a_pause_begins_no_delete_and_brings_back_what_it_cannot_replace() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), fixed("1")]);
    world.interfere = Some(Box::new(|world, request| match request {
        Request::Delete { .. } if *request.key() == key("a") => Some(Answer::NotSent(lost())),
        _ => is_update(world, request).then(immutable),
    }));
    world.publish("2", [namespace("shop"), fixed("2")]);
    let entry = &world.ledger.as_ref().unwrap().entries[&key("a")];
    assert!(entry.note.is_some(), "its delete is recorded");
    world.push(hold("paused"));
    world.interfere = Some(Box::new(|world, request| {
        is_update(world, request).then(immutable)
    }));
    world.pass(Millis::from_mins(5));
    assert_eq!(
        world.get(&key("a")).unwrap()["data"]["k"],
        "1",
        "it is not deleted in a pause"
    );

    // Gone, and the new one is refused: the old one comes back, pause or not.
    world.interfere = Some(Box::new(|world, request| {
        let Request::Apply { document, .. } = request else {
            return None;
        };
        let is_new = document.root().at(&["data", "k"]).and_then(Node::as_str) == Some("2");
        (*request.key() == key("a") && is_new && world.get(&key("a")).is_none()).then(immutable)
    }));
    world.vanish(&key("a"));
    world.run();
    world.pass(Millis::from_mins(5));
    let live = world.get(&key("a"));
    assert_eq!(
        live.map(|live| &live["data"]["k"]),
        Some(&json!("1")),
        "{:?}",
        world.engine.status()
    );
}
