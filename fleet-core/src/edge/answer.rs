//! What comes back of a request: an answer, and of a failure what can be done about it.

use std::{error::Error, fmt, sync::Arc};

use serde::Serialize;

use crate::words::{Live, Millis};

/// What came back. An unknown outcome is an answer of its own, so it cannot be mistaken for a refusal.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Answer {
    /// The object existed; as it is (or would be) now.
    Object(Live),
    /// The object did not exist and was (or would be) created.
    Created(Live),
    /// A delete was accepted and the object is already gone.
    Deleted,
    /// There is no such object.
    Absent,
    /// The server said no: nothing was changed.
    Refused(Fault),
    /// The request did not leave, or the server took nothing: nothing was changed.
    NotSent(Fault),
    /// Sent, and no answer came: it may or may not have been done.
    Lost(Fault),
}

/// What the caller can do about a failure.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Remedy {
    /// Try again later.
    Retry,
    /// Read again and judge again: somebody else changed it, or a field belongs to somebody else.
    Conflict,
    /// Get other credentials or permissions.
    Forbidden,
    /// Change the definition: the server will not take it as it is.
    Invalid,
    /// Read the discovery again: the kind is not served there.
    KindUnknown,
    /// Wait for the cluster or the network.
    Unreachable,
    /// A policy of the cluster or of the fleet said no.
    Policy,
    /// Report it to us.
    Bug,
}

impl fmt::Display for Remedy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Retry => "try again later",
            Self::Conflict => "conflict",
            Self::Forbidden => "not permitted",
            Self::Invalid => "invalid",
            Self::KindUnknown => "kind not served",
            Self::Unreachable => "unreachable",
            Self::Policy => "refused by policy",
            Self::Bug => "internal error",
        })
    }
}

/// A field another manager holds, as an unforced apply reports it.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize)]
#[non_exhaustive]
pub struct FieldConflict {
    /// The manager's name.
    pub manager: String,
    /// The field, as the server writes it.
    pub path: String,
}

impl FieldConflict {
    /// From manager and path.
    pub fn new(manager: impl Into<String>, path: impl Into<String>) -> Self {
        Self {
            manager: manager.into(),
            path: path.into(),
        }
    }
}

/// A failure at the edge: what happened, and what the caller can do. Messages hold no Secret values.
#[derive(Clone)]
#[non_exhaustive]
pub struct Fault {
    /// What the caller can do.
    pub remedy: Remedy,
    /// The server's words, or the transport's.
    pub message: Arc<str>,
    /// HTTP status code, if there was one.
    pub code: Option<u16>,
    /// Earliest moment to try again, counted from the answer, if the server said so.
    pub retry_after: Option<Millis>,
    /// Fields others hold, on a conflict of an apply.
    pub conflicts: Vec<FieldConflict>,
    /// The error behind it.
    pub source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Fault {
    /// With a message.
    pub fn new(remedy: Remedy, message: impl Into<Arc<str>>) -> Self {
        Self {
            remedy,
            message: message.into(),
            code: None,
            retry_after: None,
            conflicts: Vec::new(),
            source: None,
        }
    }

    /// With the HTTP status code.
    #[must_use]
    pub fn code(mut self, code: u16) -> Self {
        self.code = Some(code);
        self
    }

    /// With the server's Retry-After.
    #[must_use]
    pub fn retry_after(mut self, span: Option<Millis>) -> Self {
        self.retry_after = span;
        self
    }

    /// With the fields others hold.
    #[must_use]
    pub fn conflicts(mut self, conflicts: Vec<FieldConflict>) -> Self {
        self.conflicts = conflicts;
        self
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            Some(code) => write!(f, "{} ({code}): {}", self.remedy, self.message),
            None => write!(f, "{}: {}", self.remedy, self.message),
        }
    }
}

impl fmt::Debug for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl Error for Fault {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.source.as_deref().map(|e| e as _)
    }
}
