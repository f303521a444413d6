//! Rule 10, as far as one engine shows it: requests under way, tries and waits have limits.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn many() -> Vec<serde_json::Value> {
    let maps = (0..100).map(|i| map(&format!("m-{i:02}"), "1"));
    std::iter::once(namespace("shop")).chain(maps).collect()
}

fn under_way(switches: Switches) -> Check {
    let mut options = options(switches);
    options.limits.in_flight = 4;
    let mut world = World::new(options);
    world.publish("1", many());
    need!(
        world.objects.len() == 101,
        "only {} were made",
        world.objects.len()
    );
    need!(
        world.most_under_way <= 4,
        "{} requests at once",
        world.most_under_way
    );
    Ok(())
}

#[test]
fn rule_10_limits_hold_for_requests_under_way() {
    guarded(under_way, Switches::default().without_limits());
}

fn silence(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.tolerant = true;
    world.publish("1", [namespace("shop")]);
    let asked = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = asked.clone();
    world.interfere = Some(Box::new(move |_, _| {
        count.set(count.get() + 1);
        Some(Answer::Lost(lost()))
    }));
    world.publish("2", many());
    world.pass(Millis::from_mins(10));
    // The first round, then one at a time with longer and longer waits.
    need!(
        asked.get() <= 32 + 30,
        "{} requests to a cluster that does not answer",
        asked.get()
    );
    need!(asked.get() >= 40, "it stopped trying");
    let refused = world.engine.status().refused.len();
    need!(refused == 0, "{refused} objects are blamed for the silence");
    world.interfere = None;
    world.pass(Millis::from_secs(31));
    need!(
        world.objects.len() == 101,
        "it does not go on when it answers again"
    );
    Ok(())
}

#[test]
fn rule_10_limits_a_cluster_that_does_not_answer_is_asked_less_and_less() {
    guarded(silence, Switches::default().without_limits());
}

#[test]
fn rule_10_one_silence_is_one_failure() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop")]);
    let mut left = 32;
    world.interfere = Some(Box::new(move |_, _| {
        left -= 1;
        (left >= 0).then(|| Answer::NotSent(lost()))
    }));
    world.publish("2", many());
    world.pass(Millis(300));
    assert_eq!(
        world.objects.len(),
        101,
        "32 requests failed together: one short wait"
    );
}

#[test]
fn rule_10_transient_failures_are_bounded_and_hold_up_nothing_for_long() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop")]);
    world.interfere = Some(Box::new(|_, request| {
        let sick = request.key().name() == "a" && request.is_write();
        sick.then(|| Answer::Refused(Fault::new(Remedy::Retry, "internal error").code(500)))
    }));
    let asked = world.requests().len();
    assert_eq!(asked, 1);
    world.publish("2", [namespace("shop"), map("a", "1"), map("b", "1")]);
    assert!(world.get(&key("b")).is_some(), "others go on");
    world.pass(Millis::from_mins(3));
    assert!(
        world.engine.status().refused.contains_key(&key("a")),
        "{:?}",
        world.engine.status()
    );
    // Deletes do not wait for it for ever.
    world.publish("3", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(3));
    assert!(world.get(&key("b")).is_none());
    world.interfere = None;
    world.pass(Millis::from_mins(16));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
}

#[test]
fn rule_10_a_refused_object_is_tried_once_more_and_then_less_and_less() {
    let mut world = World::new(EngineOptions::default());
    let tries = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = tries.clone();
    world.interfere = Some(Box::new(move |_, request| {
        let bad = request.key().name() == "bad" && request.is_write();
        count.set(count.get() + u32::from(bad));
        bad.then(|| Answer::Refused(Fault::new(Remedy::Invalid, "no such field").code(422)))
    }));
    world.publish("1", [namespace("shop"), map("bad", "1"), map("good", "1")]);
    assert_eq!(tries.get(), 2, "once, and once more at the end of the pass");
    assert!(world.get(&key("good")).is_some());
    assert!(
        world.engine.status().refused[&key("bad")]
            .message
            .contains("no such field")
    );
    world.pass(Millis::from_mins(60));
    assert!((5..=9).contains(&tries.get()), "{} tries in an hour", tries.get());
    let before = tries.get();
    world.interfere = None;
    world.publish("2", [namespace("shop"), map("bad", "2"), map("good", "1")]);
    assert_eq!(tries.get(), before);
    assert!(
        world.engine.status().is_clean(),
        "a new definition is tried at once"
    );
}

#[test]
fn rule_10_one_place_under_way_is_enough_for_everything() {
    let mut options = EngineOptions::default();
    options.limits.in_flight = 1;
    let mut world = World::new(options);
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
    world.publish("2", [namespace("shop"), crd(), map("c", "1")]);
    world.pass(Millis::from_mins(1));
    assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    assert_eq!(world.objects.len(), 3);
}

/// Every request that writes this object breaks the connection.
fn breaks_the_connection(name: &'static str) -> Interfere {
    Box::new(move |_, request| {
        let sick = request.key().name() == name && matches!(request, Request::Apply { .. });
        sick.then(|| Answer::Lost(Fault::new(Remedy::Unreachable, "the connection broke")))
    })
}

fn with_values(value: &str) -> Vec<serde_json::Value> {
    let maps = (0..100).map(|i| map(&format!("m-{i:02}"), value));
    std::iter::once(namespace("shop")).chain(maps).collect()
}

#[test]
fn rule_10_an_object_that_breaks_the_connection_is_refused_and_starves_nobody() {
    for sick in ["m-00", "m-50", "m-99"] {
        let mut world = World::new(EngineOptions::default());
        world.publish("1", with_values("1"));
        world.interfere = Some(breaks_the_connection(sick));
        world.publish("2", with_values("2"));
        world.pass(Millis(500));
        let status = world.engine.status();
        let waits = status.waiting.get(&key(sick)).map(|r| &*r.code);
        assert_eq!(waits, Some("no-answer"), "{sick}: {status:?}");
        world.pass(Millis::from_secs(5));
        let all = world.objects.values();
        let done = all.filter(|live| live["data"]["k"] == "2").count();
        assert_eq!(done, 99, "{sick}");
        world.pass(Millis::from_mins(5));
        let status = world.engine.status();
        assert!(status.refused.contains_key(&key(sick)), "{status:?}");
        assert!(world.engine.is_settled());
        assert!(world.codes().contains(&"refused".into()));

        // Drift is repaired, the sick object's tries notwithstanding.
        for _ in 0..10 {
            world.edit(&key("m-10"), "data.k", json!("drift"), "somebody");
            world.run();
            world.pass(Millis::from_mins(11));
            assert_eq!(world.get(&key("m-10")).unwrap()["data"]["k"], "2");
        }
        world.interfere = None;
        world.pass(Millis::from_mins(16));
        assert!(world.engine.status().is_clean(), "{:?}", world.engine.status());
    }
}
