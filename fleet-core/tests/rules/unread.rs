//! Rules for fields that a definition has in its annotation, and what of them cannot be read.

use fleet_core::{
    ClusterTypes, EngineOptions, Judge, Judgement, Live, LocalJudge, Millis, ObjectKey, Subject,
    fleet_diff::{Apply, Prediction, RuleSet, Rules, Schemas},
};
use serde_json::{Value, json};

use crate::support::{World, object};

fn key() -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some("shop"), "a")
}

fn map(value: &str, annotations: Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "data": {"k": value},
        "metadata": {"name": "a", "namespace": "shop", "annotations": annotations},
    })
}

fn world() -> World {
    let mut world = World::new(EngineOptions::default());
    world.make(json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}));
    world
}

#[test]
fn a_rule_counts_although_its_annotation_is_contested() {
    let rule = r#"[{"id": "x", "path": ".data.k", "do": "write-once"}]"#;
    let mut world = world();
    world.publish("1", [map("first", json!({"fleet.internal/rules": rule}))]);
    world.edit(&key(), "data.k", json!("theirs"), "hpa");
    world.run();
    for _ in 0..6 {
        let mut live = world.get(&key()).unwrap().clone();
        let annotations = live["metadata"]["annotations"].as_object_mut().unwrap();
        annotations.remove("fleet.internal/rules");
        world.store(live);
        world.run();
        world.pass(Millis::from_mins(1));
        assert_eq!(world.get(&key()).unwrap()["data"]["k"], "theirs");
    }
    assert!(!world.engine.status().contested.is_empty());
}

#[test]
fn what_has_unreadable_rules_is_neither_created_nor_adopted() {
    let unreadable = json!({"fleet.internal/rules": "[{", "fleet.internal/adopt": "adopt"});
    let mut world = world();
    world.publish("1", [map("ours", unreadable.clone())]);
    assert!(world.get(&key()).is_none());
    world.make(map("theirs", json!({})));
    let before = world.get(&key()).unwrap().clone();
    world.publish("2", [map("ours", unreadable)]);
    world.pass(Millis::from_mins(10));
    assert_eq!(world.get(&key()), Some(&before));
    world.publish("3", [map("ours", json!({"fleet.internal/adopt": "adopt"}))]);
    assert_eq!(world.get(&key()).unwrap()["data"]["k"], "ours");
}

#[test]
fn sensitive_values_are_not_in_what_a_judge_says() {
    let rule = json!([{"id": "hide", "path": ".data.k", "do": "ours", "sensitive": true}]);
    let judge = LocalJudge::with_rules(Rules::builtin().with(RuleSet::from_json(&rule).unwrap()));
    let types = ClusterTypes::new(Schemas::builtin(), "1.37");
    let first = object(map("hunter2", json!({})));
    let Prediction::Object(live) = Apply::new(&first, "fleet", types.schemas()).predict() else {
        panic!("nothing is in its way");
    };
    let mut live = live.to_json();
    live["metadata"]["uid"] = json!("u");
    live["metadata"]["resourceVersion"] = json!("1");
    let live = Live::new(object(live)).unwrap();
    let desired = object(map("hunter3", json!({})));
    let subject = Subject::new(&desired, Some(&live), "fleet").types(Some(&types));
    let Judgement::Update(_, changes) = judge.judge(subject) else {
        panic!("it changes");
    };
    let text = serde_json::to_string(&changes).unwrap();
    assert!(changes.len() == 1 && !text.contains("hunter"), "{text}");
}
