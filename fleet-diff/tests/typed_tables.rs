//! Operations by schema: where elements go, what no valid object has (elements that are there twice), and what is not
//! sure.

#[path = "support/thing.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod thing;

use fleet_diff::{
    Document, FieldPath, FieldSet, PathElement, Schemas,
    typed_operations::{compare, is_mentioned, lost, merge, reordered, reordered_based},
};
use serde_json::{Value, json};
use thing::{definition, gvk};

fn schemas() -> &'static Schemas {
    static SCHEMAS: std::sync::OnceLock<Schemas> = std::sync::OnceLock::new();
    SCHEMAS.get_or_init(|| Schemas::builtin().with_crd(&definition()).unwrap())
}

fn document(value: &Value) -> Document {
    Document::from_json(value)
}

fn tags(tags: &[&str]) -> Document {
    document(
        &json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"}, "tags": tags}),
    )
}

/// By structured-merge-diff, `typed/merge.go`, `visitListItems`, worked out by hand.
#[test]
fn applied_elements_stand_in_their_order_and_others_between_their_neighbours() {
    let cases: &[(&[&str], &[&str], &[&str])] = &[
        (&["a", "b", "c"], &["c", "a"], &["b", "c", "a"]),
        (&["a", "b", "c", "d"], &["d", "b"], &["a", "c", "d", "b"]),
        (&["a", "b", "c"], &["x", "b"], &["a", "x", "b", "c"]),
        (&["a", "b", "c"], &["c", "x", "a"], &["b", "c", "x", "a"]),
        (&["a", "b", "c"], &["a", "x", "b"], &["a", "x", "b", "c"]),
        (&["a", "b", "c"], &["x"], &["a", "b", "c", "x"]),
        (&["a", "b"], &["x", "a", "b", "y"], &["x", "a", "b", "y"]),
        (
            &["b", "a", "z", "d"],
            &["x", "b", "y", "a", "d"],
            &["x", "b", "y", "a", "z", "d"],
        ),
    ];
    for (live, applied, expected) in cases {
        let merged = merge(schemas(), &gvk(), &tags(live), &tags(applied)).unwrap();
        assert_eq!(merged, tags(expected), "{live:?} and {applied:?}");
    }
}

#[test]
fn an_element_that_stands_there_more_often_is_a_change_of_order() {
    let cases: &[(&[&str], &[&str], bool)] = &[
        (&["a", "b"], &["a", "b"], false),
        (&["a", "b"], &["b", "a"], true),
        (&["a", "b"], &["c", "a", "d", "b"], false),
        (&["a", "a", "b"], &["a", "b"], true),
        (&["a", "b"], &["a", "b", "b"], true),
        (&["a", "a", "b"], &["b"], false),
        (&["a", "a", "b"], &["a", "a", "b", "c"], false),
        (&[], &["a", "a"], false),
    ];
    for (before, after, is_reordered) in cases {
        let found = reordered(schemas(), &gvk(), &tags(before), &tags(after));
        let expected: &[FieldPath] = if *is_reordered {
            &[FieldPath::keys(["tags"])]
        } else {
            &[]
        };
        assert_eq!(found, expected, "{before:?} to {after:?}");
    }
}

#[test]
fn elements_that_are_there_twice_are_compared_as_a_whole() {
    let parts = |parts: &[(&str, i64)]| {
        let parts: Vec<Value> = parts
            .iter()
            .map(|(name, v)| json!({"name": name, "v": v}))
            .collect();
        document(
            &json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"}, "keyed": parts}),
        )
    };
    let all = |names: &[&str]| -> FieldSet {
        names
            .iter()
            .map(|name| format!(".keyed[name=\"{name}\"]").parse::<FieldPath>().unwrap())
            .collect()
    };
    let inside = |name: &str| -> FieldSet {
        let element = all(&[name]);
        let fields = ["name", "v"].map(|key| element.iter().next().unwrap().child(PathElement::key(key)));
        fields.into_iter().collect()
    };
    let none = FieldSet::new;
    let cases = [
        (
            vec![("a", 1), ("a", 2)],
            vec![("a", 1), ("a", 2)],
            [none(), none(), none()],
        ),
        (
            vec![("a", 1), ("a", 2)],
            vec![("a", 1), ("a", 3)],
            [none(), all(&["a"]), none()],
        ),
        // One of two that stays is new, and the two are gone.
        (
            vec![("a", 1), ("a", 2)],
            vec![("a", 1)],
            [all(&["a"]), none(), inside("a").union(&all(&["a"]))],
        ),
        (
            vec![("a", 1)],
            vec![("a", 1), ("a", 2)],
            [inside("a").union(&all(&["a"])), none(), all(&["a"])],
        ),
        (vec![("a", 1), ("a", 2)], vec![], [all(&["a"]), none(), none()]),
        (vec![], vec![("a", 1), ("a", 2)], [none(), none(), all(&["a"])]),
    ];
    for (before, after, expected) in cases {
        let found = compare(schemas(), &gvk(), &parts(&before), &parts(&after));
        assert_eq!(found, expected, "{before:?} to {after:?}");
    }
}

#[test]
fn null_and_empty_are_two_values() {
    let of = |key: &str, value: &Value| {
        document(
            &json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"}, key: value}),
        )
    };
    let cases = [
        ("nested", json!({}), json!({"a": "x"})),
        ("labels", json!({}), json!({"a": "x"})),
        ("tags", json!([]), json!(["a"])),
        ("keyed", json!([]), json!([{"name": "a"}])),
        ("point", json!({}), json!({"x": 1})),
        ("words", json!([]), json!(["a"])),
    ];
    for (key, empty, full) in cases {
        let [null, empty, full] = [json!(null), empty, full].map(|value| of(key, &value));
        let itself: FieldSet = [FieldPath::keys([key])].into_iter().collect();
        for (one, other) in [(&null, &empty), (&empty, &null)] {
            let found = compare(schemas(), &gvk(), one, other);
            assert_eq!(found, [FieldSet::new(), itself.clone(), FieldSet::new()], "{key}");
            assert_eq!(
                merge(schemas(), &gvk(), one, other).as_ref(),
                Some(other),
                "{key}"
            );
            assert_eq!(
                merge(schemas(), &gvk(), one, &full).as_ref(),
                Some(&full),
                "{key}"
            );
        }
        for same in [&null, &empty, &full] {
            assert_eq!(
                compare(schemas(), &gvk(), same, same),
                <[FieldSet; 3]>::default(),
                "{key}"
            );
            assert_eq!(merge(schemas(), &gvk(), same, same), None, "{key}");
        }
    }
}

#[test]
fn what_is_one_field_is_not_looked_into() {
    let of = |tags: &[&str]| {
        document(
            &json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"},
            "point": {"x": 1, "tags": tags}}),
        )
    };
    let (before, after) = (of(&["a", "b"]), of(&["b", "a"]));
    assert_eq!(reordered(schemas(), &gvk(), &before, &after), []);
    assert_eq!(reordered_based(schemas(), &gvk(), &before, &after), []);
    let point: FieldSet = [FieldPath::keys(["point"])].into_iter().collect();
    assert_eq!(
        compare(schemas(), &gvk(), &before, &after),
        [FieldSet::new(), point, FieldSet::new()]
    );
    assert_eq!(
        merge(schemas(), &gvk(), &before, &of(&["c"])).unwrap(),
        of(&["c"])
    );
}

#[test]
fn a_list_that_a_merge_reorders_is_found_in_what_it_made() {
    let of = |tags: &[&str], size: i64| {
        document(
            &json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"}, "size": size,
            "tags": tags}),
        )
    };
    let before = of(&["a", "b"], 1);
    for (applied, expected) in [
        (of(&["b", "a"], 1), &[FieldPath::keys(["tags"])][..]),
        (of(&["a", "b"], 2), &[]),
    ] {
        let after = merge(schemas(), &gvk(), &before, &applied).unwrap();
        assert_eq!(reordered_based(schemas(), &gvk(), &before, &after), expected);
    }
}

/// Where a type takes every form, fields of the form that went are gone.
#[test]
fn a_value_of_another_form_differs_in_both() {
    let of = |anything: Value| {
        document(
            &json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"},
            "anything": anything}),
        )
    };
    let set = |keys: &[&[&str]]| -> FieldSet {
        keys.iter()
            .map(|keys| FieldPath::keys(keys.iter().copied()))
            .collect()
    };
    let itself = set(&[&["anything"]]);
    let inside = set(&[&["anything", "a"], &["anything", "a", "b"]]);
    let map = json!({"a": {"b": 1}});
    for other in [json!("text"), json!(1), json!(true), json!(["a"])] {
        let found = compare(schemas(), &gvk(), &of(map.clone()), &of(other.clone()));
        assert_eq!(
            found,
            [inside.clone(), itself.clone(), FieldSet::new()],
            "{map} to {other}"
        );
        let found = compare(schemas(), &gvk(), &of(other.clone()), &of(map.clone()));
        assert_eq!(
            found,
            [FieldSet::new(), itself.clone(), inside.clone()],
            "{other} to {map}"
        );
    }
    let found = compare(schemas(), &gvk(), &of(json!("text")), &of(json!(["a"])));
    assert_eq!(found, [FieldSet::new(), itself, FieldSet::new()]);
}

#[test]
fn what_is_sure_is_recognized() {
    let nested = json!({"nested": {"a": "x", "b": 1}});
    let size = json!({"size": 1});
    let bag = json!({"bag": {"a": {"tags": []}}});
    let [null, empty] = [json!(null), json!({})].map(|inner| json!({"nested": {"inner": inner}}));
    let cases = [
        // What is null or empty is one field.
        (&null, &["size"][..], r#"{"f:nested":{"f:inner":{}}}"#, true),
        (&null, &["size"], "{}", false),
        (&empty, &["size"], r#"{"f:nested":{"f:inner":{}}}"#, true),
        (&empty, &["size"], "{}", false),
        (&nested, &["nested", "a"], r#"{"f:nested":{"f:b":{}}}"#, false),
        (&nested, &["nested", "a"], "{}", false),
        (&nested, &["nested"], "{}", true),
        (&nested, &["nested"], r#"{"f:nested":{"f:a":{},"f:b":{}}}"#, false),
        // A key that is no field of the schema counts, whatever is inside it.
        (&bag, &["size"], r#"{"f:bag":{"f:a":{}}}"#, true),
        (&bag, &["size"], "{}", false),
        // What is elsewhere does not matter.
        (&size, &["nested", "a"], r#"{"f:size":{}}"#, true),
        (&size, &["nested"], r#"{"f:size":{}}"#, true),
    ];
    for (content, reset, fields, expected) in cases {
        let mut value = json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"}});
        value
            .as_object_mut()
            .unwrap()
            .extend(content.as_object().unwrap().clone());
        let keys: FieldSet = [FieldPath::keys(reset.iter().copied())].into_iter().collect();
        let found = is_mentioned(
            schemas(),
            &gvk(),
            &fields.parse().unwrap(),
            &document(&value),
            &keys,
        );
        assert_eq!(found, expected, "{content} without {reset:?} and {fields}");
    }
}

/// A field of a schema is lost with the last thing in it that counts: an empty list does not, what is one field does.
#[test]
fn a_field_is_lost_with_the_last_thing_in_it() {
    let cases: [(Value, &str, &[&str]); 6] = [
        (json!({"tags": []}), ".tags", &[]),
        (
            json!({"nested": {"a": "x", "tags": []}}),
            ".nested.a",
            &[".nested", ".nested.a"],
        ),
        (
            json!({"nested": {"a": "x", "tags": ["t"]}}),
            ".nested.a",
            &[".nested.a"],
        ),
        (
            json!({"nested": {"a": "x", "point": {"tags": []}}}),
            ".nested.a",
            &[".nested.a"],
        ),
        (
            json!({"nested": {"a": "x", "inner": {}}}),
            ".nested.a",
            &[".nested.a"],
        ),
        // Of what is one field nothing goes but all.
        (json!({"point": {"x": 1, "tags": ["t"]}}), ".point.x", &[]),
    ];
    for (content, taken, expected) in cases {
        let mut value = json!({"apiVersion": "example.net/v1", "kind": "Thing", "metadata": {"name": "a"}});
        value
            .as_object_mut()
            .unwrap()
            .extend(content.as_object().unwrap().clone());
        let taken_set = [taken.parse::<FieldPath>().unwrap()].into_iter().collect();
        let [found, by_sets] = lost(schemas(), &gvk(), &document(&value), &taken_set);
        let expected: FieldSet = expected
            .iter()
            .map(|path| path.parse::<FieldPath>().unwrap())
            .collect();
        assert_eq!(found, expected, "{content} without {taken}");
        assert_eq!(by_sets, expected, "{content} without {taken}, by the sets");
    }
}
