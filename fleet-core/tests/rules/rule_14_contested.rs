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
        need!(world.codes().contains(&"contested".into()), "not said");
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

fn list(switches: Switches) -> Check {
    let definition = || {
        let mut value = of_kind("apps/v1", "Deployment", "web");
        value["spec"] = json!({"args": ["a", "b", "c"], "size": 1});
        value
    };
    let web = ObjectKey::new("apps", "Deployment", Some("shop"), "web");
    let mut world = World::new(options(switches));
    world.publish("1", [namespace("shop"), definition()]);
    for round in 1..=6 {
        // Other elements of the same list: it is one field all the same.
        let theirs = json!(["a", format!("x{}", round % 2), "c"]);
        world.edit(&web, "spec.args", theirs.clone(), "operator");
        world.requests();
        world.run();
        world.pass(Millis::from_mins(1));
        let args = world.get(&web).unwrap()["spec"]["args"].clone();
        let expect = if round <= 3 {
            json!(["a", "b", "c"])
        } else {
            theirs
        };
        need!(args == expect, "round {round}: it is {args}");
    }
    need!(
        world.writes().is_empty(),
        "it is written although all is contested"
    );
    let contested = &world.engine.status().contested[&web];
    need!(contested.keys().eq([".spec.args"]), "{contested:?}");
    world.edit(&web, "spec.size", json!(9), "somebody");
    world.run();
    let live = world.get(&web).unwrap();
    need!(live["spec"]["size"] == 1, "another field is not repaired");
    need!(live["spec"]["args"].as_array().unwrap().len() == 3, "{live}");
    Ok(())
}

#[test]
fn rule_14_contested_lists_are_left_whole() {
    guarded(list, Switches::default().without_contest());
}

/// A field that an autoscaler rewrote until we stopped.
fn contested() -> World {
    let mut world = World::new(EngineOptions::default());
    world.publish("1", [namespace("shop"), two_fields("1")]);
    for _ in 1..=4 {
        rewrite(&mut world);
    }
    assert!(is_contested(&world));
    world.requests();
    world
}

fn rewrite(world: &mut World) {
    world.edit(&key("a"), "data.k", json!("theirs"), "autoscaler");
    world.run();
    world.pass(Millis::from_secs(10));
}

fn is_contested(world: &World) -> bool {
    world.engine.status().contested.contains_key(&key("a"))
}

#[test]
fn rule_14_a_contested_field_is_tried_again_less_and_less_often() {
    let mut world = contested();
    for wait in [10, 20, 40] {
        // Each rewrite begins the wait anew.
        world.pass(Millis::from_mins(wait - 1));
        world.edit(&key("a"), "data.k", json!(format!("theirs {wait}")), "autoscaler");
        world.run();
        world.pass(Millis::from_mins(wait - 1));
        assert!(world.writes().is_empty() && is_contested(&world), "{wait}");
        world.pass(Millis::from_mins(2));
        assert_eq!(world.writes().len(), 1, "one repair, to see: {wait}");
        assert!(!is_contested(&world) && world.engine.status().is_clean());
        rewrite(&mut world);
        assert!(world.writes().is_empty() && is_contested(&world), "{wait}");
    }
    // Nobody rewrites it any more: it stays as it is defined.
    world.pass(Millis::from_mins(81));
    assert!(world.engine.status().is_clean());
    world.pass(Millis::from_mins(24 * 60));
    assert_eq!(world.writes().len(), 1);
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
}

#[test]
fn rule_14_a_field_the_other_writer_let_go_is_repaired() {
    let mut world = contested();
    let mut live = world.get(&key("a")).unwrap().clone();
    let managers = live["metadata"]["managedFields"].as_array_mut().unwrap();
    managers.retain(|entry| entry["manager"] != "autoscaler");
    live["data"]["k"] = json!("nobody's");
    world.store(live);
    world.run();
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    assert!(world.engine.status().is_clean());
}

#[test]
fn rule_14_a_new_plan_repairs_contested_fields() {
    let mut world = contested();
    world.push(Event::Replan);
    assert_eq!(world.get(&key("a")).unwrap()["data"]["k"], "1");
    assert!(world.engine.status().is_clean());
}
