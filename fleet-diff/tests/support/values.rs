//! Random values of a type.

use fleet_diff::PathElement;
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value, json};

use super::thing::{Of, thing};

fn values(of: &Of) -> BoxedStrategy<Value> {
    let own = match of {
        Of::Leaf(schema) => match schema["type"].as_str() {
            Some("integer") => (0..2).prop_map(|n| json!(n)).boxed(),
            Some("object") => option::of(0..2)
                .prop_map(|x| x.map_or_else(|| json!({}), |x| json!({ "x": x })))
                .boxed(),
            Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
            Some("array") => collection::vec("[ab]", 0..3).prop_map(Value::from).boxed(),
            _ => "[ab]".prop_map(Value::from).boxed(),
        },
        Of::Map(fields, rest) => {
            let mut all = Just(Map::new()).boxed();
            for (name, of) in fields {
                all = (all, option::of(values(of)))
                    .prop_map(|(mut map, value)| {
                        map.extend(value.map(|value| ((*name).to_owned(), value)));
                        map
                    })
                    .boxed();
            }
            if let Some(of) = rest {
                let more = collection::btree_map("[ab]", values(of), 0..3);
                all = more.prop_map(|more| more.into_iter().collect()).boxed();
            }
            all.prop_map(Value::Object).boxed()
        }
        Of::Set => collection::btree_set("[abcd]", 0..4)
            .prop_map(|set| set.into_iter().collect::<Vec<_>>())
            .prop_shuffle()
            .prop_map(Value::from)
            .boxed(),
        Of::Keyed(keys, of) => {
            let keys: Vec<(&'static str, Option<Value>)> = keys.clone();
            let item = (values(of), "[abcd]", 0..3);
            let item = item.prop_map(move |(mut item, text, number)| {
                let Value::Object(map) = &mut item else {
                    return Value::Null;
                };
                // A key field without a default is there; one with a default may be left out.
                for (key, default) in &keys {
                    let is_absent = map.get(*key).is_none_or(Value::is_null);
                    if default.is_none() {
                        let value = if *key == "port" {
                            json!(number)
                        } else {
                            json!(text)
                        };
                        map.insert((*key).to_owned(), value);
                    } else if is_absent {
                        map.remove(*key);
                    }
                }
                item
            });
            collection::vec(item, 0..4).prop_map(Value::from).boxed()
        }
    };
    let is_element = matches!(of, Of::Map(..));
    prop_oneof![if is_element { 12 } else { 20 } => own, 1 => Just(Value::Null)].boxed()
}

/// Random values: few keys and few scalars, so that two of them share much.
pub(crate) fn things() -> impl Strategy<Value = Value> {
    values(thing()).prop_map(|value| {
        let mut value = if value.is_object() { value } else { json!({}) };
        value["apiVersion"] = json!("example.net/v1");
        value["kind"] = json!("Thing");
        if !value["metadata"].is_object() {
            value["metadata"] = json!({});
        }
        value["metadata"]["name"] = json!("a");
        without_twins(thing(), &mut value);
        value
    })
}

/// Takes out elements whose names are there already, and elements that are no mappings.
fn without_twins(of: &Of, value: &mut Value) {
    if let Of::Keyed(..) = of
        && let Value::Array(list) = value
    {
        list.retain(Value::is_object);
        let names: Vec<PathElement> = of
            .children(&json!(list))
            .into_iter()
            .map(|(name, ..)| name)
            .collect();
        let mut at = 0;
        list.retain(|_| {
            at += 1;
            !names[..at - 1].contains(&names[at - 1])
        });
    }
    match (of, value) {
        (Of::Map(fields, rest), Value::Object(map)) => {
            for (key, value) in map {
                let field = fields.iter().find(|(name, _)| name == key).map(|(_, of)| of);
                without_twins(
                    field.or(rest.as_deref()).expect("values are of their type"),
                    value,
                );
            }
        }
        (Of::Keyed(_, of), Value::Array(list)) => list.iter_mut().for_each(|item| without_twins(of, item)),
        _ => {}
    }
}
