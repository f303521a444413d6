//! A kind that has every sort of list and mapping, and values of it.

use std::{collections::BTreeMap, sync::Arc};

use fleet_diff::{Gvk, Object, PathElement, Scalar};
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
                "properties": {"x": {"type": "integer"}, "tags": {"type": "array", "x-kubernetes-list-type": "set",
                    "items": {"type": "string"}}}}))
        };
        let words = || Of::Leaf(json!({"type": "array", "items": {"type": "string"}}));
        let named = |fields| Of::Map(fields, None);
        let labels = |of| Of::Map(Vec::new(), Some(Box::new(of)));
        let nested = || {
            named(vec![
                ("a", text()),
                ("b", number()),
                ("inner", named(vec![("c", text())])),
                ("point", point()),
                ("tags", Of::Set),
            ])
        };
        named(vec![
            ("amount", Of::Leaf(json!({"x-kubernetes-int-or-string": true}))),
            (
                "anything",
                Of::Leaf(json!({"x-kubernetes-preserve-unknown-fields": true})),
            ),
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
