//! Operations by schema beside simple models of them, on values of one kind that has every sort of list and mapping.

mod support;
#[path = "support/thing.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod thing;
#[path = "support/values.rs"]
mod values;

use std::collections::BTreeMap;

use fleet_diff::{
    Document, FieldPath, FieldSet, PathElement, Schemas,
    typed_operations::{
        compare, compare_based, is_mentioned, lost, mentioned, merge, reordered, reordered_based,
    },
};
use proptest::prelude::*;
use serde_json::{Value, json};
use support::cases;
use thing::{Of, definition, gvk, is_empty, thing};
use values::things;

fn schemas() -> &'static Schemas {
    static SCHEMAS: std::sync::OnceLock<Schemas> = std::sync::OnceLock::new();
    SCHEMAS.get_or_init(|| Schemas::builtin().with_crd(&definition()).unwrap())
}

/// Every value inside, by its path: its own value where it is one field, or empty.
fn nodes(of: &Of, value: &Value, path: &FieldPath, found: &mut BTreeMap<FieldPath, Option<Value>>) {
    for (element, of, inner) in of.children(value) {
        let path = path.child(element);
        let is_closed = of.is_leaf() || is_empty(inner);
        found.insert(path.clone(), is_closed.then(|| inner.clone()));
        nodes(of, inner, &path, found);
    }
}

fn all_nodes(value: &Value) -> BTreeMap<FieldPath, Option<Value>> {
    let mut found = BTreeMap::new();
    nodes(thing(), value, &FieldPath::root(), &mut found);
    found
}

/// Leaves, elements of lists, keys that are no fields of the schema, and what is null or an empty mapping.
fn fields(of: &Of, value: &Value, path: &FieldPath, found: &mut Vec<FieldPath>) {
    for (element, inner_of, inner) in of.children(value) {
        let path = path.child(element.clone());
        let is_named = matches!(&element, PathElement::Key(key) if of.has_field(key));
        if inner_of.is_leaf() || !is_named || inner.is_null() || *inner == json!({}) {
            found.push(path.clone());
        }
        fields(inner_of, inner, &path, found);
    }
}

fn all_fields(value: &Value) -> FieldSet {
    let mut found = Vec::new();
    fields(thing(), value, &FieldPath::root(), &mut found);
    found.into_iter().collect()
}

/// One value laid over another. Lists have the elements of the one, then those that only the other has.
fn laid_over(of: &Of, live: &Value, applied: &Value) -> Value {
    if of.is_leaf() || (is_empty(live) && is_empty(applied)) {
        return applied.clone();
    }
    match of {
        Of::Map(..) => {
            let (old, new) = (of.children(live), of.children(applied));
            let key = |element: &PathElement| match element {
                PathElement::Key(key) => key.to_string(),
                other => panic!("{other} is no key"),
            };
            let mut all: BTreeMap<String, Value> = old
                .iter()
                .map(|(element, _, value)| (key(element), (*value).clone()))
                .collect();
            for (element, of, value) in new {
                let key = key(&element);
                let laid = all.get(&key).map(|live| laid_over(of, live, value));
                all.insert(key, laid.unwrap_or_else(|| value.clone()));
            }
            json!(all)
        }
        _ => {
            let (old, new) = (of.children(live), of.children(applied));
            let of_name = |list: &[(PathElement, &Of, &Value)], wanted: &PathElement| {
                list.iter()
                    .find(|(name, ..)| name == wanted)
                    .map(|(.., value)| (*value).clone())
            };
            let applied = new.iter().map(|(name, of, value)| match of_name(&old, name) {
                Some(live) => laid_over(of, &live, value),
                None => (*value).clone(),
            });
            let rest = old.iter().filter(|(name, ..)| of_name(&new, name).is_none());
            applied.chain(rest.map(|(.., value)| (*value).clone())).collect()
        }
    }
}

/// The same with the elements of lists in the order of their names.
fn sorted(of: &Of, value: &Value) -> Value {
    let children = of.children(value);
    match (of, value) {
        (Of::Map(..), Value::Object(_)) => children
            .into_iter()
            .map(|(element, of, inner)| match element {
                PathElement::Key(key) => (key.to_string(), sorted(of, inner)),
                other => panic!("{other} is no key"),
            })
            .collect(),
        (Of::Set | Of::Keyed(..), Value::Array(_)) => {
            let mut all: Vec<_> = children
                .iter()
                .map(|(name, of, inner)| (name, sorted(of, inner)))
                .collect();
            all.sort_by(|a, b| a.0.cmp(b.0));
            all.into_iter().map(|(_, value)| value).collect()
        }
        _ => value.clone(),
    }
}

/// Elements of the applied list come in its order, and those that only the live one has in theirs.
fn check_order(of: &Of, live: &Value, applied: &Value, merged: &Value) -> Result<(), TestCaseError> {
    let names = |value: &Value| -> Vec<PathElement> {
        of.children(value).into_iter().map(|(name, ..)| name).collect()
    };
    if matches!(of, Of::Set | Of::Keyed(..)) {
        let (old, new, after) = (names(live), names(applied), names(merged));
        let in_new: Vec<PathElement> = after.iter().filter(|name| new.contains(name)).cloned().collect();
        prop_assert_eq!(&in_new, &new);
        let is_rest = |name: &&PathElement| !new.contains(name);
        let rest: Vec<&PathElement> = after.iter().filter(is_rest).collect();
        prop_assert_eq!(rest, old.iter().filter(is_rest).collect::<Vec<_>>());
    }
    let live: BTreeMap<PathElement, &Value> = of
        .children(live)
        .into_iter()
        .map(|(name, _, value)| (name, value))
        .collect();
    let merged: BTreeMap<PathElement, &Value> = of
        .children(merged)
        .into_iter()
        .map(|(name, _, value)| (name, value))
        .collect();
    for (name, of, applied) in of.children(applied) {
        if let Some(live) = live.get(&name) {
            check_order(of, live, applied, merged[&name])?;
        }
    }
    Ok(())
}

fn lists_reordered(of: &Of, before: &Value, after: &Value, path: &FieldPath, found: &mut Vec<FieldPath>) {
    let (old, new) = (of.children(before), of.children(after));
    let stay = |all: &[(PathElement, &Of, &Value)], others: &[(PathElement, &Of, &Value)]| {
        let stays = |name: &&PathElement| others.iter().any(|(other, ..)| other == *name);
        all.iter()
            .map(|(name, ..)| name)
            .filter(stays)
            .cloned()
            .collect::<Vec<_>>()
    };
    if !matches!(of, Of::Map(..)) && stay(&old, &new) != stay(&new, &old) {
        found.push(path.clone());
    }
    for (name, of, before) in &old {
        if let Some((.., after)) = new.iter().find(|(other, ..)| other == name) {
            lists_reordered(of, before, after, &path.child(name.clone()), found);
        }
    }
}

fn document(value: &Value) -> Document {
    Document::from_json(value)
}

fn identity() -> FieldSet {
    let top = ["apiVersion", "kind", "metadata"].map(|key| FieldPath::keys([key]));
    let inside = ["name", "namespace", "uid"].map(|key| FieldPath::keys(["metadata", key]));
    top.into_iter().chain(inside).collect()
}

proptest! {
    #![proptest_config(cases(256))]

    #[test]
    fn a_value_mentions_its_leaves(value in things()) {
        prop_assert_eq!(mentioned(schemas(), &gvk(), &document(&value)), all_fields(&value));
    }

    #[test]
    fn fields_differ_where_values_do((before, after) in two()) {
        let found = compare(schemas(), &gvk(), &document(&before), &document(&after));
        let (old, new) = (all_nodes(&before), all_nodes(&after));
        let only = |a: &BTreeMap<FieldPath, Option<Value>>, b: &BTreeMap<FieldPath, Option<Value>>| {
            a.keys().filter(|path| !b.contains_key(path)).cloned().collect::<FieldSet>()
        };
        let modified = old.iter().filter(|(path, value)| match (value, new.get(path)) {
            (Some(value), Some(Some(other))) => value != other,
            _ => false,
        });
        let modified: FieldSet = modified.map(|(path, _)| path.clone()).collect();
        prop_assert_eq!(found, [only(&old, &new), modified, only(&new, &old)]);
    }

    #[test]
    fn a_value_is_laid_over_another((live, applied) in two()) {
        let found = merge(schemas(), &gvk(), &document(&live), &document(&applied));
        let expected = laid_over(thing(), &live, &applied);
        let merged = found.as_ref().map_or_else(|| live.clone(), Document::to_json);
        prop_assert_eq!(sorted(thing(), &merged), sorted(thing(), &expected));
        check_order(thing(), &live, &applied, &merged)?;
        // What is the same needs no new document.
        prop_assert!(merge(schemas(), &gvk(), &document(&live), &document(&live)).is_none());
        let again = merge(schemas(), &gvk(), &document(&merged), &document(&applied));
        prop_assert!(again.is_none_or(|again| again.to_json() == merged), "once more changes nothing");
    }

    #[test]
    fn what_was_taken_over_needs_no_look((live, applied) in two()) {
        let live = document(&live);
        let Some(merged) = merge(schemas(), &gvk(), &live, &document(&applied)) else { return Ok(()) };
        prop_assert_eq!(
            compare_based(schemas(), &gvk(), &live, &merged),
            compare(schemas(), &gvk(), &live, &merged)
        );
        prop_assert_eq!(
            reordered_based(schemas(), &gvk(), &live, &merged),
            reordered(schemas(), &gvk(), &live, &merged)
        );
    }

    #[test]
    fn what_is_lost_is_seen_in_what_is_left((value, other) in two(), leaves in any::<bool>()) {
        let (value, other) = (document(&value), mentioned(schemas(), &gvk(), &document(&other)));
        let taken = if leaves { other.leaves() } else { other };
        let [found, expected] = lost(schemas(), &gvk(), &value, &taken);
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn lists_are_reordered_where_elements_that_stay_change_places((before, after) in two()) {
        let mut found = reordered(schemas(), &gvk(), &document(&before), &document(&after));
        let mut expected = Vec::new();
        lists_reordered(thing(), &before, &after, &FieldPath::root(), &mut expected);
        found.sort();
        expected.sort();
        prop_assert_eq!(found, expected);
    }

    /// What is not sure may be missed; here all is sure.
    #[test]
    fn what_is_mentioned_is_recognized((config, other) in two(), reset in any::<bool>()) {
        let reset: FieldSet = reset.then(|| FieldPath::keys(["size"])).into_iter().collect();
        let owned = |value: &Value| {
            let set = all_fields(value).recursive_difference(&reset).difference(&identity());
            (set.to_fields_v1(), set)
        };
        let ((fields, set), (others, other_set)) = (owned(&config), owned(&other));
        let config = document(&config);
        prop_assert!(is_mentioned(schemas(), &gvk(), &fields, &config, &reset), "{}", fields);
        prop_assert_eq!(is_mentioned(schemas(), &gvk(), &others, &config, &reset), set == other_set);
    }
}

/// Two that share most.
fn two() -> impl Strategy<Value = (Value, Value)> {
    (things(), things(), any::<u64>()).prop_map(|(a, b, which)| {
        let mut c = a.clone();
        let (Value::Object(map), Value::Object(other)) = (&mut c, &b) else {
            return (a, b);
        };
        let names: Vec<String> = map.keys().chain(other.keys()).cloned().collect();
        for (at, key) in names.into_iter().enumerate() {
            if which >> (at % 64) & 1 == 1 {
                match other.get(&key) {
                    Some(value) => drop(map.insert(key, value.clone())),
                    None => drop(map.remove(&key)),
                }
            }
        }
        (a, c)
    })
}
