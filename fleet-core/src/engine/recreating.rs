//! Objects that cannot be changed in place: whether they may be made again, and how that goes on.

use fleet_diff::{FieldChange, ObjectKey};

use super::{
    CallId, Command, Engine,
    calls::Call,
    judging::Opinion,
    options::{RECREATE_ALLOWED, is_never_recreated},
    slot::{Awaited, Outcome, Recheck, Seen, Sight, Stage, Trouble, read_gvk},
};
use crate::{
    edge::{Answer, Fault, Note, Remedy, Request},
    ledger::Spent,
    plan::{Action, Change},
    strategy::{History, Next, Recreation, Work, recreate},
    words::{Live, Millis, Reason, Tick, Uid},
};

/// The reservation of a delete that makes an object again: one at a time.
pub(super) struct ReservingOne {
    pub(super) call: CallId,
    key: ObjectKey,
    /// No answer until then is a refusal.
    pub(super) until: Tick,
}

impl Engine {
    /// It would have to be made again, as `fault` says: do so if that is allowed, within the budget of deletes.
    pub(super) fn recreate(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        fields: Vec<FieldChange>,
        fault: Fault,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        if let Err(fault) = self.may_be_made_again(key, fault) {
            return self.refused(key, fault, now, out);
        }
        if let Some(reason) = self.why_not_deleted(key, live.uid()) {
            return self.block(key, Recheck::News, reason, now, out);
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let granted = slot.granted.take().is_some_and(|until| until > now);
        if !granted {
            if let Some(reason) = self.over_budget(now) {
                return self.block(key, Recheck::NowAndThen, reason, now, out);
            }
            if self.may_write() {
                return self.reserve_one(key, now, out);
            }
        }
        let change = self.recreation_of(key, Some(live.uid().clone()), fields);
        self.take_step(key, change, now, out);
    }

    /// Whether an object of ours may be deleted and made again; if not, the fault says what would allow it.
    fn may_be_made_again(&self, key: &ObjectKey, mut fault: Fault) -> Result<(), Fault> {
        let slot = self.slots.get(key);
        let Some(desired) = slot.and_then(|slot| slot.desired.as_ref()) else {
            return Err(fault);
        };
        let kind = key.group_kind();
        if is_never_recreated(kind) || slot.is_none_or(|slot| slot.entry.is_none()) {
            return Err(fault);
        }
        let annotation = self.marks.recreate_key();
        let allowed = self.options.recreate.contains(kind)
            || desired.object.annotation(annotation) == Some(RECREATE_ALLOWED);
        if !allowed {
            fault.message = format!(
                "{}; to delete it and make it again, set its annotation {annotation}: {RECREATE_ALLOWED}",
                fault.message
            )
            .into();
            return Err(fault);
        }
        let note = slot.and_then(|slot| slot.entry.as_ref()?.note.as_deref());
        match note.and_then(|note| recreate::failed(note, &desired.object.digest())) {
            Some(why) => {
                let message =
                    format!("it was deleted to be made again, which was refused, and then restored: {why}");
                Err(Fault::new(Remedy::Invalid, message))
            }
            None => Ok(()),
        }
    }

    fn over_budget(&self, now: Tick) -> Option<Reason> {
        let budget = self.options.budget;
        let spent: u32 = self.window(now).iter().map(|s| s.count).sum();
        let allowed = budget.allowed(u32::try_from(self.owned).unwrap_or(u32::MAX));
        let over = self.options.switches.budgets && spent.saturating_add(1) > allowed;
        over.then(|| {
            let message = format!(
                "it would be deleted and made again, and {spent} deletes were done in the last {}: {allowed} are allowed",
                budget.window
            );
            Reason::new("over-budget", message).with("spent", spent).with("allowed", allowed)
        })
    }

    fn reserve_one(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        if self.reserving_one.is_some() || self.deletes.is_reserving() {
            self.leave_alone(key, Trouble::wait(now + SHORTLY));
            self.mark_resting(key, false);
            return;
        }
        let call = self.new_call(Call::ReserveOne(key.clone()));
        let until = now + self.options.limits.reserve_max;
        self.reserving_one = Some(ReservingOne {
            call,
            key: key.clone(),
            until,
        });
        if let Some(slot) = self.slots.get_mut(key) {
            slot.stage = Stage::Reserving(call);
        }
        self.mark_resting(key, false);
        out.push(Command::Reserve {
            call,
            count: 1,
            owned: u32::try_from(self.owned).unwrap_or(u32::MAX),
            confirmed: false,
        });
    }

    pub(super) fn take_reserved_one(
        &mut self,
        key: &ObjectKey,
        call: CallId,
        result: Result<Tick, Reason>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        self.reserving_one.take_if(|reserving| reserving.call == call);
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if !matches!(slot.stage, Stage::Reserving(asked) if asked == call) {
            return;
        }
        slot.stage = Stage::Idle;
        match result {
            Ok(until) if until > now => {
                slot.granted = Some(until);
                let mut window = self.window(now);
                window.push(Spent::new(now, 1));
                self.record_window(window);
                self.dirty.insert(key.clone());
            }
            Ok(_) => {
                let message = "the grant of its delete was out of date when it arrived";
                self.block(
                    key,
                    Recheck::NowAndThen,
                    Reason::new("grant-expired", message),
                    now,
                    out,
                );
            }
            Err(reason) => self.block(key, Recheck::NowAndThen, reason, now, out),
        }
    }

    /// No answer to a reservation is a refusal.
    pub(super) fn refuse_overdue_reservation_of_one(&mut self, now: Tick, out: &mut Vec<Command>) {
        if let Some(reserving) = self.reserving_one.take_if(|reserving| reserving.until <= now) {
            self.end_call(reserving.call);
            let message = format!("nobody answered within {}", self.options.limits.reserve_max);
            let refused = Err(Reason::new("no-grant", message));
            self.take_reserved_one(&reserving.key, reserving.call, refused, now, out);
        }
    }

    /// It is being made again: go on from what the ledger and a look at the object say.
    pub(super) fn resume(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let uid = self
            .slots
            .get(key)
            .and_then(|slot| slot.seen())
            .map(|seen| seen.uid.clone());
        let change = self.recreation_of(key, uid, Vec::new());
        self.take_step(key, change, now, out);
    }

    fn take_step(&mut self, key: &ObjectKey, change: Change, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get(key) else { return };
        if slot.seen().is_some_and(|seen| seen.body.is_none()) {
            return self.read(key, out);
        }
        let create = match slot.document(&self.marks) {
            None => None,
            Some(document) => match self.opinion(key, &document, None, now, out) {
                Some(Opinion::Create(document)) => self.creating(key, document),
                Some(_) => None,
                None => return,
            },
        };
        let Some(slot) = self.slots.get(key) else { return };
        let gvk = self.kinds.as_ref().and_then(|kinds| read_gvk(key, slot, kinds));
        let Some(gvk) = gvk else { return };
        let recreation = Recreation {
            key: key.clone(),
            gvk,
            definition: slot.definition(),
            create,
            live: slot.seen().and_then(|seen| seen.body.clone()),
            is_ours: slot
                .seen()
                .is_some_and(|seen| seen.mark == crate::MarkState::Ours),
            copies_namespace: self.options.copies_namespace.clone(),
            copy_label: self.marks.copy_key().to_owned(),
            propagation: self.options.propagation,
            now,
        };
        self.start(key, Work::Recreate(Box::new(recreation)), change, now, out);
    }

    /// What its strategy sends to make an object.
    fn creating(&self, key: &ObjectKey, document: crate::Object) -> Option<Request> {
        let strategy = &self.slots.get(key)?.desired.as_ref()?.strategy;
        let history = History {
            manager: self.marks.manager(),
            note: None,
            since: &[],
        };
        match strategy.next(&Work::Create { document }, history) {
            Next::Send(request) => Some(self.guarded(request)),
            _ => None,
        }
    }

    fn recreation_of(&self, key: &ObjectKey, uid: Option<Uid>, fields: Vec<FieldChange>) -> Change {
        let paths: Vec<String> = fields.iter().take(8).map(|f| f.path.to_string()).collect();
        let mut reason = self.reason(
            "recreate",
            "it cannot be changed as its definition says, and may be made again",
        );
        if !paths.is_empty() {
            reason = reason.with("fields", paths.join(", "));
        }
        let mut change = Change::new(key.clone(), Action::Recreate, uid, reason);
        if let Some(document) = self.slots.get(key).and_then(|slot| slot.desired.as_ref()) {
            change.covers(&document.object, &fields);
        }
        change.fields = self.shown(key, fields);
        change
    }

    /// A step is done: it is recorded, and the next is decided from that and from how the object is then.
    pub(super) fn note(
        &mut self,
        key: &ObjectKey,
        note: Option<String>,
        work: &Work,
        last: Option<Answer>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let made = self.see_step(key, last);
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let Some(mut entry) = self.ledger.intended(key, slot.entry.as_ref()).cloned() else {
            return;
        };
        slot.failures = 0;
        entry.note = note;
        if let Some(seen) = slot.seen().filter(|seen| seen.mark == crate::MarkState::Ours) {
            entry.uid = Some(seen.uid.clone());
        }
        slot.stage = Stage::Recording;
        self.record_ahead(key, entry, now);
        if made && matches!(work, Work::Recreate(_)) {
            let reason = self.reason("recreate", "it could not be changed, and was made again");
            Self::report(
                Note::Done {
                    key: key.clone(),
                    action: Action::Recreate,
                    fields: Vec::new(),
                    reason,
                },
                out,
            );
        }
    }

    /// What an answer shows of the object itself, if it is about it. True if it was made.
    pub(super) fn see_step(&mut self, key: &ObjectKey, last: Option<Answer>) -> bool {
        let marks = &self.marks;
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        match last {
            Some(Answer::Created(live)) if live.key() == key && !live.version().as_str().is_empty() => {
                slot.see(Seen::new(live, marks));
                true
            }
            Some(Answer::Object(live)) if live.key() == key && live.is_deleting() => {
                slot.see(Seen::new(live, marks));
                false
            }
            _ => false,
        }
    }

    /// It goes on when the object changes.
    pub(super) fn await_change(
        &mut self,
        key: &ObjectKey,
        reason: Reason,
        overdue: bool,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        let awaited = if overdue {
            Awaited::OwnDeletion
        } else {
            Awaited::Recreation
        };
        self.stand(key, Outcome::Waiting { awaited, reason }, now, out);
    }

    /// The delete of an object that is made again was sent: what the answer says of it, or a look.
    pub(super) fn deleted_to_be_made_again(&mut self, key: &ObjectKey, answer: Option<Answer>) {
        let marks = &self.marks;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        match answer {
            Some(Answer::Object(live)) if live.key() == key && live.is_deleting() => {
                slot.see(Seen::new(live, marks));
            }
            Some(Answer::Deleted | Answer::Absent) => slot.see_absent(),
            _ => slot.look_again(),
        }
        debug_assert!(!matches!(slot.sight, Sight::Listed(_)));
    }
}

/// How soon a second reservation is tried.
const SHORTLY: Millis = Millis(200);
