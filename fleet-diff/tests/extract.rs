//! The part of an object that one manager applied.

mod support;
#[path = "support/thing.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod thing;

use fleet_diff::{OwnersError, Schemas, extract};
use serde_json::{Value, json};
use support::object;
use thing::definition;

#[test]
fn what_a_manager_applied_is_taken_out() {
    let schemas = Schemas::builtin().with_crd(&definition()).unwrap();
    let live = |api_version: &str, fields: Value| {
        object(json!({
            "apiVersion": "example.net/v1", "kind": "Thing",
            "metadata": {"namespace": "shop", "name": "a", "labels": {"app": "a", "tier": "b"}, "uid": "u",
                "managedFields": [
                    {"manager": "fleet", "operation": "Apply", "apiVersion": api_version,
                     "fieldsType": "FieldsV1", "fieldsV1": fields},
                ]},
            "labels": {"a": "1", "b": "2"},
            "keyed": [{"name": "x", "v": 1, "tags": ["t", "u"]}, {"name": "y", "v": 0}],
            "tags": ["m", "n"], "words": ["p", "q"], "point": {"x": 1},
        }))
    };
    let taken = |fields: Value| {
        let taken = extract(&live("example.net/v1", fields), "fleet", &schemas)
            .unwrap()
            .unwrap()
            .to_json();
        assert_eq!(
            (&taken["apiVersion"], &taken["kind"]),
            (&json!("example.net/v1"), &json!("Thing"))
        );
        assert_eq!(taken["metadata"]["name"], "a");
        assert_eq!(taken["metadata"]["namespace"], "shop");
        let mut taken = taken;
        for key in ["name", "namespace"] {
            taken["metadata"].as_object_mut().unwrap().remove(key);
        }
        let taken = taken.as_object().unwrap().iter();
        let is_content = |(key, value): &(&String, &Value)| {
            !matches!(key.as_str(), "apiVersion" | "kind") && **value != json!({})
        };
        taken
            .filter(is_content)
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect::<Value>()
    };
    let cases = [
        (json!({"f:labels": {"f:a": {}}}), json!({"labels": {"a": "1"}})),
        (
            json!({"f:metadata": {"f:labels": {"f:tier": {}}}}),
            json!({"metadata": {"labels": {"tier": "b"}}}),
        ),
        (
            json!({"f:keyed": {"k:{\"name\":\"x\"}": {".": {}, "f:name": {}, "f:v": {}}}}),
            json!({"keyed": [{"name": "x", "v": 1}]}),
        ),
        (
            json!({"f:keyed": {"k:{\"name\":\"x\"}": {"f:name": {}, "f:tags": {"v:\"u\"": {}}}, "k:{\"name\":\"y\"}": {}}}),
            json!({"keyed": [{"name": "x", "tags": ["u"]}, {"name": "y", "v": 0}]}),
        ),
        (json!({"f:tags": {"v:\"n\"": {}}}), json!({"tags": ["n"]})),
        (
            json!({"f:words": {}, "f:point": {}}),
            json!({"words": ["p", "q"], "point": {"x": 1}}),
        ),
        (json!({}), json!({})),
        // What is gone is not taken.
        (
            json!({"f:labels": {"f:a": {}, "f:z": {}}}),
            json!({"labels": {"a": "1"}}),
        ),
    ];
    for (fields, expected) in cases {
        assert_eq!(taken(fields.clone()), expected, "{fields}");
    }
    let one = live("example.net/v1", json!({"f:labels": {"f:a": {}}}));
    assert_eq!(extract(&one, "somebody", &schemas).unwrap(), None);
    let error = extract(&live("example.net/v2", json!({})), "fleet", &schemas).unwrap_err();
    assert_eq!(error, OwnersError::OtherVersion("example.net/v2".to_owned()));
    // An object without a namespace, and without metadata of its own.
    let cluster = object(json!({
        "apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a", "managedFields": [
            {"manager": "fleet", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1",
             "fieldsV1": {"f:spec": {"f:finalizers": {}}}}]},
        "spec": {"finalizers": ["kubernetes"]},
    }));
    let taken = extract(&cluster, "fleet", &schemas).unwrap().unwrap().to_json();
    let expected = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "a"},
        "spec": {"finalizers": ["kubernetes"]}});
    assert_eq!(taken, expected);
}
