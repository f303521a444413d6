//! Whether an object is healthy: whether what it asks for has come about.
//!
//! [`Health`] is the question, [`BuiltinHealth`] the usual answer: the rules of kstatus (sigs.k8s.io/cli-utils), which
//! kpt, Flux and others go by, and whose words are used here. It looks at the object alone:
//!
//! 1. Being deleted, it is [`Terminating`](HealthState::Terminating).
//! 2. A status that was written for an older generation says nothing: [`InProgress`](HealthState::InProgress).
//! 3. Of the conditions, `Reconciling` means in progress and `Stalled` failed, whatever the kind.
//! 4. Then the built-in kinds by their status, see [`BuiltinHealth`]; others by their condition `Ready`.
//! 5. What says nothing of itself is [`Current`](HealthState::Current).
//!
//! Where it differs from kstatus:
//!
//! - A Job is in progress until it is complete, not only until it has started: who waits for a Job waits for its work.
//!   Suspended, it is as it asks to be.
//! - A pod that cannot be scheduled stays in progress. There it fails after 15 seconds: that takes a clock, and nodes
//!   may be on their way. How long something may take is for the one who waits to say.
//! - A pod that failed has failed; there it has merely completed. So has one whose containers crash again and again
//!   before it runs.
//! - A claim that lost its volume has failed. APIServices are judged by their condition `Available`,
//!   ReplicationControllers as ReplicaSets are. Of a DaemonSet that is updated by hand, pods of the old kind are fine.
//!
//! [`HealthRules`] are rules of the user's own, over these. Reasons name fields, counts and the reason words of conditions. They never quote messages of conditions.

mod builtin;
mod pods;
mod rules;
mod sight;
mod workloads;

use std::fmt;

use fleet_diff::Object;

pub use builtin::BuiltinHealth;
pub use rules::{HealthRule, HealthRuleError, HealthRules};

use crate::words::Reason;

/// How an object stands, in the words of kstatus.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum HealthState {
    /// What it asks for has come about.
    Current,
    /// It is on its way.
    InProgress(Reason),
    /// Something went wrong, and will not come right by itself, or not soon.
    Failed(Reason),
    /// It is being deleted.
    Terminating,
    /// It is not there.
    NotFound,
    /// It cannot be told.
    Unknown(Reason),
}

impl HealthState {
    /// Only what is current is healthy.
    pub fn is_healthy(&self) -> bool {
        *self == Self::Current
    }

    /// The state in kstatus' word: `Current`, `InProgress`, `Failed`, `Terminating`, `NotFound`, `Unknown`.
    pub fn word(&self) -> &'static str {
        match self {
            Self::Current => "Current",
            Self::InProgress(_) => "InProgress",
            Self::Failed(_) => "Failed",
            Self::Terminating => "Terminating",
            Self::NotFound => "NotFound",
            Self::Unknown(_) => "Unknown",
        }
    }

    /// Why, where there is more to say than the word.
    pub fn reason(&self) -> Option<&Reason> {
        match self {
            Self::InProgress(reason) | Self::Failed(reason) | Self::Unknown(reason) => Some(reason),
            Self::Current | Self::Terminating | Self::NotFound => None,
        }
    }
}

impl fmt::Display for HealthState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())?;
        self.reason().map_or(Ok(()), |reason| write!(f, ": {reason}"))
    }
}

/// Says whether an object is healthy. Pure: the same object has the same health.
///
/// ```
/// use fleet_core::health::{BuiltinHealth, Health};
///
/// let claim = r#"{
///     "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"namespace": "shop", "name": "data"},
///     "status": {"phase": "Pending"}
/// }"#.parse()?;
/// assert_eq!(BuiltinHealth.of(Some(&claim)).to_string(), "InProgress: its phase is Pending, not yet Bound");
/// assert_eq!(BuiltinHealth.of(None).word(), "NotFound");
/// # Ok::<(), fleet_core::ObjectError>(())
/// ```
pub trait Health: Send + Sync + 'static {
    /// The health of an object as the cluster holds it, status included.
    fn health(&self, object: &Object) -> HealthState;

    /// The same, also of what is not there.
    fn of(&self, object: Option<&Object>) -> HealthState {
        object.map_or(HealthState::NotFound, |object| self.health(object))
    }
}
