//! Single operations: for this project's own benchmarks and tests, not for users.

use crate::{Document, FieldPath, FieldSet, Gvk, Schemas, managed};

/// The live value with everything the applied one says; none when no part changes.
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

/// The fields that a value mentions.
pub fn mentioned(schemas: &Schemas, gvk: &Gvk, value: &Document) -> FieldSet {
    let kind = schemas.of(gvk);
    super::field_set(kind.layer, kind.root, value.root())
}

/// Whether a `fieldsV1` value is for sure what a configuration mentions, without what `reset` has in it and without
/// what belongs to nobody.
pub fn is_mentioned(
    schemas: &Schemas,
    gvk: &Gvk,
    fields: &Document,
    config: &Document,
    reset: &FieldSet,
) -> bool {
    let kind = schemas.of(gvk);
    managed::is_set_of(kind.layer, kind.root, fields.root(), config.root(), reset)
}

/// [`compare`], when `after` was made of `before`.
pub fn compare_based(schemas: &Schemas, gvk: &Gvk, before: &Document, after: &Document) -> [FieldSet; 3] {
    let kind = schemas.of(gvk);
    let found = super::compare_based(kind.layer, kind.root, before.root(), after.root());
    [found.removed, found.modified, found.added]
}

/// The lists whose elements change their order.
pub fn reordered(schemas: &Schemas, gvk: &Gvk, before: &Document, after: &Document) -> Vec<FieldPath> {
    let kind = schemas.of(gvk);
    super::reordered(kind.layer, kind.root, before.root(), after.root())
}

/// [`reordered`], when `after` was made of `before`.
pub fn reordered_based(schemas: &Schemas, gvk: &Gvk, before: &Document, after: &Document) -> Vec<FieldPath> {
    let kind = schemas.of(gvk);
    super::reordered_based(kind.layer, kind.root, before.root(), after.root())
}

/// What a value loses when these fields are taken out of it, by the value that is left, and by the sets of both.
pub fn lost(schemas: &Schemas, gvk: &Gvk, value: &Document, fields: &FieldSet) -> [FieldSet; 2] {
    let kind = schemas.of(gvk);
    let left = super::remove(kind.layer, kind.root, value, fields);
    let named = |of: &Document| {
        let set = super::field_set(kind.layer, kind.root, of.root());
        super::named_fields_as_members(kind.layer, Some(kind.root), &set)
    };
    [
        super::lost(kind.layer, kind.root, value.root(), left.root()),
        named(value).difference(&named(&left)),
    ]
}
