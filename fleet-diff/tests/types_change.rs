//! What becomes of owners when the types of a custom resource have changed since they were written
//! (structured-merge-diff, `typed/reconcile_schema.go`).

mod support;

use fleet_diff::{Action, Apply, Object, Prediction, Schemas};
use serde_json::{Value, json};
use support::object;

/// The types of today, in which `whole` things are one field.
fn schemas() -> Schemas {
    let point = |kind: &str| {
        json!({"type": "object", "x-kubernetes-map-type": kind, "properties": {
            "x": {"type": "integer"}, "y": {"type": "integer"}}})
    };
    let list =
        |kind: &str| json!({"type": "array", "x-kubernetes-list-type": kind, "items": {"type": "string"}});
    let properties = json!({
        "size": {"type": "integer"},
        "point": point("granular"), "wholePoint": point("atomic"),
        "list": list("set"), "wholeList": list("atomic"),
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "wholeLabels": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {"type": "string"}},
        "parts": {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"],
            "items": {"type": "object", "required": ["name"], "properties": {
                "name": {"type": "string"}, "point": point("granular"), "wholePoint": point("atomic")}}},
        "named": {"type": "object", "additionalProperties": {"type": "object", "properties": {
            "wholePoint": point("atomic"), "wholeList": list("atomic")}}},
        "anything": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
        "free": {"type": "object", "additionalProperties": {
            "x-kubernetes-map-type": "atomic", "x-kubernetes-preserve-unknown-fields": true}},
        "wholeAmounts": {"type": "object", "x-kubernetes-map-type": "atomic", "additionalProperties": {
            "x-kubernetes-int-or-string": true}},
    });
    let definition = json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.net"},
        "spec": {
            "group": "example.net", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": properties}}}],
        },
    });
    Schemas::builtin().with_crd(&object(definition)).unwrap()
}

fn desired() -> Value {
    json!({"apiVersion": "example.net/v1", "kind": "Thing",
        "metadata": {"namespace": "shop", "name": "a"}, "size": 1})
}

fn live(theirs: &Value) -> Object {
    let entry = |manager: &str, operation: &str, fields: &Value| {
        json!({"manager": manager, "operation": operation, "apiVersion": "example.net/v1",
            "fieldsType": "FieldsV1", "fieldsV1": fields})
    };
    let mut live = desired();
    let point = json!({"x": 1, "y": 2});
    let more = json!({
        "point": point, "wholePoint": point, "list": ["a", "b"], "wholeList": ["a", "b"],
        "labels": {"a": "1"}, "wholeLabels": {"a": "1"},
        "parts": [{"name": "n", "point": point, "wholePoint": point}],
        "named": {"k": {"wholePoint": point, "wholeList": ["a"]}},
        "anything": {"a": {"b": 1}}, "free": {"a": {"b": 1}}, "wholeAmounts": {"a": 1},
    });
    live.as_object_mut()
        .unwrap()
        .extend(more.as_object().unwrap().clone());
    live["metadata"]["managedFields"] = json!([
        entry("fleet", "Apply", &json!({"f:size": {}})),
        entry("edit", "Update", theirs)
    ]);
    object(live)
}

#[test]
fn parts_of_what_is_one_field_now_are_all_of_it() {
    let schemas = schemas();
    let xy = json!({"f:x": {}, "f:y": {}});
    let itself_and_x = json!({".": {}, "f:x": {}});
    let cases = [
        (json!({"f:wholePoint": xy}), Some(json!({"f:wholePoint": {}}))),
        (
            json!({"f:wholePoint": itself_and_x}),
            Some(json!({"f:wholePoint": {}})),
        ),
        (
            json!({"f:wholeList": {".": {}, "v:\"a\"": {}}}),
            Some(json!({"f:wholeList": {}})),
        ),
        (
            json!({"f:wholeLabels": {"f:a": {}}}),
            Some(json!({"f:wholeLabels": {}})),
        ),
        // What is beside it stays.
        (
            json!({"f:point": xy, "f:size": {}, "f:wholePoint": {"f:x": {}}}),
            Some(json!({"f:point": xy, "f:size": {}, "f:wholePoint": {}})),
        ),
        (
            json!({"f:parts": {".": {}, "k:{\"name\":\"n\"}": {".": {}, "f:name": {}, "f:wholePoint": xy}}}),
            Some(
                json!({"f:parts": {".": {}, "k:{\"name\":\"n\"}": {".": {}, "f:name": {}, "f:wholePoint": {}}}}),
            ),
        ),
        (
            json!({"f:named": {"f:k": {"f:wholePoint": {"f:y": {}}, "f:wholeList": {"i:0": {}}}}}),
            Some(json!({"f:named": {"f:k": {"f:wholePoint": {}, "f:wholeList": {}}}})),
        ),
        // A list that has become a mapping.
        (
            json!({"f:named": {"k:{\"name\":\"n\"}": {"f:wholePoint": {"f:x": {}}}}}),
            Some(json!({"f:named": {"k:{\"name\":\"n\"}": {"f:wholePoint": {}}}})),
        ),
        // Already whole, or still of parts.
        (
            json!({"f:wholePoint": {}, "f:wholeList": {}, "f:wholeLabels": {}}),
            None,
        ),
        (
            json!({"f:point": xy, "f:labels": {"f:a": {}}, "f:list": {"v:\"a\"": {}}}),
            None,
        ),
        (
            json!({"f:parts": {"k:{\"name\":\"n\"}": {".": {}, "f:point": {"f:x": {}}}}}),
            None,
        ),
        // The other way round nothing is split.
        (
            json!({"f:point": {}, "f:list": {}, "f:labels": {}, "f:parts": {}}),
            None,
        ),
        // Free types do not say what is one field.
        (json!({"f:anything": {"f:a": {"f:b": {}}}}), None),
        (json!({"f:free": {"f:a": {"f:b": {}}}}), None),
        (json!({"f:wholeAmounts": {"f:a": {}}}), None),
        // Fields that are no more.
        (json!({"f:gone": {"f:x": {}}, "f:size": {}}), None),
    ];
    for (before, after) in cases {
        let live = live(&before);
        let wanted = object(desired());
        let apply = Apply::new(&wanted, "fleet", &schemas).to(Some(&live));
        let Prediction::Object(found) = apply.predict() else {
            panic!("{before} is no obstacle");
        };
        let found = found.to_json();
        let entries = found["metadata"]["managedFields"].as_array().unwrap();
        let theirs = entries.iter().find(|entry| entry["manager"] == "edit").unwrap();
        assert_eq!(
            theirs["fieldsV1"],
            after.clone().unwrap_or(before.clone()),
            "of {before}"
        );
        // The object itself is as it was, and only owners are a reason to apply.
        let expected = if after.is_some() {
            Action::Adopt
        } else {
            Action::None
        };
        assert_eq!(apply.decide().action(), expected, "of {before}");
    }
}
