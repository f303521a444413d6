//! Laws of comparing, on random values.

mod support;

use fleet_diff::{
    Document, FieldChange, FieldPath, Node, Object, PathElement, changes, json_changes, live_digest,
    managers_of, managers_within,
};
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value, json};

/// Few names, few scalars: so that two random values often share fields, and lists often have elements with names.
fn any_value() -> impl Strategy<Value = Value> {
    let scalar = prop_oneof![
        Just(json!(null)),
        Just(json!(true)),
        (0..3_i64).prop_map(|i| json!(i)),
        Just(json!(1.0)),
        Just(json!(0.0)),
        Just(json!(-0.0)),
        Just(json!(u64::MAX)),
        "[ab]".prop_map(Value::from),
    ];
    scalar.prop_recursive(4, 40, 5, |inner| {
        let name = prop_oneof![
            Just("name"),
            Just("port"),
            Just("protocol"),
            Just("ports"),
            Just("a")
        ];
        let mapping = collection::btree_map(name.prop_map(String::from), inner.clone(), 0..4)
            .prop_map(|map| Value::Object(map.into_iter().collect()));
        let named = collection::vec(("[abc]", option::of(inner.clone())), 0..4).prop_map(|items| {
            let item = |(name, value): (String, Option<Value>)| {
                let mut map = Map::from_iter([("name".to_owned(), Value::from(name))]);
                map.extend(value.map(|value| ("v".to_owned(), value)));
                Value::Object(map)
            };
            items.into_iter().map(item).collect::<Value>()
        });
        prop_oneof![mapping, named, collection::vec(inner, 0..4).prop_map(Value::from),]
    })
}

/// A value and a slightly different one.
fn neighbours() -> impl Strategy<Value = (Value, Value)> {
    (any_value(), any_value(), any::<u32>()).prop_map(|(value, other, mut at)| {
        let mut edited = value.clone();
        let mut slot = &mut edited;
        loop {
            let length = match slot {
                Value::Array(list) => list.len(),
                Value::Object(map) => map.len(),
                _ => 0,
            };
            let Some(index) = at.checked_rem(u32::try_from(length).expect("short")) else {
                break;
            };
            at /= 3;
            let stop = at.is_multiple_of(4);
            slot = match slot {
                Value::Array(list) if stop => {
                    list.rotate_left(1);
                    return (value, edited);
                }
                Value::Array(list) => &mut list[index as usize],
                Value::Object(map) => map.values_mut().nth(index as usize).expect("in range"),
                _ => unreachable!(),
            };
        }
        *slot = other;
        (value, edited)
    })
}

fn set(within: &mut Value, path: &[PathElement], value: Value) {
    let Some((first, rest)) = path.split_first() else {
        *within = value;
        return;
    };
    match (first, within) {
        (PathElement::Key(name), Value::Object(map)) => {
            let slot = map.entry(name.to_string()).or_insert(Value::Null);
            set(slot, rest, value);
        }
        (element, Value::Array(list)) => {
            let document = Document::from_json(&Value::Array(list.clone()));
            let at = element.position(document.root()).unwrap_or_else(|| {
                list.push(Value::Null);
                list.len() - 1
            });
            set(&mut list[at], rest, value);
        }
        _ => panic!("the path leads nowhere"),
    }
}

/// Sets from the outside in, then removes from the last to the first, so that positions stay right.
fn apply(mut value: Value, changes: &[FieldChange]) -> Value {
    for change in changes {
        if let Some(after) = &change.after {
            set(&mut value, change.path.elements(), after.clone());
        }
    }
    for change in changes.iter().rev().filter(|change| change.after.is_none()) {
        let rest = change.path.without(&Document::from_json(&value));
        value = rest.expect("what is gone was there").to_json();
    }
    value
}

fn has_named_elements(changes: &[FieldChange]) -> bool {
    let named = |element: &PathElement| matches!(element, PathElement::ListKey(_));
    changes
        .iter()
        .any(|change| change.path.elements().iter().any(named))
}

proptest! {
    #![proptest_config(support::cases(2000))]

    #[test]
    fn there_are_no_changes_exactly_between_equal_values((a, b) in neighbours()) {
        prop_assert_eq!(json_changes(&a, &b).is_empty(), a == b);
        let document = Document::from_json(&a);
        prop_assert!(changes(document.root(), document.clone().root()).is_empty());
    }

    #[test]
    fn values_stand_at_their_paths((a, b) in neighbours()) {
        for change in json_changes(&a, &b) {
            prop_assert_ne!(&change.before, &change.after);
            let (a, b) = (Document::from_json(&a), Document::from_json(&b));
            prop_assert_eq!(change.path.find(a.root()).map(Node::to_json), change.before, "{}", change.path);
            prop_assert_eq!(change.path.find(b.root()).map(Node::to_json), change.after, "{}", change.path);
        }
    }

    #[test]
    fn the_way_back_has_the_same_paths((a, b) in neighbours()) {
        let turned = |changes: Vec<FieldChange>, there: bool| {
            let mut all: Vec<_> = changes
                .into_iter()
                .map(|c| if there { (c.path, c.before, c.after) } else { (c.path, c.after, c.before) })
                .collect();
            all.sort_by(|one, other| one.0.cmp(&other.0));
            all
        };
        prop_assert_eq!(turned(json_changes(&a, &b), true), turned(json_changes(&b, &a), false));
    }

    #[test]
    fn changes_by_position_lead_from_before_to_after((a, b) in neighbours()) {
        let found = json_changes(&a, &b);
        if !has_named_elements(&found) {
            prop_assert_eq!(apply(a, &found), b);
        }
    }

    #[test]
    fn odd_ownership_never_panics(fields in any_fields(), value in any_value(), index in 0..4_usize) {
        let object = Object::from_json(json!({
            "apiVersion": "v1", "kind": "A",
            "metadata": {"name": "a", "managedFields": [
                {"manager": "m", "operation": "Apply", "fieldsV1": fields.clone()},
                fields,
            ]},
            "a": value,
        })).unwrap();
        let list = FieldPath::keys(["a"]);
        let paths = [
            list.child(PathElement::Index(index)).child(PathElement::key("name")),
            list.child(PathElement::list_key([("name", "a")])).child(PathElement::key("v")),
            list.child(PathElement::Value("a".into())),
            FieldPath::root(),
            list,
        ];
        for path in paths {
            let (of, within) = (managers_of(&object, &path), managers_within(&object, &path));
            prop_assert!(of.iter().all(|manager| within.contains(manager)), "{}", path);
        }
        live_digest(&object, "m");
    }
}

fn any_fields() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![4 => Just(json!({})), 1 => any_value()];
    leaf.prop_recursive(4, 30, 4, |inner| {
        let name = prop_oneof![
            Just("f:a".to_owned()),
            Just("f:name".to_owned()),
            Just(".".to_owned()),
            Just("k:{\"name\":\"a\"}".to_owned()),
            Just("k:{\"name\":\"b\"}".to_owned()),
            Just("v:\"a\"".to_owned()),
            Just("i:1".to_owned()),
            "[fkvi]:\\PC{0,6}",
        ];
        collection::btree_map(name, inner, 0..4).prop_map(|map| Value::Object(map.into_iter().collect()))
    })
}
