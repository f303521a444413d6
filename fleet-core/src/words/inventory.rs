//! What should be in a target: the three-valued answer.

use std::{collections::BTreeSet, error::Error, fmt, sync::Arc};

use fleet_diff::{DigestBuilder, Object};

use super::text_newtype;

text_newtype! {
    /// A revision of an inventory: opaque, equal only for equal content. A Git commit, or a hash of the content.
    Revision
}

/// A complete, concrete dump of what a target should hold: at least one object, no identity twice.
///
/// Only [`Inventory::new`] makes one, and it refuses an empty list: "nothing" must be said with
/// [`Known::Empty`], never by accident.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inventory {
    revision: Revision,
    objects: Arc<[Object]>,
}

/// Why a list of objects is not an inventory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum InventoryError {
    /// No objects at all.
    #[error("an inventory without objects must be given as known to be empty, not as an empty list")]
    Empty,
    /// An identity occurs twice.
    #[error("{0} is listed twice")]
    Duplicate(fleet_diff::ObjectKey),
}

impl Inventory {
    /// Checks that there is at least one object and no identity (as written) twice.
    ///
    /// # Errors
    /// [`InventoryError`], which converts into [`Unknown`] with `?`.
    pub fn new(
        revision: impl Into<Revision>,
        objects: impl IntoIterator<Item = Object>,
    ) -> Result<Self, InventoryError> {
        let objects: Vec<Object> = objects.into_iter().collect();
        if objects.is_empty() {
            return Err(InventoryError::Empty);
        }
        let mut seen = BTreeSet::new();
        if let Some(twice) = objects.iter().find(|o| !seen.insert(o.key())) {
            return Err(InventoryError::Duplicate(twice.key().clone()));
        }
        Ok(Self {
            revision: revision.into(),
            objects: objects.into(),
        })
    }

    /// With the content's own hash as revision (the order of the objects does not matter).
    ///
    /// # Errors
    /// As [`Inventory::new`].
    pub fn with_content_revision(objects: impl IntoIterator<Item = Object>) -> Result<Self, InventoryError> {
        let mut objects: Vec<Object> = objects.into_iter().collect();
        objects.sort_by(|a, b| a.key().cmp(b.key()));
        let digest = objects
            .iter()
            .fold(DigestBuilder::new(), |b, o| b.digest(&o.digest()))
            .finish();
        Self::new(digest.short().as_str(), objects)
    }

    /// Its revision.
    pub fn revision(&self) -> &Revision {
        &self.revision
    }

    /// The objects.
    pub fn objects(&self) -> &[Object] {
        &self.objects
    }

    /// As the answer of an inventory source.
    ///
    /// # Errors
    /// Never; the type is the one sources return.
    pub fn snapshot(self) -> Snapshot {
        Ok(Known::Objects(self))
    }
}

/// A definite answer. Both forms may delete what is no longer listed.
///
/// There is no `Default` on purpose: nothing may turn "unknown" into "empty".
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Known {
    /// Exactly these.
    Objects(Inventory),
    /// Nothing, and that is meant.
    Empty(Revision),
}

impl Known {
    /// The revision.
    pub fn revision(&self) -> &Revision {
        match self {
            Self::Objects(inventory) => inventory.revision(),
            Self::Empty(revision) => revision,
        }
    }

    /// The objects; none when known to be empty.
    pub fn objects(&self) -> &[Object] {
        match self {
            Self::Objects(inventory) => inventory.objects(),
            Self::Empty(_) => &[],
        }
    }
}

/// There is no answer, and why. It changes nothing in any cluster.
///
/// Any error converts into it, so `?` on anything inside a source means "change nothing". The message is shown to
/// people: it must hold no content of the inventory.
#[derive(Clone)]
pub struct Unknown {
    message: Arc<str>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Unknown {
    /// With a message only.
    pub fn because(message: impl Into<Arc<str>>) -> Self {
        Self {
            message: message.into(),
            source: None,
        }
    }

    /// With the error that caused it; its chain becomes the message.
    pub fn caused_by(error: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        let error: Arc<dyn Error + Send + Sync> = Arc::from(error.into());
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(inner) = cause {
            message.push_str(": ");
            message.push_str(&inner.to_string());
            cause = inner.source();
        }
        Self {
            message: message.into(),
            source: Some(error),
        }
    }

    /// What happened.
    pub fn message(&self) -> &str {
        &self.message
    }

    /// The error behind it.
    pub fn source(&self) -> Option<&(dyn Error + Send + Sync + 'static)> {
        self.source.as_deref()
    }
}

impl<E: Error + Send + Sync + 'static> From<E> for Unknown {
    fn from(error: E) -> Self {
        Self::caused_by(error)
    }
}

impl fmt::Display for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl fmt::Debug for Unknown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unknown({:?})", self.message)
    }
}

/// The answer of an inventory source: known objects, known to be empty, or unknown.
pub type Snapshot = Result<Known, Unknown>;

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn map(name: &str) -> Object {
        Object::from_json(json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}}))
            .unwrap()
    }

    #[test]
    fn empty_and_duplicate_lists_are_refused() {
        assert_eq!(Inventory::new("1", []).unwrap_err(), InventoryError::Empty);
        assert!(matches!(
            Inventory::new("1", [map("a"), map("a")]),
            Err(InventoryError::Duplicate(_))
        ));
    }

    #[test]
    fn content_revision_ignores_order_only() {
        let revision = |objects: Vec<Object>| {
            Inventory::with_content_revision(objects)
                .unwrap()
                .revision()
                .clone()
        };
        assert_eq!(
            revision(vec![map("a"), map("b")]),
            revision(vec![map("b"), map("a")])
        );
        assert_ne!(revision(vec![map("a")]), revision(vec![map("a"), map("b")]));
    }

    #[test]
    fn any_error_becomes_unknown_with_its_chain() {
        fn read() -> Snapshot {
            Err(std::io::Error::other(InventoryError::Empty))?
        }
        assert!(read().unwrap_err().message().contains("known to be empty"));
    }
}
