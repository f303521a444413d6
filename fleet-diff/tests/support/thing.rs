//! A kind that has every sort of list and mapping, and values of it.

use std::{collections::BTreeMap, sync::Arc};

use fleet_diff::{Gvk, Object, PathElement, Scalar};
use proptest::{collection, option, prelude::*};
use serde_json::{Map, Value, json};

/// A type.
pub(crate) enum Of {
    /// One field, with its schema.
    Leaf(Value),
    /// Fields that have names, and the type of all others.
    Map(Vec<(&'static str, Of)>, Option<Box<Of>>),
    /// A list of texts, each there once.
    Set,
    /// A list of mappings with key fields, each with its default.
    Keyed(Vec<(&'static str, Option<Value>)>, Box<Of>),
}

pub(crate) fn gvk() -> Gvk {
    Gvk::from_api_version("example.net/v1", "Thing").unwrap()
}

/// The type of the whole object.
pub(crate) fn thing() -> &'static Of {
    static THING: std::sync::OnceLock<Of> = std::sync::OnceLock::new();
    THING.get_or_init(|| {
        let text = || Of::Leaf(json!({"type": "string"}));
        let number = || Of::Leaf(json!({"type": "integer"}));
        let point = || {
            Of::Leaf(json!({"type": "object", "x-kubernetes-map-type": "atomic",
                "properties": {"x": {"type": "integer"}}}))
        };
        let words = || Of::Leaf(json!({"type": "array", "items": {"type": "string"}}));
        let named = |fields| Of::Map(fields, None);
        let labels = |of| Of::Map(Vec::new(), Some(Box::new(of)));
        let nested = || {
            named(vec![
                ("a", text()),
                ("b", number()),
                ("inner", named(vec![("c", text())])),
            ])
        };
        named(vec![
            ("amount", Of::Leaf(json!({"x-kubernetes-int-or-string": true}))),
            ("apiVersion", text()),
            ("kind", text()),
            (
                "metadata",
                named(vec![
                    ("name", text()),
                    ("namespace", text()),
                    ("labels", labels(text())),
                ]),
            ),
            ("bag", labels(nested())),
            ("flag", Of::Leaf(json!({"type": "boolean"}))),
            (
                "keyed",
                Of::Keyed(
                    vec![("name", None)],
                    Box::new(named(vec![
                        ("name", text()),
                        ("nested", nested()),
                        ("tags", Of::Set),
                        ("v", number()),
                    ])),
                ),
            ),
            ("labels", labels(text())),
            ("nested", nested()),
            ("point", point()),
            (
                "ports",
                Of::Keyed(
                    vec![("port", None), ("proto", Some(json!("TCP")))],
                    Box::new(named(vec![
                        ("port", number()),
                        ("proto", text()),
                        ("target", text()),
                    ])),
                ),
            ),
            ("size", number()),
            ("tags", Of::Set),
            ("words", words()),
        ])
    })
}

impl Of {
    pub(crate) fn is_leaf(&self) -> bool {
        matches!(self, Self::Leaf(_))
    }

    pub(crate) fn has_field(&self, key: &str) -> bool {
        matches!(self, Self::Map(fields, _) if fields.iter().any(|(name, _)| *name == key))
    }

    /// What is inside a value of it, in the order of the value.
    pub(crate) fn children<'v>(&self, value: &'v Value) -> Vec<(PathElement, &Of, &'v Value)> {
        static TEXT: Of = Of::Leaf(Value::Null);
        match (self, value) {
            (Self::Map(fields, rest), Value::Object(map)) => map
                .iter()
                .map(|(key, value)| {
                    let field = fields.iter().find(|(name, _)| name == key).map(|(_, of)| of);
                    let of = field.or(rest.as_deref()).expect("values are of their type");
                    (PathElement::key(key), of, value)
                })
                .collect(),
            (Self::Set, Value::Array(list)) => {
                let element = |value: &Value| PathElement::Value(value.as_str().unwrap().into());
                list.iter().map(|value| (element(value), &TEXT, value)).collect()
            }
            (Self::Keyed(keys, of), Value::Array(list)) => list
                .iter()
                .map(|item| {
                    let key = |(key, default): &(&'static str, Option<Value>)| {
                        Some((*key, item.get(*key).or(default.as_ref())?.clone()))
                    };
                    let fields: Vec<_> = keys.iter().filter_map(key).collect();
                    (name(&fields), &**of, item)
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    fn schema(&self) -> Value {
        match self {
            Self::Leaf(schema) => schema.clone(),
            Self::Map(fields, rest) => {
                let mut schema = json!({"type": "object"});
                let all: Map<String, Value> = fields
                    .iter()
                    .map(|(name, of)| ((*name).to_owned(), of.schema()))
                    .collect();
                match rest {
                    Some(of) => schema["additionalProperties"] = of.schema(),
                    None => schema["properties"] = Value::Object(all),
                }
                schema
            }
            Self::Set => {
                json!({"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "string"}})
            }
            Self::Keyed(keys, of) => {
                let mut items = of.schema();
                for (key, default) in keys {
                    if let Some(default) = default {
                        items["properties"][*key]["default"] = default.clone();
                    }
                }
                let names: Vec<&str> = keys.iter().map(|(key, _)| *key).collect();
                json!({"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": names,
                    "items": items})
            }
        }
    }

    fn values(&self) -> BoxedStrategy<Value> {
        let own = match self {
            Self::Leaf(schema) => match schema["type"].as_str() {
                Some("integer") => (0..2).prop_map(|n| json!(n)).boxed(),
                Some("object") => option::of(0..2)
                    .prop_map(|x| x.map_or_else(|| json!({}), |x| json!({ "x": x })))
                    .boxed(),
                Some("boolean") => any::<bool>().prop_map(Value::from).boxed(),
                Some("array") => collection::vec("[ab]", 0..3).prop_map(Value::from).boxed(),
                _ => "[ab]".prop_map(Value::from).boxed(),
            },
            Self::Map(fields, rest) => {
                let mut all = Just(Map::new()).boxed();
                for (name, of) in fields {
                    all = (all, option::of(of.values()))
                        .prop_map(|(mut map, value)| {
                            map.extend(value.map(|value| ((*name).to_owned(), value)));
                            map
                        })
                        .boxed();
                }
                if let Some(of) = rest {
                    let more = collection::btree_map("[ab]", of.values(), 0..3);
                    all = more.prop_map(|more| more.into_iter().collect()).boxed();
                }
                all.prop_map(Value::Object).boxed()
            }
            Self::Set => collection::btree_set("[abcd]", 0..4)
                .prop_map(|set| set.into_iter().collect::<Vec<_>>())
                .prop_shuffle()
                .prop_map(Value::from)
                .boxed(),
            Self::Keyed(keys, of) => {
                let keys: Vec<(&'static str, Option<Value>)> = keys.clone();
                let item = (of.values(), "[abcd]", 0..3);
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
        let is_element = matches!(self, Self::Map(..));
        prop_oneof![if is_element { 12 } else { 20 } => own, 1 => Just(Value::Null)].boxed()
    }
}

pub(crate) fn name(fields: &[(&'static str, Value)]) -> PathElement {
    let scalar = |value: &Value| match value {
        Value::String(text) => Scalar::from(text.as_str()),
        other => Scalar::from(other.as_i64().unwrap()),
    };
    let fields: BTreeMap<Arc<str>, Scalar> = fields
        .iter()
        .map(|(key, value)| (Arc::from(*key), scalar(value)))
        .collect();
    PathElement::ListKey(fields)
}

/// Null, `{}` or `[]`.
pub(crate) fn is_empty(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Object(map) => map.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}

/// Random values: few keys and few scalars, so that two of them share much.
pub(crate) fn things() -> impl Strategy<Value = Value> {
    thing().values().prop_map(|value| {
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

pub(crate) fn definition() -> Object {
    let mut schema = thing().schema();
    // A server knows these itself.
    for key in ["apiVersion", "kind", "metadata"] {
        schema["properties"].as_object_mut().unwrap().remove(key);
    }
    Object::from_json(json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "things.example.net"},
        "spec": {
            "group": "example.net", "scope": "Namespaced", "names": {"kind": "Thing", "plural": "things"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    }))
    .unwrap()
}
