//! Nothing more for an object in this pass, or not now: it rests, waits, or is tried again later.

use fleet_diff::ObjectKey;

use super::{
    Command, Engine,
    slot::{Class, Outcome, Slot, Trouble, read_gvk},
};
use crate::{
    edge::{Fault, Note, Remedy},
    words::{Millis, Reason, Tick},
};

impl Engine {
    /// Nothing more for this object in this pass.
    pub(super) fn rest(&mut self, key: &ObjectKey, outcome: Outcome, now: Tick, out: &mut Vec<Command>) {
        let limits = self.options.limits;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let said = matches!((&slot.outcome, &outcome), (Outcome::Blocked(a), Outcome::Blocked(b)) if a == b);
        let (wait, look) = match &outcome {
            // These are woken by what they wait for.
            Outcome::Waiting(reason) if matches!(reason.code, "later" | "namespace-leaving") => (None, false),
            Outcome::Deleting(_) | Outcome::Waiting(_) => (Some(limits.deletion_look), true),
            // Nothing shows a foreign object, or what a container holds: it is looked at again now and then.
            Outcome::Blocked(reason)
                if matches!(
                    reason.code,
                    "not-ours"
                        | "not-equal"
                        | "mark-with-other-uid"
                        | "container-not-empty"
                        | "contents-unknown"
                ) =>
            {
                slot.refusals += 1;
                (
                    Some(Self::backoff(
                        limits.refused_first,
                        limits.refused_max,
                        slot.refusals,
                    )),
                    true,
                )
            }
            _ => (None, false),
        };
        if let Some(wait) = wait {
            let until = now + wait;
            slot.trouble = Some(Trouble {
                until,
                resting: true,
                look,
            });
            self.timers.insert((until, key.clone()));
        }
        let note = match &outcome {
            Outcome::Blocked(reason) if !said => Some(Note::Blocked {
                key: key.clone(),
                reason: reason.clone(),
            }),
            _ => None,
        };
        self.set_outcome(key, outcome);
        self.mark_resting(key, true);
        out.extend(note.map(Command::Report));
    }

    pub(super) fn set_outcome(&mut self, key: &ObjectKey, outcome: Outcome) {
        if matches!(
            outcome,
            Outcome::Blocked(_) | Outcome::Refused(_) | Outcome::Waiting(_)
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

    pub(super) fn wait(&mut self, key: &ObjectKey, reason: Reason, now: Tick) {
        match reason.code {
            "kind-awaited" => self.look_for_kinds_of(key, now),
            "watch-awaited" => self.await_watch(key, now),
            _ => {}
        }
        self.set_outcome(key, Outcome::Waiting(reason));
        self.mark_resting(key, false);
    }

    /// A watch is waited for, but not for ever.
    fn await_watch(&mut self, key: &ObjectKey, now: Tick) {
        let slot = self.slots.get(key);
        let gvk = slot
            .zip(self.kinds.as_ref())
            .and_then(|(slot, kinds)| read_gvk(key, slot, kinds));
        if let Some(gvk) = gvk {
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
        let limits = self.options.limits;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.exchanges.clear();
        slot.refusals += 1;
        let until = now + Self::backoff(limits.refused_first, limits.refused_max, slot.refusals);
        slot.trouble = Some(Trouble {
            until,
            resting: true,
            look: true,
        });
        self.timers.insert((until, key.clone()));
        if slot.refusals == 1 {
            self.second_try.insert(key.clone());
        } else {
            let reason = Reason::new("refused", fault.to_string());
            out.push(Command::Report(Note::Refused {
                key: key.clone(),
                reason,
            }));
        }
        self.set_outcome(key, Outcome::Refused(fault));
        self.mark_resting(key, true);
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
        let until = now + Millis(wait.0.min(limits.retry_max.0));
        slot.trouble = Some(Trouble {
            until,
            resting: false,
            look: false,
        });
        self.timers.insert((until, key.clone()));
        self.set_outcome(key, Outcome::Waiting(Reason::new("no-answer", fault.to_string())));
        self.mark_resting(key, false);
    }

    /// There was no answer to this request. If there are answers to others meanwhile, it is its own fault after all:
    /// it breaks the connection, say.
    fn silent(&mut self, key: &ObjectKey, fault: Fault, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.silences += 1;
        if slot.silences == 1 {
            slot.silent_since = self.answers;
        }
        let answered_meanwhile = self.answers > slot.silent_since;
        if slot.silences > self.options.limits.transient_tries && answered_meanwhile {
            return self.refused(key, fault, now, out);
        }
        self.set_outcome(key, Outcome::Waiting(Reason::new("no-answer", fault.to_string())));
        self.mark_resting(key, false);
        self.starved.insert(key.clone());
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
