//! Keeping the record: written ahead, in batches.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;

use super::{Call, CallId, Command, Engine, deletes::Grant, token::confirmation_token};
use crate::{
    edge::{Fault, Note, Remedy},
    ledger::{Entry, EntryState, LedgerAnswer, LedgerContent, LedgerWrite, Spent},
    marks::MarkState,
    words::{LiveMeta, Reason, Tick, Uid},
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
    lag_until: Option<Tick>,
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
            Reading::SweepAt(at) if at <= now => self.sweep(Reading::Sweeping, out),
            Reading::Lost(ref lost) if lost.search_again.is_some_and(|at| at <= now) => {
                let reason = lost.reason.clone();
                self.sweep(Reading::LostSweeping(reason), out);
            }
            _ => {}
        }
    }

    /// Searches all kinds for our marks.
    fn sweep(&mut self, reading: Reading, out: &mut Vec<Command>) {
        self.ledger.reading = reading;
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
            Ok(LedgerAnswer::Known(content)) => self.adopt_ledger(content, now),
            Ok(LedgerAnswer::Absent) => self.sweep(Reading::Sweeping, out),
            Ok(LedgerAnswer::Lost(reason)) => {
                Self::report(
                    Note::Remark {
                        reason: reason.clone(),
                    },
                    out,
                );
                self.sweep(Reading::LostSweeping(reason), out);
            }
            Err(fault) => {
                self.ledger.failed_reads += 1;
                let limits = &self.options.limits;
                let at = now + Self::backoff(limits.retry_first, limits.retry_max, self.ledger.failed_reads);
                self.ledger.reading = Reading::RetryAt(at);
                let reason = Reason::new("ledger-unread", format!("the ledger cannot be read: {fault}"));
                Self::report(Note::Remark { reason }, out);
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
        let lost = match &self.ledger.reading {
            Reading::Sweeping => None,
            Reading::LostSweeping(reason) => Some(reason.clone()),
            _ => return,
        };
        let again = now + self.options.limits.retry_max;
        let found: BTreeMap<ObjectKey, Uid> = match (result, &lost) {
            (Ok(metas), _) => {
                let ours = |m: &LiveMeta| self.marks.read_value(&m.key, m.mark.as_deref()) == MarkState::Ours;
                metas.into_iter().filter(ours).map(|m| (m.key, m.uid)).collect()
            }
            (Err(fault), None) => {
                self.ledger.reading = Reading::SweepAt(again);
                let reason = Reason::new(
                    "sweep-failed",
                    format!("no ledger, and not every kind could be searched for our marks: {fault}"),
                );
                return Self::report(Note::Remark { reason }, out);
            }
            (Err(_), Some(reason)) => {
                self.ledger.reading = Reading::Lost(Lost {
                    reason: reason.clone(),
                    found: None,
                    token: None,
                    search_again: Some(again),
                });
                return;
            }
        };
        if lost.is_none() && found.is_empty() {
            return self.adopt_ledger(LedgerContent::default(), now);
        }
        let reason = lost.unwrap_or_else(|| {
            let example = found.keys().next().map(ToString::to_string).unwrap_or_default();
            let message = format!(
                "there is no ledger, and {} objects bear our mark, such as {example}",
                found.len()
            );
            Reason::new("ledger-lost", message)
        });
        self.lose_ledger(reason, found, now, out);
    }

    /// Nothing is written until a person confirms that the ledger is built anew from what bears our mark.
    fn lose_ledger(
        &mut self,
        reason: Reason,
        found: BTreeMap<ObjectKey, Uid>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let token = self.rebuild_token(&found, now + self.options.limits.token_life);
        let reason = reason.with("token", &token).with("found", found.len());
        Self::report(
            Note::Remark {
                reason: reason.clone(),
            },
            out,
        );
        self.ledger.reading = Reading::Lost(Lost {
            reason,
            found: Some(found),
            token: Some(token),
            search_again: Some(now + self.options.limits.token_life),
        });
        self.confirm_rebuild(now, out);
    }

    /// What a person confirms: that exactly these objects are ours.
    fn rebuild_token(&self, found: &BTreeMap<ObjectKey, Uid>, until: Tick) -> String {
        confirmation_token("rebuild", &self.target, "", found, until)
    }

    /// Builds the ledger anew if the token given covers exactly what was found. True if there was something to
    /// confirm.
    pub(super) fn confirm_rebuild(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        let Reading::Lost(Lost {
            reason,
            found: Some(found),
            ..
        }) = &self.ledger.reading
        else {
            return false;
        };
        let fits = |token: &str, until: Tick| token == self.rebuild_token(found, until);
        let offer = self.deletes.offers.find(now, fits);
        let offer = offer.filter(|_| self.options.approval != super::Approval::Never);
        let Some((token, _)) = offer else {
            if !self.deletes.offers.are_refused(now) {
                return false;
            }
            let reason = Reason::new(
                "token-refused",
                "no token that was given covers exactly the objects that bear our mark, or it is out of date",
            );
            Self::report(Note::Remark { reason }, out);
            return true;
        };
        let version = |key: &ObjectKey| {
            let kinds = self.kinds.as_ref()?;
            Some(kinds.version_for(key.group_kind(), None)?.version().to_owned())
        };
        let entries = found.iter().map(|(key, uid)| {
            let mut entry = Entry::new(key.clone(), version(key).unwrap_or_default());
            entry.uid = Some(uid.clone());
            entry.state = EntryState::Owned;
            LedgerWrite::Put(entry)
        });
        let writes: Vec<LedgerWrite> = std::iter::once(LedgerWrite::Clear).chain(entries).collect();
        self.ledger.reading = Reading::Rebuilding(reason.clone());
        self.deletes.offers.accept(&token);
        let call = self.new_call(Call::Rebuild);
        out.push(Command::Record { call, writes });
        true
    }

    /// What was read is what is owned; conclusions drawn from an older reading are dropped.
    fn adopt_ledger(&mut self, mut content: LedgerContent, now: Tick) {
        self.ledger.reading = Reading::Ready;
        self.ledger.failed_reads = 0;
        self.owned = content.entries.len();
        self.watches_stale = true;
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
        let granted = !self.window(now).is_empty();
        for slot in self.slots.values_mut() {
            // An intent that was recorded was granted before it was, if that was not too long ago.
            let intent = slot
                .entry
                .as_ref()
                .is_some_and(|e| e.state == EntryState::Deleting);
            slot.approved = intent && granted && slot.desired.is_none();
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
            .any(|listing| listing.stage == super::ListingStage::Pending);
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
            grants: std::mem::take(&mut self.ledger.grants),
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
                    if matches!(slot.stage, super::slot::Stage::Recording) {
                        slot.stage = super::slot::Stage::Idle;
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

    fn take_rebuilt(&mut self, result: Result<(), Fault>, now: Tick, out: &mut Vec<Command>) {
        self.ledger.reading = match result {
            Ok(()) => Reading::Wanted,
            Err(fault) => {
                let reason = Reason::new(
                    "ledger-unwritten",
                    format!("the ledger could not be built anew; it is read again: {fault}"),
                );
                Self::report(Note::Remark { reason }, out);
                Reading::RetryAt(now + self.options.limits.retry_max)
            }
        };
        self.ask_for_ledger(now, out);
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
            if matches!(slot.stage, super::slot::Stage::Recording) {
                slot.stage = super::slot::Stage::Idle;
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
