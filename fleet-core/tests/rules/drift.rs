//! What somebody changed is repaired, reported, or tolerated until the definition changes: by writer, kind and field.

use fleet_core::*;
use serde_json::{Value, json};

use crate::support::*;

fn rules(text: &Value) -> EngineOptions {
    let mut options = EngineOptions::default();
    options.drift = serde_json::from_value(text.clone()).unwrap();
    options
}

fn two_fields(k: &str) -> Value {
    let mut value = map("a", k);
    value["data"]["other"] = json!("1");
    value
}

fn data(world: &World) -> Value {
    world.get(&key("a")).unwrap()["data"].clone()
}

/// What the fields are after somebody changed them, and how that is reported.
fn after(options: EngineOptions, writer: &str) -> (World, Value, Option<DriftPolicy>) {
    let mut world = World::new(options);
    world.publish("1", [namespace("shop"), two_fields("1")]);
    world.requests();
    world.edit(&key("a"), "data.k", json!("theirs"), writer);
    world.edit(&key("a"), "data.other", json!("theirs"), writer);
    world.run();
    world.pass(Millis::from_mins(1));
    let status = world.engine.status();
    let drifted = status.drifted.get(&key("a"));
    let policy = drifted
        .and_then(|fields| fields.get(".data.k"))
        .map(|field| field.policy);
    let found = data(&world);
    (world, found, policy)
}

#[test]
fn the_first_rule_that_is_about_a_field_counts() {
    let both = |k: &str, other: &str| json!({"k": k, "other": other});
    let report = |rule: Value| {
        let mut rule = rule;
        rule["policy"] = json!("report");
        json!([rule])
    };
    let cases = [
        (json!([]), "kubectl-edit", both("1", "1"), None),
        (
            report(json!({})),
            "kubectl-edit",
            both("theirs", "theirs"),
            Some(DriftPolicy::Report),
        ),
        (
            report(json!({"writer": "kubectl-*"})),
            "kubectl-edit",
            both("theirs", "theirs"),
            Some(DriftPolicy::Report),
        ),
        (
            report(json!({"writer": "kubectl-*"})),
            "operator",
            both("1", "1"),
            None,
        ),
        (
            report(json!({"fields": [".data.k"]})),
            "operator",
            both("theirs", "1"),
            Some(DriftPolicy::Report),
        ),
        (
            report(json!({"on": {"kinds": ["Secret"]}})),
            "operator",
            both("1", "1"),
            None,
        ),
        (
            json!([{"fields": [".data.other"], "policy": "repair"}, {"policy": "tolerate"}]),
            "operator",
            both("theirs", "1"),
            Some(DriftPolicy::Tolerate),
        ),
    ];
    for (text, writer, expect, policy) in cases {
        let (world, found, seen) = after(rules(&text), writer);
        assert_eq!(
            (found, seen),
            (expect, policy),
            "{text} {writer}: {:?}",
            world.engine.status()
        );
        let clean = policy != Some(DriftPolicy::Report);
        assert_eq!(
            world.engine.status().is_clean(),
            clean,
            "{text}: {:?}",
            world.engine.status()
        );
    }
}

#[test]
fn a_new_definition_is_written_and_a_new_process_knows_what_was_drift() {
    let options = rules(&json!([{"policy": "tolerate"}]));
    let (mut world, found, _) = after(options.clone(), "operator");
    assert_eq!(found["k"], "theirs");
    world.requests();
    world.restart(options);
    world.publish("1", [namespace("shop"), two_fields("1")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(
        (data(&world), world.writes().len()),
        (found, 0),
        "{:?}",
        world.engine.status()
    );
    world.publish("2", [namespace("shop"), two_fields("2")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(data(&world), json!({"k": "2", "other": "1"}));
    // From then on it counts anew.
    world.edit(&key("a"), "data.k", json!("theirs"), "operator");
    world.run();
    assert_eq!(data(&world)["k"], "theirs");
    // What they give back is nothing any more.
    world.edit(&key("a"), "data.k", json!("2"), "operator");
    world.run();
    world.pass(Millis::from_mins(1));
    assert!(
        world.engine.status().drifted.is_empty(),
        "{:?}",
        world.engine.status()
    );
}

#[test]
fn what_was_never_as_defined_is_no_drift() {
    let mut options = rules(&json!([{"policy": "report"}]));
    options.adoption = Adoption::Adopt;
    let mut world = World::new(options);
    world.make(namespace("shop"));
    world.make(two_fields("theirs"));
    world.publish("1", [two_fields("1")]);
    world.pass(Millis::from_mins(1));
    assert_eq!(data(&world)["k"], "1");
}

#[test]
fn what_somebody_removed_is_drift_too() {
    let (mut world, ..) = after(rules(&json!([{"policy": "report"}])), "operator");
    world.publish("2", [namespace("shop"), two_fields("2")]);
    let mut live = world.get(&key("a")).unwrap().clone();
    live["data"].as_object_mut().unwrap().remove("k");
    world.store(live);
    world.run();
    assert_eq!(data(&world), json!({"other": "1"}));
    let drifted = world.engine.status().drifted[&key("a")].clone();
    assert_eq!(drifted[".data.k"].writer, None);
}
