//! One HTTP exchange, before anybody knows what it is about.

use bytes::Bytes;
use fleet_core::{Fault, Millis};
use http::Method;

use super::Verb;

/// A request that may be sent several times.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) verb: Verb,
    pub(crate) method: Method,
    /// Path and query.
    pub(crate) target: String,
    pub(crate) accept: &'static str,
    pub(crate) content_type: Option<&'static str>,
    pub(crate) body: Bytes,
    /// True when it may change something in the cluster.
    pub(crate) write: bool,
}

impl Call {
    /// A read.
    pub(crate) fn get(verb: Verb, target: impl Into<String>) -> Self {
        Self {
            verb,
            method: Method::GET,
            target: target.into(),
            accept: JSON,
            content_type: None,
            body: Bytes::new(),
            write: false,
        }
    }

    /// With another `Accept` header.
    pub(crate) fn accept(mut self, accept: &'static str) -> Self {
        self.accept = accept;
        self
    }
}

/// The media type of everything but applies.
pub(crate) const JSON: &str = "application/json";

/// A complete answer, whatever it says.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) retry_after: Option<Millis>,
    pub(crate) body: Bytes,
}

impl Reply {
    pub(crate) fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

/// Why there is no complete answer.
#[derive(Clone, Debug)]
pub(crate) enum Broken {
    /// The server certainly took nothing.
    NotSent(Fault),
    /// It may have.
    Lost(Fault),
}

impl Broken {
    pub(crate) fn fault(self) -> Fault {
        match self {
            Self::NotSent(fault) | Self::Lost(fault) => fault,
        }
    }
}
