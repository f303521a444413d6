//! Rule 9: a write whose answer is lost may have been done: look before trying again.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn is_write(request: &Request) -> bool {
    request.is_write()
}

/// The first write is carried out and its answer lost.
fn lose_first(world: &mut World) {
    let mut done = false;
    world.interfere = Some(Box::new(move |world, request| {
        if is_write(request) && request.key().name() == "a" && !std::mem::replace(&mut done, true) {
            world.serve(request);
            return Some(Answer::Lost(Fault::new(Remedy::Retry, "timed out")));
        }
        None
    }));
}

fn check(switches: Switches) -> Check {
    for kind in ["create", "update", "delete"] {
        let mut world = World::new(options(switches));
        world.publish("1", [namespace("shop")]);
        if kind != "create" {
            world.publish("2", [namespace("shop"), map("a", "0")]);
        }
        world.requests();
        lose_first(&mut world);
        world.publish(
            "3",
            match kind {
                "delete" => vec![namespace("shop")],
                _ => vec![namespace("shop"), map("a", "1")],
            },
        );
        world.pass(Millis::from_mins(5));
        let writes = world.writes();
        need!(
            writes.is_empty(),
            "{kind}: written again without looking: {writes:?}"
        );
        let live = world.get(&key("a"));
        need!((kind == "delete") == live.is_none(), "{kind}: {live:?}");
        need!(
            world.engine.status().is_clean(),
            "{kind}: {:?}",
            world.engine.status()
        );
    }
    Ok(())
}

#[test]
fn rule_09_lost_writes_are_looked_at_before_they_are_tried_again() {
    guarded(check, Switches::default().without_look_after_lost());
}

#[test]
fn rule_09_not_sent_is_sent_again_without_a_look() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop")]);
    let mut done = false;
    world.interfere = Some(Box::new(move |_, request| {
        let first = is_write(request) && !std::mem::replace(&mut done, true);
        first.then(|| Answer::NotSent(Fault::new(Remedy::Retry, "no connection")))
    }));
    world.requests();
    world.publish("2", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(world.requests().len(), 1);
    assert!(world.engine.status().is_clean());
}

/// Somebody makes the object just before our create arrives; the answer to that may be lost.
fn ran_into(policy: Adoption, lose: bool) -> World {
    let mut choice = EngineOptions::default();
    choice.adoption = policy;
    let mut world = World::new(choice);
    world.publish("1", [namespace("shop")]);
    let mut made = false;
    world.interfere = Some(Box::new(move |world, request| {
        if !is_write(request) || std::mem::replace(&mut made, true) {
            return None;
        }
        let mut theirs = map("a", "1");
        theirs["data"] = json!({"theirs": "1"});
        world.make(theirs);
        lose.then(|| {
            world.serve(request);
            Answer::Lost(lost())
        })
    }));
    world.publish("2", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(2));
    world
}

#[test]
fn rule_09_a_create_that_ran_into_somebody_elses_object_leaves_it_as_it_was() {
    for lose in [false, true] {
        for (policy, adopted) in [(Adoption::Refuse, false), (Adoption::Adopt, true)] {
            let mut world = ran_into(policy, lose);
            let live = world.get(&key("a")).unwrap().clone();
            assert_eq!(live["data"]["theirs"], "1");
            assert_eq!(
                live["data"].get("k").is_some(),
                adopted,
                "{policy:?} {lose}: {live}"
            );
            assert_eq!(
                world.engine.marks().read(&object(live)) == MarkState::Ours,
                adopted,
                "{policy:?} {lose}"
            );
            // Not listed any more: what was adopted goes, what was not stays, and no entry is left.
            world.publish("3", [namespace("shop")]);
            world.pass(Millis::from_mins(2));
            assert_eq!(world.get(&key("a")).is_none(), adopted, "{policy:?} {lose}");
            assert_eq!(world.ledger.as_ref().unwrap().entries.len(), 1);
        }
    }
}

#[test]
fn rule_09_a_create_that_lands_late_is_not_taken_for_somebody_elses() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop")]);
    let mut late = None;
    let mut creates = 0;
    world.interfere = Some(Box::new(move |world, request| {
        if !is_write(request) {
            return None;
        }
        creates += 1;
        match (creates, late.take()) {
            (1, _) => {
                late = Some(request.clone());
                Some(Answer::Lost(lost()))
            }
            // The look said that nothing is there; now the first create arrives, just before the second.
            (_, Some(first)) => {
                world.serve(&first);
                None
            }
            _ => None,
        }
    }));
    world.publish("2", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(2));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    world.publish("3", [namespace("shop")]);
    assert!(world.get(&key("a")).is_none(), "it is ours, and goes");
}
