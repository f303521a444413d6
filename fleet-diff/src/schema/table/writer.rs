//! Makes tables, for the project's own command `cargo xtask schema`.

use std::collections::BTreeMap;

use super::{decode, encode::encode, reduce::reduced, text::text as text_of};
use crate::{
    Document, SchemaError,
    schema::{Layer, facts::Facts, openapi},
};

/// The table of a server: from the OpenAPI v3 documents of all its groups and versions, and from the facts about its Go
/// types that `control-plane types` prints. The order of the documents does not matter.
///
/// # Errors
/// When a document is none or contradicts itself, and when there is none of a kind that the facts say is served. Also
/// when the table is not read as it was written, or when one of the documents over the table would say anything else
/// than the table: these would be mistakes of this crate.
pub fn table(documents: &[Document], facts: &Document) -> Result<Vec<u8>, SchemaError> {
    let layer = openapi::native(documents, facts)?;
    let mut served = Facts::new(facts.root()).into_iter().flat_map(Facts::served);
    if let Some(kind) = served.find(|kind| !layer.kinds.contains_key(kind)) {
        return Err(error(&kind.to_string(), "is served, and no document has it"));
    }
    let layer = reduced(&layer);
    let table = encode(&layer);
    if decode(&table)? != layer {
        return Err(error("schema table", "is not read as it was written"));
    }
    let said = text_of(&layer);
    let said: BTreeMap<&str, &str> = said.lines().map(|line| (subject(line), line)).collect();
    for document in documents {
        agrees(&said, &openapi::layer(document, Some(&layer))?)?;
    }
    Ok(table)
}

/// Everything a table says, a line for each gate, kind, type and field. Each line stands for itself; what it is about
/// is before its first colon.
///
/// # Errors
/// When the bytes are no table.
pub fn text(table: &[u8]) -> Result<String, SchemaError> {
    Ok(text_of(&decode(table)?))
}

fn subject(line: &str) -> &str {
    line.split(": ").next().unwrap_or(line)
}

/// An error if a layer over the table says otherwise what the table says.
fn agrees(said: &BTreeMap<&str, &str>, layer: &Layer) -> Result<(), SchemaError> {
    let text = text_of(layer);
    let mut lines = text.lines();
    match lines.find(|line| said.get(subject(line)).is_some_and(|said| said != line)) {
        None => Ok(()),
        Some(line) => Err(error(
            line,
            "is what the document says over the table, which says otherwise",
        )),
    }
}

fn error(place: &str, problem: &str) -> SchemaError {
    SchemaError {
        place: place.to_owned(),
        problem: problem.to_owned(),
    }
}
