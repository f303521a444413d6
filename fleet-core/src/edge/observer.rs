//! Everything that happened, with its reason.

use fleet_diff::{FieldChange, ObjectKey};
use serde::Serialize;

use crate::{
    plan::Action,
    words::{Cluster, Reason, Revision},
};

/// Something that happened in one target. Field values of Secrets are already masked.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "note", rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Note {
    /// The inventory's answer changed to this revision.
    Revision {
        /// The revision.
        revision: Revision,
        /// How many objects it lists.
        objects: usize,
    },
    /// The inventory's answer is unknown; nothing changes.
    InventoryUnknown {
        /// Why.
        reason: Reason,
    },
    /// A change was carried out.
    Done {
        /// The object.
        key: ObjectKey,
        /// What was done.
        action: Action,
        /// The fields it changed.
        fields: Vec<FieldChange>,
        /// Why.
        reason: Reason,
    },
    /// The server refused a change; tried again within limits.
    Refused {
        /// The object.
        key: ObjectKey,
        /// The server's words.
        reason: Reason,
    },
    /// Something is not done, on purpose.
    Blocked {
        /// The object.
        key: ObjectKey,
        /// Why.
        reason: Reason,
    },
    /// The ledger lets go of an object that stays in the cluster, or is gone.
    Released {
        /// The object.
        key: ObjectKey,
        /// Why.
        reason: Reason,
    },
    /// Deletes are stopped by a budget or wait for a permission.
    DeletesHeld {
        /// How many.
        count: usize,
        /// Why, and what would let them go.
        reason: Reason,
    },
    /// Contact with the cluster changed, or something about it as a whole.
    Contact {
        /// True when it answers.
        online: bool,
        /// What was seen.
        reason: Reason,
    },
    /// Everything that can be done is done.
    Converged {
        /// At which revision.
        revision: Option<Revision>,
        /// Objects blocked or refused.
        held: usize,
    },
    /// A remark about the target as a whole.
    Remark {
        /// What.
        reason: Reason,
    },
}

/// Hears everything that happened, in order per target. Must not block.
pub trait Observer: Send + Sync + 'static {
    /// Something happened in this cluster.
    fn note(&self, cluster: &Cluster, note: &Note);
}

impl<F: Fn(&Cluster, &Note) + Send + Sync + 'static> Observer for F {
    fn note(&self, cluster: &Cluster, note: &Note) {
        self(cluster, note);
    }
}

/// Hears and forgets.
#[derive(Clone, Copy, Debug, Default)]
pub struct Silent;

impl Observer for Silent {
    fn note(&self, _: &Cluster, _: &Note) {}
}
