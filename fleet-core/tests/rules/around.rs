//! What goes on around the rules: lost ledgers, other writers of the ledger, CRDs that never come, watches that say
//! nothing, Jobs.

use fleet_core::*;
use serde_json::json;

use crate::support::*;

fn three() -> [serde_json::Value; 3] {
    [namespace("shop"), map("a", "1"), map("b", "1")]
}

/// A ledger that is gone, with the objects still marked.
fn without_ledger(lost: bool) -> World {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", three());
    world.restart(EngineOptions::default());
    if lost {
        world.lost = Some(Reason::new("unreadable", "a shard cannot be read"));
    } else {
        world.ledger = None;
    }
    world.requests();
    world.records = 0;
    world
}

#[test]
fn a_lost_ledger_writes_nothing_until_it_is_rebuilt_with_the_token() {
    for lost in [false, true] {
        let mut world = without_ledger(lost);
        let marked = world.engine.marks().mark(&object(map("copied", "1")));
        let mut copied = marked.to_json();
        copied["metadata"]["name"] = json!("copy");
        world.make(copied);
        world.publish("2", [namespace("shop"), map("a", "2"), map("c", "1")]);
        world.pass(Millis::from_mins(30));
        assert!(world.requests().is_empty() && world.records == 0, "lost: {lost}");
        let plan = world.engine.plan();
        assert!(plan.unknown.is_some() && world.engine.status().ledger_lost.is_some());
        assert_eq!(plan.count(Action::Adopt), 3, "what bears our mark and is no copy");
        world.push(Event::Confirm("0-nonsense".into()));
        assert!(world.codes().contains(&"token-refused".into()) && world.records == 0);

        // By the next process, and from what it finds itself.
        world.restart(EngineOptions::default());
        world.queue(Event::Confirm(plan.token.unwrap()));
        world.publish("2", [namespace("shop"), map("a", "2"), map("c", "1")]);
        world.pass(Millis::from_mins(1));
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
        assert_eq!(
            world.keys(),
            [
                "ConfigMap shop/a",
                "ConfigMap shop/c",
                "ConfigMap shop/copy",
                "Namespace shop"
            ]
        );
        assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 3);
    }
}

#[test]
fn a_token_to_rebuild_covers_exactly_what_was_found() {
    let mut world = without_ledger(true);
    world.publish("1", three());
    let token = world.engine.plan().token.unwrap();
    let marked = world.engine.marks().mark(&object(map("more", "1")));
    world.make(marked.to_json());
    world.restart(EngineOptions::default());
    world.queue(Event::Confirm(token));
    world.publish("1", three());
    assert_eq!(world.records, 0);
    assert!(world.codes().contains(&"token-refused".into()));
    // Repaired by somebody: read again when asked to.
    world.lost = None;
    world.push(Event::Replan);
    assert!(world.engine.status().ledger_lost.is_none());
}

#[test]
fn never_is_not_lost() {
    let mut world = World::new(EngineOptions::default());
    world.ledger = None;
    world.publish("1", three());
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn another_writer_of_the_ledger_means_reading_everything_again() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", three());
    world.restart(EngineOptions::default());
    let mut left = 3;
    world.interfere_ledger = Some(Box::new(move |world, _| {
        left -= 1;
        (left >= 0).then(|| {
            // The other one has just made an object, and an entry for it.
            let made = world
                .engine
                .marks()
                .mark(&object(map(&format!("other-{left}"), "1")));
            world.make(made.to_json());
            let uid = world.get(&key(&format!("other-{left}"))).unwrap()["metadata"]["uid"]
                .as_str()
                .unwrap()
                .into();
            let mut entry = Entry::new(key(&format!("other-{left}")), "v1");
            entry.uid = Some(uid);
            entry.state = EntryState::Owned;
            world
                .ledger
                .as_mut()
                .unwrap()
                .entries
                .insert(entry.key.clone(), entry);
            Fault::new(Remedy::Conflict, "the shard has changed")
        })
    }));
    world.publish("2", [namespace("shop"), map("a", "2"), map("c", "1")]);
    world.pass(Millis::from_mins(5));
    assert!(world.codes().contains(&"ledger-unwritten".into()));
    assert_eq!(
        world.keys(),
        ["ConfigMap shop/a", "ConfigMap shop/c", "Namespace shop"]
    );
    assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 3);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn a_ledger_that_cannot_be_written_is_tried_within_limits() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", three());
    world.interfere_ledger = Some(Box::new(|_, _| Some(Fault::new(Remedy::Retry, "not now"))));
    let before = world.records;
    world.publish("2", [namespace("shop"), map("c", "1")]);
    world.pass(Millis::from_mins(10));
    let tries = world.records - before;
    assert!((10..40).contains(&tries), "{tries} tries in ten minutes");
    assert_eq!(world.keys().len(), 3, "nothing is written that is not recorded");
    world.interfere_ledger = None;
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn a_crd_that_is_never_established_holds_up_its_own_objects_only() {
    let mut world = World::new(EngineOptions::default());
    world.establish = false;
    world.publish(
        "1",
        [
            namespace("shop"),
            crd(),
            widget("v1", "w"),
            widget("v1", "x"),
            map("a", "1"),
        ],
    );
    assert!(world.get(&key("a")).is_none(), "the rest waits a while");
    world.pass(Millis::from_secs(35));
    assert!(world.get(&key("a")).is_some());
    let status = world.engine.status();
    assert_eq!(status.blocked[&crd_key()].code, "not-established");
    assert_eq!(status.blocked[&widget_key("w")].code, "kind-not-served");
    assert_eq!(status.blocked[&widget_key("x")].code, "kind-not-served");
    // Late is not never.
    let mut live = world.get(&crd_key()).unwrap().clone();
    live["status"] = json!({"conditions": [{"type": "Established", "status": "True"}]});
    world.store(live);
    world.run();
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn a_kind_that_discovery_never_shows_ends_the_wait_for_all_its_objects() {
    let mut world = World::new(EngineOptions::default());
    let before = world.kinds.clone();
    // Established, and the aggregated discovery does not follow.
    world.publish("1", [namespace("shop")]);
    world.kinds.kinds.clear();
    world.kinds.kinds.extend(before.kinds);
    let mut stubborn = crd();
    stubborn["spec"]["names"]["kind"] = json!("Gadget");
    stubborn["metadata"]["name"] = json!("gadgets.example.com");
    stubborn["spec"]["names"]["plural"] = json!("gadgets");
    world.undiscovered.insert(GroupKind::new("example.com", "Gadget"));
    let gadget = |name: &str| {
        let mut gadget = widget("v1", name);
        gadget["kind"] = json!("Gadget");
        gadget
    };
    world.publish(
        "2",
        [
            namespace("shop"),
            stubborn,
            gadget("a"),
            gadget("b"),
            map("a", "1"),
        ],
    );
    world.pass(Millis::from_mins(2));
    assert!(world.get(&key("a")).is_some());
    let blocked = world.engine.status().blocked;
    assert_eq!(blocked.len(), 2, "{blocked:?}");
    world.undiscovered.clear();
    world.push(Event::Kinds(world.discovery()));
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn a_watch_that_shows_nothing_is_not_waited_for_for_ever() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", three());
    world.restart(EngineOptions::default());
    world.mute = true;
    world.publish("2", [namespace("shop"), map("a", "2"), map("c", "1")]);
    world.pass(Millis::from_mins(2));
    assert_eq!(
        world.keys(),
        ["ConfigMap shop/a", "ConfigMap shop/c", "Namespace shop"]
    );
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2");
}

#[test]
fn a_job_with_a_time_to_live_is_done_once_for_each_definition() {
    let job = |image: &str| json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "default"}, "spec": {"ttlSecondsAfterFinished": 1, "image": image}});
    let key = ObjectKey::new("batch", "Job", Some("default"), "j");
    let finish = |world: &mut World| {
        let mut live = world.get(&key).unwrap().clone();
        live["status"] = json!({"conditions": [{"type": "Failed", "status": "True"}]});
        world.store(live);
        world.run();
    };
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [job("1")]);
    world.vanish(&key);
    world.run();
    assert!(world.get(&key).is_some(), "it had not finished");
    finish(&mut world);
    world.vanish(&key);
    world.run();
    world.pass(Millis::from_mins(60));
    assert!(world.get(&key).is_none());
    world.publish("2", [job("2")]);
    assert!(world.get(&key).is_some(), "a new definition runs");
    finish(&mut world);
    world.vanish(&key);
    world.run();
    world.publish("3", [map_in("default", "m", "1")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(
        world.ledger.as_ref().unwrap().entries.len(),
        1,
        "not listed: forgotten"
    );
}

#[test]
fn a_plan_changes_nothing_and_covers_the_whole_inventory() {
    let mut options = EngineOptions::default();
    options.approval = Approval::Never;
    let mut world = World::new(options);
    world.ledger = None;
    world.publish("1", [namespace("shop"), map("a", "1"), crd(), widget("v1", "w")]);
    world.pass(Millis::from_mins(5));
    assert!(world.writes().is_empty() && world.records == 0);
    let plan = world.engine.plan();
    assert_eq!(plan.count(Action::Create), 4, "{plan:?}");
    let unchecked: Vec<_> = plan
        .changes
        .iter()
        .filter(|c| c.unchecked)
        .map(|c| c.key.name())
        .collect();
    assert_eq!(
        unchecked,
        ["a", "w"],
        "behind a namespace or CRD that does not exist yet"
    );
    assert!(world.engine.is_settled());
}

#[test]
fn an_answer_older_than_what_a_watch_showed_is_not_believed() {
    // The object is deleted, or changed, before the answer to its write arrives.
    for gone in [true, false] {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", [namespace("shop"), map("a", "1")]);
        let mut done = false;
        world.interfere = Some(Box::new(move |world, request| {
            if !request.is_write() || request.key().name() != "a" || std::mem::replace(&mut done, true) {
                return None;
            }
            let answer = world.serve(request);
            if gone {
                world.vanish(&key("a"));
            } else {
                world.edit(&key("a"), "data.k", json!("drift"), "someone");
            }
            Some(answer)
        }));
        world.publish("2", [namespace("shop"), map("a", "2")]);
        world.pass(Millis::from_mins(1));
        assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "2", "gone: {gone}");
    }
}

/// The CRD of widgets, serving these versions.
fn crd_at(versions: &[&str]) -> serde_json::Value {
    let mut value = crd();
    let served = versions.iter().map(|name| json!({"name": name, "served": true}));
    value["spec"]["versions"] = served.collect();
    value
}

#[test]
fn custom_resources_move_with_their_definition_to_another_version_in_one_pass() {
    let mut world = World::new(EngineOptions::default());
    world.publish(
        "1",
        [namespace("shop"), crd_at(&["v1alpha1"]), widget("v1alpha1", "w")],
    );
    assert!(world.engine.status().is_clean());
    // Planned as what it is: an update that cannot be checked before its version is served.
    world.requests();
    let mut never = EngineOptions::default();
    never.approval = Approval::Never;
    world.restart(never);
    let after = [namespace("shop"), crd_at(&["v1alpha1", "v1"]), widget("v1", "w")];
    world.publish("2", after.clone());
    let plan = world.engine.plan();
    let moved = plan.changes.iter().find(|c| c.key == widget_key("w")).unwrap();
    assert_eq!(
        (moved.action, moved.unchecked),
        (Action::Update, true),
        "{plan:?}"
    );

    world.restart(EngineOptions::default());
    world.publish("2", after);
    let status = world.engine.status();
    assert!(status.is_clean(), "{status:?}");
    let entries = &world.ledger.as_ref().unwrap().entries;
    assert_eq!(entries[&widget_key("w")].version, "v1");
    assert!(world.codes().is_empty());
}

#[test]
fn what_a_definition_no_longer_serves_is_held_back() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), crd(), widget("v1alpha1", "w")]);
    world.restart(EngineOptions::default());
    world.publish("2", [namespace("shop"), crd_at(&["v1"]), widget("v1alpha1", "w")]);
    let status = world.engine.status();
    assert_eq!(
        status.blocked.get(&widget_key("w")).map(|r| &*r.code),
        Some("version-not-served"),
        "{status:?}"
    );
    assert!(world.get(&widget_key("w")).is_some());
}

#[test]
fn a_refused_definition_holds_back_what_needs_it_at_once() {
    let mut world = World::new(EngineOptions::default());
    world.publish(
        "1",
        [namespace("shop"), crd_at(&["v1alpha1"]), widget("v1alpha1", "w")],
    );
    world.interfere = Some(Box::new(|_, request| {
        let crd = *request.key() == crd_key() && matches!(request, Request::Apply { .. });
        crd.then(|| Answer::Refused(Fault::new(Remedy::Invalid, "no").code(422)))
    }));
    let start = world.now;
    world.publish(
        "2",
        [
            namespace("shop"),
            crd_at(&["v1alpha1", "v1"]),
            widget("v1", "w"),
            map("a", "1"),
        ],
    );
    let status = world.engine.status();
    assert!(
        status.converged && world.now == start,
        "nothing is waited for: {status:?}"
    );
    assert_eq!(
        status.blocked.get(&widget_key("w")).map(|r| &*r.code),
        Some("kind-not-served"),
        "{status:?}"
    );
    assert!(world.get(&key("a")).is_some());
}

#[test]
fn after_a_move_to_another_version_the_answer_is_not_taken_for_the_last_word() {
    let hpa = |version: &str| of_kind(version, "HorizontalPodAutoscaler", "h");
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), hpa("autoscaling/v1")]);
    world.requests();
    world.publish("2", [namespace("shop"), hpa("autoscaling/v2")]);
    let sent = world.requests();
    let asked_last = matches!(
        &sent.last().unwrap().request,
        Request::Apply { dry_run: true, .. }
    );
    let written = sent.iter().filter(|s| s.request.is_write()).count();
    assert!(written == 0 || asked_last, "{sent:?}");
    assert!(world.engine.status().is_clean());
}

#[test]
fn what_goes_while_its_watch_moves_to_another_version_is_noticed() {
    let mut options = EngineOptions::default();
    options.budget = DeleteBudget::new(0, 0, 0);
    let mut world = World::new(options);
    world.publish("1", [namespace("shop"), crd(), widget("v1alpha1", "w")]);
    world.pass(Millis::from_mins(1));
    world.publish("2", [namespace("shop"), crd()]);
    assert!(world.engine.status().held.is_some());
    // Its version is no longer served, and it goes before the new watch begins.
    world.deaf = true;
    world.vanish(&widget_key("w"));
    world.deaf = false;
    let mut kinds = world.discovery();
    let widget = GroupKind::new("example.com", "Widget");
    let info = kinds.kinds.get_mut(&widget).unwrap();
    info.versions.retain(|version| version == "v1");
    world.push(Event::Kinds(kinds));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn custom_resources_are_compared_again_when_their_definition_has_changed() {
    for seed in 0..20 {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", [namespace("shop"), crd(), widget("v1", "w")]);
        world.restart(EngineOptions::default());
        world.shuffle = Some(seed);
        world.requests();
        let mut changed = crd();
        changed["spec"]["versions"][1]["deprecated"] = json!(true);
        world.publish("2", [namespace("shop"), changed, widget("v1", "w")]);
        world.pass(Millis::from_secs(5));
        let sent = world.requests();
        let written = sent
            .iter()
            .position(|s| *s.request.key() == crd_key() && s.request.is_write())
            .unwrap();
        let asked = |s: &Sent| {
            *s.request.key() == widget_key("w") && matches!(s.request, Request::Apply { dry_run: true, .. })
        };
        assert!(sent[written..].iter().any(asked), "seed {seed}: {sent:?}");
        assert!(world.engine.status().is_clean());
    }
}
