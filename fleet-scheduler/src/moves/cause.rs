//! Why replicas move.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Why replicas move.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Cause {
    /// Their cluster is lost.
    Lost,
    /// Their cluster is not in the fleet any more.
    Left,
    /// Their cluster is drained.
    Drain,
    /// They may not be there any more: a filter says so.
    Constraint,
    /// Their cluster is replaced by another.
    Replace,
    /// They are better off elsewhere.
    Better,
    /// They make room for others that have no place.
    Room,
    /// They give way to what has a higher priority.
    Preempted,
    /// It is not known any more: the log of moves goes back only so far.
    Unknown,
}

impl Cause {
    /// As it is written in files: `lost`, `preempted`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Lost => "lost",
            Self::Left => "left",
            Self::Drain => "drain",
            Self::Constraint => "constraint",
            Self::Replace => "replace",
            Self::Better => "better",
            Self::Room => "room",
            Self::Preempted => "preempted",
            Self::Unknown => "unknown",
        }
    }

    /// Whether the replicas cannot be asked: their cluster is lost, or has left.
    pub fn is_loss(self) -> bool {
        matches!(self, Self::Lost | Self::Left)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}
