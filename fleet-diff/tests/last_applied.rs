//! What an apply as `kubectl` makes of the annotation in which client-side applies remember what they applied.

mod support;

use fleet_diff::{Apply, Object, Prediction};
use serde_json::{Value, json};
use support::{object, schemas};

const ANNOTATION: &str = "kubectl.kubernetes.io/last-applied-configuration";

fn settings(data: Value) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"}, "data": data})
}

/// What a client-side apply left behind: it owns `a` and `b`.
fn live(data: Value, remembered: Option<&str>) -> Object {
    let mut live = settings(data);
    live["metadata"]["annotations"] = json!({"example.net/note": "x"});
    if let Some(text) = remembered {
        live["metadata"]["annotations"][ANNOTATION] = json!(text);
    }
    live["metadata"]["managedFields"] = json!([
        {"manager": "kubectl-client-side-apply", "operation": "Update", "apiVersion": "v1", "fieldsType": "FieldsV1",
         "time": "2020-01-01T00:00:00Z", "fieldsV1": {"f:data": {"f:a": {}, "f:b": {}}}},
    ]);
    object(live)
}

fn apply(live: &Object, desired: &Value, manager: &str, force: bool) -> Prediction {
    let desired = object(desired.clone());
    Apply::new(&desired, manager, schemas())
        .to(Some(live))
        .force(force)
        .predict()
}

fn conflicts(prediction: Prediction) -> Vec<String> {
    match prediction {
        Prediction::Conflicts(found) => found.iter().map(|conflict| conflict.path.to_string()).collect(),
        Prediction::Object(_) => Vec::new(),
        other => panic!("{other:?}"),
    }
}

fn annotation(prediction: Prediction) -> Value {
    match prediction {
        Prediction::Object(object) => object.to_json()["metadata"]["annotations"][ANNOTATION].clone(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_is_still_as_it_was_applied_is_taken_over() {
    let both = settings(json!({"a": "2", "b": "2"}));
    let there = json!({"a": "1", "b": "1"});
    let all: &[&str] = &[".data.a", ".data.b"];
    let cases: &[(Value, &str, &[&str])] = &[
        (settings(json!({"a": "1", "b": "1"})), "kubectl", &[]),
        // Somebody changed it since, or it was not applied.
        (settings(json!({"a": "1", "b": "9"})), "kubectl", &[".data.b"]),
        (settings(json!({"a": "1"})), "kubectl", &[".data.b"]),
        // Only of kubectl.
        (settings(json!({"a": "1", "b": "1"})), "fleet", all),
        // Of another version, or of another form.
        (
            json!({"apiVersion": "v2", "kind": "ConfigMap", "data": there}),
            "kubectl",
            all,
        ),
        (json!({"kind": "ConfigMap", "data": there}), "kubectl", all),
        (settings(json!({"a": "1", "b": ["1"]})), "kubectl", all),
        (json!("text"), "kubectl", all),
    ];
    for (remembered, manager, expected) in cases {
        let live = live(there.clone(), Some(&remembered.to_string()));
        assert_eq!(
            conflicts(apply(&live, &both, manager, false)),
            *expected,
            "{remembered} by {manager}"
        );
        assert_eq!(conflicts(apply(&live, &both, manager, true)), [""; 0]);
    }
    for nothing in [None, Some(""), Some("{"), Some("null")] {
        let live = live(there.clone(), nothing);
        assert_eq!(
            conflicts(apply(&live, &both, "kubectl", false)),
            all,
            "{nothing:?}"
        );
    }
}

#[test]
fn the_annotation_says_what_is_applied_now() {
    let there = json!({"a": "1", "b": "1"});
    let before = settings(there.clone()).to_string();
    let live_with = |remembered| live(there.clone(), remembered);
    let written = |desired: &Value| annotation(apply(&live_with(Some(&before)), desired, "kubectl", true));
    let text = |config: &Value| json!(format!("{config}\n"));

    let two = settings(json!({"a": "2"}));
    assert_eq!(written(&two), text(&two));
    // Also where nothing else changes.
    let one = settings(json!({"a": "1"}));
    assert_eq!(written(&one), text(&one));
    // Without itself, and as Go writes JSON.
    let mut annotated = settings(json!({"a": "<&>\u{2028}\u{2029}"}));
    annotated["metadata"]["annotations"] = json!({ANNOTATION: "old", "example.net/note": "y"});
    let mut without = annotated.clone();
    without["metadata"]["annotations"]
        .as_object_mut()
        .unwrap()
        .remove(ANNOTATION);
    let escaped = without
        .to_string()
        .replace('<', "\\u003c")
        .replace('>', "\\u003e")
        .replace('&', "\\u0026")
        .replace('\u{2028}', "\\u2028")
        .replace('\u{2029}', "\\u2029");
    assert_eq!(written(&annotated), json!(format!("{escaped}\n")));
    let mut null = two.clone();
    null["metadata"]["annotations"] = json!(null);
    assert_eq!(written(&null), text(&two));

    // Others leave it as it is, and where there is none none comes.
    assert_eq!(
        annotation(apply(&live_with(Some(&before)), &two, "fleet", true)),
        json!(before)
    );
    assert_eq!(
        annotation(apply(&live_with(None), &two, "kubectl", true)),
        json!(null)
    );
    assert_eq!(
        annotation(apply(&live_with(Some("")), &two, "kubectl", true)),
        json!("")
    );
}

/// Keys and values of all annotations together may have 256 KiB.
#[test]
fn the_annotation_goes_where_it_would_be_too_large() {
    const LARGEST: usize = 256 * 1024;
    let there = json!({"a": "1", "b": "1"});
    let two = settings(json!({"a": "2"}));
    let text = format!("{two}\n");
    let free = LARGEST - ANNOTATION.len() - text.len() - "example.net/note".len();
    for (length, expected) in [(free, json!(text)), (free + 1, json!(null))] {
        let mut live = live(there.clone(), Some("{}")).to_json();
        live["metadata"]["annotations"]["example.net/note"] = json!("x".repeat(length));
        assert_eq!(annotation(apply(&object(live), &two, "kubectl", true)), expected);
    }
}
