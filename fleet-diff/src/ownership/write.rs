//! Writing `metadata.managedFields`.

use crate::{
    Object,
    managed::Managers,
    storage::{Draft, Tree},
};

/// Why owners cannot be written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OwnersError {
    /// `metadata.managedFields` of the object cannot be read.
    #[error("metadata.managedFields cannot be read: {0}")]
    ManagedFields(String),
    /// A manager owns fields at this API version, and only the server can convert them.
    #[error("fields are owned at {0}, which only the server can convert")]
    OtherVersion(String),
    /// At an API version at which fields are owned, the object has something at this path that there is not.
    #[error("{0} is not there at an API version at which fields are owned")]
    DoesNotFit(String),
    /// The object would be none any more.
    #[error("the result would be no object: {0}")]
    NoObject(String),
}

pub(super) fn read(object: &Object) -> Result<Managers<'_>, OwnersError> {
    let list = object.metadata().get("managedFields");
    Managers::read(list).map_err(|error| OwnersError::ManagedFields(error.to_string()))
}

/// The object with these owners.
pub(super) fn with_managers(object: &Object, managers: &Managers<'_>) -> Result<Object, OwnersError> {
    let entries = managers.to_document();
    let mut draft = Draft::of(object.root());
    if let Some(metadata) = draft.existing("metadata") {
        metadata.remove("managedFields");
        if !managers.is_empty() {
            metadata.put("managedFields", Tree::Node(entries.root()));
        }
    }
    let document = draft.finish(object.document());
    Object::from_document(document).map_err(|error| OwnersError::NoObject(error.to_string()))
}
