//! Built-in kinds: a value goes through a Go type and, for most, through protobuf, and comes back in the form that
//! these leave it in.

use std::{borrow::Cow, cell::Cell};

use base64::{
    Engine as _, alphabet,
    engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig},
};
use serde_json::Value;

use super::{
    defaults, duration, gated,
    quantity::{Quantity, QuantityError},
    special,
    tree::{Draft, Tree},
};
use crate::{
    Document,
    document::{Kind, Node, order},
    schema::{Field, KindSchema, Layer, MapType, Omit, Stored, TypeId},
};

/// Why a value cannot be stored in its Go type. The path is the server's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Unstorable {
    pub(crate) path: String,
    pub(crate) problem: &'static str,
}

type Stores<T> = Result<T, Unstorable>;

/// The object as the server holds it, with defaults. What was taken over from `base` is in that form already.
pub(crate) fn store_native<'n>(
    kind: KindSchema<'n>,
    object: Node<'n>,
    base: Option<&'n Document>,
    status: Status<'n>,
    stage: Stage,
) -> Stores<InStorage<'n>> {
    let keeps_status = status != Status::Written;
    let walk = Walk {
        layer: kind.layer,
        base,
        empty: Cell::new(None),
        depth: Cell::new(0),
        without_status: keeps_status.then_some(kind.root),
        stage,
        is_prepared: Cell::new(false),
    };
    let mut draft = walk.structure(kind.root, Some(object))?;
    let empty = walk.empty.get();
    special::object(&mut draft);
    let gate = |gate: &str| kind.layer.gate(gate);
    let is_prepared = special::prepare_object(&mut draft, &gate, stage) | walk.is_prepared.get();
    // Where the endpoint does not write it, it stays, or is what a new object begins with.
    let status = match status {
        Status::Written => None,
        Status::Kept(live) => Some(live.root().get("status").map(Tree::Node)),
        Status::Initial => Some(walk.initial_status(kind)?),
    };
    if let Some(status) = status {
        match status {
            Some(status) => draft.put("status", status),
            None => {
                draft.remove("status");
            }
        }
    }
    Ok(InStorage {
        draft,
        empty: empty.map(|(of, field)| walk.show(of, field)),
        is_prepared,
    })
}

/// How far an object has come on its way into storage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// In the server's own types, with defaults: what is seen by whoever looks at who owns what.
    Decoded,
    /// After the strategy of its registry (`PrepareForCreate`, `PrepareForUpdate`).
    Prepared,
}

/// Whether an endpoint writes the status that is sent.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Status<'n> {
    Written,
    /// It stays as it is in this object.
    Kept(&'n Document),
    /// It is what a new object begins with.
    Initial,
}

/// An object in its stored form.
pub(crate) struct InStorage<'n> {
    pub(crate) draft: Draft<'n>,
    /// A text that would be empty and that its schema requires or that has a default, if there is one.
    pub(crate) empty: Option<String>,
    /// A strategy makes something else of it than what was decoded.
    pub(crate) is_prepared: bool,
}

/// The metadata of a custom resource, which is the server's own type.
pub(crate) fn store_metadata<'n>(kind: KindSchema<'n>, metadata: Option<Node<'n>>) -> Stores<Tree<'n>> {
    let root = kind.layer.get(kind.root);
    match root.map.as_ref().and_then(|map| map.field("metadata")) {
        Some(field) => {
            store_struct(kind.layer, field.of, metadata).map_err(|wrong| wrong.within(".metadata"))
        }
        None => Ok(metadata.map_or(Tree::Json(Value::Null), Tree::Node)),
    }
}

/// A value of a built-in type by itself.
pub(super) fn store_struct<'n>(layer: &'n Layer, id: TypeId, value: Option<Node<'n>>) -> Stores<Tree<'n>> {
    match layer.get(id).stored {
        Stored::Struct => Walk {
            layer,
            base: None,
            empty: Cell::new(None),
            depth: Cell::new(0),
            without_status: None,
            stage: Stage::Prepared,
            is_prepared: Cell::new(false),
        }
        .structure(id, value)
        .map(Tree::Map),
        _ => Ok(value.map_or(Tree::Json(Value::Null), Tree::Node)),
    }
}

const DEEPEST: usize = 128;

struct Walk<'s, 'l> {
    layer: &'s Layer,
    base: Option<&'l Document>,
    /// A text that may not be empty and would be: the struct and the field.
    empty: Cell<Option<(TypeId, &'s str)>>,
    /// Structs around this one. No Go type holds itself but by a pointer; a document may say so.
    depth: Cell<usize>,
    /// The type of objects whose status is not written, if this is one.
    without_status: Option<TypeId>,
    stage: Stage,
    /// A strategy changes something.
    is_prepared: Cell<bool>,
}

impl<'s> Walk<'s, '_> {
    fn initial_status(&self, kind: KindSchema<'s>) -> Stores<Option<Tree<'s>>> {
        let map = self.layer.get(kind.root).map.as_ref();
        match map.and_then(|map| map.field("status")) {
            Some(field) => self.field(field, None),
            None => Ok(None),
        }
    }

    /// A struct with all its fields, whether they are there or not.
    fn structure(&self, id: TypeId, value: Option<Node<'s>>) -> Stores<Draft<'s>> {
        let depth = self.depth.get();
        if depth > DEEPEST {
            return Err(Unstorable::deep());
        }
        self.depth.set(depth + 1);
        let stored = self.fields(id, value);
        self.depth.set(depth);
        stored
    }

    fn fields(&self, id: TypeId, value: Option<Node<'s>>) -> Stores<Draft<'s>> {
        let of = self.layer.get(id);
        if value.is_some_and(|value| !matches!(value.kind(), Kind::Map | Kind::Null)) {
            return Err(unstorable("must be a mapping"));
        }
        let Some(map) = &of.map else {
            return Ok(value.map_or_else(Draft::default, Draft::of));
        };
        // Some more for defaults.
        let mut out = Draft::with_capacity(value.map_or(0, Node::len) + 4);
        // Texts that are there and empty, where that differs from not being there.
        let mut told_empty: Vec<&'s str> = Vec::new();
        let mut given = value.into_iter().flat_map(Node::entries).peekable();
        for (field, word) in map.fields.words() {
            if self.without_status == Some(id) && &*field.name == "status" {
                continue;
            }
            // A key that no field has is passed over.
            while given
                .next_if(|(key, _)| order(key, &field.name).is_lt())
                .is_some()
            {}
            let inner = given
                .next_if(|(key, value)| match word {
                    Some(_) => value.word() == word,
                    None => *key == &*field.name,
                })
                .map(|(_, value)| value);
            if field.form.pointer && inner.and_then(Node::as_str) == Some("") {
                told_empty.push(&field.name);
            }
            let stored = self
                .field(field, inner)
                .map_err(|inner| inner.within(&format!(".{}", field.name)))?;
            if let Some(stored) = stored {
                out.push(&field.name, stored);
            }
        }
        schema_defaults(map, &mut out);
        if let Some(name) = self.layer.name(id) {
            let is_pointer = |field: &str| map.field(field).is_some_and(|field| field.form.pointer);
            let gate = |gate: &str| self.layer.gate(gate);
            special::structure(name, &mut out);
            defaults::apply(name, &mut out, &is_pointer, &gate);
            let mut is_prepared = gated::drop_disabled(name, &mut out, &gate, self.stage);
            if special::has_old_init_containers(name, &out) {
                // Until then a conversion did it.
                let is_strategy = self
                    .layer
                    .has_field("io.k8s.api.core.v1.PodSpec", "evictionResponders");
                is_prepared |= is_strategy;
                if !is_strategy || self.stage == Stage::Prepared {
                    special::drop_old_init_containers(&mut out);
                }
            }
            if is_prepared {
                self.is_prepared.set(true);
            }
        }
        let mut required = map.fields.iter().filter(|field| field.required);
        let empty = required.find(|field| {
            self.layer.get(field.of).stored == Stored::Text && out.text(&field.name).is_none_or(str::is_empty)
        });
        // Only what is not there gets a default; and what has one may not be empty.
        let emptied = told_empty.into_iter().find(|field| out.text(field) != Some(""));
        if let Some(field) = emptied.or(empty.map(|field| &*field.name)) {
            self.empty.set(Some((id, field)));
        }
        Ok(out)
    }

    /// `Container.name`
    fn show(&self, of: TypeId, field: &str) -> String {
        let name = self.layer.name(of).unwrap_or("");
        format!("{}.{field}", name.rsplit('.').next().unwrap_or(name))
    }

    /// What is written for a field; nothing when it is left out.
    fn field(&self, field: &Field, value: Option<Node<'s>>) -> Stores<Option<Tree<'s>>> {
        let value = value.filter(|value| !value.is_null());
        if let (Some(value), Some(base)) = (value, self.base)
            && value.is_container_of(base)
        {
            return Ok(Some(Tree::Node(value)));
        }
        let stored = self.layer.get(field.of).stored;
        if value.is_none()
            && (field.form.pointer || (field.form.omit != Omit::Never && stored != Stored::Struct))
        {
            let written = field.form.omit == Omit::Never;
            let zero = matches!(
                stored,
                Stored::IntOrString | Stored::Time | Stored::MicroTime | Stored::Quantity
            );
            if field.form.pointer || !zero || field.form.omit == Omit::Zero {
                return Ok(written.then_some(Tree::Json(Value::Null)));
            }
        }
        let empty = self.empty.get();
        let written = self.value(field.of, value)?;
        if *field.name == *"status" {
            // Of what no observer has written yet nothing is required.
            self.empty.set(empty);
        }
        let left_out = match field.form.omit {
            Omit::Never => false,
            _ if field.form.pointer => false,
            // To Go these are structs.
            Omit::Empty => {
                !matches!(
                    stored,
                    Stored::Struct | Stored::IntOrString | Stored::Time | Stored::MicroTime
                ) && is_empty(&written)
            }
            Omit::Zero => is_empty(&written) || is_nothing(&written.to_json()),
        };
        Ok((!left_out).then_some(written))
    }

    /// A value that is no pointer: absent and null are the zero value.
    fn value(&self, id: TypeId, value: Option<Node<'s>>) -> Stores<Tree<'s>> {
        let of = self.layer.get(id);
        let value = value.filter(|value| !value.is_null());
        if let (Some(value), Some(base)) = (value, self.base)
            && value.is_container_of(base)
        {
            return Ok(Tree::Node(value));
        }
        let json = |value: Value| Ok(Tree::Json(value));
        match of.stored {
            Stored::Struct => self.structure(id, value).map(Tree::Map),
            Stored::AsIs | Stored::Json => Ok(value.map_or(Tree::Json(Value::Null), Tree::Node)),
            Stored::Int32 | Stored::Int64 => integer(value),
            Stored::Float => Ok(value.map_or(Tree::Json(0.into()), Tree::Node)),
            Stored::Bool => match value {
                None => json(false.into()),
                Some(value) if value.kind() == Kind::Bool => Ok(Tree::Node(value)),
                Some(_) => Err(unstorable("must be true or false")),
            },
            Stored::Text => match value {
                None => json("".into()),
                Some(value) => text(value).map(|_| Tree::Node(value)),
            },
            Stored::Bytes => bytes(value),
            Stored::Quantity => quantity(value, Quantity::stored_form),
            Stored::IntOrString => match value {
                Some(value) if value.kind() == Kind::Text => Ok(Tree::Node(value)),
                other => integer(other),
            },
            Stored::Time | Stored::MicroTime => match value {
                Some(value) if !text(value)?.is_empty() => Ok(Tree::Node(value)),
                _ => json(Value::Null),
            },
            Stored::Duration => match value {
                None => json("0s".into()),
                Some(value) => {
                    let canonical = duration::canonical(text(value)?).ok_or(unstorable("is no duration"))?;
                    json(canonical.into())
                }
            },
            Stored::List => {
                let element = of.list.as_ref().map_or(TypeId::UNTYPED, |list| list.element);
                let mut items = Vec::new();
                for (i, item) in value.into_iter().flat_map(Node::items).enumerate() {
                    items.push(
                        self.value(element, Some(item))
                            .map_err(|inner| inner.within(&format!("[{i}]")))?,
                    );
                }
                Ok(if items.is_empty() {
                    Tree::Json(Value::Null)
                } else {
                    Tree::List(items)
                })
            }
            Stored::Map => {
                let element = of
                    .map
                    .as_ref()
                    .and_then(|map| map.element)
                    .unwrap_or(TypeId::UNTYPED);
                let resources = self.layer.get(element).stored == Stored::Quantity;
                let mut out = Draft::default();
                for (key, inner) in value.into_iter().flat_map(Node::entries) {
                    let stored = if resources {
                        // `SetDefaults_ResourceList`
                        quantity(Some(inner), Quantity::stored_resource)
                    } else {
                        self.value(element, Some(inner))
                    };
                    out.push(key, stored.map_err(|inner| inner.within(&format!(".{key}")))?);
                }
                Ok(if out.is_empty() {
                    Tree::Json(Value::Null)
                } else {
                    Tree::Map(out)
                })
            }
        }
    }
}

/// Defaults that the schema itself names. Those that equal what an absent Go value is anyway say nothing.
fn schema_defaults(map: &MapType, out: &mut Draft<'_>) {
    for field in &map.fields {
        let Some(default) = &field.default else { continue };
        let default = default.root();
        let says_something = match default.kind() {
            Kind::Map | Kind::List | Kind::Null => false,
            _ => field.form.pointer || !is_zero(Tree::Node(default).view()),
        };
        if !says_something {
            continue;
        }
        let absent = match out.get(&field.name) {
            None => true,
            Some(value) => value.is_null() || (!field.form.pointer && is_zero(value)),
        };
        if absent {
            out.set(&field.name, default.to_json());
        }
    }
}

fn unstorable(problem: &'static str) -> Unstorable {
    Unstorable {
        path: String::new(),
        problem,
    }
}

impl Unstorable {
    pub(super) fn absent() -> Self {
        unstorable("is missing, and its schema requires it")
    }

    pub(super) fn deep() -> Self {
        unstorable("is nested too deeply")
    }

    pub(super) fn null() -> Self {
        unstorable("must not be null")
    }

    pub(super) fn within(mut self, step: &str) -> Self {
        self.path.insert_str(0, step);
        self
    }
}

fn text(value: Node<'_>) -> Stores<&str> {
    value.as_str().ok_or(unstorable("must be a text (quote it?)"))
}

fn integer(value: Option<Node<'_>>) -> Stores<Tree<'_>> {
    let Some(value) = value else {
        return Ok(Tree::Json(0.into()));
    };
    if value.as_i64().is_some() {
        return Ok(Tree::Node(value));
    }
    let number = value.as_number().ok_or(unstorable("must be a number"))?.as_f64();
    if number.fract() == 0.0 && number.abs() < 9e15 {
        #[expect(clippy::cast_possible_truncation)]
        return Ok(Tree::Json((number as i64).into()));
    }
    Err(unstorable("must be a whole number"))
}

fn quantity(value: Option<Node<'_>>, store: fn(&str) -> Result<String, QuantityError>) -> Stores<Tree<'_>> {
    let stored = |text: &str| store(text).map_err(|_| unstorable("is no quantity"));
    match value.map(|value| (value, value.kind())) {
        None | Some((_, Kind::Null)) => Ok(Tree::Json("0".into())),
        Some((value, Kind::Text)) => {
            let text = text(value)?;
            let stored = stored(text)?;
            Ok(if stored == text {
                Tree::Node(value)
            } else {
                Tree::Json(stored.into())
            })
        }
        Some((value, Kind::Number)) => Ok(Tree::Json(stored(&value.to_string())?.into())),
        Some(_) => Err(unstorable("must be a quantity")),
    }
}

/// As Go reads it.
const GO_BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true),
);

fn bytes(value: Option<Node<'_>>) -> Stores<Tree<'_>> {
    let Some(value) = value else {
        return Ok(Tree::Json("".into()));
    };
    let text = text(value)?;
    // Go takes base64 with line breaks and with odd last bits, and stores it without.
    let bare: Cow<'_, str> = match text.contains(['\n', '\r']) {
        true => text
            .chars()
            .filter(|c| !matches!(c, '\n' | '\r'))
            .collect::<String>()
            .into(),
        false => text.into(),
    };
    let bytes = GO_BASE64.decode(&*bare).map_err(|_| unstorable("is no base64"))?;
    let canonical = GO_BASE64.encode(bytes);
    if canonical != text {
        return Ok(Tree::Json(canonical.into()));
    }
    Ok(Tree::Node(value))
}

/// What `omitempty` leaves out: everything but structs.
fn is_empty(value: &Tree<'_>) -> bool {
    let view = value.view();
    match view.kind() {
        Kind::List | Kind::Map => view.len() == 0,
        _ => is_zero(view),
    }
}

fn is_zero(value: super::tree::View<'_, '_>) -> bool {
    match value.kind() {
        Kind::Null => true,
        Kind::Bool => value.as_bool() == Some(false),
        Kind::Text => value.as_str() == Some(""),
        Kind::Number => value.to_json().as_f64() == Some(0.0),
        Kind::List | Kind::Map => false,
    }
}

/// A struct in which everything is zero.
fn is_nothing(value: &Value) -> bool {
    match value {
        Value::Object(map) => map.values().all(is_nothing),
        Value::Array(items) => items.is_empty(),
        Value::Null | Value::Bool(false) => true,
        Value::String(text) => text.is_empty(),
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::Bool(true) => false,
    }
}
