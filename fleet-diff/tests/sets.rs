//! Sets of fields beside the simplest model of them: a plain set of paths.

mod support;

use std::collections::BTreeSet;

use fleet_diff::{Document, FieldPath, FieldSet, PathElement};
use proptest::{collection::vec, prelude::*};

type Model = BTreeSet<FieldPath>;

fn element() -> impl Strategy<Value = PathElement> {
    let text = prop::sample::select(vec!["a", "b", "name", "x.y/z", "ü", "", "\"", "\u{1}", "<&>"]);
    prop_oneof![
        4 => text.clone().prop_map(PathElement::key),
        2 => text.clone().prop_map(|name| PathElement::list_key([("name", name)])),
        1 => (text.clone(), any::<i8>()).prop_map(|(protocol, port)| {
            PathElement::ListKey([("protocol".into(), protocol.into()), ("port".into(), i64::from(port).into())].into())
        }),
        1 => text.prop_map(|value| PathElement::Value(value.into())),
        1 => any::<bool>().prop_map(|value| PathElement::Value(value.into())),
        1 => any::<i64>().prop_map(|value| PathElement::Value(value.into())),
        1 => (0..4_usize).prop_map(PathElement::Index),
    ]
}

fn paths() -> impl Strategy<Value = Vec<FieldPath>> {
    vec(vec(element(), 1..4).prop_map(FieldPath::new), 0..24)
}

fn set(paths: &[FieldPath]) -> FieldSet {
    paths.iter().cloned().collect()
}

fn model(set: &FieldSet) -> Model {
    set.iter().collect()
}

fn is_around(outer: &FieldPath, path: &FieldPath) -> bool {
    path.starts_with(outer)
}

proptest! {
    #![proptest_config(support::cases(512))]

    #[test]
    fn sets_are_what_their_members_say(a in paths(), b in paths(), probe in vec(element(), 0..4)) {
        let (x, y) = (set(&a), set(&b));
        let (mx, my): (Model, Model) = (a.iter().cloned().collect(), b.iter().cloned().collect());
        prop_assert_eq!(model(&x), mx.clone());
        prop_assert_eq!(x.len(), mx.len());
        prop_assert_eq!(x.is_empty(), mx.is_empty());
        prop_assert_eq!(model(&x.union(&y)), mx.union(&my).cloned().collect::<Model>());
        prop_assert_eq!(model(&x.intersection(&y)), mx.intersection(&my).cloned().collect::<Model>());
        prop_assert_eq!(model(&x.difference(&y)), mx.difference(&my).cloned().collect::<Model>());
        let without = |path: &&FieldPath| !my.iter().any(|gone| is_around(gone, path));
        prop_assert_eq!(model(&x.recursive_difference(&y)), mx.iter().filter(without).cloned().collect::<Model>());
        prop_assert_eq!(x.is_subset(&y), mx.is_subset(&my));
        let is_leaf = |path: &&FieldPath| !mx.iter().any(|other| other != *path && is_around(path, other));
        prop_assert_eq!(model(&x.leaves()), mx.iter().filter(is_leaf).cloned().collect::<Model>());
        let probe = FieldPath::new(probe);
        for probe in a.iter().chain(&b).chain([&probe, &FieldPath::root()]) {
            prop_assert_eq!(x.contains(probe), mx.contains(probe));
            prop_assert_eq!(x.covers(probe), mx.iter().any(|member| is_around(member, probe)));
            let Some((first, rest)) = probe.elements().split_first() else { continue };
            let inside = x.inside(first).is_some_and(|set| set.contains(&FieldPath::new(rest.iter().cloned())));
            prop_assert_eq!(inside, !rest.is_empty() && mx.contains(probe));
        }
        prop_assert_eq!(x == y, mx == my);
    }

    #[test]
    fn the_algebra_has_its_laws(a in paths(), b in paths(), c in paths()) {
        let (x, y, z) = (set(&a), set(&b), set(&c));
        prop_assert_eq!(x.union(&y), y.union(&x));
        prop_assert_eq!(x.intersection(&y), y.intersection(&x));
        prop_assert_eq!(x.union(&y).union(&z), x.union(&y.union(&z)));
        prop_assert_eq!(x.intersection(&y.union(&z)), x.intersection(&y).union(&x.intersection(&z)));
        prop_assert_eq!(x.difference(&y).union(&x.intersection(&y)), x.clone());
        prop_assert_eq!(x.difference(&y).difference(&z), x.difference(&y.union(&z)));
        prop_assert!(x.difference(&x).is_empty() && x.recursive_difference(&x).is_empty());
        prop_assert!(x.recursive_difference(&y).is_subset(&x.difference(&y)));
    }

    #[test]
    fn members_come_in_order_and_in_any_order(mut a in paths()) {
        let once = set(&a);
        a.reverse();
        let twice: FieldSet = a.iter().chain(&a).cloned().collect();
        prop_assert_eq!(&once, &twice);
        // A field before what is inside it, and elements as they sort.
        let members: Vec<FieldPath> = once.iter().collect();
        prop_assert!(members.is_sorted(), "{:?}", members);
    }

    #[test]
    fn the_codec_loses_nothing_and_has_one_form(a in paths()) {
        let before = set(&a);
        let written = before.to_fields_v1();
        let after = FieldSet::from_fields_v1(&written).unwrap();
        prop_assert_eq!(&after, &before);
        prop_assert_eq!(after.to_fields_v1().to_string(), written.to_string());
        // And as a text.
        let text: Document = written.to_string().parse().unwrap();
        prop_assert_eq!(FieldSet::from_fields_v1(&text).unwrap(), before);
    }

    #[test]
    fn any_json_is_a_set_or_an_error(text in "[{}\"fkvi:.,a1\\[\\]]{0,60}") {
        if let Ok(document) = text.parse::<Document>() {
            let _ = FieldSet::from_fields_v1(&document);
        }
    }
}

/// As an API server wrote them.
#[test]
fn sets_are_written_as_servers_write_them() {
    let recorded = [
        r#"{"f:data":{".":{},"f:a":{}},"f:metadata":{"f:labels":{"f:app":{}}}}"#,
        r#"{"f:spec":{"f:ports":{".":{},"k:{\"port\":80,\"protocol\":\"TCP\"}":{".":{},"f:port":{},"f:targetPort":{}}}}}"#,
        r#"{"f:metadata":{"f:finalizers":{".":{},"v:\"a\"":{},"v:\"b\"":{}}}}"#,
    ];
    for text in recorded {
        let document: Document = text.parse().unwrap();
        let set = FieldSet::from_fields_v1(&document).unwrap();
        assert_eq!(set.to_fields_v1().to_string(), text);
    }
}

#[test]
fn broken_sets_are_refused_by_name() {
    let no_name = "a name without `f:`, `k:`, `v:` or `i:`";
    let no_mapping = "its value is no mapping";
    let cases = [
        ("[]", "it is no mapping", ""),
        ("1", "it is no mapping", ""),
        (r#"{"a": {}}"#, no_name, "a"),
        (r#"{"": {}}"#, no_name, ""),
        (r#"{"ü:a": {}}"#, no_name, "ü:a"),
        (r#"{"f:a": 1}"#, no_mapping, "f:a"),
        (r#"{"f:a": {"f:b": {"f:c": []}}}"#, no_mapping, "f:a f:b f:c"),
        (r#"{"f:a": {".": {}, "f:b": {}, "x": {}}}"#, no_name, "f:a x"),
        (r#"{"k:{": {}}"#, "key fields that are no JSON", "k:{"),
        (r#"{"k:[]": {}}"#, "key fields that are no mapping", "k:[]"),
        (
            r#"{"k:{\"a\":[]}": {}}"#,
            "a key field that is no scalar",
            r#"k:{"a":[]}"#,
        ),
        (
            r#"{"k:{\"a\":\"b\"c\"}": {}}"#,
            "key fields that are no JSON",
            r#"k:{"a":"b"c"}"#,
        ),
        (
            r#"{"k:{\"a\":\"\n\"}": {}}"#,
            "key fields that are no JSON",
            "k:{\"a\":\"\n\"}",
        ),
        (r#"{"v:": {}}"#, "a value that is no JSON", "v:"),
        (r#"{"v:{}": {}}"#, "a value that is no scalar", "v:{}"),
        (r#"{"i:x": {}}"#, "a position that is no number", "i:x"),
    ];
    for (text, problem, at) in cases {
        let error = FieldSet::from_fields_v1(&text.parse().unwrap()).unwrap_err();
        assert_eq!(
            error.to_string(),
            format!("not a FieldsV1 set: {problem} at `{at}`")
        );
    }
    let (long, longer) = ("a".repeat(150), "b".repeat(300));
    let document: Document = format!(r#"{{"f:{long}": {{"f:{longer}": 1}}}}"#).parse().unwrap();
    let error = FieldSet::from_fields_v1(&document).unwrap_err().to_string();
    assert!(
        error.ends_with(&format!("`f:{long} f:{}`", "b".repeat(45))),
        "{error}"
    );
}

#[test]
fn odd_sets_say_what_they_can() {
    let cases = [
        ("null", ""),
        ("{}", ""),
        // Kinds of names that are not known say nothing, with all that is inside them, as on the server.
        (r#"{"x:a": {"f:b": {}}, "f:a": {}}"#, ".a"),
        // A mapping with nothing else in it is a field itself.
        (r#"{"f:a": {"x:b": {}}}"#, ".a"),
        (r#"{"f:a": null, "f:b": {"f:c": {".": {}}}}"#, ".a\n.b.c"),
        // In any order, and twice under two names.
        (r#"{"f:b": {}, "f:a": {"f:c": {}}}"#, ".a.c\n.b"),
        (
            r#"{"k:{\"a\":1,\"b\":2}": {"f:x": {}}, "k:{\"b\":2,\"a\":1}": {".": {}, "f:y": {}}}"#,
            "[a=1,b=2]\n[a=1,b=2].x\n[a=1,b=2].y",
        ),
        (
            r#"{"k:{\"a\":\"\\u0062\"}": {}, "v:null": {}, "i:3": {}}"#,
            "[a=\"b\"]\n[=null]\n[3]",
        ),
    ];
    for (text, expected) in cases {
        let set = FieldSet::from_fields_v1(&text.parse().unwrap()).unwrap();
        assert_eq!(set.to_string(), expected, "{text}");
        assert_eq!(
            format!("{set:?}"),
            format!("{{{}}}", expected.replace('\n', ", "))
        );
    }
}

#[test]
fn large_sets_are_read_and_deep_ones_are_not() {
    // Too deep for the reader already.
    let deep = format!("{}{{}}{}", r#"{"f:a":"#.repeat(5000), "}".repeat(5000));
    assert!(deep.parse::<Document>().is_err());
    let wide: Vec<String> = (0..200_000).map(|i| format!(r#""f:k{i}":{{}}"#)).collect();
    let wide: Document = format!("{{{}}}", wide.join(",")).parse().unwrap();
    assert_eq!(FieldSet::from_fields_v1(&wide).unwrap().len(), 200_000);
}

/// Whoever owns an element of a list along with some of its fields says nothing of its other fields.
#[test]
fn what_is_owned_is_named_or_inside_a_whole() {
    let set: FieldSet = [
        ".labels",
        ".labels.app",
        ".args",
        ".ports[port=80]",
        ".ports[port=80].name",
    ]
    .into_iter()
    .map(|path| path.parse::<FieldPath>().unwrap())
    .collect();
    for (path, owns, covers) in [
        (".labels", true, true),
        (".labels.app", true, true),
        (".labels.team", false, true),
        (".args", true, true),
        (".args[0]", true, true),
        (".args[0].deep", true, true),
        (".ports", false, false),
        (".ports[port=80]", true, true),
        (".ports[port=80].name", true, true),
        (".ports[port=80].protocol", false, true),
        (".ports[port=81].name", false, false),
        (".none", false, false),
    ] {
        let path: FieldPath = path.parse().unwrap();
        assert_eq!((set.owns(&path), set.covers(&path)), (owns, covers), "{path}");
    }
    assert!(!set.owns(&FieldPath::root()));
}
