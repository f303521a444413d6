//! Keeping the record: written ahead, in batches.

use std::collections::BTreeMap;

use fleet_diff::ObjectKey;

use super::{Call, CallId, Command, Engine};
use crate::{
    edge::{Fault, Note, Remedy},
    ledger::{Entry, EntryState, LedgerAnswer, LedgerContent, LedgerWrite, Spent},
    words::{LiveMeta, Reason, Tick},
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
    /// Objects whose next step waits for their pending change.
    urgent: bool,
    /// Since when something is pending.
    since: Option<Tick>,
    lag_until: Option<Tick>,
    in_flight: Option<InFlight>,
    failures: u32,
}

struct InFlight {
    call: CallId,
    changes: BTreeMap<ObjectKey, Option<Entry>>,
    window: Option<Vec<Spent>>,
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
    Lost(Reason),
}

impl LedgerState {
    pub(super) fn is_ready(&self) -> bool {
        matches!(self.reading, Reading::Ready)
    }

    pub(super) fn lost(&self) -> Option<&Reason> {
        match &self.reading {
            Reading::Lost(reason) => Some(reason),
            _ => None,
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
            _ => self.lag_until,
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

impl Engine {
    pub(super) fn ask_for_ledger(&mut self, now: Tick, out: &mut Vec<Command>) {
        match self.ledger.reading {
            Reading::Wanted => {
                self.ledger.reading = Reading::Asked;
                out.push(Command::LoadLedger);
            }
            Reading::RetryAt(at) if at <= now => {
                self.ledger.reading = Reading::Asked;
                out.push(Command::LoadLedger);
            }
            Reading::SweepAt(at) if at <= now => self.sweep(out),
            _ => {}
        }
    }

    fn sweep(&mut self, out: &mut Vec<Command>) {
        self.ledger.reading = Reading::Sweeping;
        let call = self.new_call(Call::Sweep);
        out.push(Command::Sweep { call });
    }

    pub(super) fn take_ledger(
        &mut self,
        answer: Result<LedgerAnswer, Fault>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        if !matches!(self.ledger.reading, Reading::Asked) {
            return;
        }
        match answer {
            Ok(LedgerAnswer::Known(content)) => self.adopt_ledger(content),
            Ok(LedgerAnswer::Absent) => self.sweep(out),
            Ok(LedgerAnswer::Lost(reason)) => self.lose_ledger(reason, out),
            Err(fault) => {
                self.ledger.failures += 1;
                let limits = &self.options.limits;
                let at = now + Self::backoff(limits.retry_first, limits.retry_max, self.ledger.failures);
                self.ledger.reading = Reading::RetryAt(at);
                let reason = Reason::new("ledger-unread", format!("the ledger cannot be read: {fault}"));
                self.report(Note::Remark { reason }, out);
            }
        }
    }

    pub(super) fn take_sweep(
        &mut self,
        call: CallId,
        result: Result<Vec<LiveMeta>, Fault>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let Some(Call::Sweep) = self.end_call(call) else {
            return;
        };
        match result {
            Ok(metas) => {
                let ours = |m: &&LiveMeta| {
                    self.marks.read_value(&m.key, m.mark.as_deref()) == crate::marks::MarkState::Ours
                };
                let marked: Vec<&LiveMeta> = metas.iter().filter(ours).collect();
                if let Some(first) = marked.first() {
                    let reason = Reason::new(
                        "ledger-lost",
                        format!(
                            "there is no ledger, and {} objects bear our mark, such as {}",
                            marked.len(),
                            first.key
                        ),
                    );
                    self.lose_ledger(reason, out);
                } else {
                    self.adopt_ledger(LedgerContent::default());
                }
            }
            Err(fault) => {
                self.ledger.reading = Reading::SweepAt(now + self.options.limits.retry_max);
                let reason = Reason::new(
                    "sweep-failed",
                    format!("no ledger, and not every kind could be searched for our marks: {fault}"),
                );
                self.report(Note::Remark { reason }, out);
            }
        }
    }

    fn lose_ledger(&mut self, reason: Reason, out: &mut Vec<Command>) {
        self.ledger.reading = Reading::Lost(reason.clone());
        self.report(Note::Remark { reason }, out);
    }

    /// What was read is what is owned; conclusions drawn from an older reading are dropped.
    fn adopt_ledger(&mut self, mut content: LedgerContent) {
        self.ledger.reading = Reading::Ready;
        self.ledger.failures = 0;
        self.ledger.window = std::mem::take(&mut content.window);
        for (key, slot) in &mut self.slots {
            slot.entry = content.entries.remove(key);
            slot.approved = false;
            self.dirty.insert(key.clone());
        }
        for (key, entry) in content.entries {
            self.listings
                .entry(key.group_kind().clone())
                .or_insert(super::Listing::WANTED);
            self.dirty.insert(key.clone());
            let slot = self.slots.entry(key).or_default();
            slot.resting = true;
            slot.entry = Some(entry);
        }
        for slot in self.slots.values_mut() {
            // An intent that was recorded was granted before it was.
            let intent = slot
                .entry
                .as_ref()
                .is_some_and(|e| e.state == EntryState::Deleting);
            slot.approved = intent && slot.desired.is_none();
        }
        self.map_inventory();
    }

    /// Records a change before the object's next step.
    pub(super) fn record_ahead(&mut self, key: &ObjectKey, entry: Entry, now: Tick) {
        self.ledger.urgent = true;
        self.record_later(key, Some(entry), now);
    }

    /// Records a change when there is time; losing it costs a look, nothing else.
    pub(super) fn record_later(&mut self, key: &ObjectKey, change: Option<Entry>, now: Tick) {
        self.ledger.pending.insert(key.clone(), change);
        self.ledger.since.get_or_insert(now);
        self.converged = false;
    }

    pub(super) fn record_window(&mut self, window: Vec<Spent>) {
        self.ledger.pending_window = Some(window);
        self.ledger.urgent = true;
    }

    /// Sends what is to be recorded: at once if a step waits for it, otherwise when the pass has nothing else to do.
    pub(super) fn flush_ledger(&mut self, now: Tick, out: &mut Vec<Command>) {
        self.ledger.lag_until = None;
        if self.ledger.in_flight.is_some()
            || !self.ledger.is_ready()
            || self.options.approval == super::Approval::Never
        {
            return;
        }
        let Some(since) = self
            .ledger
            .since
            .or(self.ledger.pending_window.as_ref().map(|_| now))
        else {
            return;
        };
        let limits = &self.options.limits;
        let idle = self.in_flight == 0 && self.dirty.is_empty() && self.starved.is_empty();
        // Kinds are listed one after the other: what they bring is recorded in one go.
        let gathering = self
            .listings
            .values()
            .any(|l| matches!(l, super::Listing::Pending { .. }));
        let flush_at = match (self.ledger.urgent, gathering) {
            (true, false) => now,
            (true, true) => since + limits.ledger_gather_max,
            (false, _) if idle => now,
            (false, _) => since + limits.ledger_lag_max,
        };
        if now < flush_at {
            self.ledger.lag_until = Some(flush_at);
            return;
        }
        let changes = std::mem::take(&mut self.ledger.pending);
        let window = self.ledger.pending_window.take();
        self.ledger.urgent = false;
        self.ledger.since = None;
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
        });
        out.push(Command::Record { call, writes });
    }

    pub(super) fn take_recorded(
        &mut self,
        call: CallId,
        result: Result<(), Fault>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let Some(Call::Record) = self.end_call(call) else {
            return;
        };
        let Some(sent) = self.ledger.in_flight.take_if(|f| f.call == call) else {
            return;
        };
        match result {
            Ok(()) => {
                self.ledger.failures = 0;
                if let Some(window) = sent.window {
                    self.ledger.window = window;
                }
                for (key, change) in sent.changes {
                    let Some(slot) = self.slots.get_mut(&key) else {
                        continue;
                    };
                    let granted = change.as_ref().is_some_and(|e| e.state == EntryState::Deleting);
                    slot.entry = change;
                    slot.approved = granted && slot.desired.is_none();
                    if matches!(slot.stage, super::slot::Stage::Recording) {
                        slot.stage = super::slot::Stage::Idle;
                    }
                    self.dirty.insert(key);
                }
            }
            Err(fault) => {
                let what = if fault.remedy == Remedy::Conflict {
                    "another writer changed the ledger"
                } else {
                    "the ledger could not be written"
                };
                let reason = Reason::new(
                    "ledger-unwritten",
                    format!("{what}; reading everything again: {fault}"),
                );
                self.report(Note::Remark { reason }, out);
                self.distrust_ledger(now);
            }
        }
    }

    /// Nothing that was concluded from the ledger counts any more: read it again, and everything else too.
    fn distrust_ledger(&mut self, now: Tick) {
        self.ledger.failures += 1;
        let limits = &self.options.limits;
        let at = now + Self::backoff(limits.retry_first, limits.retry_max, self.ledger.failures);
        self.ledger.reading = Reading::RetryAt(at);
        self.ledger.pending.clear();
        self.ledger.pending_window = None;
        self.ledger.urgent = false;
        self.ledger.since = None;
        self.deletes.start_over();
        for (key, slot) in &mut self.slots {
            if matches!(slot.stage, super::slot::Stage::Recording) {
                slot.stage = super::slot::Stage::Idle;
            }
            if !slot.is_busy() {
                slot.look_again();
            }
            slot.approved = false;
            self.listings
                .insert(key.group_kind().clone(), super::Listing::WANTED);
        }
    }
}
