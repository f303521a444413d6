//! Objects as a cluster has them.

use std::fmt;

use fleet_diff::{Node, Object, ObjectError, ObjectKey};

use super::text_newtype;

text_newtype! {
    /// An object's UID: a new one each time something is created under the same name.
    Uid
}

text_newtype! {
    /// An object's resourceVersion: opaque, changes with each stored change.
    ResourceVersion
}

/// One object as a cluster has it. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
pub struct Live {
    object: Object,
    uid: Uid,
    version: ResourceVersion,
}

/// Why a JSON value is not a live object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LiveError {
    /// Not an object at all.
    #[error(transparent)]
    Object(#[from] ObjectError),
    /// Without `metadata.uid` or `metadata.resourceVersion`.
    #[error("the server's answer has no metadata.{0}")]
    Missing(&'static str),
}

impl Live {
    /// From the server's answer.
    ///
    /// # Errors
    /// When it is no object, or without UID or resourceVersion.
    pub fn new(object: Object) -> Result<Self, LiveError> {
        let text = |field| object.metadata_text(field).ok_or(LiveError::Missing(field));
        let (uid, version) = (text("uid")?.into(), text("resourceVersion")?.into());
        Ok(Self { object, uid, version })
    }

    /// From the answer to a dry run. An object it would create has no resourceVersion yet; then the version is
    /// empty.
    ///
    /// # Errors
    /// When it is no object, or without UID.
    pub fn of_dry_run(object: Object) -> Result<Self, LiveError> {
        let uid = object
            .metadata_text("uid")
            .ok_or(LiveError::Missing("uid"))?
            .into();
        let version = object.metadata_text("resourceVersion").unwrap_or_default().into();
        Ok(Self { object, uid, version })
    }

    /// The object.
    pub fn object(&self) -> &Object {
        &self.object
    }

    /// Its identity.
    pub fn key(&self) -> &ObjectKey {
        self.object.key()
    }

    /// Its UID.
    pub fn uid(&self) -> &Uid {
        &self.uid
    }

    /// Its resourceVersion.
    pub fn version(&self) -> &ResourceVersion {
        &self.version
    }

    /// True when it has a deletion timestamp: it goes as soon as its last finalizer is removed.
    pub fn is_deleting(&self) -> bool {
        self.object.metadata_text("deletionTimestamp").is_some()
    }

    /// Its finalizers: who must finish before it goes.
    pub fn finalizers(&self) -> Vec<String> {
        let list = self.object.metadata().get("finalizers");
        let texts = list.into_iter().flat_map(Node::items).filter_map(Node::as_str);
        texts.map(str::to_owned).collect()
    }
}

impl fmt::Debug for Live {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Live({} uid {} version {})",
            self.key(),
            self.uid,
            self.version
        )
    }
}

/// What a metadata-only listing tells of one object.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct LiveMeta {
    /// Identity.
    pub key: ObjectKey,
    /// UID.
    pub uid: Uid,
    /// The value of the owner label asked for, if it has one.
    pub owner_label: Option<String>,
    /// The value of the mark annotation asked for, if it has one.
    pub mark: Option<String>,
    /// UIDs of its owners (`ownerReferences`).
    pub owners: Vec<Uid>,
}

impl LiveMeta {
    /// Without marks and owners.
    pub fn new(key: ObjectKey, uid: Uid) -> Self {
        Self {
            key,
            uid,
            owner_label: None,
            mark: None,
            owners: Vec::new(),
        }
    }
}
