//! Rule 14: two writers are noticed, not fought over.

use fleet_core::*;
use serde_json::json;

use super::{Check, guarded, need, options};
use crate::support::*;

fn two_fields(k: &str) -> serde_json::Value {
    let mut value = map("a", k);
    value["data"]["other"] = json!("1");
    value
}

fn check(switches: Switches) -> Check {
    for restarted in [false, true] {
        let mut world = World::new(options(switches));
        world.publish("1", [namespace("shop"), two_fields("1")]);
        if restarted {
            world.restart(options(switches));
            world.publish("1", [namespace("shop"), two_fields("1")]);
        }
        for round in 1..=5 {
            world.edit(&key("a"), "data.k", json!("theirs"), "autoscaler");
            world.run();
            world.pass(Millis::from_mins(1));
            let now = world.get(&key("a")).unwrap()["data"]["k"].clone();
            let expect = if round <= 3 { "1" } else { "theirs" };
            need!(now == expect, "round {round}: it is {now}");
        }
        let status = world.engine.status();
        need!(
            status
                .contested
                .get(&key("a"))
                .is_some_and(|c| c.get(".data.k").is_some_and(|w| w == "autoscaler")),
            "not reported: {:?}",
            status.contested
        );
        need!(world.codes().contains(&"contested"), "not said");
        need!(!status.is_clean(), "clean although contested");

        // Other fields go on.
        world.edit(&key("a"), "data.other", json!("theirs"), "somebody");
        world.run();
        let live = world.get(&key("a")).unwrap();
        need!(
            live["data"]["other"] == "1",
            "another field is not repaired any more"
        );
        need!(live["data"]["k"] == "theirs", "the contested field was written");

        // Until its definition changes.
        world.publish("2", [namespace("shop"), two_fields("2")]);
        need!(
            world.get(&key("a")).unwrap()["data"]["k"] == "2",
            "a new definition is not written"
        );
    }
    Ok(())
}

#[test]
fn rule_14_contested_fields_are_left_and_reported() {
    guarded(check, Switches::default().without_contest());
}

fn removed(switches: Switches) -> Check {
    let mut world = World::new(options(switches));
    world.publish("1", [namespace("shop"), two_fields("1")]);
    for round in 1..=5 {
        let mut live = world.get(&key("a")).unwrap().clone();
        live["data"].as_object_mut().unwrap().remove("k");
        world.store(live);
        world.run();
        world.pass(Millis::from_mins(1));
        let there = world.get(&key("a")).unwrap()["data"].get("k").is_some();
        need!(there == (round <= 3), "round {round}: {there}");
    }
    Ok(())
}

#[test]
fn rule_14_contested_by_somebody_who_removes_the_field() {
    guarded(removed, Switches::default().without_contest());
}

#[test]
fn rule_14_drift_now_and_then_is_repaired_for_ever() {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), two_fields("1")]);
    for _ in 0..10 {
        world.edit(&key("a"), "data.k", json!("theirs"), "a person");
        world.run();
        assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
        world.pass(Millis::from_mins(5));
    }
    // Nor are different managers one writer.
    for manager in ["b", "c", "d", "e"] {
        world.edit(&key("a"), "data.k", json!("theirs"), manager);
        world.run();
        assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    }
}
