//! Rule 13: what cannot be changed is made again only where that is allowed, proved first, with a copy, and is restored
//! when the new one is refused. A process is killed at every write, ledger writes counted.

use fleet_core::*;
use serde_json::{Value, json};

use crate::support::*;

/// A map whose `data.k` cannot change once it is there, and which may be made again.
fn fixed(value: &str) -> Value {
    let mut map = map("a", value);
    map["metadata"]["annotations"] = json!({"fleet.internal/recreate": "allow"});
    map
}

fn invalid(message: &str) -> Answer {
    Answer::Refused(Fault::new(Remedy::Invalid, message).code(422))
}

fn value_of(request: &Request) -> Option<String> {
    let (Request::Apply { document, .. } | Request::Create { document, .. }) = request else {
        return None;
    };
    let value = document.root().at(&["data", "k"])?.as_str()?;
    Some(value.to_owned())
}

/// The server's validation: `data.k` of the map does not change, and once the map is gone nothing takes the value
/// `refused`.
fn validation(refused: &'static str) -> Interfere {
    Box::new(move |world, request| {
        let value = value_of(request)?;
        let about = request.key() == &key("a");
        match world.get(&key("a")) {
            // Another object than the one that is written is a conflict, before anything is said of its values.
            Some(live) if about && live["data"]["k"] != value.as_str() && live["data"]["k"] != "theirs" => {
                Some(invalid("data.k: Invalid value: field is immutable"))
            }
            None if about && value == refused => Some(invalid("data.k: Invalid value: no such value")),
            _ => None,
        }
    })
}

fn copies(world: &World) -> Vec<String> {
    let names = world.keys();
    names
        .into_iter()
        .filter(|name| name.contains("fleet-copy-"))
        .collect()
}

/// The map with value 1, ours.
fn before(options: EngineOptions, refused: &'static str) -> World {
    let mut world = World::new(options);
    world.publish("1", [namespace("shop"), fixed("1")]);
    world.interfere = Some(validation(refused));
    world.requests();
    world.steps = 0;
    world
}

fn uid(world: &World) -> Option<String> {
    Some(world.get(&key("a"))?["metadata"]["uid"].as_str()?.to_owned())
}

fn data(world: &World) -> Option<String> {
    Some(world.get(&key("a"))?["data"]["k"].as_str()?.to_owned())
}

fn deletes(world: &mut World) -> Vec<String> {
    let writes = world.writes().into_iter();
    let deletes = writes.filter(|sent| matches!(sent.request, Request::Delete { .. }));
    deletes.map(|sent| sent.request.key().to_string()).collect()
}

fn entry(world: &World) -> Entry {
    world.ledger.as_ref().unwrap().entries[&key("a")].clone()
}

#[test]
fn without_a_permission_nothing_is_deleted_and_what_would_allow_it_is_said() {
    let mut world = before(EngineOptions::default(), "");
    let mut changed = fixed("2");
    changed["metadata"]["annotations"] = json!({});
    world.publish("2", [namespace("shop"), changed]);
    world.pass(Millis::from_mins(10));
    assert_eq!(deletes(&mut world), [""; 0]);
    assert_eq!(data(&world).as_deref(), Some("1"));
    let refused = world.engine.status().refused[&key("a")].to_string();
    assert!(refused.contains("field is immutable"), "{refused}");
    assert!(
        refused.contains("set its annotation fleet.internal/recreate: allow"),
        "{refused}"
    );
}

#[test]
fn where_it_is_allowed_it_is_copied_deleted_and_made_again() {
    let mut world = before(EngineOptions::default(), "");
    let old = uid(&world);
    world.publish("2", [namespace("shop"), fixed("2")]);
    world.pass(Millis::from_secs(30));
    let status = world.engine.status();
    assert!(status.is_clean(), "{status:?}");
    assert_eq!(data(&world).as_deref(), Some("2"));
    assert_ne!(uid(&world), old);
    assert_eq!(copies(&world), [""; 0]);
    let entry = entry(&world);
    assert_eq!((entry.state, entry.note), (EntryState::Owned, None));
    assert_eq!(entry.uid.map(|uid| uid.to_string()), uid(&world));
    assert_eq!(world.reserved, [(1, false)], "it counts as a delete");
    let ledger = world.ledger.as_ref().unwrap();
    assert_eq!(ledger.window.iter().map(|spent| spent.count).sum::<u32>(), 1);
    let names: Vec<String> = world
        .requests()
        .iter()
        .filter(|sent| sent.request.is_write())
        .map(|sent| {
            format!("{:?}", sent.request)
                .split([' ', '{', '('])
                .next()
                .unwrap()
                .to_owned()
        })
        .collect();
    assert_eq!(
        names,
        ["Create", "Delete", "Apply", "Delete"],
        "copy, object, object, copy"
    );
    assert!(world.notes.iter().any(|note| matches!(
        note,
        Note::Done {
            action: Action::Recreate,
            ..
        }
    )));
}

#[test]
fn a_plan_shows_it_and_writes_nothing() {
    let mut world = before(EngineOptions::default(), "");
    let mut options = EngineOptions::default();
    options.approval = Approval::Never;
    world.restart(options);
    world.publish("2", [namespace("shop"), fixed("2")]);
    assert_eq!(
        world.engine.plan().count(Action::Recreate),
        1,
        "{:?}",
        world.engine.plan()
    );
    assert_eq!(world.writes().len(), 0);
}

#[test]
fn a_kind_may_be_allowed_as_a_whole_and_one_that_holds_state_needs_both_permissions() {
    let set = |value: &str| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet",
            "metadata": {"namespace": "shop", "name": "db"}, "data": {"k": value}})
    };
    let kind = GroupKind::new("apps", "StatefulSet");
    let db = ObjectKey::new("apps", "StatefulSet", Some("shop"), "db");
    for (recreate, permitted, done) in [(true, true, true), (true, false, false), (false, true, false)] {
        let mut options = EngineOptions::default();
        options.recreate.extend(recreate.then(|| kind.clone()));
        options.permitted_kinds.extend(permitted.then(|| kind.clone()));
        let mut world = World::new(options);
        world.publish("1", [namespace("shop"), set("1")]);
        let this = db.clone();
        world.interfere = Some(Box::new(move |world, request| {
            let value = value_of(request).filter(|_| *request.key() == this)?;
            let live = world.get(&this)?;
            (live["data"]["k"] != value.as_str())
                .then(|| invalid("spec: Forbidden: updates to statefulset spec for fields other than 'replicas' are forbidden"))
        }));
        world.publish("2", [namespace("shop"), set("2")]);
        world.pass(Millis::from_mins(1));
        let expect = if done { "2" } else { "1" };
        assert_eq!(world.objects[&db]["data"]["k"], expect, "{recreate} {permitted}");
        let status = world.engine.status();
        assert_eq!(status.is_clean(), done, "{status:?}");
    }
}

#[test]
fn what_the_server_would_not_take_is_not_deleted() {
    let mut world = before(EngineOptions::default(), "");
    let mut inner = validation("");
    world.interfere = Some(Box::new(move |world, request| match request {
        Request::Create { dry_run: true, .. } => Some(invalid("data.k: Invalid value: no such value")),
        _ => inner(world, request),
    }));
    world.publish("2", [namespace("shop"), fixed("2")]);
    world.pass(Millis::from_mins(20));
    assert_eq!(deletes(&mut world), [""; 0]);
    assert_eq!(copies(&world), [""; 0]);
    let refused = world.engine.status().refused[&key("a")].to_string();
    assert!(
        refused.contains("the server refuses the new one") && refused.contains("no such value"),
        "{refused}"
    );
}

#[test]
fn without_a_budget_or_a_grant_nothing_is_deleted() {
    let mut options = EngineOptions::default();
    options.budget = DeleteBudget::new(0, 0, 0);
    let mut world = before(options, "");
    world.publish("2", [namespace("shop"), fixed("2")]);
    world.pass(Millis::from_mins(20));
    assert!(world.engine.status().blocked[&key("a")].code == "over-budget");
    assert_eq!((deletes(&mut world), world.reserved.len()), (vec![], 0));
    for grants in [
        Grants::Refused(Reason::new("fleet-budget", "no")),
        Grants::Silent,
        Grants::For(Millis(0)),
    ] {
        let mut world = before(EngineOptions::default(), "");
        world.grants = grants.clone();
        world.publish("2", [namespace("shop"), fixed("2")]);
        world.pass(Millis::from_mins(2));
        assert!(
            world.engine.status().blocked.contains_key(&key("a")),
            "{grants:?}: {:?}",
            world.engine.status()
        );
        assert_eq!(deletes(&mut world), [""; 0], "{grants:?}");
        world.grants = Grants::Given;
        world.pass(Millis::from_mins(40));
        assert_eq!(
            data(&world).as_deref(),
            Some("2"),
            "{grants:?}: {:?}",
            world.engine.status()
        );
    }
}

/// Kills at every write of a recreation until there are no more. `then` is the inventory of the next process.
fn killed_everywhere(refused: &'static str, then: &[Value], check: impl Fn(&World, &str)) {
    let mut points = 0;
    for at in 0.. {
        let mut died = false;
        for moment in [Moment::Before, Moment::After] {
            let mut world = before(EngineOptions::default(), refused);
            world.kill = Some(Kill { at, moment });
            world.publish("2", [namespace("shop"), fixed("2")]);
            if !world.killed {
                world.pass(Millis::from_secs(30));
            }
            let name = format!("{moment:?} write {at}");
            if !world.killed {
                continue;
            }
            died = true;
            points += 1;
            assert!(
                world.get(&key("a")).is_some() || !copies(&world).is_empty(),
                "{name}: neither the object nor a copy is there"
            );
            world.interfere = Some(validation(refused));
            world.restart(EngineOptions::default());
            world.publish("3", then.iter().cloned());
            world.pass(Millis::from_mins(5));
            assert_eq!(copies(&world), [""; 0], "{name}: {:?}", world.engine.status());
            check(&world, &name);
        }
        if !died {
            break;
        }
    }
    assert!(points >= 12, "{points} points");
}

#[test]
fn killed_anywhere_the_next_process_makes_it_again() {
    killed_everywhere("", &[namespace("shop"), fixed("2")], |world, name| {
        assert_eq!(data(world).as_deref(), Some("2"), "{name}");
        let entry = entry(world);
        assert_eq!(entry.uid.map(|uid| uid.to_string()), uid(world), "{name}");
        assert!(
            world.engine.status().is_clean(),
            "{name}: {:?}",
            world.engine.status()
        );
    });
}

#[test]
fn killed_anywhere_the_next_process_restores_what_cannot_be_made_again() {
    killed_everywhere("2", &[namespace("shop"), fixed("2")], |world, name| {
        assert_eq!(
            data(world).as_deref(),
            Some("1"),
            "{name}: {:?}",
            world.engine.status()
        );
        let entry = entry(world);
        assert_eq!(entry.uid.map(|uid| uid.to_string()), uid(world), "{name}");
        assert!(world.engine.status().refused.contains_key(&key("a")), "{name}");
    });
}

#[test]
fn killed_anywhere_the_next_process_follows_an_inventory_that_changed() {
    // It is listed as it was.
    killed_everywhere("", &[namespace("shop"), fixed("1")], |world, name| {
        assert_eq!(
            data(world).as_deref(),
            Some("1"),
            "{name}: {:?}",
            world.engine.status()
        );
        assert!(
            world.engine.status().is_clean(),
            "{name}: {:?}",
            world.engine.status()
        );
    });
    // It is not listed at all.
    killed_everywhere("2", &[namespace("shop")], |world, name| {
        assert!(world.get(&key("a")).is_none(), "{name}");
        assert!(
            world.engine.status().is_clean(),
            "{name}: {:?}",
            world.engine.status()
        );
        assert!(
            !world.ledger.as_ref().unwrap().entries.contains_key(&key("a")),
            "{name}"
        );
    });
}

#[test]
fn what_was_restored_is_not_tried_again_until_its_definition_is_another() {
    let mut world = before(EngineOptions::default(), "2");
    let owned = |world: &World| {
        let live = object(world.get(&key("a")).unwrap().clone());
        let owner = fleet_diff::managers_of(&live, &FieldPath::keys(["data", "k"]));
        owner
            .iter()
            .map(|m| format!("{} {}", m.name, m.operation))
            .collect::<Vec<_>>()
    };
    let owners = owned(&world);
    world.publish("2", [namespace("shop"), fixed("2")]);
    world.pass(Millis::from_mins(120));
    assert_eq!(data(&world).as_deref(), Some("1"));
    assert_eq!(deletes(&mut world).len(), 2, "the object and its copy, once");
    let refused = world.engine.status().refused[&key("a")].to_string();
    assert!(
        refused.contains("restored: ") && refused.contains("no such value"),
        "{refused}"
    );
    assert_eq!(
        owned(&world),
        owners,
        "its fields belong to whom they belonged before"
    );
    world.publish("3", [namespace("shop"), fixed("3")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(data(&world).as_deref(), Some("3"), "{:?}", world.engine.status());
    assert!(world.engine.status().is_clean());
    assert_eq!(entry(&world).note, None);
}

#[test]
fn a_deletion_that_is_held_is_waited_for_and_reported_with_its_holders() {
    let mut world = before(EngineOptions::default(), "");
    world.edit(
        &key("a"),
        "metadata.finalizers",
        json!(["example.com/slow"]),
        "someone",
    );
    world.publish("2", [namespace("shop"), fixed("2")]);
    world.pass(Millis::from_mins(1));
    let waits = world.engine.status().waiting[&key("a")].to_string();
    assert!(waits.contains("held by example.com/slow"), "{waits}");
    world.pass(Millis::from_mins(3));
    let stuck = world.engine.status().waiting[&key("a")].clone();
    assert_eq!(stuck.code, "deletion-stuck");
    assert!(stuck.to_string().contains("example.com/slow"), "{stuck}");
    world.vanish(&key("a"));
    world.pass(Millis::from_mins(1));
    assert_eq!(data(&world).as_deref(), Some("2"));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn an_object_that_somebody_else_makes_meanwhile_is_left_alone_and_the_copy_kept() {
    let mut world = before(EngineOptions::default(), "");
    let mut inner = validation("");
    let mut done = false;
    world.interfere = Some(Box::new(move |world, request| {
        let is_delete = *request.key() == key("a") && matches!(request, Request::Delete { .. });
        if is_delete && !std::mem::replace(&mut done, true) {
            world.vanish(&key("a"));
            world.make(map("a", "theirs"));
            return Some(Answer::Absent);
        }
        inner(world, request)
    }));
    world.publish("2", [namespace("shop"), fixed("2")]);
    world.pass(Millis::from_mins(5));
    assert_eq!(data(&world).as_deref(), Some("theirs"));
    let blocked = world.engine.status().blocked[&key("a")].clone();
    assert_eq!(blocked.code, "recreate-taken");
    assert_eq!(copies(&world).len(), 1);
    world.vanish(&key("a"));
    world.pass(Millis::from_mins(30));
    assert_eq!(data(&world).as_deref(), Some("2"), "{:?}", world.engine.status());
    assert_eq!(copies(&world).len(), 0);
}

#[test]
fn what_contradicts_itself_is_said_and_not_written() {
    let with = |mut value: Value, annotations: Value| {
        value["metadata"]["annotations"] = annotations;
        value
    };
    let cases = [
        (
            with(namespace("shop"), json!({"fleet.internal/recreate": "allow"})),
            "everything in it would go",
        ),
        (
            with(map("b", "1"), json!({"fleet.internal/recreate": "yes"})),
            "must be allow",
        ),
        (
            with(
                map("b", "1"),
                json!({"fleet.internal/recreate": "allow", "fleet.internal/strategy": "create-only"}),
            ),
            "contradicts its strategy",
        ),
        (
            with(map("b", "1"), json!({"fleet.internal/strategy": "kubectl-apply"})),
            "create-only, json-patch, merge-patch",
        ),
    ];
    for (value, expect) in cases {
        let mut world = World::new(EngineOptions::default());
        let listed = object(value.clone()).key().clone();
        world.publish("1", [value]);
        world.pass(Millis::from_secs(10));
        let reason = world.engine.status().blocked[&listed].to_string();
        assert!(reason.contains(expect), "{reason}");
        assert_eq!(world.writes().len(), 0);
    }
}
