//! The object a server starts from when it creates one: what the Go type of a kind looks like with nothing in it.

use crate::{
    Document, Gvk,
    document::Builder,
    schema::{KindSchema, Layer, Omit, Stored, TypeId},
};

/// An empty object of this kind. Of a custom resource it is kind and version only.
pub(crate) fn empty_object(kind: KindSchema<'_>, gvk: &Gvk) -> Document {
    let mut out = Builder::new();
    out.begin();
    if kind.native {
        fields(kind.layer, kind.root, &mut out, 0);
    }
    out.key("apiVersion");
    out.text(&gvk.api_version());
    out.key("kind");
    out.text(gvk.kind());
    out.end_map();
    out.finish()
}

/// No Go type holds itself but by a pointer; a document may say so.
const DEEPEST: usize = 64;

fn fields(layer: &Layer, id: TypeId, out: &mut Builder<'_>, depth: usize) {
    let Some(map) = layer.get(id).map.as_ref().filter(|_| depth < DEEPEST) else {
        return;
    };
    for field in &map.fields {
        let stored = layer.get(field.of).stored;
        match (stored, field.form.omit) {
            // Only structs that are no pointers are written although they are empty.
            (Stored::Struct, Omit::Never | Omit::Empty) if !field.form.pointer => {
                out.key(&field.name);
                out.begin();
                fields(layer, field.of, out, depth + 1);
                out.end_map();
            }
            (_, Omit::Never) => {
                out.key(&field.name);
                zero(stored, field.form.pointer, out);
            }
            _ => {}
        }
    }
}

/// The zero value of a field that is always written.
pub(crate) fn zero(stored: Stored, pointer: bool, out: &mut Builder<'_>) {
    match stored {
        _ if pointer => out.null(),
        Stored::Int32 | Stored::Int64 | Stored::Float | Stored::IntOrString => out.integer(0),
        Stored::Bool => out.bool(false),
        Stored::Text => out.text(""),
        Stored::Quantity => out.text("0"),
        Stored::Duration => out.text("0s"),
        Stored::Struct => {
            out.begin();
            out.end_map();
        }
        Stored::AsIs
        | Stored::Bytes
        | Stored::Time
        | Stored::MicroTime
        | Stored::Json
        | Stored::List
        | Stored::Map => out.null(),
    }
}
