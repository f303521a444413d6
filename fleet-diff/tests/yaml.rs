//! Reading YAML and JSON.
#![cfg(test)]

use std::time::{Duration, Instant};

use fleet_diff::{ObjectError, ReadError, ReadLimits, ReadProblem, read_objects, read_values};
use proptest::prelude::*;
use serde_json::{Value, json};

/// The first document, as compact JSON; `null` when there is none, `!` when the text is refused.
fn read(text: &str) -> String {
    match read_values(text, &ReadLimits::default()) {
        Ok(found) => found
            .first()
            .map_or("null".to_owned(), |found| found.value.to_string()),
        Err(_) => "!".to_owned(),
    }
}

fn compact(answer: &str) -> String {
    match answer {
        "!" => answer.to_owned(),
        json => serde_json::from_str::<Value>(json).unwrap().to_string(),
    }
}

#[test]
fn tricky_texts_are_read_as_kubernetes_reads_them() {
    let table = include_str!("data/yaml-as-go-reads-it.tsv");
    for row in table.lines() {
        let columns: Vec<&str> = row.split('\t').collect();
        let text: String = serde_json::from_str(columns[0]).unwrap();
        let go = compact(columns[1]);
        let expect = columns.get(2).map_or(go.clone(), |ours| compact(ours));
        assert_eq!(read(&text), expect, "{text:?}");
        if let Some(reason) = columns.get(3) {
            assert_ne!(go, expect, "no difference: {reason}");
        }
        // With the other line ends and a byte-order mark it says the same.
        if !text.contains('\r')
            && text.contains('\n')
            && !text.starts_with('\u{feff}')
            && !text.starts_with('{')
        {
            let other = format!("\u{feff}{}", text.replace('\n', "\r\n"));
            assert_eq!(read(&other), expect, "{other:?}");
        }
    }
    assert!(table.lines().count() > 700);
}

fn keys(text: &str) -> Result<Vec<(String, usize)>, ReadError> {
    let found = read_objects(text, &ReadLimits::default())?;
    Ok(found
        .into_iter()
        .map(|found| (found.object.key().to_string(), found.line))
        .collect())
}

#[test]
fn documents_and_lists_are_told_apart() {
    let cases: &[(&str, &[(&str, usize)])] = &[
        ("", &[]),
        ("# only a comment\n", &[]),
        ("---\n---\n# c\n---\nnull\n---\n~\n...\n", &[]),
        (
            "\n\n# c\napiVersion: v1\nkind: A\nmetadata: {name: a}\n",
            &[("A a", 4)],
        ),
        (
            "--- # first\n# more\napiVersion: v1\nkind: A\nmetadata: {name: a}\n...\n---\n\n---\nkind: B\napiVersion: x/v1\nmetadata:\n  name: b\n  namespace: ns\n",
            &[("A a", 3), ("B.x ns/b", 10)],
        ),
        // Anchors end with their document.
        (
            "apiVersion: v1\nkind: &k A\nmetadata: {name: a}\n---\napiVersion: v1\nkind: &k B\nmetadata: {name: *k }\n",
            &[("A a", 1), ("B B", 5)],
        ),
        // JSON, one or several.
        (
            "\n {\"apiVersion\":\"v1\",\n\"kind\":\"A\",\"metadata\":{\"name\":\"a\"}}\n\n{\"apiVersion\":\"v1\",\"kind\":\"B\",\"metadata\":{\"name\":\"b\"}}",
            &[("A a", 2), ("B b", 5)],
        ),
        (
            "\u{feff}{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"a\"}}",
            &[("A a", 1)],
        ),
        (
            "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"a\"}}\n---\napiVersion: v1\nkind: B\nmetadata: {name: b}\n",
            &[("A a", 1), ("B b", 3)],
        ),
        ("{apiVersion: v1, kind: A, metadata: {name: a}}", &[("A a", 1)]),
        // Lists, nested and typed ones too.
        ("apiVersion: v1\nkind: List\n", &[]),
        ("apiVersion: v1\nkind: List\nitems:\n", &[]),
        ("apiVersion: v1\nkind: ConfigMapList\nitems: []\n", &[]),
        (
            "apiVersion: v1\nkind: List\nmetadata: {name: '', resourceVersion: ''}\nitems:\n- apiVersion: v1\n  kind: List\n  items:\n  - {apiVersion: v1, kind: A, metadata: {name: a}}\n- {apiVersion: apps/v1, kind: B, metadata: {name: b}}\n",
            &[("A a", 1), ("B.apps b", 1)],
        ),
        (
            "apiVersion: apps/v1\nkind: DeploymentList\nmetadata: {}\nitems:\n- {metadata: {name: a}}\n- {apiVersion: v1, kind: A, metadata: {name: b}}\n",
            &[("Deployment.apps a", 1), ("A b", 1)],
        ),
        // Kinds that only end so.
        (
            "apiVersion: x/v1\nkind: AllowList\nmetadata: {name: a}\nitems: [1]\n",
            &[("AllowList.x a", 1)],
        ),
        (
            "apiVersion: v1\nkind: AllowList\nmetadata: {name: a}\nspec: {}\n",
            &[("AllowList a", 1)],
        ),
    ];
    for (text, expect) in cases {
        let found = keys(text).unwrap();
        let found: Vec<(&str, usize)> = found.iter().map(|(key, line)| (key.as_str(), *line)).collect();
        assert_eq!(found, *expect, "{text}");
    }
}

#[test]
fn errors_say_where_and_what() {
    let list = "kind: List\napiVersion: v1\nitems:\n- {apiVersion: v1, kind: A, metadata: {name: a}}\n";
    let cases = [
        (
            "a: [1, 2\n",
            "line 1, column 4: not valid YAML: a `[` or `{` is not closed",
        ),
        (
            "a: 1\nb: \"hunter2\nc: 1\n",
            "line 2, column 4: not valid YAML: a quoted text is not closed",
        ),
        (
            "a: 1\n\nb: @hunter2\n",
            "line 3, column 4: not valid YAML: a text may not begin with this character: quote it",
        ),
        (
            "a: hunter2: 1\n",
            "line 1, column 11: not valid YAML: a `:` stands where no value may begin",
        ),
        (
            "a: *hunter2\n",
            "line 1, column 4: not valid YAML: an alias refers to an anchor that is not defined before it",
        ),
        (
            "hunter2: 1\na:\n  b: 1\n  b: 2\n",
            "line 4, column 3: this key is already in the mapping",
        ),
        (
            "{\"é\": 1,\n \"éé\": 1, \"é\": 1,\n \"é\": 2}",
            "line 2, column 13: this key is already in the mapping",
        ),
        (
            "a: &x [*x]\n",
            "line 1, column 8: an alias stands inside the value it refers to",
        ),
        (
            "a: -.inf\n",
            "line 1, column 4: infinite numbers and `.nan` have no form in JSON: quote the text",
        ),
        (
            "~: 1\n",
            "line 1, column 1: a key is empty or null: quote it if it is meant as text",
        ),
        (
            "a: {{ hunter2 }}\n",
            "line 1, column 5: a mapping or list stands where a key is expected (quote a template, such as `{{ … }}`)",
        ),
        (
            "a: !!int hunter2\n",
            "line 1, column 10: the value does not fit its tag",
        ),
        (
            "a:\n  <<: hunter2\n",
            "line 2, column 7: `<<` needs a mapping, or a list of mappings",
        ),
        (
            "a: 1\nb: \"x\u{85}\"\n",
            "line 2, column 6: a Unicode line separator stands here: write it as an escape in a quoted text",
        ),
        (
            "# c\n\nhunter2\n",
            "line 3: not an object: expected a mapping with apiVersion, kind and metadata",
        ),
        (
            "---\nkind: A\nmetadata: {name: hunter2}\n",
            "line 2: `apiVersion` is missing or empty",
        ),
        (
            &format!("{list}- kind: A\n"),
            "line 1: items[1]: `apiVersion` is missing or empty",
        ),
        (
            &format!("{list}- {{kind: List, apiVersion: v1, items: [1]}}\n"),
            "line 1: items[1].items[0]: not an object: expected a mapping with apiVersion, kind and metadata",
        ),
        (
            "kind: List\napiVersion: v1\nitems: hunter2\n",
            "line 1: `items` is not a list",
        ),
    ];
    for (text, expect) in cases {
        let error = read_objects(text, &ReadLimits::default()).unwrap_err();
        assert_eq!(error.to_string(), expect, "{text}");
        assert!(!format!("{error:?}").contains("hunter"), "{error:?}");
    }
    let error = keys("kind: A").unwrap_err();
    let expect = ReadProblem::NotAnObject {
        item: vec![],
        error: ObjectError::Missing("apiVersion"),
    };
    assert_eq!((error.line(), error.column(), error.reason()), (1, None, &expect));
}

#[test]
fn limits_hold_and_are_exact() {
    let limits = |edit: fn(&mut ReadLimits)| {
        let mut limits = ReadLimits::default();
        edit(&mut limits);
        limits
    };
    let bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e, *e]\ng: [*f, *f, *f, *f, *f, *f, *f, *f, *f, *f]\n";
    let long_text = format!("a: &a {}\nb: [{}]\n", "x".repeat(9000), "*a, ".repeat(2000));
    let objects = "{\"apiVersion\":\"v1\",\"kind\":\"A\",\"metadata\":{\"name\":\"a\"}}\n".repeat(3);
    let list = "apiVersion: v1\nkind: List\nitems:\n".to_owned()
        + &"- {apiVersion: v1, kind: A, metadata: {name: a}}\n".repeat(3);
    let three = limits(|l| l.max_objects = 3);
    let two = limits(|l| l.max_objects = 2);
    let depth = limits(|l| l.max_depth = 3);
    let nodes = limits(|l| l.max_nodes = 6);
    let aliases = limits(|l| l.max_aliases = 2);
    // (text, limits, what there is too much of)
    let cases: &[(&str, ReadLimits, Option<&str>)] = &[
        ("a: 12", limits(|l| l.max_bytes = 5), None),
        ("a: 123", limits(|l| l.max_bytes = 5), Some("5 bytes")),
        ("a: [[1]]", depth.clone(), None),
        ("a: [[[1]]]", depth.clone(), Some("3 levels of nesting")),
        ("a:\n  b:\n    - 1", depth.clone(), None),
        ("a:\n  b:\n    - - 1", depth.clone(), Some("3 levels of nesting")),
        ("{\"a\": [[1]]}", depth.clone(), None),
        ("{\"a\": [[[1]]]}", depth.clone(), Some("3 levels of nesting")),
        ("a: &x [1]\nb: [*x]", depth.clone(), None),
        ("a: &x [1]\nb: [[*x]]", depth.clone(), Some("3 levels of nesting")),
        ("a: {<<: [{b: 1}]}", depth.clone(), Some("3 levels of nesting")),
        ("a: [1, 2, 3]", nodes.clone(), None),
        ("a: [1, 2, 3, 4]", nodes.clone(), Some("6 nodes")),
        ("{\"a\": [1, 2, 3]}", nodes.clone(), None),
        ("{\"a\": [1, 2, 3, 4]}", nodes.clone(), Some("6 nodes")),
        ("[&x 1, *x, *x]", aliases.clone(), None),
        ("[&x 1, *x, *x, *x]", aliases.clone(), Some("2 aliases")),
        (&objects, three.clone(), None),
        (&objects, two.clone(), Some("2 documents")),
        ("---\n---\n---\n", three.clone(), None),
        ("---\n---\n---\n", two.clone(), Some("2 documents")),
        (&list, three, None),
        (&list, two, Some("2 objects")),
        (bomb, ReadLimits::default(), Some("2000000 nodes")),
        (
            &long_text,
            ReadLimits::default(),
            Some("16777216 bytes copied by aliases"),
        ),
    ];
    for (text, limits, expect) in cases {
        let found = read_objects(text, limits).map_err(|error| error.reason().clone());
        match (found, expect) {
            (Err(ReadProblem::TooMuch { unit, limit }), Some(expect)) => {
                assert_eq!(format!("{limit} {unit}"), *expect, "{text}");
            }
            (Err(ReadProblem::NotAnObject { .. }) | Ok(_), None) => {}
            (found, _) => panic!("{text}: {found:?}"),
        }
    }
}

#[test]
fn the_depth_ceiling_holds_whatever_is_asked_for() {
    let mut limits = ReadLimits::default();
    limits.max_depth = usize::MAX;
    for depth in [ReadLimits::DEPTH_CEILING, ReadLimits::DEPTH_CEILING + 1, 100_000] {
        for text in [
            format!("{}{}", "[".repeat(depth), "]".repeat(depth)),
            format!("a{}{}", ": {a".repeat(depth - 1), "}".repeat(depth - 1)),
            format!("{}1", "- ".repeat(depth)),
        ] {
            let found = read_values(&text, &limits);
            assert_eq!(found.is_ok(), depth == ReadLimits::DEPTH_CEILING, "{depth}");
        }
    }
}

/// Pieces that mean something in YAML.
fn any_text() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        8 => proptest::sample::select(vec![
            "a", "b: ", "c:\n", "- ", "  ", "\n", "\r\n", "\t", ": ", "? ", "[", "]", "{", "}", ", ", "'", "\"", "\\", "&x ",
            "*x", "!!str ", "!", "|\n", ">-\n", "#", " # c\n", "---\n", "...\n", "%YAML 1.1\n", "<<: ", "~", "0x1F", "1e3",
            ".inf", "0o", "apiVersion: v1\n", "kind: List\n", "items:\n", "metadata: {name: a}\n", "\u{feff}", "\u{85}",
            "\\u", "\\x4", "\"a\":", "null", "-1", "é",
        ]).prop_map(str::to_owned),
        1 => any::<char>().prop_map(String::from),
        1 => "\\PC{0,5}",
    ];
    proptest::collection::vec(piece, 0..60).prop_map(|pieces| pieces.concat())
}

const MANIFEST: &str = "apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {a: &a \"b\", c: *a }
spec:
  template: &t
    containers:
    - name: web
      args: ['x', \"y\\n\", |
        block
        ]
      env:
      - {name: A, value: \"1\"}
  other:
    <<: *t
---
{\"apiVersion\": \"v1\", \"kind\": \"Secret\", \"metadata\": {\"name\": \"b\"}, \"data\": {\"k\": \"aHVudGVyMg==\"}}
";

fn check_any(text: &str) {
    let started = Instant::now();
    let read = read_objects(text, &ReadLimits::default());
    if let Err(error) = &read {
        assert!(
            error.line() >= 1 && error.line() <= text.lines().count() + 2,
            "{error}"
        );
    }
    assert!(started.elapsed() < Duration::from_secs(10), "{text:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn any_text_is_read_or_refused(text in any_text()) {
        check_any(&text);
    }

    #[test]
    fn any_damaged_manifest_is_read_or_refused(
        edits in proptest::collection::vec((0..MANIFEST.len(), 0..6_usize, any_text()), 1..4),
    ) {
        let mut text = MANIFEST.to_owned();
        for (at, length, piece) in edits {
            let floor = |mut at: usize| {
                while !text.is_char_boundary(at) {
                    at -= 1;
                }
                at
            };
            let (from, to) = (floor(at.min(text.len())), floor((at + length).min(text.len())));
            let piece: String = piece.chars().take(4).collect();
            text.replace_range(from..to, &piece);
        }
        check_any(&text);
    }

    #[test]
    fn any_json_is_read_as_it_is(value in any_json()) {
        for text in [value.to_string(), serde_json::to_string_pretty(&value).unwrap()] {
            // Only mappings and lists are read as JSON; in YAML these are refused.
            if value.as_str().is_some_and(|text| text.contains(['\u{85}', '\u{2028}', '\u{2029}'])) {
                continue;
            }
            let found = read_values(&text, &ReadLimits::default()).unwrap();
            let expect = if value.is_null() { Value::Null } else { value.clone() };
            prop_assert_eq!(found.first().map_or(Value::Null, |found| found.value.clone()), expect);
            // As part of a YAML document it is the same.
            let found = read_values(&format!("# c\nv: {value}\n"), &ReadLimits::default());
            if let Ok(found) = found {
                prop_assert_eq!(&found[0].value["v"], &value);
            }
        }
    }
}

fn any_json() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(json!(null)),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        (-1000..1000_i32).prop_map(|n| json!(f64::from(n) + 0.5)),
        "\\PC{0,8}".prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 30, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map("[a-z\"\\\\é ]{0,6}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}
