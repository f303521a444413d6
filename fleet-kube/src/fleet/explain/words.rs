//! What an explanation is made of.

use std::collections::BTreeMap;

use fleet_core::{
    Action, EntryState, InventoryId, ObjectKey, Reason, Uid,
    fleet_diff::{FieldManager, Report},
};
use serde::Serialize;

/// Which object is asked about, as people name it.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Named {
    /// Its kind: `Deployment`, `deployments` or `deployment.apps`, in any case of letters.
    pub kind: String,
    /// Its name.
    pub name: String,
    /// Its namespace; without this, the inventory's default namespace. Does not count for kinds without namespaces.
    pub namespace: Option<String>,
}

impl Named {
    /// An object in the inventory's default namespace, or in none.
    pub fn new(kind: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            kind: kind.into(),
            name: name.into(),
            namespace: None,
        }
    }

    /// In this namespace.
    #[must_use]
    pub fn namespace(mut self, namespace: impl Into<String>) -> Self {
        self.namespace = Some(namespace.into());
        self
    }
}

/// Why an object of one cluster is as it is.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Explanation {
    /// The cluster's name.
    pub cluster: String,
    /// The object; none when the cluster was not reached, or does not know the kind.
    pub object: Option<ObjectKey>,
    /// Why nothing, or not everything, can be said. Code `not-found`: it is nowhere. Code `no-such-kind` and
    /// `ambiguous-kind`: the kind's name means none, or several.
    pub failure: Option<Reason>,
    /// Whether the inventory lists it.
    pub listed: bool,
    /// When it was created, as the server wrote it; none when it is not in the cluster.
    pub created: Option<String>,
    /// What the ledger says of it; none when it has no entry.
    pub record: Option<Record>,
    /// The inventory that the object's own mark names, if the mark is this object's and this cluster's.
    pub marked_by: Option<String>,
    /// Our manager, with the time of the last write that changed anything.
    pub last_write: Option<FieldManager>,
    /// All managers that own a field.
    pub managers: Vec<FieldManager>,
    /// How it stands; none when that could not be found out.
    pub standing: Option<Standing>,
    /// Fields left to another writer who rewrites them again and again, with that writer.
    pub contested: BTreeMap<String, String>,
    /// What applying the definition would do, field by field. For an object that is not listed its action means
    /// nothing, and its fields say whose they are. None when it is absent, or its fields cannot be told.
    pub report: Option<Report>,
}

/// What a ledger says of one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Record {
    /// The inventory whose ledger it is.
    pub inventory: InventoryId,
    /// `writing` (recorded before its first write), `owned` or `deleting`.
    pub state: &'static str,
    /// Its UID, once known.
    pub uid: Option<Uid>,
    /// The API version it was last written at.
    pub version: String,
}

impl Record {
    pub(super) fn new(inventory: InventoryId, entry: &fleet_core::Entry) -> Self {
        let state = match entry.state {
            EntryState::Writing => "writing",
            EntryState::Deleting => "deleting",
            _ => "owned",
        };
        Self {
            inventory,
            state,
            uid: entry.uid.clone(),
            version: entry.version.clone(),
        }
    }
}

/// How an object stands with the reconciler.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "state", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Standing {
    /// As its definition says, or finished by itself.
    InSync,
    /// This would be done.
    Planned {
        /// What.
        action: Action,
        /// Why.
        reason: Reason,
    },
    /// Something else must come first.
    Waiting {
        /// What.
        reason: Reason,
    },
    /// Not done, on purpose.
    Blocked {
        /// Why.
        reason: Reason,
    },
    /// The server said no.
    Refused {
        /// The server's words.
        reason: Reason,
    },
    /// It is being deleted.
    Deleting {
        /// What it waits for.
        reason: Reason,
    },
    /// Neither listed nor owned: nothing is ever done with it.
    NotOurs,
}

impl Explanation {
    pub(super) fn new(cluster: &str) -> Self {
        Self {
            cluster: cluster.to_owned(),
            object: None,
            failure: None,
            listed: false,
            created: None,
            record: None,
            marked_by: None,
            last_write: None,
            managers: Vec::new(),
            standing: None,
            contested: BTreeMap::new(),
            report: None,
        }
    }

    /// Whether the object is in the cluster.
    pub fn is_present(&self) -> bool {
        self.created.is_some()
    }
}
