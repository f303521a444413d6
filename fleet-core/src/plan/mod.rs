//! Plans: what would be done to each object, and why.

mod change;

use serde::Serialize;

pub use change::{Action, Change};

use crate::words::{Reason, Revision, Target};

/// What would be done in one target, object by object.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Plan {
    /// The target.
    pub target: Target,
    /// Revision of the inventory it is made from.
    pub revision: Option<Revision>,
    /// Why there is nothing to plan from.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub unknown: Option<Reason>,
    /// Listed objects that need no change.
    pub in_sync: usize,
    /// Changes, in the order of keys.
    pub changes: Vec<Change>,
    /// Why deletes would be stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub held: Option<Reason>,
    /// What confirms them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub token: Option<String>,
}

impl Plan {
    /// Changes of one kind.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|c| c.action == action).count()
    }

    /// True when nothing would be done and nothing is in the way.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.unknown.is_none()
    }
}
