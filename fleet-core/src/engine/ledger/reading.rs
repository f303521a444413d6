//! Reading the record; searching for our marks and building it anew where it is gone.

use std::collections::BTreeMap;

use fleet_diff::ObjectKey;

use super::{Lost, Reading};
use crate::{
    edge::{Fault, Note},
    engine::{CallId, Command, Engine, calls::Call, kinds::Listing, token::confirmation_token},
    ledger::{Entry, EntryState, LedgerAnswer, LedgerContent, LedgerWrite},
    marks::MarkState,
    words::{LiveMeta, Reason, Tick, Uid},
};

impl Engine {
    pub(in crate::engine) fn ask_for_ledger(&mut self, now: Tick, out: &mut Vec<Command>) {
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

    pub(in crate::engine) fn take_ledger(
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

    pub(in crate::engine) fn take_sweep(
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
    pub(in crate::engine) fn confirm_rebuild(&mut self, now: Tick, out: &mut Vec<Command>) -> bool {
        let Reading::Lost(Lost {
            reason,
            found: Some(found),
            ..
        }) = &self.ledger.reading
        else {
            return false;
        };
        if self.is_on_hold() {
            return false;
        }
        let fits = |token: &str, until: Tick| token == self.rebuild_token(found, until);
        let offer = self.deletes.offers.find(now, fits);
        let offer = offer.filter(|_| self.may_write());
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

    pub(super) fn take_rebuilt(&mut self, result: Result<(), Fault>, now: Tick, out: &mut Vec<Command>) {
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
                .or_insert(Listing::WANTED);
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
        let approved = self.slots.iter().filter(|(_, slot)| slot.approved);
        self.deletes.take_granted(approved.map(|(key, _)| key.clone()));
        self.map_inventory();
    }
}
