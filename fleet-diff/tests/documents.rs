//! Documents and objects hold what they were made of.
#![cfg(test)]

use fleet_diff::{Document, FieldPath, Gvk, Object, PathElement};
use proptest::{collection, prelude::*};
use serde_json::{Value, json};

/// Few texts, so that many are there twice; keys and texts of the lengths at which they are stored in another way.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![
        4 => "(f:)?[abé]{0,2}",
        1 => (60..70_usize).prop_map(|length| "k".repeat(length)),
        1 => (4_090..4_100_usize).prop_map(|length| "é".repeat(length)),
        1 => ".{0,12}",
    ]
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-3..3_i64).prop_map(|i| json!((1_i64 << 59) + i)),
        (-3..3_i64).prop_map(|i| json!(-(1_i64 << 59) + i)),
        any::<f64>().prop_map(Value::from),
        any_text().prop_map(Value::from),
    ];
    scalar.prop_recursive(5, 60, 6, |inner| {
        prop_oneof![
            collection::btree_map(any_text(), inner.clone(), 0..6)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
            collection::vec(inner, 0..6).prop_map(Value::from),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn a_document_is_the_json_it_was_made_of(value in any_json()) {
        let document = Document::from_json(&value);
        prop_assert_eq!(&document.to_json(), &value);
        let text = value.to_string();
        prop_assert_eq!(document.to_string(), text.clone());
        let read: Document = text.parse().unwrap();
        // Reading JSON may round a float in its last digit.
        prop_assert_eq!(read.to_json(), serde_json::from_str::<Value>(&text).unwrap());
        for (key, inner) in value.as_object().into_iter().flatten() {
            prop_assert_eq!(document.root().get(key).unwrap().to_json(), inner.clone());
            prop_assert_eq!(document.root().at(&[key]).unwrap().to_json(), inner.clone());
        }
        prop_assert!(document.root().get("not there").is_none());
    }

    #[test]
    fn what_is_edited_is_as_if_it_was_made_so(
        metadata in collection::btree_map(any_text(), any_json(), 0..4),
        more in collection::btree_map(any_text(), any_json(), 0..4),
        label in any_text(),
    ) {
        let mut value = json!({"apiVersion": "v1", "kind": "A"});
        value.as_object_mut().unwrap().extend(more);
        value["metadata"] = Value::Object(metadata.into_iter().collect());
        value["metadata"]["name"] = json!("a");
        let object = Object::from_json(value.clone()).unwrap();

        let mut expect = value.clone();
        expect["metadata"]["namespace"] = json!("x");
        let placed = object.with_namespace(Some("x"));
        prop_assert_eq!(placed.to_json(), expect.clone());
        prop_assert_eq!(placed.with_namespace(None).to_json(), value.clone());

        expect["metadata"]["labels"] = json!({label.as_str(): "1"});
        prop_assert_eq!(placed.with_marks([(label.as_str(), "1")], []).to_json(), expect);

        for key in value.as_object().unwrap().keys().filter(|key| !matches!(&***key, "metadata" | "apiVersion" | "kind")) {
            let mut expect = value.clone();
            expect.as_object_mut().unwrap().remove(key);
            let path = FieldPath::new([PathElement::key(key)]);
            prop_assert_eq!(object.without([&path, &path]).unwrap().to_json(), expect);
        }
    }
}

#[test]
fn an_item_is_what_its_list_says_unless_it_says_otherwise() {
    let gvk = Gvk::from_api_version("apps/v1", "Deployment").unwrap();
    let item = |text: &str| Object::from_item(text.parse().unwrap(), &gvk);
    let named = r#""metadata": {"name": "a"}, "spec": {"replicas": 1}"#;
    let cases = [
        (format!("{{{named}}}"), "apps/v1 Deployment"),
        (
            format!(r#"{{"apiVersion": "apps/v2", {named}}}"#),
            "apps/v2 Deployment",
        ),
        (format!(r#"{{"kind": "Other", {named}}}"#), "apps/v1 Other"),
        (
            format!(r#"{{"kind": "Other", "apiVersion": "v1", {named}}}"#),
            "v1 Other",
        ),
    ];
    for (text, expect) in cases {
        let object = item(&text).unwrap();
        assert_eq!(object.gvk().to_string(), expect);
        let mut json: Value = serde_json::from_str(&text).unwrap();
        json["apiVersion"] = object.gvk().api_version().into();
        json["kind"] = object.gvk().kind().into();
        assert_eq!(object.to_json(), json);
        assert_eq!(object, Object::from_json(json).unwrap());
    }
    for bad in ["[]", "null", "{}"] {
        assert!(item(bad).is_err(), "{bad}");
    }
}

#[test]
fn objects_are_read_from_text_and_say_what_is_wrong() {
    let text = r#"{"apiVersion": "v1", "kind": "A", "metadata": {"name": "a"}}"#;
    let object: Object = text.parse().unwrap();
    assert_eq!(object, serde_json::from_str(text).unwrap());
    let cases = [
        ("{", "line 1, column 1"),
        ("[]", "not an object"),
        (r#"{"apiVersion": "v1"}"#, "`kind` is missing"),
    ];
    for (text, expect) in cases {
        let error = text.parse::<Object>().unwrap_err().to_string();
        assert!(error.contains(expect), "{error}");
        assert!(serde_json::from_str::<Object>(text).is_err());
    }
}

/// Kinds are texts that objects share, even when there are more of them than a thread remembers.
#[test]
fn kinds_stay_what_they_are_however_many_there_are() {
    for round in 0..3 {
        for i in 0..2_000 {
            let text = format!(
                r#"{{"apiVersion": "g{}/v{}", "kind": "K{}", "metadata": {{"name": "a"}}}}"#,
                i % 7,
                i % 40,
                i % 600
            );
            let object: Object = text.parse().unwrap();
            let gvk = object.gvk();
            assert_eq!(
                (gvk.group(), gvk.version()),
                (&*format!("g{}", i % 7), &*format!("v{}", i % 40)),
                "{round}"
            );
            assert_eq!(gvk.kind(), format!("K{}", i % 600));
            assert_eq!(object.key().group_kind(), gvk.group_kind());
        }
    }
}

#[test]
fn nothing_of_a_document_before_is_left_in_the_next() {
    let long = "x".repeat(3 << 20);
    for text in [
        r#"{"a": "b"}"#,
        &*format!("[{long:?}]"),
        r#"{"b": "a"}"#,
        "[",
        r#"["b"]"#,
    ] {
        let expect = serde_json::from_str::<Value>(text).ok();
        assert_eq!(
            text.parse::<Document>().ok().map(|document| document.to_json()),
            expect
        );
    }
}
