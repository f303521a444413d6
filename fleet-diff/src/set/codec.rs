//! The `FieldsV1` form of a set, as it stands in `metadata.managedFields`.
//!
//! Names of elements (structured-merge-diff, `fieldpath/serialize-pe.go`): `f:` and a key, `k:` and a JSON mapping of
//! key fields, `v:` and a JSON value, `i:` and a position. A name whose mapping is empty, or has `.` in it, is a member
//! itself. Kinds of names that are not known are dropped with everything inside them, as the server drops them.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use super::{Entry, FieldSet};
use crate::{
    Document, PathElement, Scalar,
    document::{Builder, Kind, Node},
};

/// Why something is not a `FieldsV1` set.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a FieldsV1 set: {problem} at `{at}`")]
pub struct FieldsError {
    /// The names that lead there, cut off after 200 characters.
    at: String,
    problem: &'static str,
}

impl FieldSet {
    /// Reads a `fieldsV1` value.
    ///
    /// # Errors
    /// When a name or a value has a form that no `FieldsV1` has.
    pub fn from_fields_v1(fields: &Document) -> Result<Self, FieldsError> {
        Self::from_node(fields.root())
    }

    pub(crate) fn from_node(node: Node<'_>) -> Result<Self, FieldsError> {
        match node.kind() {
            Kind::Map => read(node, Odd::Refused).map(|(_, set)| set),
            Kind::Null => Ok(Self::new()),
            _ => Err(FieldsError {
                at: String::new(),
                problem: "it is no mapping",
            }),
        }
    }

    /// As [`from_node`](Self::from_node), passing over what no `FieldsV1` has.
    pub(crate) fn from_node_leniently(node: Node<'_>) -> Self {
        read(node, Odd::PassedOver)
            .map(|(_, set)| set)
            .unwrap_or_default()
    }

    /// As a `fieldsV1` value, in the server's own form.
    pub fn to_fields_v1(&self) -> Document {
        let mut builder = Builder::new();
        self.write(&mut builder);
        builder.finish()
    }

    pub(crate) fn write(&self, builder: &mut Builder<'_>) {
        builder.begin();
        self.entries.iter().for_each(|entry| entry.write(builder));
        builder.end_map();
    }
}

impl Entry {
    fn write(&self, builder: &mut Builder<'_>) {
        builder.key(&name_of(&self.element));
        if self.member && !self.inside.is_empty() {
            builder.begin();
            builder.key(".");
            builder.begin();
            builder.end_map();
            self.inside.entries.iter().for_each(|entry| entry.write(builder));
            builder.end_map();
        } else {
            self.inside.write(builder);
        }
    }
}

/// What is done with names and values that no `FieldsV1` has.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Odd {
    Refused,
    PassedOver,
}

/// Whether the mapping makes its name a member, and the fields inside it.
fn read(node: Node<'_>, odd: Odd) -> Result<(bool, FieldSet), FieldsError> {
    let (mut member, mut set) = (node.is_empty(), FieldSet::new());
    for (name, value) in node.entries() {
        if name == "." {
            member = true;
            continue;
        }
        match read_entry(name, value, odd) {
            Ok(Some((element, inner_member, inside))) => set.add(element, inner_member, inside),
            Ok(None) => {}
            Err(_) if odd == Odd::PassedOver => {}
            Err(error) => return Err(error),
        }
    }
    Ok((member || (set.is_empty() && odd == Odd::Refused), set))
}

type ReadEntry = Option<(PathElement, bool, FieldSet)>;

fn read_entry(name: &str, value: Node<'_>, odd: Odd) -> Result<ReadEntry, FieldsError> {
    let Some(element) = element_of(name).map_err(|problem| error(name, problem))? else {
        return Ok(None);
    };
    match value.kind() {
        Kind::Map => {}
        Kind::Null if odd == Odd::Refused => {}
        _ => return Err(error(name, "its value is no mapping")),
    }
    let (member, inside) = read(value, odd).map_err(|inner| inner.within(name))?;
    Ok(Some((element, member, inside)))
}

fn error(name: &str, problem: &'static str) -> FieldsError {
    FieldsError {
        at: String::new(),
        problem,
    }
    .within(name)
}

impl FieldsError {
    fn within(self, name: &str) -> Self {
        const LONGEST: usize = 200;
        let gap = if self.at.is_empty() { "" } else { " " };
        let at = name.chars().chain(gap.chars()).chain(self.at.chars());
        Self {
            at: at.take(LONGEST).collect(),
            ..self
        }
    }
}

/// The element a name stands for; none for kinds of names that are not known.
pub(crate) fn element_of(name: &str) -> Result<Option<PathElement>, &'static str> {
    let (kind, rest) = match name.split_at_checked(2) {
        Some((kind, rest)) if kind.ends_with(':') => (kind, rest),
        _ => return Err("a name without `f:`, `k:`, `v:` or `i:`"),
    };
    Ok(Some(match kind {
        "f:" => PathElement::Key(rest.into()),
        "k:" => PathElement::ListKey(key_fields(rest)?),
        "v:" => PathElement::Value(scalar(rest)?),
        "i:" => PathElement::Index(rest.parse().map_err(|_| "a position that is no number")?),
        _ => return Ok(None),
    }))
}

/// Whether [`element_of`] can read a name.
pub(crate) fn check_name(name: &str) -> Result<(), &'static str> {
    match name.strip_prefix("k:").and_then(one_text) {
        Some(_) => Ok(()),
        None => element_of(name).map(drop),
    }
}

/// Nearly all keys are one short text: `{"name":"web"}`.
fn one_text(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix("{\"")?.strip_suffix("\"}")?;
    let (name, value) = inner.split_once("\":\"")?;
    (is_plain(name) && is_plain(value)).then_some((name, value))
}

fn key_fields(text: &str) -> Result<BTreeMap<Arc<str>, Scalar>, &'static str> {
    if let Some((name, value)) = one_text(text) {
        return Ok(BTreeMap::from([(name.into(), Scalar::Text(value.into()))]));
    }
    let document: Document = text.parse().map_err(|_| "key fields that are no JSON")?;
    if !document.root().is_map() {
        return Err("key fields that are no mapping");
    }
    let fields = document.root().entries();
    let fields = fields.map(|(name, value)| Some((name.into(), Scalar::from_node(value)?)));
    fields
        .collect::<Option<_>>()
        .ok_or("a key field that is no scalar")
}

fn is_plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte >= 0x20 && byte != b'"' && byte != b'\\')
}

fn scalar(text: &str) -> Result<Scalar, &'static str> {
    let document: Document = text.parse().map_err(|_| "a value that is no JSON")?;
    Scalar::from_node(document.root()).ok_or("a value that is no scalar")
}

/// The name of an element.
pub(crate) fn name_of(element: &PathElement) -> String {
    match element {
        PathElement::Key(key) => format!("f:{key}"),
        PathElement::Index(i) => format!("i:{i}"),
        PathElement::Value(value) => {
            let mut name = String::from("v:");
            push_json(&mut name, value);
            name
        }
        PathElement::ListKey(fields) => {
            let mut name = String::from("k:{");
            for (i, (field, value)) in fields.iter().enumerate() {
                if i > 0 {
                    name.push(',');
                }
                push_text(&mut name, field);
                name.push(':');
                push_json(&mut name, value);
            }
            name.push('}');
            name
        }
    }
}

fn push_json(out: &mut String, value: &Scalar) {
    match value {
        Scalar::Text(text) => push_text(out, text),
        other => out.push_str(&other.to_json().to_string()),
    }
}

fn push_text(out: &mut String, text: &str) {
    out.push_str(&escaped(&serde_json::Value::from(text).to_string()));
}

/// JSON as Go's encoders write it: `<`, `>`, `&` and the two line separators escaped too.
pub(crate) fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            // Writing to a text cannot fail.
            '<' | '>' | '&' | '\u{2028}' | '\u{2029}' => drop(write!(out, "\\u{:04x}", u32::from(c))),
            c => out.push(c),
        }
    }
    out
}
