//! Entries of `managedFields` that a server would not take either, and what is odd and still taken.

mod support;

use fleet_diff::{Apply, Doubt, Object, OwnersError, Prediction, migrate_updates};
use serde_json::{Value, json};
use support::{object, schemas};

fn settings() -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"},
        "data": {"a": "1"}})
}

fn entry(changes: &Value) -> Value {
    let mut entry = json!({"manager": "other", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:data": {".": {}, "f:a": {}}}});
    for (key, value) in changes.as_object().unwrap() {
        entry[key] = value.clone();
    }
    entry
}

/// An object with this entry, and with another before it.
fn live(changes: &Value) -> Object {
    let mut live = settings();
    let first = json!({"manager": "first", "fieldsV1": {"f:data": {"f:z": {}}}});
    live["metadata"]["managedFields"] = json!([entry(&first), entry(changes)]);
    object(live)
}

/// What an apply beside this entry ends with.
fn beside(changes: &Value) -> Prediction {
    let desired = object(settings());
    Apply::new(&desired, "fleet", schemas())
        .to(Some(&live(changes)))
        .predict()
}

#[test]
fn entries_that_cannot_be_read_are_named() {
    let cases = [
        (
            json!({"operation": "Patch"}),
            "its operation is neither Apply nor Update",
        ),
        (
            json!({"operation": null}),
            "its operation is neither Apply nor Update",
        ),
        (json!({"apiVersion": ""}), "it has no apiVersion"),
        (json!({"apiVersion": null}), "it has no apiVersion"),
        (
            json!({"fieldsType": "FieldsV2"}),
            "its fieldsType is not FieldsV1",
        ),
        (json!({"fieldsV1": "x"}), "its fieldsV1 is no mapping"),
        (json!({"fieldsV1": []}), "its fieldsV1 is no mapping"),
        (
            json!({"fieldsV1": {"data": {}}}),
            "its fieldsV1 has a name without `f:`, `k:`, `v:` or `i:`",
        ),
        (
            json!({"fieldsV1": {"f:data": {".": {}, "data": {}}}}),
            "its fieldsV1 has a name without `f:`, `k:`, `v:` or `i:`",
        ),
        (
            json!({"fieldsV1": {"f:data": 1}}),
            "its fieldsV1 has a value that is no mapping",
        ),
        (
            json!({"fieldsV1": {"f:data": {"f:a": [], "f:b": {}}}}),
            "its fieldsV1 has a value that is no mapping",
        ),
        (
            json!({"fieldsV1": {"f:data": {"k:{": {}}}}),
            "key fields that are no JSON",
        ),
        (
            json!({"fieldsV1": {"f:data": {"k:[1]": {}}}}),
            "key fields that are no mapping",
        ),
        (
            json!({"fieldsV1": {"f:data": {"k:{\"a\":{}}": {}}}}),
            "a key field that is no scalar",
        ),
        (
            json!({"fieldsV1": {"f:data": {"v:": {}}}}),
            "a value that is no JSON",
        ),
        (
            json!({"fieldsV1": {"f:data": {"v:{}": {}}}}),
            "a value that is no scalar",
        ),
        (
            json!({"fieldsV1": {"f:data": {"i:-1": {}}}}),
            "a position that is no number",
        ),
    ];
    for (changes, problem) in cases {
        let problem = format!("managedFields entry 1: {problem}");
        let error = OwnersError::ManagedFields(problem.clone());
        assert_eq!(
            migrate_updates(&live(&changes), &["any"], "other"),
            Err(error),
            "{changes}"
        );
        // An apply is refused by the schema where that says more.
        if changes["fieldsV1"].is_object() {
            let doubt = Doubt::ManagedFields(problem);
            assert_eq!(beside(&changes), Prediction::Unsure(doubt), "{changes}");
        }
    }
}

#[test]
fn odd_entries_say_what_they_can() {
    let owners = |changes: &Value| match beside(changes) {
        Prediction::Object(object) => {
            let object = object.to_json();
            let entries = object["metadata"]["managedFields"].as_array().unwrap().clone();
            let of_other = |entry: &Value| entry["manager"] != "first" && entry["manager"] != "fleet";
            entries.into_iter().filter(of_other).collect::<Vec<_>>()
        }
        other => panic!("{changes} ends with {other:?}"),
    };
    // As they were: what is not known of a name, and null for an empty mapping.
    for fields in [
        json!({"f:data": {".": {}, "f:a": {}}}),
        json!({"f:data": {"f:a": {}, "x:whatever": {}}}),
        json!({"f:data": {"f:a": null}}),
        json!({"f:data": {"f:": {}, "i:3": {}, "k:{\"a\":1}": {}, "v:null": {}}}),
    ] {
        let changes = json!({ "fieldsV1": fields });
        assert_eq!(owners(&changes), [entry(&changes)]);
    }
    // Without fields they go.
    for fields in [json!(null), json!({})] {
        assert_eq!(owners(&json!({ "fieldsV1": fields })), [] as [Value; 0]);
    }
    // Without a name they are somebody's.
    let mut nameless = entry(&json!({}));
    nameless.as_object_mut().unwrap().remove("manager");
    assert_eq!(owners(&json!({"manager": ""})), [nameless]);
    let with_more = json!({"subresource": "status", "time": "2020-01-01T00:00:00Z"});
    assert_eq!(owners(&with_more), [entry(&with_more)]);
}
