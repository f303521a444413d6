//! No change goes everywhere at once.

use std::time::Duration;

use fleet_core::Millis;

/// How a changed revision reaches the clusters of a fleet.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Wave {
    /// To one cluster first; to the rest once that one has converged and nothing was refused or blocked there.
    FirstThenRest {
        /// The first one; none, and when it does not answer: the first by name that answers.
        first: Option<String>,
        /// How long it may take.
        first_max: Duration,
    },
    /// To all at once.
    All,
}

impl Default for Wave {
    fn default() -> Self {
        Self::FirstThenRest {
            first: None,
            first_max: Duration::from_secs(300),
        }
    }
}

impl Wave {
    pub(super) fn first_max(&self) -> Millis {
        match self {
            Self::FirstThenRest { first_max, .. } => {
                Millis(u64::try_from(first_max.as_millis()).unwrap_or(u64::MAX))
            }
            Self::All => Millis(u64::MAX),
        }
    }
}
