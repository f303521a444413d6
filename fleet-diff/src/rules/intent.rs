//! What may be intended for a field.

use std::{fmt, sync::Arc};

use serde::{Deserialize, Serialize};

/// What is intended for a field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Intent {
    /// It is ours: the definition's value is written, whoever owns the field. This is what happens without a rule.
    Ours,
    /// It is never written, not even when the object is created.
    NeverTouch,
    /// It is written when the object is created, and never again.
    WriteOnce,
    /// It is written where the object has no value, and kept where it has one.
    KeepLive,
    /// A difference does not count; the live value stays.
    Ignore,
    /// Another manager may own it.
    OwnedBy {
        /// The manager, `*` in it stands for any text.
        manager: Arc<str>,
        /// What happens while that manager owns it.
        then: Sharing,
    },
    /// What others add inside it is removed.
    RemoveForeign,
}

/// What happens to our value while another manager owns the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Sharing {
    /// We own it too, with their value.
    Share,
    /// It is theirs alone.
    #[default]
    GiveUp,
    /// It is ours again.
    Force,
}

impl fmt::Display for Intent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Ours => f.write_str("ours"),
            Self::NeverTouch => f.write_str("never touched"),
            Self::WriteOnce => f.write_str("written once"),
            Self::KeepLive => f.write_str("kept where it is set"),
            Self::Ignore => f.write_str("ignored"),
            Self::OwnedBy { manager, .. } => write!(f, "left to {manager}"),
            Self::RemoveForeign => f.write_str("cleared of what others add"),
        }
    }
}
