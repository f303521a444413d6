//! Makes tables, for the project's own command `cargo xtask schema`.

use super::{decode, encode::encode, reduce::reduced, text::text as text_of};
use crate::{
    Document, SchemaError,
    schema::{facts::Facts, openapi},
};

/// The table of a server: from the OpenAPI v3 documents of all its groups and versions, and from the facts about its Go
/// types that `control-plane types` prints. The order of the documents does not matter.
///
/// # Errors
/// When a document is none or contradicts itself, when there is none of a kind that the facts say is served, and when
/// the table does not say the same as these.
pub fn table(documents: &[Document], facts: &Document) -> Result<Vec<u8>, SchemaError> {
    let layer = openapi::native(documents, facts)?;
    let mut served = Facts::new(facts.root()).into_iter().flat_map(Facts::served);
    if let Some(kind) = served.find(|kind| !layer.kinds.contains_key(kind)) {
        return Err(SchemaError {
            place: kind.to_string(),
            problem: "is served, and no document has it".into(),
        });
    }
    let layer = reduced(&layer);
    let table = encode(&layer);
    if decode(&table)? != layer {
        return Err(SchemaError {
            place: "schema table".into(),
            problem: "does not say what was written".into(),
        });
    }
    Ok(table)
}

/// Everything a table says, a line for each gate, kind, type and field, each of which stands for itself.
///
/// # Errors
/// When the bytes are no table.
pub fn text(table: &[u8]) -> Result<String, SchemaError> {
    Ok(text_of(&decode(table)?))
}
