//! Merging and comparing alone: for this project's own benchmarks, not for users.

use crate::{Document, FieldSet, Gvk, Schemas};

/// The live value with everything the applied one says; none when that changes nothing.
pub fn merge(schemas: &Schemas, gvk: &Gvk, live: &Document, applied: &Document) -> Option<Document> {
    let kind = schemas.of(gvk);
    super::merge(kind.layer, kind.root, live, applied)
}

/// The fields that are only before, that differ, and that are only after.
pub fn compare(schemas: &Schemas, gvk: &Gvk, before: &Document, after: &Document) -> [FieldSet; 3] {
    let kind = schemas.of(gvk);
    let found = super::compare(kind.layer, kind.root, before.root(), after.root());
    [found.removed, found.modified, found.added]
}
