//! What is known of the record, and what is to be written to it.

mod reading;
mod recording;

use std::collections::BTreeMap;

use fleet_diff::ObjectKey;

use super::{CallId, deletes::Grant};
use crate::{
    ledger::{Entry, Spent},
    words::{Reason, Tick, Uid},
};

/// What is known of the ledger, and what is to be written to it.
#[derive(Default)]
pub(super) struct LedgerState {
    reading: Reading,
    /// Deletes of the rolling window, as recorded.
    pub(super) window: Vec<Spent>,
    /// Changes not recorded yet; `None` removes.
    pending: BTreeMap<ObjectKey, Option<Entry>>,
    pending_window: Option<Vec<Spent>>,
    /// The grants of the intents that are not recorded yet.
    pub(super) grants: Vec<Grant>,
    /// Objects whose next step waits for their pending change.
    urgent: bool,
    /// Since when something is pending.
    since: Option<Tick>,
    /// When that is recorded, if it is not at once.
    flush_at: Option<Tick>,
    in_flight: Option<InFlight>,
    failed_reads: u32,
    failed_writes: u32,
}

struct InFlight {
    call: CallId,
    changes: BTreeMap<ObjectKey, Option<Entry>>,
    window: Option<Vec<Spent>>,
    /// The grants that its intents have.
    grants: Vec<Grant>,
}

#[derive(Default)]
enum Reading {
    #[default]
    Wanted,
    Asked,
    RetryAt(Tick),
    /// None was found: whether there ever was one is being found out.
    Sweeping,
    SweepAt(Tick),
    Ready,
    /// It cannot be believed, and what bears our mark is being searched.
    LostSweeping(Reason),
    Lost(Lost),
    /// It is being built anew, as a person confirmed.
    Rebuilding(Reason),
}

/// A ledger that cannot be believed, and what would be rebuilt.
struct Lost {
    reason: Reason,
    /// What bears our mark; none when not every kind could be searched.
    found: Option<BTreeMap<ObjectKey, Uid>>,
    /// What confirms that it is built anew from these.
    token: Option<String>,
    search_again: Option<Tick>,
}

impl LedgerState {
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.reading, Reading::Ready)
    }

    pub(super) fn lost(&self) -> Option<&Reason> {
        match &self.reading {
            Reading::Lost(Lost { reason, .. })
            | Reading::LostSweeping(reason)
            | Reading::Rebuilding(reason) => Some(reason),
            _ => None,
        }
    }

    /// What a lost ledger would be rebuilt from, and the token that confirms it.
    pub(super) fn rebuildable(&self) -> Option<(&BTreeMap<ObjectKey, Uid>, &str)> {
        match &self.reading {
            Reading::Lost(lost) => lost.found.as_ref().zip(lost.token.as_deref()),
            _ => None,
        }
    }

    /// The window that will be there once everything is recorded.
    pub(super) fn intended_window(&self) -> &[Spent] {
        let in_flight = self.in_flight.as_ref().and_then(|f| f.window.as_ref());
        self.pending_window.as_ref().or(in_flight).unwrap_or(&self.window)
    }

    /// Somebody may have repaired it.
    pub(super) fn reread_if_lost(&mut self) {
        if matches!(self.reading, Reading::Lost(_)) {
            self.reading = Reading::Wanted;
        }
    }

    /// Nothing is to be written and nothing is being written.
    pub(super) fn is_quiet(&self) -> bool {
        self.pending.is_empty() && self.pending_window.is_none() && self.in_flight.is_none()
    }

    /// A change of this entry is not recorded yet.
    pub(super) fn is_pending(&self, key: &ObjectKey) -> bool {
        self.pending.contains_key(key)
            || self
                .in_flight
                .as_ref()
                .is_some_and(|f| f.changes.contains_key(key))
    }

    pub(super) fn due(&self) -> Option<Tick> {
        match self.reading {
            Reading::RetryAt(at) | Reading::SweepAt(at) => Some(at),
            Reading::Lost(ref lost) => lost.search_again,
            _ => self.flush_at,
        }
    }

    /// The entry that will be there once everything is recorded.
    pub(super) fn intended<'a>(&'a self, key: &ObjectKey, durable: Option<&'a Entry>) -> Option<&'a Entry> {
        let in_flight = || self.in_flight.as_ref().and_then(|f| f.changes.get(key));
        match self.pending.get(key).or_else(in_flight) {
            Some(change) => change.as_ref(),
            None => durable,
        }
    }
}
