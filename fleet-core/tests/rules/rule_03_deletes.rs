//! Rule 3: deletes hit only what the ledger says is ours and what still bears our mark, and stay within budget.

use fleet_core::*;
use serde_json::{Value, json};

use super::{Check, guarded, need, options};
use crate::support::*;

fn is_delete(request: &Request) -> bool {
    matches!(request, Request::Delete { .. })
}

fn two() -> [Value; 3] {
    [namespace("shop"), map("a", "1"), map("b", "1")]
}

fn without_a() -> [Value; 2] {
    [namespace("shop"), map("b", "1")]
}

/// Somebody deletes the object and makes another one, with our marks copied.
fn replace(world: &mut World, key: &ObjectKey) {
    let Some(mut copy) = world.get(key).cloned() else {
        return;
    };
    if copy["metadata"]["uid"] == "restored" {
        return;
    }
    world.vanish(key);
    copy["metadata"]["uid"] = json!("restored");
    world.store(copy);
}

fn replaced_just_before(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", two());
    world.interfere = Some(Box::new(|world, request| {
        if is_delete(request) {
            replace(world, request.key());
        }
        None
    }));
    world.publish("2", without_a());
    world.pass(Millis::from_mins(5));
    let live = world.get(&key("a"));
    need!(
        live.is_some_and(|live| live["metadata"]["uid"] == "restored"),
        "somebody else's object was deleted"
    );
    need!(
        world.engine.status().blocked[&key("a")].code == "mark-with-other-uid",
        "not reported"
    );
    Ok(())
}

#[test]
fn rule_03_deletes_never_hit_another_object_of_the_name() {
    guarded(replaced_just_before, Switches::default().without_delete_guards());
}

fn changed_just_before(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", two());
    world.interfere = Some(Box::new(|world, request| {
        if is_delete(request) && !world.objects.is_empty() {
            world.interfere = Some(Box::new(|_, _| None));
            world.edit(
                request.key(),
                "metadata.annotations",
                json!({"fleet.internal/on-delete": "orphan"}),
                "a person",
            );
        }
        None
    }));
    world.publish("2", without_a());
    need!(
        world.get(&key("a")).is_some(),
        "it was deleted on an old sight of it"
    );
    let deletes = world.requests().into_iter().filter(|s| is_delete(&s.request));
    need!(
        deletes.clone().count() > 0 && deletes.clone().all(|s| s.code == 409),
        "the delete did not fail"
    );
    Ok(())
}

#[test]
fn rule_03_deletes_carry_the_version_they_were_decided_on() {
    guarded(changed_just_before, Switches::default().without_delete_guards());
}

fn mark_removed(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", two());
    let mut live = world.get(&key("a")).unwrap().clone();
    live["metadata"]["labels"] = json!({});
    live["metadata"]["annotations"] = json!({});
    world.deaf = true;
    world.store(live);
    world.restart(options(switches));
    world.deaf = false;
    world.publish("2", without_a());
    need!(world.get(&key("a")).is_some(), "it was deleted without our mark");
    need!(world.codes().contains(&"mark-removed".into()), "not reported");
    need!(
        !world.ledger.as_ref().unwrap().entries.contains_key(&key("a")),
        "its entry is still there"
    );
    Ok(())
}

#[test]
fn rule_03_deletes_need_our_mark() {
    guarded(mark_removed, Switches::default().without_delete_guards());
}

#[test]
fn rule_03_deletes_carry_both_preconditions_and_wait_for_a_grant() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", two());
    world.log.clear();
    world.publish("2", [namespace("shop")]);
    let deletes: Vec<Sent> = world
        .requests()
        .into_iter()
        .filter(|s| is_delete(&s.request))
        .collect();
    assert_eq!(deletes.len(), 2);
    for sent in &deletes {
        assert!(
            matches!(&sent.request, Request::Delete { version: Some(_), uid, .. } if !uid.as_str().is_empty())
        );
    }
    assert_eq!(world.reserved, [(2, false)], "all deletes of the plan at once");
    let at = |start: &str| world.log.iter().position(|line| line.starts_with(start)).unwrap();
    let sent = world
        .log
        .iter()
        .position(|l| l.starts_with("Send") && l.contains("Delete {"));
    assert!(at("Reserve ") < at("Record ") && at("Record ") < sent.unwrap());
}

#[test]
fn rule_03_a_delete_answered_with_the_object_is_sent_once() {
    let mut world = World::new(EngineOptions::default());
    world.publish(
        "1",
        [namespace("shop"), of_kind("v1", "Service", "s"), map("b", "1")],
    );
    // The watch is slower than the answer.
    world.mute = true;
    world.requests();
    world.publish("2", without_a());
    world.pass(Millis::from_mins(5));
    let sent = world.requests().into_iter().filter(|s| is_delete(&s.request));
    assert_eq!(sent.count(), 1);
    let entries = &world.ledger.as_ref().unwrap().entries;
    assert_eq!(entries.len(), 2, "{:?}", entries.keys());
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

/// 40 objects, of which 30 are dropped.
fn many(dropped: usize) -> Vec<Value> {
    let maps = (dropped..40).map(|i| map(&format!("m-{i:02}"), "1"));
    std::iter::once(namespace("shop")).chain(maps).collect()
}

fn over_budget(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", many(0));
    world.publish("2", many(30));
    world.pass(Millis::from_mins(30));
    need!(world.keys().len() == 41, "{} are left", world.keys().len());
    need!(world.reserved.is_empty(), "deletes over budget were reserved");
    need!(
        world
            .engine
            .status()
            .held
            .is_some_and(|r| r.code == "over-budget"),
        "not held"
    );
    Ok(())
}

#[test]
fn rule_03_deletes_stay_within_budget() {
    guarded(over_budget, Switches::default().without_budgets());
}

#[test]
fn rule_03_deletes_within_a_window_add_up() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", many(0));
    world.publish("2", many(8));
    assert_eq!(world.keys().len(), 33, "8 of 41: as many as a window allows");
    world.publish("3", many(12));
    assert_eq!(world.keys().len(), 33, "12 are not allowed");
    // Also not in a new process.
    world.restart(EngineOptions::default());
    world.publish("3", many(12));
    assert_eq!(world.keys().len(), 33);
    let notes = world.notes.len();
    world.pass(Millis::from_mins(30));
    assert_eq!(world.notes.len(), notes, "said once");
    world.pass(Millis::from_mins(31));
    assert_eq!(world.keys().len(), 29, "the window has moved on");
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

fn held() -> (World, String) {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", many(0));
    world.publish("2", many(30));
    let token = world.engine.plan().token.unwrap();
    (world, token)
}

#[test]
fn rule_03_deletes_over_budget_go_with_their_token() {
    let (mut world, token) = held();
    assert!(world.codes().contains(&"over-budget".into()));
    world.push(Event::Confirm("0-wrong".into()));
    assert_eq!(world.keys().len(), 41);
    assert!(world.codes().contains(&"token-refused".into()));
    world.push(Event::Confirm(token));
    assert_eq!(world.keys().len(), 11);
    assert_eq!(world.reserved, [(30, true)]);
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert_eq!(
        world
            .ledger
            .as_ref()
            .unwrap()
            .window
            .iter()
            .map(|s| s.count)
            .sum::<u32>(),
        30
    );
}

#[test]
fn rule_03_the_token_of_a_plan_is_taken_by_the_next_process() {
    let (mut world, _) = held();
    let mut dry = EngineOptions::default();
    dry.approval = Approval::Never;
    world.restart(dry);
    world.publish("2", many(30));
    let plan = world.engine.plan();
    assert_eq!(plan.count(Action::Delete), 30);
    let token = plan.token.unwrap();
    assert_eq!(world.keys().len(), 41);
    world.restart(EngineOptions::default());
    world.queue(Event::Confirm(token));
    world.publish("2", many(30));
    assert_eq!(world.keys().len(), 11);
}

#[test]
fn rule_03_a_token_covers_one_plan_until_a_stated_time() {
    // Too late.
    let (mut world, token) = held();
    world.pass(Millis::from_mins(61));
    world.push(Event::Confirm(token));
    assert_eq!(world.keys().len(), 41);
    assert!(world.codes().contains(&"token-refused".into()));
    // Another plan.
    let (mut world, token) = held();
    world.publish("3", many(31));
    world.push(Event::Confirm(token));
    assert_eq!(world.keys().len(), 41);
    // The same plan, and one of the objects is another one now.
    let (mut world, token) = held();
    world.vanish(&key("m-00"));
    let mut copy = map("m-00", "1");
    let marks = world.engine.marks().clone();
    copy = marks.mark(&object(copy)).to_json();
    world.make(copy);
    world.push(Event::Confirm(token));
    assert_eq!(world.keys().len(), 41);
}

#[test]
fn rule_03_what_is_new_is_not_covered_by_a_confirmation() {
    let (mut world, token) = held();
    // Confirmed, and stopped before they are granted.
    world.grants = Grants::Refused(Reason::new("no", "not now"));
    world.push(Event::Confirm(token));
    assert_eq!(world.keys().len(), 41);
    world.grants = Grants::Given;
    world.publish("3", many(31));
    assert_eq!(world.keys().len(), 41, "another inventory");
    world.publish("2", many(30));
    world.pass(Millis::from_mins(2));
    assert_eq!(world.keys().len(), 11, "the plan that was confirmed");
}

#[test]
fn rule_03_no_grant_no_deletes() {
    for grants in [
        Grants::Refused(Reason::new("over-fleet-budget", "the fleet has spent too much")),
        Grants::Silent,
        Grants::For(Millis(0)),
    ] {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", two());
        world.grants = grants.clone();
        world.publish("2", without_a());
        world.pass(Millis::from_mins(10));
        assert!(world.get(&key("a")).is_some(), "{grants:?}");
        assert!(
            (2..=12).contains(&world.reserved.len()),
            "asked again now and then: {}",
            world.reserved.len()
        );
        assert!(world.engine.status().held.is_some());
        world.grants = Grants::Given;
        world.pass(Millis::from_mins(2));
        assert!(world.get(&key("a")).is_none(), "{grants:?}");
    }
}

#[test]
fn rule_03_a_fleet_budget_is_one_giver_of_grants() {
    let mut fleet = FleetBudget::new(DeleteBudget::new(3, 100, 0));
    let (mut world, target) = (World::new(EngineOptions::default()), {
        let world = World::new(EngineOptions::default());
        world.engine.target().clone()
    });
    world.publish("1", many(35));
    let (owned, window) = world.engine.spending();
    assert_eq!(owned, 6);
    fleet.observe(&target, owned, window);
    world.grants = Grants::Refused(fleet.ask(&target, 5, false, world.now).unwrap_err());
    world.publish("2", [namespace("shop")]);
    assert_eq!(world.keys().len(), 6);
    assert!(world.codes().contains(&"over-fleet-budget".into()));
}

#[test]
fn rule_03_a_grant_that_ran_out_before_it_was_recorded_deletes_nothing() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", two());
    world.grants = Grants::For(Millis::from_secs(10));
    // The record takes longer than the grant is good for.
    world.interfere_ledger = Some(Box::new(|world, writes| {
        let intent = writes
            .iter()
            .any(|w| matches!(w, LedgerWrite::Put(e) if e.state == EntryState::Deleting));
        if intent {
            world.interfere_ledger = Some(Box::new(|_, _| None));
            world.now = world.now + Millis::from_secs(11);
        }
        None
    }));
    world.publish("2", without_a());
    assert_eq!(world.reserved.len(), 2, "asked for again");
    assert!(world.codes().contains(&"grant-expired".into()));
    assert!(world.get(&key("a")).is_none());
    assert_eq!(world.ledger.as_ref().unwrap().window.len(), 1, "spent once");
}

#[test]
fn rule_03_an_object_that_joins_after_the_reservation_is_not_covered_by_it() {
    let mut world = World::new(EngineOptions::default());
    let service = of_kind("v1", "Service", "s");
    world.publish("1", [namespace("shop"), map("a", "1"), service]);
    world.restart(EngineOptions::default());
    world.unlistable.insert(GroupKind::new("", "Service"));
    world.grants = Grants::Silent;
    world.publish("2", [namespace("shop")]);
    assert_eq!(world.reserved, [(1, false)]);
    // Only now the service can be listed, and is found to be one to be deleted too.
    world.unlistable.clear();
    world.grants = Grants::Given;
    world.pass(Millis::from_secs(5));
    assert_eq!(world.keys().len(), 3, "{:?}", world.keys());
    world.pass(Millis::from_mins(5));
    assert_eq!(world.reserved[1..], [(2, false)]);
    assert_eq!(world.keys(), ["Namespace shop"]);
}

#[test]
fn rule_03_marked_but_not_in_the_ledger_is_reported_and_never_deleted() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", two());
    let marked = world.engine.marks().mark(&object(map("stray", "1")));
    world.make(marked.to_json());
    world.run();
    assert!(world.codes().contains(&"marked-not-recorded".into()));
    assert_eq!(world.engine.status().strays, [key("stray")]);
    world.publish("2", without_a());
    world.pass(Millis::from_mins(5));
    assert!(world.get(&key("stray")).is_some());
    // Listed, it is somebody else's object like any other.
    world.publish("3", [namespace("shop"), map("b", "1"), map("stray", "2")]);
    assert_eq!(world.get(&key("stray")).unwrap()["data"]["k"], "1");
    assert!(world.codes().contains(&"not-ours".into()));
}

#[test]
fn rule_03_marks_copied_to_another_object_make_it_nobodys() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", two());
    let mut copy = world.get(&key("a")).unwrap().clone();
    copy["metadata"]["name"] = json!("copy");
    world.make(copy);
    world.run();
    world.publish("2", without_a());
    world.pass(Millis::from_mins(5));
    assert!(world.get(&key("copy")).is_some());
    assert!(world.get(&key("a")).is_none());
}

/// A delete that admission refuses, whenever it is tried.
fn refused_delete() -> World {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    world.interfere = Some(Box::new(|_, request| {
        let refused = matches!(request, Request::Delete { .. }) && request.key().name() == "a";
        let fault = Fault::new(Remedy::Policy, "admission webhook denied the request").code(403);
        refused.then(|| Answer::Refused(fault))
    }));
    world.publish("2", [namespace("shop")]);
    world
}

#[test]
fn rule_03_a_refused_delete_is_tried_again_reported_and_then_quiet() {
    let mut world = refused_delete();
    assert!(world.engine.is_settled(), "{:?}", world.engine.status());
    let status = world.engine.status();
    assert!(
        status.converged && status.refused.contains_key(&key("a")),
        "{status:?}"
    );
    assert!(world.codes().contains(&"refused".into()));
    assert_eq!(world.keys(), ["ConfigMap shop/a", "Namespace shop"]);
    world.interfere = None;
    world.pass(Millis::from_mins(2));
    assert_eq!(world.keys(), ["Namespace shop"]);
    assert!(world.engine.status().is_clean());
}

#[test]
fn rule_03_a_refused_delete_still_holds_back_its_namespace() {
    let mut options = EngineOptions::default();
    options.permitted_kinds = [GroupKind::new("", "Namespace")].into();
    let mut world = World::new(options);
    world.publish("1", [namespace("shop"), map("a", "1"), namespace("other")]);
    world.interfere = Some(Box::new(|_, request| {
        let refused = matches!(request, Request::Delete { .. }) && request.key().name() == "a";
        refused.then(|| Answer::Refused(Fault::new(Remedy::Policy, "no").code(403)))
    }));
    world.publish("2", [namespace("other")]);
    world.pass(Millis::from_mins(10));
    assert!(world.engine.is_settled());
    assert!(world.get(&namespace_key("shop")).is_some());
    assert!(world.engine.status().waiting.contains_key(&namespace_key("shop")));
    world.interfere = None;
    world.pass(Millis::from_mins(15));
    assert_eq!(world.keys(), ["Namespace other"]);
}

#[test]
fn rule_03_a_plan_beside_a_recorded_intent_comes_to_an_end() {
    let mut world = refused_delete();
    let mut options = EngineOptions::default();
    options.approval = Approval::Never;
    world.restart(options);
    world.requests();
    world.publish("2", [namespace("shop")]);
    assert!(world.engine.is_settled(), "{:?}", world.engine.status());
    let plan = world.engine.plan();
    assert_eq!(plan.count(Action::Delete), 1, "{plan:?}");
    assert!(world.writes().is_empty());
}

#[test]
fn rule_03_of_several_tokens_each_is_tried() {
    for right_first in [true, false] {
        let (mut world, token) = held();
        let mut tokens = ["6a0000-123456789abc".to_owned(), token];
        if right_first {
            tokens.reverse();
        }
        world.restart(EngineOptions::default());
        world.notes.clear();
        for token in tokens {
            world.queue(Event::Confirm(token));
        }
        world.publish("2", many(30));
        assert_eq!(world.keys().len(), 11, "the right one first: {right_first}");
        let codes = world.codes();
        assert!(!codes.contains(&"token-refused".into()), "{codes:?}");
    }
}

#[test]
fn rule_03_only_so_many_tokens_are_kept() {
    let (mut world, token) = held();
    world.restart(EngineOptions::default());
    world.queue(Event::Confirm(token));
    for i in 0..64 {
        world.queue(Event::Confirm(format!("6a0000-{i:012x}")));
    }
    world.publish("2", many(30));
    assert_eq!(world.keys().len(), 41);
    assert!(world.codes().contains(&"token-refused".into()));
}

#[test]
fn rule_03_a_grant_is_that_of_the_record_with_its_intents() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1")]);
    world.grants = Grants::For(Millis::from_secs(10));
    // The UID of the new object is being recorded when the grant comes; the intents are recorded after it, and late.
    let mut late = false;
    world.interfere_ledger = Some(Box::new(move |world, writes| {
        let is_intent =
            |write: &LedgerWrite| matches!(write, LedgerWrite::Put(e) if e.state == EntryState::Deleting);
        if writes.iter().any(is_intent) && !std::mem::replace(&mut late, true) {
            world.now = world.now + Millis::from_secs(20);
        }
        None
    }));
    world.publish("2", [namespace("shop"), map("b", "1")]);
    assert!(world.codes().contains(&"grant-expired".into()));
}
