//! Nothing to do for an object now: how it stands, and what brings it back.

use fleet_diff::ObjectKey;

use super::{
    Command, Engine,
    slot::{Awaited, Class, Outcome, Recheck, Slot, Trouble},
};
use crate::{
    edge::{Fault, Note, Remedy},
    words::{Millis, Reason, Tick},
};

impl Engine {
    /// Nothing to do for this object now: so it stands, until something brings it back.
    pub(super) fn stand(&mut self, key: &ObjectKey, outcome: Outcome, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get(key) else {
            return;
        };
        if let Outcome::Blocked { reason, .. } = &outcome
            && !matches!(&slot.outcome, Outcome::Blocked { reason: said, .. } if said == reason)
        {
            out.push(Command::Report(Note::Blocked {
                key: key.clone(),
                reason: reason.clone(),
            }));
        }
        let resting = self.see_to_return(key, &outcome, now);
        self.set_outcome(key, outcome);
        self.mark_resting(key, resting);
        self.follow_order(key, now);
    }

    /// Not done, on purpose.
    pub(super) fn block(
        &mut self,
        key: &ObjectKey,
        recheck: Recheck,
        reason: Reason,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        self.stand(key, Outcome::Blocked { recheck, reason }, now, out);
    }

    /// Sees to it that something brings back an object that stands like this. True when nothing more is done for it in
    /// this pass, so that the rest goes on.
    fn see_to_return(&mut self, key: &ObjectKey, outcome: &Outcome, now: Tick) -> bool {
        match outcome {
            // News of it come by themselves.
            Outcome::Undecided
            | Outcome::InSync
            | Outcome::Finished
            | Outcome::Planned(_)
            | Outcome::Kept => {}
            Outcome::Waiting { awaited, .. } => return self.see_to(key, *awaited, now),
            Outcome::Blocked { recheck, .. } => match recheck {
                Recheck::News | Recheck::Held => {}
                Recheck::NowAndThen => self.look_less_and_less(key, |slot| &mut slot.looks, now),
            },
            Outcome::Refused(_) => self.look_less_and_less(key, |slot| &mut slot.refusals, now),
            Outcome::Deleting(_) => self.look_at_deletion(key, now),
        }
        true
    }

    /// The same for what waits for this.
    fn see_to(&mut self, key: &ObjectKey, awaited: Awaited, now: Tick) -> bool {
        match awaited {
            // Their ends wake what waits for them.
            Awaited::Listing | Awaited::KindGone | Awaited::Types => {}
            Awaited::NamespaceDeletion | Awaited::Turn | Awaited::Others => return true,
            Awaited::OwnDeletion => {
                self.look_at_deletion(key, now);
                return true;
            }
            Awaited::Recreation => self.look_at_deletion(key, now),
            Awaited::Watch => self.await_watch(key, now),
            Awaited::Kind => self.look_for_kinds_of(key, now),
            Awaited::Establishment { by } => self.leave_alone(key, Trouble::look(by)),
            Awaited::Discovery { by } => {
                self.leave_alone(key, Trouble::look(by));
                self.look_for_kinds(now);
            }
            Awaited::NextTry { at } => self.leave_alone(key, Trouble::wait(at)),
            Awaited::Contact => {
                self.starved.insert(key.clone());
            }
        }
        false
    }

    /// Nothing shows when it can go on: the more often it stood like this in a row, the longer is the wait.
    fn look_less_and_less(&mut self, key: &ObjectKey, times: fn(&mut Slot) -> &mut u32, now: Tick) {
        let limits = self.options.limits;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let times = times(slot);
        *times += 1;
        let until = now + Self::backoff(limits.refused_first, limits.refused_max, *times);
        self.leave_alone(key, Trouble::look(until));
    }

    /// It is being deleted: beside its watch, it is looked at now and then.
    fn look_at_deletion(&mut self, key: &ObjectKey, now: Tick) {
        let until = now + self.options.limits.deletion_look;
        self.leave_alone(key, Trouble::look(until));
    }

    /// It is not decided on before.
    pub(super) fn leave_alone(&mut self, key: &ObjectKey, trouble: Trouble) {
        if let Some(slot) = self.slots.get_mut(key) {
            self.timers.insert((trouble.until, key.clone()));
            slot.trouble = Some(trouble);
        }
    }

    pub(super) fn set_outcome(&mut self, key: &ObjectKey, outcome: Outcome) {
        if matches!(
            outcome,
            Outcome::Blocked { .. } | Outcome::Refused(_) | Outcome::Waiting { .. }
        ) {
            self.held_back.insert(key.clone());
        } else {
            self.held_back.remove(key);
        }
        if let Some(slot) = self.slots.get_mut(key) {
            slot.outcome = outcome;
        }
    }

    pub(super) fn mark_resting(&mut self, key: &ObjectKey, resting: bool) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.resting = resting;
        let class = Class::of(key);
        let Some(set) = self.restless.get_mut(&class) else {
            return;
        };
        if slot.desired.is_some() && !resting {
            set.insert(key.clone());
        } else if set.remove(key) && class == Class::Definitions {
            self.wake_awaiting_of(key);
        }
        if slot_is_unlisted_waiting(self.slots.get(key)) {
            self.deletes.undecided.insert(key.clone());
        } else {
            self.deletes.undecided.remove(key);
        }
    }

    /// A watch is waited for, but not for ever.
    fn await_watch(&mut self, key: &ObjectKey, now: Tick) {
        if let Some(gvk) = self.served_gvk(key) {
            let since = *self
                .watches
                .entry(gvk)
                .or_default()
                .awaited_since
                .get_or_insert(now);
            self.timers
                .insert((since + self.options.limits.watch_max, key.clone()));
        }
    }

    /// A CRD is established and its kind is not in the discovery yet: read that again, less and less often.
    fn look_for_kinds_of(&mut self, key: &ObjectKey, now: Tick) {
        let crd = self
            .slots
            .get(key)
            .and_then(|s| s.desired.as_ref()?.awaits.clone());
        // Until the CRD is written it is not worth looking; then it looks for itself.
        let written = crd
            .and_then(|crd| self.slots.get(&crd))
            .is_some_and(|crd| matches!(crd.outcome, Outcome::InSync));
        if written {
            self.look_for_kinds(now);
        }
    }

    /// Reads discovery again, less and less often, until it shows what is awaited.
    pub(super) fn look_for_kinds(&mut self, now: Tick) {
        if self.discover_at.is_some_and(|at| at > now) {
            return;
        }
        let Some(since) = self.awaiting_since else {
            self.awaiting_since = Some(now);
            return self.suspect_kinds(now, Millis(0));
        };
        let waited = now.since(since);
        if waited >= self.options.limits.established_max {
            self.awaited_too_long = true;
            self.wake_awaiting();
            return;
        }
        let wait = (waited.0 / 2).clamp(100, 3000);
        self.suspect_kinds(now, Millis(wait));
    }

    /// The server said no. Once more at the end of the pass, then now and then.
    pub(super) fn refused(&mut self, key: &ObjectKey, fault: Fault, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.exchanges.clear();
        if slot.refusals == 0 {
            self.second_try.insert(key.clone());
        } else {
            let reason = Reason::new("refused", fault.to_string());
            out.push(Command::Report(Note::Refused {
                key: key.clone(),
                reason,
            }));
        }
        self.stand(key, Outcome::Refused(fault), now, out);
        self.deletes.set_aside(key);
    }

    /// The cluster could not answer; try again soon.
    pub(super) fn transient(&mut self, key: &ObjectKey, fault: Fault, now: Tick, out: &mut Vec<Command>) {
        let limits = self.options.limits;
        if fault.remedy == Remedy::KindUnknown {
            self.suspect_kinds(now, Millis(0));
        }
        if fault.remedy == Remedy::Unreachable {
            // Most likely not this object's fault: nothing more is asked of the cluster for a while. Requests that were under
            // way together are one silence.
            if self.paused_until.is_none() && self.options.switches.limits {
                self.unanswered += 1;
                let wait = Self::backoff(limits.retry_first, limits.retry_max, self.unanswered);
                self.paused_until = Some(now + wait.max(fault.retry_after.unwrap_or_default()));
            }
            self.silent(key, fault, now, out);
            return;
        }
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.failures += 1;
        if slot.failures > limits.transient_tries {
            slot.failures = 0;
            self.refused(key, fault, now, out);
            return;
        }
        let wait = fault
            .retry_after
            .unwrap_or_else(|| Self::backoff(limits.retry_first, limits.retry_max, slot.failures));
        let outcome = Outcome::Waiting {
            awaited: Awaited::NextTry {
                at: now + Millis(wait.0.min(limits.retry_max.0)),
            },
            reason: Reason::new("no-answer", fault.to_string()),
        };
        self.stand(key, outcome, now, out);
    }

    /// There was no answer to this request. If there are answers to others meanwhile, it is its own fault after all:
    /// it breaks the connection, say.
    fn silent(&mut self, key: &ObjectKey, fault: Fault, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.silences += 1;
        if slot.silences == 1 {
            slot.answers_at_silence = self.answers;
        }
        let answered_meanwhile = self.answers > slot.answers_at_silence;
        if slot.silences > self.options.limits.transient_tries && answered_meanwhile {
            return self.refused(key, fault, now, out);
        }
        let outcome = Outcome::Waiting {
            awaited: Awaited::Contact,
            reason: Reason::new("no-answer", fault.to_string()),
        };
        self.stand(key, outcome, now, out);
    }

    /// It changed while it was judged or written: look at it again, at once the first time.
    pub(super) fn moved(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.look_again();
        slot.failures += 1;
        self.dirty.insert(key.clone());
        if slot.failures > 1 {
            slot.failures -= 1;
            let fault = Fault::new(Remedy::Conflict, "it changes faster than it can be compared");
            self.transient(key, fault, now, out);
        }
    }
}

fn slot_is_unlisted_waiting(slot: Option<&Slot>) -> bool {
    slot.is_some_and(|slot| slot.desired.is_none() && slot.entry.is_some() && !slot.resting)
}
