//! Shows a layer to people.

use std::fmt::Write as _;

use crate::schema::{
    Custom, Field, Form, Layer, ListKind, ListType, MapType, Omit, ScalarType, Stored, Type, TypeId,
};

/// How deep types without names are shown inside one another.
const DEEPEST: usize = 32;

/// A line for each gate, kind, type and field.
pub(super) fn text(layer: &Layer) -> String {
    let mut out = String::new();
    for gate in &layer.gates {
        line(&mut out, format_args!("gate {gate}"));
    }
    for (gvk, kind) in &layer.kinds {
        let native = if kind.native { ", native" } else { "" };
        let scope = match kind.namespaced {
            Some(true) => ", namespaced",
            Some(false) => ", cluster-wide",
            None => "",
        };
        let resets: Vec<_> = kind.resets.iter().map(|path| format!(", drops {path}")).collect();
        let of = show(layer, kind.root, 0);
        line(
            &mut out,
            format_args!("kind {gvk}: {of}{native}{scope}{}", resets.concat()),
        );
    }
    for (name, id) in &layer.names {
        let of = layer.get(*id);
        line(&mut out, format_args!("{name}: {}", body(layer, of, 0)));
        for field in of.map.iter().flat_map(|map| &map.fields) {
            line(&mut out, format_args!("{name}.{}", show_field(layer, field, 0)));
        }
    }
    out
}

fn line(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text does not fail.
    let _ = writeln!(out, "{line}");
}

/// `name!: *type, omitempty, default`; `!` where it is required.
fn show_field(layer: &Layer, field: &Field, depth: usize) -> String {
    let Form { pointer, omit } = field.form;
    let default = field
        .default
        .as_ref()
        .map(|default| format!(", default {}", default.root()));
    format!(
        "{}{}: {}{}{}{}",
        field.name,
        if field.required { "!" } else { "" },
        if pointer { "*" } else { "" },
        show(layer, field.of, depth),
        match omit {
            Omit::Never => "",
            Omit::Empty => ", omitempty",
            Omit::Zero => ", omitzero",
        },
        default.unwrap_or_default(),
    )
}

/// The name of a type, or what it is.
fn show(layer: &Layer, id: TypeId, depth: usize) -> String {
    match layer.named.get(&id) {
        _ if id == TypeId::UNTYPED => "anything".into(),
        _ if id == TypeId::DEDUCED => "anything, merged".into(),
        Some(name) => name.to_string(),
        None if depth > DEEPEST => "…".into(),
        None => {
            let of = layer.get(id);
            let fields = of.map.iter().flat_map(|map| &map.fields);
            let fields: Vec<_> = fields.map(|field| show_field(layer, field, depth + 1)).collect();
            let inside = if fields.is_empty() {
                String::new()
            } else {
                format!(" {{{}}}", fields.join("; "))
            };
            body(layer, of, depth) + &inside
        }
    }
}

/// A type without its name and fields: how it is stored, and in brackets how it merges where that says more.
fn body(layer: &Layer, of: &Type, depth: usize) -> String {
    let Type {
        scalar,
        list,
        map,
        stored,
        custom,
    } = of;
    let is_struct = map.as_ref().is_some_and(|map| map.element.is_none());
    let list = list.as_ref().map(|list| show_list(layer, list, depth));
    let map = map.as_ref().map(|map| show_map(layer, map, depth));
    let shown = match (stored, scalar, &list, &map) {
        (_, Some(scalar), None, None) if plain(*stored) == Some(*scalar) => show_stored(*stored).to_owned(),
        (Stored::List, None, Some(only), None) => only.clone(),
        (Stored::Map, None, None, Some(only)) if !is_struct => only.clone(),
        (Stored::Struct, None, None, Some(only)) if is_struct => only.clone(),
        _ => {
            let scalar = scalar.map(|scalar| show_scalar(scalar).to_owned());
            let parts: Vec<_> = [scalar, list, map].into_iter().flatten().collect();
            format!("{} ({})", show_stored(*stored), parts.join(" or "))
        }
    };
    shown + &show_custom(*custom)
}

/// The scalar that says no more than how it is stored.
fn plain(stored: Stored) -> Option<ScalarType> {
    Some(match stored {
        Stored::Int32 | Stored::Int64 | Stored::Float => ScalarType::Number,
        Stored::Bool => ScalarType::Bool,
        Stored::Text | Stored::Bytes => ScalarType::Text,
        Stored::Quantity | Stored::IntOrString | Stored::Time | Stored::MicroTime => ScalarType::Any,
        _ => return None,
    })
}

fn show_list(layer: &Layer, list: &ListType, depth: usize) -> String {
    let element = show(layer, list.element, depth + 1);
    match &list.kind {
        ListKind::Atomic => format!("list of {element}"),
        ListKind::Set => format!("set of {element}"),
        ListKind::Map(keys) => format!("list by {} of {element}", keys.join(" and ")),
    }
}

fn show_map(layer: &Layer, map: &MapType, depth: usize) -> String {
    let atomic = if map.atomic { "atomic " } else { "" };
    match map.element {
        None => format!("{atomic}struct"),
        Some(element) => format!("{atomic}map of {}", show(layer, element, depth + 1)),
    }
}

fn show_scalar(scalar: ScalarType) -> &'static str {
    match scalar {
        ScalarType::Number => "number",
        ScalarType::Text => "text",
        ScalarType::Bool => "bool",
        ScalarType::Any => "any scalar",
    }
}

fn show_stored(stored: Stored) -> &'static str {
    match stored {
        Stored::AsIs => "as is",
        Stored::Int32 => "int32",
        Stored::Int64 => "int64",
        Stored::Float => "float",
        Stored::Bool => "bool",
        Stored::Text => "text",
        Stored::Bytes => "bytes",
        Stored::Quantity => "quantity",
        Stored::IntOrString => "int or text",
        Stored::Time => "time",
        Stored::MicroTime => "micro time",
        Stored::Duration => "duration",
        Stored::Json => "JSON",
        Stored::Struct => "struct",
        Stored::List => "list",
        Stored::Map => "map",
    }
}

fn show_custom(custom: Custom) -> String {
    let Custom {
        nullable,
        preserve_unknown,
        embedded,
        int_or_string,
        watches_changes,
    } = custom;
    [
        (nullable, ", nullable"),
        (preserve_unknown, ", keeps unknown fields"),
        (embedded, ", an object"),
        (int_or_string, ", int or string"),
        (watches_changes, ", watches changes"),
    ]
    .into_iter()
    .filter_map(|(there, text)| there.then_some(text))
    .collect()
}
