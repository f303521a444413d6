//! One verdict for every field.

use std::fmt;

use serde::Serialize;
use serde_json::Value;

use crate::{FieldManager, FieldPath};

/// What is to be said of one field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Verdict {
    /// As it is defined.
    Same,
    /// Not defined; the server's default.
    Default,
    /// Defined in another form of the same value, such as `1000m` for `1`.
    Normalised,
    /// Not defined; the server or its controllers keep it: status, counters, identity.
    SetByServer,
    /// Not defined; the server chose it when the object was made.
    ChosenByServer,
    /// Not defined; another manager owns it.
    Foreign,
    /// Not defined, no default, and nobody owns it.
    ForeignUnknownWriter,
    /// A rule says that a difference does not count.
    Ignored,
    /// It differs, and would be written.
    OursToChange,
    /// We wrote it and no longer define it: it would go, or fall back to its default.
    OursToRemove,
    /// A rule keeps the value that is there.
    KeptWriteOnce,
    /// It differs, and no server lets it change.
    Immutable,
    /// It may only grow.
    GrowOnly,
    /// It differs, and another manager owns it.
    Conflict,
    /// Two writers keep rewriting it.
    Contested,
    /// It cannot be said without asking the server.
    Unsure,
}

/// The verdict on one field.
///
/// `Debug` shows no values; `Serialize` does.
#[derive(Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct FieldVerdict {
    /// The field.
    pub path: FieldPath,
    /// What is to be said of it.
    pub verdict: Verdict,
    /// The id of the rule that decided it.
    pub rule: Option<String>,
    /// The live value.
    pub before: Option<Value>,
    /// The value after the apply, where it differs.
    pub after: Option<Value>,
    /// Who owns it in the live object.
    pub managers: Vec<FieldManager>,
}

impl fmt::Debug for FieldVerdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.path, self.verdict)?;
        match &self.rule {
            Some(rule) => write!(f, " ({rule})"),
            None => Ok(()),
        }
    }
}

impl Verdict {
    /// True when the field would change.
    pub fn is_change(self) -> bool {
        matches!(self, Self::OursToChange | Self::OursToRemove)
    }

    /// The words of it, as in outputs for programs.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Same => "same",
            Self::Default => "default",
            Self::Normalised => "normalised",
            Self::SetByServer => "set-by-server",
            Self::ChosenByServer => "chosen-by-server",
            Self::Foreign => "foreign",
            Self::ForeignUnknownWriter => "foreign-unknown-writer",
            Self::Ignored => "ignored",
            Self::OursToChange => "ours-to-change",
            Self::OursToRemove => "ours-to-remove",
            Self::KeptWriteOnce => "kept-write-once",
            Self::Immutable => "immutable",
            Self::GrowOnly => "grow-only",
            Self::Conflict => "conflict",
            Self::Contested => "contested",
            Self::Unsure => "unsure",
        }
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
