//! Where a value is not of its type, and why.

#[path = "support/thing.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod thing;

use fleet_diff::{Apply, Doubt, Object, Prediction, Schemas};
use serde_json::{Value, json};
use thing::definition;

fn object(content: &Value) -> Object {
    let mut object = json!({"apiVersion": "example.net/v1", "kind": "Thing",
        "metadata": {"namespace": "shop", "name": "a"}});
    for (key, value) in content.as_object().unwrap() {
        object[key] = value.clone();
    }
    Object::from_json(object).unwrap()
}

fn schemas() -> Schemas {
    Schemas::builtin().with_crd(&definition()).unwrap()
}

#[test]
fn what_is_not_of_its_type_is_refused_by_name() {
    let cases = [
        (json!({"size": "1"}), ".size must be a number"),
        (json!({"flag": 1}), ".flag must be true or false"),
        (
            json!({"labels": {"a": 1}}),
            ".labels.a must be a text (quote it?)",
        ),
        (json!({"nested": 1}), ".nested must be a mapping"),
        (
            json!({"nested": {"inner": {"c": 1}}}),
            ".nested.inner.c must be a text (quote it?)",
        ),
        (
            json!({"nested": {"x": 1}}),
            ".nested.x is not a field of its schema",
        ),
        (json!({"more": 1}), ".more is not a field of its schema"),
        (json!({"point": {"x": "1"}}), ".point.x must be a number"),
        (json!({"words": {}}), ".words must be a list"),
        (json!({"words": ["a", 1]}), ".words[1] must be a text (quote it?)"),
        (json!({"tags": ["a", null]}), ".tags[1] a set may not hold null"),
        (json!({"tags": [["a"]]}), ".tags[0] a set may hold scalars only"),
        (json!({"tags": ["a", 1]}), ".tags[=1] must be a text (quote it?)"),
        (
            json!({"tags": ["a", "b", "a"]}),
            ".tags[=\"a\"] is in the list twice",
        ),
        (
            json!({"keyed": ["a"]}),
            ".keyed[0] an element of a keyed list must be a mapping",
        ),
        (
            json!({"keyed": [{"v": 1}]}),
            ".keyed[0] an element without any of its key fields",
        ),
        (
            json!({"keyed": [{"name": {}}]}),
            ".keyed[0] a key field must be a scalar",
        ),
        (
            json!({"keyed": [{"name": "a", "v": "x"}]}),
            ".keyed[name=\"a\"].v must be a number",
        ),
        (
            json!({"keyed": [{"name": "a"}, {"name": "b"}, {"name": "a"}]}),
            ".keyed[name=\"a\"] is in the list twice",
        ),
        // The default is part of the name.
        (
            json!({"ports": [{"port": 1}, {"port": 1, "proto": "TCP"}]}),
            ".ports[port=1,proto=\"TCP\"] is in the list twice",
        ),
    ];
    let schemas = schemas();
    for (content, expected) in cases {
        let desired = object(&content);
        match Apply::new(&desired, "fleet", &schemas).predict() {
            Prediction::Refused(refusal) => assert_eq!(refusal.to_string(), expected),
            other => panic!("{content} ends with {other:?}"),
        }
    }
}

/// Types of built-in kinds that are written in several ways.
#[test]
fn an_amount_is_a_scalar() {
    let claim = |storage: Value| {
        Object::from_json(json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim",
            "metadata": {"namespace": "shop", "name": "a"},
            "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": storage}}}}))
        .unwrap()
    };
    let schemas = schemas();
    let predict = |storage: Value| Apply::new(&claim(storage), "fleet", &schemas).predict();
    for odd in [json!([]), json!({})] {
        match predict(odd) {
            Prediction::Refused(refusal) => {
                assert_eq!(
                    refusal.to_string(),
                    ".spec.resources.requests.storage must be a scalar"
                );
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(matches!(predict(json!(1)), Prediction::Object(_)));
    assert!(matches!(predict(json!("1Gi")), Prediction::Object(_)));
}

#[test]
fn what_is_of_its_type_is_taken() {
    let cases = [
        json!({"size": 1, "flag": true, "amount": 1, "labels": {"a": "1"}, "nested": {"inner": {}}}),
        json!({"amount": "10%", "flag": false, "tags": [], "keyed": [], "words": [], "point": {}}),
        json!({"words": ["a", "a"], "tags": ["a", "b"]}),
        json!({"keyed": [{"name": "a"}, {"name": "b", "v": 1}], "ports": [{"port": 1}, {"port": 1, "proto": "UDP"}]}),
    ];
    let schemas = schemas();
    for content in cases {
        let desired = object(&content);
        let prediction = Apply::new(&desired, "fleet", &schemas).predict();
        assert!(
            !matches!(prediction, Prediction::Refused(_)),
            "{content} ends with {prediction:?}"
        );
    }
}

/// A server lets live objects have elements twice, and so do we.
#[test]
fn live_objects_may_have_elements_twice() {
    let schemas = schemas();
    let desired = object(&json!({"size": 1}));
    let predict = |live: &Object| Apply::new(&desired, "fleet", &schemas).to(Some(live)).predict();
    let twice = object(&json!({"tags": ["a", "a"], "keyed": [{"name": "a"}, {"name": "a"}]}));
    assert!(matches!(predict(&twice), Prediction::Object(_)));
    let odd = object(&json!({"tags": ["a", 1]}));
    let doubt = Doubt::LiveDoesNotFitSchema(".tags[=1]".to_owned());
    assert_eq!(predict(&odd), Prediction::Unsure(doubt));
}
