//! No change goes everywhere at once.

use std::time::Duration;

use super::member::Member;

/// How a changed revision reaches the clusters of a fleet.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Wave {
    /// To one cluster first; to the rest once that one has converged and nothing was refused or blocked there.
    FirstThenRest {
        /// The first one; none: the first by name that answers.
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
    /// The member that goes first, if one does.
    pub(super) fn choose(&self, members: &[Member]) -> Option<usize> {
        let Self::FirstThenRest { first, .. } = self else {
            return None;
        };
        let named = first
            .as_ref()
            .and_then(|name| members.iter().position(|m| m.cluster.name == *name));
        named.or_else(|| {
            (0..members.len()).min_by(|a, b| members[*a].cluster.name.cmp(&members[*b].cluster.name))
        })
    }

    pub(super) fn first_max(&self) -> Duration {
        match self {
            Self::FirstThenRest { first_max, .. } => *first_max,
            Self::All => Duration::MAX,
        }
    }
}
