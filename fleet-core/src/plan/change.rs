//! One object's change.

use std::fmt;

use fleet_diff::{Digest, DigestBuilder, FieldChange, Object, ObjectKey};
use serde::{Deserialize, Serialize};

use crate::words::{Reason, Uid};

/// What is done to an object.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Action {
    /// It is made.
    Create,
    /// It exists and is not ours yet: our marks are set; its fields follow as an update.
    Adopt,
    /// Fields are written.
    Update,
    /// It cannot be changed: it goes, and is made again.
    Recreate,
    /// It goes.
    Delete,
    /// Nothing is done, though something would have to be.
    Blocked,
    /// The ledger lets go of it, and it stays as it is or is gone already.
    Release,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Create => "create",
            Self::Adopt => "adopt",
            Self::Update => "update",
            Self::Recreate => "recreate",
            Self::Delete => "delete",
            Self::Blocked => "blocked",
            Self::Release => "release",
        })
    }
}

/// One object's change: what, to which fields, and why.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Change {
    /// The object.
    pub key: ObjectKey,
    /// What is done.
    pub action: Action,
    /// UID of the object it is done to; none for a create.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub uid: Option<Uid>,
    /// Fields it changes, values of Secrets masked. Empty for creates and deletes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<FieldChange>,
    /// Why.
    pub reason: Reason,
    /// Objects it takes with it (contents of a namespace, custom resources of a CRD), itself included.
    pub weight: u32,
    /// True when it could not be checked with the server yet, because its namespace or kind does not exist.
    pub unchecked: bool,
    /// Digest of exactly this change; a plan is carried out only while it stays the same.
    #[serde(skip)]
    pub digest: Digest,
}

impl Change {
    /// A change of weight 1 without fields, its digest taken over object, action and UID.
    pub fn new(key: ObjectKey, action: Action, uid: Option<Uid>, reason: Reason) -> Self {
        let digest = DigestBuilder::new()
            .text(&key.to_path())
            .text(&action.to_string())
            .text(uid.as_ref().map_or("", Uid::as_str))
            .finish();
        Self {
            key,
            action,
            uid,
            fields: Vec::new(),
            reason,
            weight: 1,
            unchecked: false,
            digest,
        }
    }

    /// Its digest is also that of the document that is sent and of where that differs.
    pub(crate) fn covers(&mut self, document: &Object, fields: &[FieldChange]) {
        let start = DigestBuilder::new()
            .digest(&self.digest)
            .digest(&document.digest());
        let all = fields.iter().fold(start, |b, f| b.text(&f.path.to_string()));
        self.digest = all.finish();
    }
}
