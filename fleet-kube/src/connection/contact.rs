//! What a connection has seen of its cluster.

use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};

use fleet_core::Fault;
use tokio::time::Instant;

/// A kind of request, for counting.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Verb {
    /// One object read.
    Get,
    /// One page of a list.
    List,
    /// A watch opened.
    Watch,
    /// An apply that may change something.
    Apply,
    /// An object made by `POST`.
    Create,
    /// A whole object written.
    Update,
    /// A JSON patch or a merge patch.
    Patch,
    /// A dry run.
    DryRun,
    /// A delete.
    Delete,
    /// Discovery and version.
    Discovery,
    /// Anything else, such as the ledger's own writes.
    Other,
}

impl Verb {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Get,
        Self::List,
        Self::Watch,
        Self::Apply,
        Self::Create,
        Self::Update,
        Self::Patch,
        Self::DryRun,
        Self::Delete,
        Self::Discovery,
        Self::Other,
    ];
}

/// How contact with a cluster stands: a copy, taken at one moment.
///
/// Contact is lost by silence, refused connections, refused credentials (401) and errors of a gateway before the API
/// server; any answer of the server itself, a refusal included, proves that the cluster is there.
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Contact {
    /// The last answer.
    pub last_success: Option<Instant>,
    /// The first failure since the last answer; none while contact is good.
    pub failing_since: Option<Instant>,
    /// Failures since the last answer.
    pub failures: u64,
    /// The last failure, also after contact is back.
    pub last_fault: Option<Fault>,
    /// Tries beyond the first.
    pub retries: u64,
    requests: [u64; Verb::ALL.len()],
    recovered: Option<Instant>,
    interruptions: u64,
}

impl Contact {
    /// True when the last thing heard was an answer.
    pub fn is_good(&self) -> bool {
        self.failing_since.is_none() && self.last_success.is_some()
    }

    /// Requests sent of this kind, tries counted one by one.
    pub fn requests(&self, verb: Verb) -> u64 {
        self.requests[verb as usize]
    }

    /// Requests about objects: everything but watches, discovery and versions.
    pub fn object_requests(&self) -> u64 {
        self.requests_total() - self.requests(Verb::Watch) - self.requests(Verb::Discovery)
    }

    /// All requests sent.
    pub fn requests_total(&self) -> u64 {
        self.requests.iter().sum()
    }
}

/// The shared record behind [`Contact`].
#[derive(Debug, Default)]
pub(crate) struct ContactRecord(Mutex<Contact>);

impl ContactRecord {
    pub(crate) fn copy(&self) -> Contact {
        self.with(|contact| contact.clone())
    }

    pub(crate) fn sent(&self, verb: Verb) {
        self.with(|contact| contact.requests[verb as usize] += 1);
    }

    pub(crate) fn retried(&self) {
        self.with(|contact| contact.retries += 1);
    }

    pub(crate) fn answered(&self) {
        self.with(|contact| {
            contact.last_success = Some(Instant::now());
            if contact.failing_since.take().is_some() {
                contact.recovered = contact.last_success;
            }
            contact.failures = 0;
        });
    }

    /// True when contact came back less than `grace` ago.
    pub(crate) fn has_just_recovered(&self, grace: Duration) -> bool {
        self.with(|contact| contact.recovered.is_some_and(|at| at.elapsed() < grace))
    }

    /// Something was cut off: who answers from now on may be another one.
    pub(crate) fn interrupted(&self) {
        self.with(|contact| contact.interruptions += 1);
    }

    pub(crate) fn interruptions(&self) -> u64 {
        self.with(|contact| contact.interruptions)
    }

    pub(crate) fn failed(&self, fault: &Fault) {
        self.with(|contact| {
            contact.interruptions += 1;
            contact.failing_since.get_or_insert_with(Instant::now);
            contact.failures += 1;
            contact.last_fault = Some(fault.clone());
        });
    }

    fn with<T>(&self, action: impl FnOnce(&mut Contact) -> T) -> T {
        action(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
