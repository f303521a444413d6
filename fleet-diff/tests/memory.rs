//! What is remembered of updates where `managedFields` does not say it.

use fleet_diff::{Memory, Node, Object, without_updates};
use serde_json::json;

#[test]
fn texts_that_are_none_are_told_from_those_that_are() {
    for text in ["", "v1", " {}", "v1 {", "v1 []", "v1 {\"x\":{}}"] {
        assert!(Memory::parse(text).is_err(), "{text:?}");
    }
    let text = r#"apps/v1 {"f:spec":{"f:containers":{"k:{\"name\":\"web\"}":{".":{},"f:image":{}}}}}"#;
    assert_eq!(
        Memory::parse(text).map(|memory| memory.to_string()).as_deref(),
        Ok(text)
    );
}

#[test]
fn own_updates_go_and_what_others_wrote_stays() {
    let entry = |manager: &str, operation: &str, subresource: &str, field: &str| {
        json!({"manager": manager, "operation": operation, "subresource": subresource, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {field: {}}}})
    };
    let live = Object::from_json(
        json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
        "metadata": {"name": "a", "managedFields": [
            entry("fleet", "Update", "", "f:a"), entry("fleet", "Update", "status", "f:b"),
            entry("fleet", "Apply", "", "f:c"), entry("other", "Update", "", "f:a"),
        ]}}),
    )
    .expect("an object");
    let (rest, written) = without_updates(&live, "fleet").expect("readable");
    let written: Vec<String> = written.leaves().iter().map(|path| path.to_string()).collect();
    assert_eq!(written, [".data.a"]);
    let left = |object: &Object| -> Vec<String> {
        let entries = object.metadata().get("managedFields");
        let entries = entries.into_iter().flat_map(Node::items);
        entries
            .map(|entry| {
                let text = |key| entry.get(key).and_then(Node::as_str).unwrap_or("").to_owned();
                format!(
                    "{} {} {}",
                    text("manager"),
                    text("operation"),
                    text("subresource")
                )
            })
            .collect()
    };
    assert_eq!(
        left(&rest),
        ["fleet Apply ", "fleet Update status", "other Update "]
    );
    let memory = Memory::parse(r#"v1 {"f:data":{"f:a":{}}}"#).expect("a memory");
    let applied = memory.as_applied(&live, "fleet").expect("readable");
    assert_eq!(left(&applied), left(&rest));
    let fields: Vec<String> = memory
        .fields()
        .leaves()
        .iter()
        .map(|path| path.to_string())
        .collect();
    assert_eq!(fields, [".data.a"]);
    assert_eq!(Memory::of(&applied, "fleet"), Ok(Some(memory)));
}
