//! Built-in kinds: a value goes through a Go type and, for most, through protobuf, and comes back in the form that
//! these leave it in.

use serde_json::{Map, Value};

use super::{defaults, duration, gated, quantity::{Quantity, QuantityError}, special};
use crate::{
    document::{Kind, Node},
    schema::{Field, KindSchema, Layer, MapType, Omit, Stored, TypeId},
};

/// Why a value cannot be stored in its Go type. The path is the server's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unstorable {
    pub(crate) path: String,
    pub(crate) problem: &'static str,
}

type Stores<T> = Result<T, Unstorable>;

/// The object as the server holds it, with defaults.
pub(crate) fn store_native(kind: KindSchema<'_>, object: Node<'_>) -> Stores<Value> {
    let walk = Walk { layer: kind.layer };
    let Value::Object(mut map) = walk.structure(kind.root, Some(object))? else {
        return Ok(Value::Null);
    };
    special::object(&mut map);
    Ok(Value::Object(map))
}

/// The metadata of a custom resource, which is the server's own type.
pub(crate) fn store_metadata(kind: KindSchema<'_>, metadata: Option<Node<'_>>) -> Stores<Value> {
    let root = kind.layer.get(kind.root);
    match root.map.as_ref().and_then(|map| map.field("metadata")) {
        Some(field) if kind.layer.get(field.of).stored == Stored::Struct => {
            Walk { layer: kind.layer }.structure(field.of, metadata).map_err(|wrong| wrong.within(".metadata"))
        }
        _ => Ok(metadata.map_or(Value::Null, Node::to_json)),
    }
}

/// A value of a built-in type by itself.
pub(super) fn store_struct(layer: &Layer, id: TypeId, value: Node<'_>) -> Stores<Value> {
    match layer.get(id).stored {
        Stored::Struct => Walk { layer }.structure(id, Some(value)),
        _ => Ok(value.to_json()),
    }
}

struct Walk<'s> {
    layer: &'s Layer,
}

impl Walk<'_> {
    /// A struct with all its fields, whether they are there or not.
    fn structure(&self, id: TypeId, value: Option<Node<'_>>) -> Stores<Value> {
        let of = self.layer.get(id);
        let Some(map) = &of.map else {
            return Ok(value.map_or(Value::Null, Node::to_json));
        };
        if value.is_some_and(|value| !matches!(value.kind(), Kind::Map | Kind::Null)) {
            return Err(unstorable("must be a mapping"));
        }
        let mut out = Map::new();
        let mut given = value.into_iter().flat_map(Node::entries).peekable();
        for field in &map.fields {
            while given.next_if(|(key, _)| *key < &*field.name).is_some() {}
            let inner = given.next_if(|(key, _)| *key == &*field.name).map(|(_, value)| value);
            let stored = self.field(field, inner).map_err(|inner| inner.within(&format!(".{}", field.name)))?;
            if let Some(stored) = stored {
                out.insert(field.name.to_string(), stored);
            }
        }
        self.schema_defaults(map, &mut out);
        if let Some(name) = self.layer.name(id) {
            special::structure(name, &mut out);
            let is_pointer = |field: &str| map.field(field).is_some_and(|field| field.form.pointer);
            let gate = |gate: &str| self.layer.gate(gate);
            defaults::apply(name, &mut out, &is_pointer, &gate);
            gated::drop_disabled(name, &mut out, &gate);
        }
        Ok(Value::Object(out))
    }

    /// Defaults that the schema itself names. Those that equal what an absent Go value is anyway say nothing.
    fn schema_defaults(&self, map: &MapType, out: &mut Map<String, Value>) {
        for field in &map.fields {
            let Some(default) = &field.default else { continue };
            let default = default.root();
            let says_something = match default.kind() {
                Kind::Map | Kind::List | Kind::Null => false,
                _ => field.form.pointer || !is_zero(&default.to_json()),
            };
            let absent = match out.get(&*field.name) {
                None | Some(Value::Null) => true,
                Some(value) => !field.form.pointer && is_zero(value),
            };
            if says_something && absent {
                out.insert(field.name.to_string(), default.to_json());
            }
        }
    }

    /// What is written for a field; nothing when it is left out.
    fn field(&self, field: &Field, value: Option<Node<'_>>) -> Stores<Option<Value>> {
        let stored = self.layer.get(field.of).stored;
        let value = value.filter(|value| !value.is_null());
        if field.form.pointer && value.is_none() {
            return Ok((field.form.omit == Omit::Never).then_some(Value::Null));
        }
        let written = self.value(field.of, value)?;
        let left_out = match field.form.omit {
            Omit::Never => false,
            _ if field.form.pointer => false,
            Omit::Empty => stored != Stored::Struct && stored != Stored::IntOrString && is_empty(&written),
            Omit::Zero => is_empty(&written) || is_nothing(&written),
        };
        Ok((!left_out).then_some(written))
    }

    /// A value that is no pointer: absent and null are the zero value.
    fn value(&self, id: TypeId, value: Option<Node<'_>>) -> Stores<Value> {
        let of = self.layer.get(id);
        let value = value.filter(|value| !value.is_null());
        Ok(match of.stored {
            Stored::Struct => self.structure(id, value)?,
            Stored::AsIs | Stored::Json => value.map_or(Value::Null, Node::to_json),
            Stored::Int32 | Stored::Int64 => integer(value)?,
            Stored::Float => value.map_or(Value::from(0), Node::to_json),
            Stored::Bool => match value {
                None => Value::Bool(false),
                Some(value) => Value::Bool(value.as_bool().ok_or(unstorable("must be true or false"))?),
            },
            Stored::Text => text(value)?.unwrap_or("").into(),
            Stored::Bytes => bytes(value)?,
            Stored::Quantity => quantity(value, Quantity::stored_form)?,
            Stored::IntOrString => match value {
                None => Value::from(0),
                Some(value) if value.kind() == Kind::Text => value.to_json(),
                Some(value) => integer(Some(value))?,
            },
            Stored::Time | Stored::MicroTime => match text(value)? {
                None | Some("") => Value::Null,
                Some(text) => text.into(),
            },
            Stored::Duration => match text(value)? {
                None => "0s".into(),
                Some(text) => duration::canonical(text).ok_or(unstorable("is no duration"))?.into(),
            },
            Stored::List => {
                let element = of.list.as_ref().map_or(TypeId::UNTYPED, |list| list.element);
                let mut items = Vec::new();
                for (i, item) in value.into_iter().flat_map(Node::items).enumerate() {
                    items.push(self.value(element, Some(item)).map_err(|inner| inner.within(&format!("[{i}]")))?);
                }
                if items.is_empty() { Value::Null } else { Value::Array(items) }
            }
            Stored::Map => {
                let element = of.map.as_ref().and_then(|map| map.element).unwrap_or(TypeId::UNTYPED);
                let resources = self.layer.get(element).stored == Stored::Quantity;
                let mut out = Map::new();
                for (key, inner) in value.into_iter().flat_map(Node::entries) {
                    let within = |inner: Unstorable| inner.within(&format!(".{key}"));
                    let stored = if resources {
                        // `SetDefaults_ResourceList`
                        quantity(Some(inner), Quantity::stored_resource).map_err(within)?
                    } else {
                        self.value(element, Some(inner)).map_err(within)?
                    };
                    out.insert(key.to_owned(), stored);
                }
                if out.is_empty() { Value::Null } else { Value::Object(out) }
            }
        })
    }
}

fn unstorable(problem: &'static str) -> Unstorable {
    Unstorable { path: String::new(), problem }
}

impl Unstorable {
    pub(super) fn null() -> Self {
        unstorable("must not be null")
    }

    pub(super) fn within(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

fn text<'a>(value: Option<Node<'a>>) -> Stores<Option<&'a str>> {
    value.map(|value| value.as_str().ok_or(unstorable("must be a text (quote it?)"))).transpose()
}

fn integer(value: Option<Node<'_>>) -> Stores<Value> {
    let Some(value) = value else { return Ok(Value::from(0)) };
    match value.as_i64() {
        Some(integer) => Ok(Value::from(integer)),
        None => {
            let number = value.as_number().ok_or(unstorable("must be a number"))?.as_f64();
            if number.fract() == 0.0 && number.abs() < 9e15 {
                #[expect(clippy::cast_possible_truncation)]
                return Ok(Value::from(number as i64));
            }
            Err(unstorable("must be a whole number"))
        }
    }
}

fn quantity(value: Option<Node<'_>>, store: fn(&str) -> Result<String, QuantityError>) -> Stores<Value> {
    let text = match value {
        None => "0".to_owned(),
        Some(value) => match value.kind() {
            Kind::Text => value.as_str().unwrap_or("").to_owned(),
            Kind::Number => value.to_string(),
            Kind::Null => "0".to_owned(),
            _ => return Err(unstorable("must be a quantity")),
        },
    };
    store(&text).map(Value::from).map_err(|_| unstorable("is no quantity"))
}

fn bytes(value: Option<Node<'_>>) -> Stores<Value> {
    // Go takes base64 with line breaks and stores it without.
    let text = text(value)?.unwrap_or("");
    Ok(text.chars().filter(|c| !matches!(c, '\n' | '\r')).collect::<String>().into())
}

/// What `omitempty` leaves out: everything but structs.
fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(map) => map.is_empty(),
        other => is_zero(other),
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        _ => false,
    }
}

/// A struct in which everything is zero.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_nothing),
        Value::Array(items) => items.is_empty(),
        other => is_zero(other),
    }
}
