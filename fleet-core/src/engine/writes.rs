//! Runs strategies: a change becomes requests, one at a time, behind its ledger entry.

use fleet_diff::ObjectKey;

use super::{
    CallId, Command, Engine,
    calls::Call,
    inventory::kinds_of_definitions,
    slot::{Class, Outcome, Recheck, Seen, Settled, Slot, Stage, Trouble, Writing},
};
use crate::{
    edge::{Answer, Exchange, Note, Remedy, Request},
    ledger::{Entry, EntryState},
    plan::{Action, Change},
    strategy::{History, Next, Work},
    words::{Live, Reason, Tick},
};

impl Engine {
    /// Starts a change: asks the strategy, writes ahead, waits for its class, and sends.
    pub(super) fn start(
        &mut self,
        key: &ObjectKey,
        work: Work,
        change: Change,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        if !self.may_go_on_with(key, &work) {
            self.stand(key, Outcome::Planned(Box::new(change)), now, out);
            return;
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let note = slot.entry.as_ref().and_then(|e| e.note.as_deref());
        let history = History {
            manager: self.marks.manager(),
            note,
            since: &[],
        };
        let strategy = match (&work, &slot.desired) {
            (Work::Recreate(_), _) => self.parts.recreate.clone(),
            (_, Some(desired)) => desired.strategy.clone(),
            (_, None) => self.parts.strategies.usual().clone(),
        };
        let request = match strategy.next(&work, history) {
            Next::Send(request) => request,
            Next::Declined(reason) => return self.declined(key, reason, now, out),
            Next::Refused(fault) => return self.refused(key, fault, now, out),
            Next::Look => return self.moved(key, now, out),
            Next::Done if matches!(work, Work::Delete { .. }) => {
                let message = "the strategy says that it is deleted, and it is there";
                return self.declined(key, Reason::new("not-deleted", message), now, out);
            }
            Next::Done => return self.stand(key, Outcome::InSync, now, out),
            Next::Record(note) => return self.note(key, note, &work, None, now, out),
            Next::Wait { reason, overdue } => return self.await_change(key, reason, overdue, now, out),
            Next::Stuck(reason) => return self.block(key, Recheck::NowAndThen, reason, now, out),
        };
        // What the cluster did not answer about waits for that, also while it waits for its next try.
        if self.has_room() || self.slots.get(key).is_none_or(|slot| slot.silences == 0) {
            self.set_outcome(key, Outcome::Planned(Box::new(change.clone())));
        }
        self.mark_resting(key, false);
        if !self.is_written_ahead(key, &work, now) {
            return;
        }
        if self.waits_for_others(key, &work, now, out) {
            return;
        }
        let class = Class::of(key);
        if !matches!(work, Work::Delete { .. }) && !self.is_open(class) {
            self.gated.entry(class).or_default().insert(key.clone());
            return;
        }
        if !self.has_room() {
            self.starved.insert(key.clone());
            return;
        }
        let document = self.slots.get(key).and_then(super::slot::Slot::document_digest);
        let reason = change.reason.clone();
        let call = self.new_call(Call::Write(key.clone()));
        let request = self.guarded(request);
        if let Some(slot) = self.slots.get_mut(key) {
            slot.left_watch = None;
            slot.stage = Stage::Writing(Box::new(Writing {
                strategy,
                call,
                request: request.clone(),
                work,
                exchanges: Vec::new(),
                change,
                document,
            }));
        }
        out.push(Command::Send {
            call,
            request,
            reason,
        });
    }

    /// The strategy does not do it. A granted delete is tried again all the same: others wait for it.
    fn declined(&mut self, key: &ObjectKey, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        let recheck = if self.deletes.set_aside(key) {
            Recheck::NowAndThen
        } else {
            Recheck::News
        };
        self.block(key, recheck, reason, now, out);
    }

    /// Whether the ledger already says what it must say before this work; if not, it is told.
    fn is_written_ahead(&mut self, key: &ObjectKey, work: &Work, now: Tick) -> bool {
        if !self.options.switches.write_ahead {
            return true;
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        let version = slot.wanted_version().unwrap_or_default().to_owned();
        let fresh = || Entry::new(key.clone(), version.clone());
        // An entry that is about to go is none.
        let going = self.ledger.intended(key, slot.entry.as_ref()).is_none();
        let entry = slot.entry.as_ref().filter(|_| !going);
        // A create is prepared only if nothing about an object made before is still on its way to the ledger: the
        // next process would take the new object for a stranger's.
        let pending = self.ledger.is_pending(key);
        let wanted = match (work, entry) {
            (Work::Create { .. }, Some(entry))
                if entry.state == EntryState::Writing && entry.uid.is_none() && !pending =>
            {
                return true;
            }
            (Work::Create { .. }, entry) => Entry {
                note: entry.and_then(|e| e.note.clone()),
                synced: entry.and_then(|e| e.synced),
                ..fresh()
            },
            (Work::Claim { live, .. } | Work::TakeOver { live, .. }, Some(entry))
                if entry.uid.as_ref() == Some(live.uid()) && entry.state != EntryState::Deleting =>
            {
                return true;
            }
            (Work::Claim { live, .. } | Work::TakeOver { live, .. }, _) => Entry {
                uid: Some(live.uid().clone()),
                ..fresh()
            },
            (Work::Update { .. }, Some(entry)) if entry.state != EntryState::Deleting => return true,
            (Work::Update { live, .. }, _) => Entry {
                uid: Some(live.uid().clone()),
                state: EntryState::Owned,
                ..fresh()
            },
            (Work::Recreate(_) | Work::Remove { .. }, Some(_)) => return true,
            (Work::Delete { .. }, Some(entry)) => return entry.state == EntryState::Deleting,
            (Work::Recreate(_) | Work::Remove { .. } | Work::Delete { .. }, None) => return false,
        };
        slot.stage = Stage::Recording;
        self.record_ahead(key, wanted, now);
        false
    }

    /// All writes of earlier classes are done, or as done as they get in this pass.
    fn is_open(&self, class: Class) -> bool {
        self.restless
            .iter()
            .all(|(earlier, waiting)| *earlier >= class || waiting.is_empty())
    }

    /// Lets writes go whose class has come; true if there were any.
    pub(super) fn open_gates(&mut self) -> bool {
        let mut moved = false;
        for class in Class::ALL {
            if self.gated.get(&class).is_some_and(|set| !set.is_empty()) && self.is_open(class) {
                let keys = self
                    .gated
                    .insert(class, std::collections::BTreeSet::new())
                    .unwrap_or_default();
                self.dirty.extend(keys);
                moved = true;
            }
        }
        moved
    }

    /// Guards that tests switch off are taken out of the request here, and nowhere else.
    pub(super) fn guarded(&self, mut request: Request) -> Request {
        let switches = &self.options.switches;
        match &mut request {
            Request::Apply {
                uid, version, force, ..
            } => {
                if !switches.uid_precondition {
                    *uid = None;
                }
                if !switches.version_precondition || !switches.judge_again {
                    *version = None;
                }
                *force |= !switches.force_only_ours;
            }
            Request::Update { uid, version, .. } | Request::Patch { uid, version, .. } => {
                if !switches.uid_precondition {
                    *uid = None;
                }
                if !switches.version_precondition || !switches.judge_again {
                    *version = None;
                }
            }
            Request::Delete { version, .. } if !switches.version_precondition => *version = None,
            _ => {}
        }
        request
    }

    pub(super) fn take_answer(&mut self, call: CallId, answer: Answer, now: Tick, out: &mut Vec<Command>) {
        match &answer {
            Answer::NotSent(fault) | Answer::Lost(fault) if fault.remedy == Remedy::Unreachable => {}
            _ => {
                self.unanswered = 0;
                self.answers += 1;
            }
        }
        match self.end_call(call) {
            Some(Call::Ask(key)) => self.take_asked(&key, call, answer, now, out),
            Some(Call::Write(key)) => self.take_written(&key, call, answer, now, out),
            _ => {}
        }
    }

    fn take_asked(
        &mut self,
        key: &ObjectKey,
        call: CallId,
        answer: Answer,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        match std::mem::take(&mut slot.stage) {
            Stage::Reading(asked) if asked == call => self.take_read(key, answer, now, out),
            Stage::Asking(asked, request) if asked == call => match answer {
                Answer::NotSent(fault) | Answer::Lost(fault) => self.transient(key, fault, now, out),
                answer => slot.exchanges.push(Exchange {
                    request: *request,
                    answer,
                }),
            },
            other => {
                slot.stage = other;
                return;
            }
        }
        self.dirty.insert(key.clone());
    }

    fn take_read(&mut self, key: &ObjectKey, answer: Answer, now: Tick, out: &mut Vec<Command>) {
        let marks = &self.marks;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        match answer {
            Answer::Object(live) | Answer::Created(live) => {
                slot.see(Seen::new(live, marks));
                self.wake_awaiting_of(key);
            }
            Answer::Absent | Answer::Deleted => slot.see_absent(),
            Answer::Refused(fault)
                if matches!(fault.remedy, Remedy::Forbidden | Remedy::Invalid | Remedy::Policy) =>
            {
                self.refused(key, fault, now, out);
            }
            Answer::Refused(fault) | Answer::NotSent(fault) | Answer::Lost(fault) => {
                if fault.remedy == Remedy::Unreachable && !self.options.switches.contact {
                    slot.see_absent();
                    return;
                }
                self.transient(key, fault, now, out);
            }
        }
    }

    fn take_written(
        &mut self,
        key: &ObjectKey,
        call: CallId,
        answer: Answer,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let mut writing = match std::mem::take(&mut slot.stage) {
            Stage::Writing(writing) if writing.call == call => writing,
            other => {
                slot.stage = other;
                return;
            }
        };
        let request = writing.request.clone();
        writing.exchanges.push(Exchange { request, answer });
        let note = slot.entry.as_ref().and_then(|e| e.note.as_deref());
        let history = History {
            manager: self.marks.manager(),
            note,
            since: &writing.exchanges,
        };
        let next = match writing.strategy.next(&writing.work, history) {
            Next::Look if !self.options.switches.look_after_lost => {
                match writing.exchanges.last().map(|e| &e.answer) {
                    Some(Answer::Lost(fault)) => Next::Refused(fault.clone()),
                    _ => Next::Look,
                }
            }
            next => next,
        };
        self.dirty.insert(key.clone());
        match next {
            Next::Send(request) => {
                let call = self.new_call(Call::Write(key.clone()));
                let reason = writing.change.reason.clone();
                let request = self.guarded(request);
                writing.call = call;
                writing.request = request.clone();
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.stage = Stage::Writing(writing);
                }
                out.push(Command::Send {
                    call,
                    request,
                    reason,
                });
            }
            Next::Done => self.finish_write(key, *writing, now, out),
            Next::Look => match writing.exchanges.pop().map(|e| e.answer) {
                Some(Answer::Lost(fault)) => {
                    slot.look_again();
                    self.transient(key, fault, now, out);
                }
                answer if matches!(writing.work, Work::Recreate(_)) => {
                    let is_of_it = *writing.request.key() == *key;
                    self.deleted_to_be_made_again(key, answer.filter(|_| is_of_it));
                }
                _ => self.moved(key, now, out),
            },
            Next::Refused(fault) => match fault.remedy {
                Remedy::Retry | Remedy::Unreachable | Remedy::KindUnknown => {
                    self.transient(key, fault, now, out);
                }
                _ => self.refused(key, fault, now, out),
            },
            Next::Declined(reason) => self.declined(key, reason, now, out),
            Next::Record(note) => {
                let last = writing.exchanges.pop().map(|exchange| exchange.answer);
                self.note(key, note, &writing.work, last, now, out);
            }
            Next::Wait { reason, overdue } => self.await_change(key, reason, overdue, now, out),
            Next::Stuck(reason) => self.block(key, Recheck::NowAndThen, reason, now, out),
        }
    }

    fn finish_write(&mut self, key: &ObjectKey, writing: Writing, now: Tick, out: &mut Vec<Command>) {
        let Writing {
            work,
            mut exchanges,
            change,
            document,
            ..
        } = writing;
        let answer = exchanges.pop().map(|e| e.answer);
        match (&work, answer) {
            (Work::Delete { .. }, Some(Answer::Object(live))) if !live.is_deleting() => {
                // Some kinds are answered as they were last: it is gone, which a look confirms.
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.look_again();
                }
            }
            (Work::Delete { .. }, Some(Answer::Object(live))) => {
                // Accepted; it goes when its finalizers are done.
                let seen = Seen::new(live, &self.marks);
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.see(seen);
                }
            }
            (Work::Delete { .. }, Some(Answer::Deleted | Answer::Absent)) => {
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.see_absent();
                }
            }
            (_, Some(Answer::Object(live) | Answer::Created(live))) => {
                self.take_written_object(key, live, &work, document, now);
            }
            // Whatever the strategy makes of this answer, it does not show that it is done.
            _ => return self.moved(key, now, out),
        }
        let Change {
            action,
            fields,
            reason,
            ..
        } = change;
        self.count_repair(key, action, now);
        Self::report(
            Note::Done {
                key: key.clone(),
                action,
                fields,
                reason,
            },
            out,
        );
        if action != Action::Delete {
            self.converged = false;
        }
    }

    fn take_written_object(
        &mut self,
        key: &ObjectKey,
        live: Live,
        work: &Work,
        document: Option<fleet_diff::Digest>,
        now: Tick,
    ) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let seen = Seen::new(live, &self.marks);
        let uid = seen.uid.clone();
        slot.failures = 0;
        let version = slot.wanted_version().unwrap_or_default().to_owned();
        let known = self.ledger.intended(key, slot.entry.as_ref()).cloned();
        let is_final = match work {
            Work::Claim { .. } | Work::TakeOver { .. } | Work::Remove { .. } => false,
            // What others added is still there.
            _ => slot
                .desired
                .as_ref()
                .is_none_or(|desired| !self.parts.judge.removes(&desired.object)),
        };
        let moved =
            matches!(work, Work::Update { .. }) && known.as_ref().is_none_or(|e| e.version != version);
        if is_final && !moved {
            // The server has just answered what applying this document gives. Not so when the API version moved: it
            // merges at one version and stores at another, and the same apply may then change something again.
            let types = slot.types_digest(&self.types);
            slot.settled = document.map(|document| Settled {
                document,
                live: seen.digest,
                types,
            });
        }
        let mut entry = known.unwrap_or_else(|| Entry::new(key.clone(), version.as_str()));
        entry.uid = Some(uid);
        entry.version = version;
        entry.state = EntryState::Owned;
        slot.see(seen);
        let known = self.slots.get(key).and_then(|s| s.entry.as_ref());
        if self.ledger.intended(key, known) != Some(&entry) {
            self.record_later(key, Some(entry), now);
        }
        self.wake_awaiting_of(key);
        if matches!(work, Work::Update { .. }) && Class::of(key) == Class::Definitions {
            self.judge_instances_again(key, now);
        }
    }

    /// A CRD changed, and with it what applying its custom resources does: they are compared again, once the server
    /// had time to take the new schema.
    fn judge_instances_again(&mut self, crd: &ObjectKey, now: Tick) {
        let desired = self.slots.get(crd).and_then(|slot| slot.desired.as_ref());
        let kinds = desired.map(|desired| kinds_of_definitions(std::slice::from_ref(&desired.object)));
        let until = now + self.options.limits.schema_lag;
        for kind in kinds.into_iter().flatten().map(|(kind, _)| kind) {
            // What is being asked may be answered by the old schema; writes come after their CRD.
            let listed =
                |slot: &&mut Slot| slot.desired.is_some() && !matches!(slot.stage, Stage::Writing(_));
            let keys: Vec<ObjectKey> = self.of_kind(&kind).map(|(key, _)| key.clone()).collect();
            for key in keys {
                let Some(slot) = self.slots.get_mut(&key).filter(listed) else {
                    continue;
                };
                slot.settled = None;
                self.leave_alone(&key, Trouble::look(until));
                self.mark_resting(&key, false);
            }
        }
    }
}
