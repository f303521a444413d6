//! Requests about one object.

use std::fmt;

use fleet_diff::{Gvk, Object, ObjectKey};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Answer;
use crate::words::{ResourceVersion, Uid};

/// One request about one object. The driver sends it as it is, and never on its own account.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Request {
    /// Read one object.
    Get {
        /// Which.
        key: ObjectKey,
        /// At which version.
        gvk: Gvk,
    },
    /// Server-side apply.
    Apply {
        /// What to send, as it is.
        document: Object,
        /// Field manager.
        manager: String,
        /// Only if the object has this UID (sent as `metadata.uid`).
        uid: Option<Uid>,
        /// Only if the object is at this version (sent as `metadata.resourceVersion`). An object that is not there is
        /// created all the same, unless a UID is asked for too: so a version that no object has makes it a create and
        /// nothing else.
        version: Option<ResourceVersion>,
        /// Take fields from other managers.
        force: bool,
        /// Ask only, store nothing.
        dry_run: bool,
    },
    /// Make an object that is not there (`POST`); where something is, the answer is a conflict.
    Create {
        /// What to send, as it is.
        document: Object,
        /// Field manager.
        manager: String,
        /// Ask only, store nothing.
        dry_run: bool,
    },
    /// Replace an object as a whole (`PUT`).
    Update {
        /// What to send. What it lacks goes.
        document: Object,
        /// Field manager.
        manager: String,
        /// Only if the object has this UID.
        uid: Option<Uid>,
        /// Only if the object is at this version. Without one, some kinds are overwritten whatever they became.
        version: Option<ResourceVersion>,
        /// Ask only, store nothing.
        dry_run: bool,
    },
    /// Change parts of an object.
    Patch {
        /// Which.
        key: ObjectKey,
        /// At which version of the API.
        gvk: Gvk,
        /// How.
        patch: Patch,
        /// Field manager.
        manager: String,
        /// Only if the object has this UID.
        uid: Option<Uid>,
        /// Only if the object is at this version.
        version: Option<ResourceVersion>,
        /// Ask only, store nothing.
        dry_run: bool,
    },
    /// Delete. It cannot be said without a UID.
    Delete {
        /// Which.
        key: ObjectKey,
        /// At which version of the API.
        gvk: Gvk,
        /// Only if it has this UID.
        uid: Uid,
        /// Only if it is at this version.
        version: Option<ResourceVersion>,
        /// What happens to its dependents.
        propagation: Propagation,
    },
}

impl Request {
    /// The object it is about.
    pub fn key(&self) -> &ObjectKey {
        match self {
            Self::Get { key, .. } | Self::Patch { key, .. } | Self::Delete { key, .. } => key,
            Self::Apply { document, .. } | Self::Create { document, .. } | Self::Update { document, .. } => {
                document.key()
            }
        }
    }

    /// True when it may change something in the cluster.
    pub fn is_write(&self) -> bool {
        match self {
            Self::Get { .. } => false,
            Self::Apply { dry_run, .. }
            | Self::Create { dry_run, .. }
            | Self::Update { dry_run, .. }
            | Self::Patch { dry_run, .. } => !dry_run,
            Self::Delete { .. } => true,
        }
    }

    /// True when the server is only asked what it would make of it.
    pub fn is_dry_run(&self) -> bool {
        !self.is_write() && !matches!(self, Self::Get { .. })
    }
}

/// A change of parts of an object. `Debug` shows no content.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Patch {
    /// Operations, tests among them (RFC 6902).
    Json(json_patch::Patch),
    /// What differs; null removes (RFC 7386).
    Merge(Value),
}

impl fmt::Debug for Patch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Json(operations) => write!(f, "Json({} operations)", operations.len()),
            Self::Merge(_) => f.write_str("Merge"),
        }
    }
}

/// What a delete does to dependents.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Propagation {
    /// The object goes at once, its dependents after it.
    #[default]
    Background,
    /// The dependents go first, the object stays until they are gone.
    Foreground,
}

impl Propagation {
    /// As the API spells it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Background => "Background",
            Self::Foreground => "Foreground",
        }
    }
}

/// A request and what came back.
#[derive(Clone, Debug)]
pub struct Exchange {
    /// What was asked.
    pub request: Request,
    /// What was answered.
    pub answer: Answer,
}
