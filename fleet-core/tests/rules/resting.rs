//! What brings an object back for which nothing is to be done now.

use fleet_core::*;
use serde_json::json;

use crate::support::*;

/// A policy that keeps an object, for a reason of this code.
fn kept_by_a_policy(code: &'static str) -> String {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), map("a", "1"), map("b", "1")]);
    let policy = move |_: &ObjectKey, _: &Uid| Err(Reason::new(code, "it stays"));
    let parts = Parts::default().deletes(policy);
    world.engine = Engine::new(world.engine.target().clone(), parts, EngineOptions::default());
    world.publish("2", [namespace("shop"), map("a", "1")]);
    world.pass(Millis::from_mins(30));
    assert_eq!(world.engine.status().blocked[&key("b")].code, code);
    world.log.join("\n").replace(&format!("{code:?}"), "…")
}

#[test]
fn what_happens_next_is_not_chosen_by_the_code_of_a_reason() {
    let plain = kept_by_a_policy("kept");
    // Codes of ours that come with looks, with waits, or with neither.
    for code in [
        "container-not-empty",
        "contents-unknown",
        "later",
        "mark-with-other-uid",
        "not-equal",
        "not-ours",
        "permission-needed",
    ] {
        assert!(kept_by_a_policy(code) == plain, "{code}");
    }
}

#[test]
fn an_object_that_is_not_ours_is_looked_at_less_and_less_often() {
    for (policy, code) in [("refuse", "not-ours"), ("adopt-equal", "not-equal")] {
        let mut world = World::new(EngineOptions::default());
        world.make(namespace("shop"));
        world.make(map("a", "theirs"));
        let mut ours = map("a", "1");
        ours["metadata"]["annotations"] = json!({"fleet.internal/adopt": policy});
        world.publish("1", [ours]);
        assert_eq!(world.engine.status().blocked[&key("a")].code, code);
        let mut looks = || {
            world.requests();
            world.pass(Millis::from_mins(60));
            let requests = world.requests();
            requests.iter().filter(|s| s.request.key() == &key("a")).count()
        };
        let (first, then) = (looks(), looks());
        assert!(first > then && then > 0, "{code}: {first}, then {then}");
        // Nothing shows that it is gone.
        world.objects.remove(&key("a"));
        world.pass(Millis::from_mins(60));
        assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1", "{code}");
    }
}

#[test]
fn looks_at_an_object_that_is_not_ours_are_no_refusals() {
    let mut world = World::new(EngineOptions::default());
    world.make(namespace("shop"));
    world.make(map("a", "theirs"));
    world.publish("1", [map("a", "1")]);
    world.pass(Millis::from_mins(30));
    assert_eq!(world.engine.status().blocked[&key("a")].code, "not-ours");
    // It goes unseen, and a webhook fails once when ours is made.
    world.objects.remove(&key("a"));
    let mut failed = false;
    world.interfere = Some(Box::new(move |_, request| {
        (request.is_write() && !std::mem::replace(&mut failed, true))
            .then(|| Answer::Refused(Fault::new(Remedy::Policy, "the webhook does not answer").code(500)))
    }));
    world.notes.clear();
    world.pass(Millis::from_mins(16));
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    assert!(
        !world.codes().contains(&"refused".into()),
        "the first refusal is tried once more at the end of the pass"
    );
}

#[test]
fn discovery_wakes_only_definitions_that_wait_for_it() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop")]);
    let tries = std::rc::Rc::new(std::cell::Cell::new(0));
    let count = tries.clone();
    world.interfere = Some(Box::new(move |_, request| {
        let busy = *request.key() == crd_key() && request.is_write();
        count.set(count.get() + u32::from(busy));
        busy.then(|| {
            let fault = Fault::new(Remedy::Retry, "too many requests").code(429);
            Answer::Refused(fault.retry_after(Some(Millis::from_secs(20))))
        })
    }));
    world.publish("2", [namespace("shop"), crd()]);
    assert_eq!(tries.get(), 1);
    for _ in 0..5 {
        world.push(Event::Kinds(world.discovery()));
    }
    assert_eq!(tries.get(), 1, "it was told to wait");
    world.pass(Millis::from_secs(21));
    assert_eq!(tries.get(), 2);
}
