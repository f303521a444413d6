//! Who owns a field, as entries of `managedFields` say.

use fleet_diff::{FieldManager, FieldPath, Object, PathElement as P, managers_of, managers_within};
use serde_json::{Value, json};

fn live(managed_fields: &Value) -> Object {
    Object::from_json(json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {
            "name": "web", "annotations": {"example.com/a": "1"}, "finalizers": ["x", "y"],
            "managedFields": managed_fields,
        },
        "spec": {
            "replicas": 2,
            "selector": {"matchLabels": {"app": "web"}},
            "containers": [
                {"name": "log", "image": "l:1"},
                {"name": "web", "image": "w:1", "args": ["a"], "ports": [
                    {"containerPort": 80, "protocol": "TCP"}, {"containerPort": 80, "protocol": "UDP"},
                ]},
            ],
        },
    }))
    .unwrap()
}

fn entry(manager: &str, fields: &Value) -> Value {
    json!({"manager": manager, "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "fieldsV1": fields})
}

fn names(managers: &[FieldManager]) -> Vec<&str> {
    managers.iter().map(|manager| manager.name.as_str()).collect()
}

#[test]
fn owners_are_found_whichever_way_elements_are_named() {
    let object = live(&json!([
        entry(
            "a",
            &json!({
                "f:metadata": {
                    "f:annotations": {".": {}, "f:example.com/a": {}},
                    "f:finalizers": {".": {}, "v:\"y\"": {}},
                },
                "f:spec": {
                    "f:replicas": {},
                    "f:selector": {},
                    "f:containers": {
                        "k:{\"name\":\"web\"}": {
                            ".": {}, "f:image": {}, "f:name": {}, "f:args": {},
                            "f:ports": {"k:{\"containerPort\":80,\"protocol\":\"UDP\"}": {".": {}, "f:containerPort": {}}},
                        },
                    },
                },
            })
        ),
        entry(
            "b",
            &json!({"f:spec": {"f:replicas": {}, "f:containers": {"i:0": {"f:image": {}}}}})
        ),
    ]));
    let web = |by: P| FieldPath::keys(["spec", "containers"]).child(by);
    let by_name = || P::list_key([("name", "web")]);
    let port = |by: P| web(by_name()).child(P::key("ports")).child(by);
    let finalizer = |by: P| FieldPath::keys(["metadata", "finalizers"]).child(by);
    let cases: &[(FieldPath, &[&str], &[&str])] = &[
        (FieldPath::root(), &[], &["a", "b"]),
        (FieldPath::keys(["spec"]), &[], &["a", "b"]),
        (FieldPath::keys(["spec", "replicas"]), &["a", "b"], &["a", "b"]),
        (FieldPath::keys(["spec", "paused"]), &[], &[]),
        (FieldPath::keys(["metadata", "annotations"]), &["a"], &["a"]),
        (
            FieldPath::keys(["metadata", "annotations", "example.com/a"]),
            &["a"],
            &["a"],
        ),
        (FieldPath::keys(["metadata", "annotations", "b"]), &[], &[]),
        // Recorded as a whole.
        (
            FieldPath::keys(["spec", "selector", "matchLabels", "app"]),
            &["a"],
            &["a"],
        ),
        (
            web(by_name()).child(P::key("args")).child(P::Index(0)),
            &["a"],
            &["a"],
        ),
        // Values, by value and by position.
        (finalizer(P::Value("y".into())), &["a"], &["a"]),
        (finalizer(P::Index(1)), &["a"], &["a"]),
        (finalizer(P::Index(0)), &[], &[]),
        (finalizer(P::Value("x".into())), &[], &[]),
        // Elements, by key fields, by other fields and by position.
        (web(by_name()), &["a"], &["a"]),
        (web(P::Index(1)).child(P::key("image")), &["a"], &["a"]),
        (
            web(P::list_key([("image", "w:1")])).child(P::key("image")),
            &["a"],
            &["a"],
        ),
        (
            web(P::list_key([("name", "log")])).child(P::key("image")),
            &["b"],
            &["b"],
        ),
        (web(P::list_key([("name", "log")])), &[], &["b"]),
        (web(P::Index(9)).child(P::key("image")), &[], &[]),
        (port(P::Index(1)).child(P::key("containerPort")), &["a"], &["a"]),
        (port(P::Index(0)).child(P::key("containerPort")), &[], &[]),
        (web(by_name()).child(P::key("ports")), &[], &["a"]),
    ];
    for (path, of, within) in cases {
        assert_eq!(names(&managers_of(&object, path)), *of, "of {path}");
        assert_eq!(names(&managers_within(&object, path)), *within, "within {path}");
    }
}

#[test]
fn what_makes_no_sense_inside_an_entry_is_passed_over() {
    let object = live(&json!([entry(
        "a",
        &json!({"k:{": {}, "f:metadata": "text", "f:spec": {"i:one": {}, "f:replicas": {}}})
    )]));
    let path = FieldPath::keys(["spec", "replicas"]);
    assert_eq!(names(&managers_of(&object, &path)), ["a"]);
}

#[test]
fn an_element_that_is_gone_is_found_by_its_key() {
    let object = live(&json!([entry(
        "a",
        &json!({"f:spec": {"f:containers": {"k:{\"name\":\"gone\"}": {".": {}}}}})
    )]));
    let path = FieldPath::keys(["spec", "containers"]).child(P::list_key([("name", "gone")]));
    assert_eq!(names(&managers_of(&object, &path)), ["a"]);
}

#[test]
fn a_manager_is_described() {
    let mut one = entry("m", &json!({"f:spec": {"f:replicas": {}}}));
    one["subresource"] = json!("scale");
    one["time"] = json!("2020-01-01T00:00:00Z");
    let owners = managers_of(&live(&json!([one])), &FieldPath::keys(["spec", "replicas"]));
    assert_eq!(
        serde_json::to_value(&owners).unwrap(),
        json!([{"name": "m", "operation": "Update", "subresource": "scale", "apiVersion": "apps/v1",
                "time": "2020-01-01T00:00:00Z"}])
    );
}

#[test]
fn odd_entries_are_passed_over() {
    let odd = [
        json!(null),
        json!("text"),
        json!([null, 1, "x", [], {}]),
        json!([
            entry("a", &json!(null)),
            entry("a", &json!("x")),
            entry("a", &json!({}))
        ]),
        json!([
            entry("a", &json!({"f:spec": null})),
            entry("a", &json!({"f:spec": [1]}))
        ]),
        json!([entry(
            "a",
            &json!({"f:spec": {"f:containers": {
                "k:": {}, "k:{": {}, "k:{}": {}, "k:[1]": {}, "k:{\"name\":{}}": {}, "v:": {}, "v:{}": {}, "i:": {},
                "i:-1": {}, "i:99999999999999999999999": {}, "": {}, "x": {}, "🦀:1": {}, "k:{\"name\":\"web\"}": 7,
            }}})
        )]),
    ];
    for value in odd {
        let object = live(&value);
        for last in [
            P::Index(1),
            P::list_key([("name", "web")]),
            P::Value("a".into()),
            P::key("x"),
        ] {
            let path = FieldPath::keys(["spec", "containers"]).child(last);
            assert_eq!(managers_of(&object, &path), [], "{path} {value}");
        }
    }
}
