//! Keeping the record: written ahead, in batches.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;

use super::{Grant, InFlight, Reading};
use crate::{
    edge::{Fault, Note, Remedy},
    engine::{CallId, Command, Engine, calls::Call, kinds::ListingStage, slot::Stage},
    ledger::{Entry, EntryState, LedgerWrite, Spent},
    words::{Reason, Tick},
};

impl Engine {
    /// Records a change before the object's next step.
    pub(in crate::engine) fn record_ahead(&mut self, key: &ObjectKey, entry: Entry, now: Tick) {
        self.ledger.urgent = true;
        self.record_later(key, Some(entry), now);
    }

    /// Records a change when there is time; losing it costs a look, nothing else.
    pub(in crate::engine) fn record_later(&mut self, key: &ObjectKey, change: Option<Entry>, now: Tick) {
        self.ledger.pending.insert(key.clone(), change);
        self.ledger.since.get_or_insert(now);
        self.converged = false;
    }

    pub(in crate::engine) fn record_window(&mut self, window: Vec<Spent>) {
        self.ledger.pending_window = Some(window);
        self.ledger.urgent = true;
    }

    /// Sends what is to be recorded: at once if a step waits for it, otherwise when the pass has nothing else to do.
    pub(in crate::engine) fn flush_ledger(&mut self, now: Tick, out: &mut Vec<Command>) {
        self.ledger.flush_at = None;
        if self.ledger.in_flight.is_some() || !self.ledger.is_ready() {
            return;
        }
        if !self.may_write() {
            return self.flush_what_began(out);
        }
        let Some(since) = self
            .ledger
            .since
            .or(self.ledger.pending_window.as_ref().map(|_| now))
        else {
            return;
        };
        let limits = &self.options.limits;
        // Between two classes of a pass there is a moment without anything to do, and it is not over.
        let gated = self.gated.values().any(|gated| !gated.is_empty());
        let idle = self.in_flight == 0 && self.dirty.is_empty() && self.starved.is_empty() && !gated;
        // Kinds are listed one after the other: what they bring is recorded in one go.
        let gathering = self
            .listings
            .values()
            .any(|listing| listing.stage == ListingStage::Pending);
        let flush_at = match (self.ledger.urgent, gathering) {
            (true, false) => now,
            (true, true) => since + limits.ledger_gather_max,
            (false, _) if idle => now,
            (false, _) => since + limits.ledger_lag_max,
        };
        if now < flush_at {
            self.ledger.flush_at = Some(flush_at);
            return;
        }
        let changes = std::mem::take(&mut self.ledger.pending);
        let window = self.ledger.pending_window.take();
        self.ledger.urgent = false;
        self.ledger.since = None;
        let grants = std::mem::take(&mut self.ledger.grants);
        self.send_record(changes, window, grants, out);
    }

    /// On hold only steps of what is being made again are recorded: the next one waits for that.
    fn flush_what_began(&mut self, out: &mut Vec<Command>) {
        if !self.may_end_what_began() {
            return;
        }
        let is_step = |change: &Option<Entry>| change.as_ref().is_some_and(|entry| entry.note.is_some());
        let pending = self.ledger.pending.iter();
        let steps: Vec<ObjectKey> = pending
            .filter(|(_, change)| is_step(change))
            .map(|(key, _)| key.clone())
            .collect();
        if steps.is_empty() {
            return;
        }
        let steps = steps.into_iter();
        let changes = steps
            .filter_map(|key| self.ledger.pending.remove_entry(&key))
            .collect();
        self.send_record(changes, None, Vec::new(), out);
    }

    fn send_record(
        &mut self,
        changes: BTreeMap<ObjectKey, Option<Entry>>,
        window: Option<Vec<Spent>>,
        grants: Vec<Grant>,
        out: &mut Vec<Command>,
    ) {
        let mut writes: Vec<LedgerWrite> = changes
            .iter()
            .map(|(key, change)| match change {
                Some(entry) => LedgerWrite::Put(entry.clone()),
                None => LedgerWrite::Remove(key.clone()),
            })
            .collect();
        writes.extend(window.clone().map(LedgerWrite::Window));
        let call = self.new_call(Call::Record);
        self.ledger.in_flight = Some(InFlight {
            call,
            changes,
            window,
            grants,
        });
        out.push(Command::Record { call, writes });
    }

    pub(in crate::engine) fn take_recorded(
        &mut self,
        call: CallId,
        result: Result<(), Fault>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        match self.end_call(call) {
            Some(Call::Record) => {}
            Some(Call::Rebuild) => return self.take_rebuilt(result, now, out),
            _ => return,
        }
        let Some(sent) = self.ledger.in_flight.take_if(|f| f.call == call) else {
            return;
        };
        match result {
            Ok(()) => {
                self.ledger.failed_writes = 0;
                let late = sent.grants.iter().filter(|grant| grant.until <= now);
                let expired: Vec<Tick> = late.map(|grant| grant.at).collect();
                if let Some(window) = sent.window {
                    self.ledger.window = window;
                }
                for (key, change) in sent.changes {
                    if change.is_none() && !self.slots.contains_key(&key) {
                        continue;
                    }
                    let slot = self.slots.entry(key.clone()).or_default();
                    let intent = change.as_ref().is_some_and(|e| e.state == EntryState::Deleting);
                    match (&slot.entry, &change) {
                        (None, Some(_)) => self.owned += 1,
                        (Some(_), None) => self.owned -= 1,
                        _ => {}
                    }
                    slot.entry = change;
                    slot.approved = intent && expired.is_empty() && slot.desired.is_none();
                    if matches!(slot.stage, Stage::Recording) {
                        slot.stage = Stage::Idle;
                    }
                    self.dirty.insert(key);
                }
                if !expired.is_empty() {
                    self.grants_expired(&expired, out);
                }
            }
            Err(fault) => {
                let what = if fault.remedy == Remedy::Conflict {
                    "another writer changed the ledger; everything is read again"
                } else {
                    "the ledger could not be written; it is read again"
                };
                let reason = Reason::new("ledger-unwritten", format!("{what}: {fault}"));
                Self::report(Note::Remark { reason }, out);
                self.distrust_ledger(fault.remedy == Remedy::Conflict, now);
            }
        }
    }

    /// Nothing that was concluded from the ledger counts any more: read it again. If another writer was there, it
    /// may have changed objects too: everything is read again.
    fn distrust_ledger(&mut self, everything: bool, now: Tick) {
        self.ledger.failed_writes += 1;
        let limits = &self.options.limits;
        let at = now + Self::backoff(limits.retry_first, limits.retry_max, self.ledger.failed_writes);
        self.ledger.reading = Reading::RetryAt(at);
        self.ledger.pending.clear();
        self.ledger.pending_window = None;
        self.ledger.grants.clear();
        self.ledger.urgent = false;
        self.ledger.since = None;
        self.deletes.start_over();
        let mut kinds = BTreeSet::new();
        for (key, slot) in &mut self.slots {
            if matches!(slot.stage, Stage::Recording) {
                slot.stage = Stage::Idle;
            }
            slot.approved = false;
            if everything {
                if !slot.is_busy() {
                    slot.look_again();
                }
                kinds.insert(key.group_kind().clone());
            }
        }
        for kind in kinds {
            self.list_again(kind);
        }
    }
}
