//! Changes as lines for people, and what of a Secret they may show.
#![cfg(test)]

use fleet_diff::{
    FieldChange, FieldPath, ObjectKey, RenderOptions, Style, json_changes, masked, masked_value, render,
};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

fn config_map() -> ObjectKey {
    ObjectKey::new("", "ConfigMap", None, "a")
}

fn secret() -> ObjectKey {
    ObjectKey::new("", "Secret", None, "a")
}

fn lines(key: &ObjectKey, before: &Value, after: &Value) -> Vec<String> {
    let text = render(key, &json_changes(before, after), &RenderOptions::default());
    text.lines().map(str::to_owned).collect()
}

#[test]
fn each_change_is_a_line() {
    let x = |n: usize| "x".repeat(n);
    let cases: &[(Value, Value, &[&str])] = &[
        (json!({}), json!({}), &[]),
        (
            json!({"a": 1, "b": {"c": [1]}, "d": null}),
            json!({"b": {"c": ["é"]}, "d": false, "e": {"f": "\n"}}),
            &[
                "- .a: 1",
                "~ .b.c[0]: 1 → \"é\"",
                "~ .d: null → false",
                "+ .e: {\"f\":\"\\n\"}",
            ],
        ),
        (
            json!(null),
            json!({"a": 1}),
            &["~ (whole object): null → {\"a\":1}"],
        ),
        // Long values: their beginning, or what is around the first difference.
        (
            json!({}),
            json!({"a": x(118), "b": x(119)}),
            &[
                &format!("+ .a: \"{}\"", x(118)),
                &format!("+ .b: \"{}… (121 characters)", x(119)),
            ],
        ),
        (
            json!({"a": format!("{}A{}", x(200), x(200))}),
            json!({"a": format!("{}B{}", x(200), x(50))}),
            &[&format!(
                "~ .a: …{0}A{1}… (403 characters) → …{0}B{2}\" (253 characters)",
                x(20),
                x(99),
                x(50)
            )],
        ),
        (
            json!({"a": "short"}),
            json!({"a": x(200)}),
            &[&format!("~ .a: \"short\" → \"{}… (202 characters)", x(119))],
        ),
        // A new order.
        (
            json!({"env": [{"name": "A", "value": x(300)}, {"name": "B"}]}),
            json!({"env": [{"name": "B"}, {"name": "A", "value": x(300)}]}),
            &[r#"~ .env: [name="A"][name="B"] → [name="B"][name="A"]"#],
        ),
        // Nothing that moves the cursor or turns the text around.
        (
            json!({}),
            json!({"\u{1b}[2J\n": "\u{1b}\u{9b}\u{202e}\u{2028}"}),
            &["+ .\\u{1b}[2J\\u{a}: \"\\u001b\\u{9b}\\u{202e}\\u{2028}\""],
        ),
        // A value that only looks hidden.
        (json!({}), json!({"a": "(secret)"}), &["+ .a: \"(secret)\""]),
    ];
    for (before, after, expect) in cases {
        assert_eq!(lines(&config_map(), before, after), *expect);
    }
}

#[test]
fn length_and_colour_are_options() {
    let found = json_changes(&json!({"a": 1, "b": 1}), &json!({"b": 2, "c": "0123456789"}));
    let mut options = RenderOptions::default();
    options.max_value_chars = 5;
    options.style = Style::Ansi;
    let expect = [
        "\u{1b}[31m- .a\u{1b}[0m: 1",
        "\u{1b}[33m~ .b\u{1b}[0m: 1 → 2",
        "\u{1b}[32m+ .c\u{1b}[0m: \"0123… (12 characters)",
    ];
    let text = render(&config_map(), &found, &options);
    assert_eq!(text.lines().collect::<Vec<_>>(), expect);
    options.max_value_chars = 0;
    options.style = Style::Plain;
    assert_eq!(
        render(&config_map(), &found[2..], &options),
        "+ .c: … (12 characters)\n"
    );
}

#[test]
fn secrets_are_hidden() {
    let cases: &[(Value, Value, &[&str])] = &[
        (
            json!({"data": {"a": "x", "b": "y", "d": "z"}, "type": "Opaque"}),
            json!({"data": {"a": "x", "b": "hunter2", "c": "hunter2"}, "stringData": {"e": "hunter2"}, "type": "T", "immutable": true}),
            &[
                "~ .data.b: (secret) → (secret, changed)",
                "+ .data.c: (secret)",
                "- .data.d: (secret)",
                "+ .immutable: true",
                "+ .stringData: {\"e\":\"(secret)\"}",
                "~ .type: \"Opaque\" → \"T\"",
            ],
        ),
        (
            json!({"metadata": {"labels": {"a": "b"}, "annotations": {"x": "1"}}}),
            json!({"metadata": {"labels": {"a": "c"}, "annotations": {
                "x": "hunter2", "kubectl.kubernetes.io/last-applied-configuration": "{\"data\":{\"a\":\"hunter2\"}}"
            }, "finalizers": ["f"]}}),
            &[
                "+ .metadata.annotations.kubectl.kubernetes.io/last-applied-configuration: (secret)",
                "~ .metadata.annotations.x: (secret) → (secret, changed)",
                "+ .metadata.finalizers: [\"f\"]",
                "~ .metadata.labels.a: \"b\" → \"c\"",
            ],
        ),
        // Whole parts at once.
        (
            json!({"kind": "Secret", "data": "x"}),
            json!({"kind": "Secret", "data": {"a": "hunter2"}}),
            &["~ .data: (secret) → (secret, changed)"],
        ),
        (
            json!({"data": null}),
            json!({"data": {"a": "hunter2"}}),
            &["~ .data: null → {\"a\":\"(secret)\"}"],
        ),
        (
            json!(null),
            json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "a", "annotations": {"b": "hunter2"}}, "data": {"c": "hunter2"}}),
            &[
                r#"~ (whole object): null → {"apiVersion":"v1","data":{"c":"(secret)"},"kind":"Secret","metadata":{"annotations":{"b":"(secret)"},"name":"a"}}"#,
            ],
        ),
        // Misspelt, misplaced and malformed.
        (
            json!({}),
            json!({"stringdata": {"a": "hunter2"}, "metadata": {"data": {"a": "hunter2"}}, "type": {"a": "hunter2"}, "data": ["hunter2"]}),
            &[
                "+ .data: (secret)",
                "+ .metadata: {\"data\":{\"a\":\"(secret)\"}}",
                "+ .stringdata: {\"a\":\"(secret)\"}",
                "+ .type: (secret)",
            ],
        ),
        (
            json!({"data": {"a": {"b": 1}, "c": [{"name": "hunter2", "value": "x"}]}}),
            json!({"data": {"a": {"hunter2": 1}, "c": [{"name": "hunter2", "value": "hunter2"}]}}),
            &[
                "~ .data.a: (secret) → (secret, changed)",
                "~ .data.c: (secret) → (secret, changed)",
            ],
        ),
        (
            json!({"data": [{"name": "hunter2", "value": 1}, {"name": "b"}]}),
            json!({"data": [{"name": "hunter2", "value": 2}]}),
            &["~ .data: (secret) → (secret, changed)"],
        ),
    ];
    for (before, after, expect) in cases {
        assert_eq!(lines(&secret(), before, after), *expect);
    }
}

#[test]
fn a_hidden_value_says_whether_it_changed() {
    let whole = FieldChange {
        path: FieldPath::root(),
        before: Some(json!({"data": {"same": "x", "other": "y", "gone": "z"}})),
        after: Some(json!({"data": {"same": "x", "other": "yy", "new": "z"}})),
    };
    let hidden = masked(&secret(), vec![whole]);
    let (same, changed) = ("(secret)", "(secret, changed)");
    assert_eq!(
        (hidden[0].before.clone(), hidden[0].after.clone()),
        (
            Some(json!({"data": {"same": same, "other": same, "gone": same}})),
            Some(json!({"data": {"same": same, "other": changed, "new": same}})),
        )
    );
    assert_eq!(masked(&secret(), hidden.clone()), hidden);
}

#[test]
fn only_core_secrets_are_hidden() {
    let value = json!({"data": {"a": "b"}});
    for key in [config_map(), ObjectKey::new("example.com", "Secret", None, "a")] {
        assert_eq!(masked_value(&key, value.clone()), value);
    }
    assert_eq!(masked_value(&secret(), value), json!({"data": {"a": "(secret)"}}));
}

/// A Secret, more or less, whose values all contain `hunter`.
fn any_secret() -> impl Strategy<Value = Value> {
    let text = "hunter[0-9]{1,2}";
    let any = text.prop_map(Value::from).prop_recursive(3, 12, 3, move |inner| {
        let name = prop_oneof![
            Just("name".to_owned()),
            Just("a".to_owned()),
            Just("b".to_owned())
        ];
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..3).prop_map(Value::from),
            proptest::collection::btree_map(name, inner, 0..3)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    });
    let metadata = proptest::sample::select(vec!["annotations", "data", "label"]);
    let field = proptest::sample::select(vec!["data", "stringData", "stringdata", "spec", "status"]);
    let mapping = |name: proptest::sample::Select<&'static str>| {
        proptest::collection::btree_map(name, any.clone(), 0..3).prop_map(|map| {
            map.into_iter()
                .map(|(k, v)| (k.to_owned(), v))
                .collect::<Map<_, _>>()
        })
    };
    (mapping(metadata), mapping(field), any.clone(), 0..4_u8).prop_map(
        |(mut metadata, mut fields, odd, shape)| {
            metadata.insert("name".into(), "shown".into());
            fields.insert(
                "metadata".into(),
                if shape == 0 { json!([odd]) } else { metadata.into() },
            );
            if shape == 1 {
                fields.insert("type".into(), json!({ "x": odd.clone() }));
            }
            if shape == 2 { odd } else { fields.into() }
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn nothing_of_a_secret_is_shown(before in any_secret(), after in any_secret()) {
        let found = json_changes(&before, &after);
        let text = render(&secret(), &found, &RenderOptions::default());
        prop_assert!(!text.contains("hunter"), "{}", text);
        let hidden = masked(&secret(), found.clone());
        prop_assert_eq!(hidden.is_empty(), found.is_empty());
        prop_assert_eq!(masked(&secret(), hidden.clone()), hidden.clone());
        let json = serde_json::to_string(&hidden).unwrap();
        prop_assert!(!json.contains("hunter"), "{}", json);
        prop_assert!(!masked_value(&secret(), after).to_string().contains("hunter"));
    }
}
