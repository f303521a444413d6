//! Times in which nothing is written: a pause, a closed window, a veto of the cluster's own people, a cluster that joins.

use fleet_diff::ObjectKey;

use super::{
    Approval, Command, Engine,
    slot::{Outcome, Sight, Slot},
};
use crate::{
    edge::Note,
    strategy::{Work, recreate},
    words::{Reason, Tick},
};

/// The code of the reason for a hold that nothing overrides: what was begun is not ended either.
pub const VETO: &str = "veto";

/// The code of the reason for a hold that lasts until it is known whether there is another: nobody is told of it.
pub const STARTING: &str = "starting";

impl Engine {
    /// Whether something may be written now.
    pub(super) fn may_write(&self) -> bool {
        self.options.approval == Approval::Auto && self.hold.is_none()
    }

    pub(super) fn is_on_hold(&self) -> bool {
        self.hold.is_some()
    }

    /// It is not known yet whether something may be written.
    pub(super) fn is_starting(&self) -> bool {
        self.hold.as_ref().is_some_and(|reason| reason.code == STARTING)
    }

    /// Whether this work may go on: what was deleted to be made again is made again on hold, too, unless the cluster's
    /// people say no.
    pub(super) fn may_go_on_with(&self, key: &ObjectKey, work: &Work) -> bool {
        self.may_write()
            || matches!(work, Work::Recreate(_)) && self.may_end_what_began() && self.is_missing(key)
    }

    /// Whether what was deleted to be made again may be made again although nothing is written. While it is not known
    /// whether there is a veto, there may be one.
    pub(super) fn may_end_what_began(&self) -> bool {
        let says_no = |reason: &Reason| [VETO, STARTING].contains(&&*reason.code);
        self.options.approval == Approval::Auto && !self.hold.as_ref().is_some_and(says_no)
    }

    /// Whether it is being made again and is not there, or goes.
    fn is_missing(&self, key: &ObjectKey) -> bool {
        let Some(slot) = self.slots.get(key) else {
            return false;
        };
        let note = slot.entry.as_ref().and_then(|entry| entry.note.as_deref());
        let goes = match &slot.sight {
            Sight::Absent => true,
            Sight::Present(seen) => seen.deleting.is_some(),
            Sight::Unknown | Sight::Listed(_) => false,
        };
        note.is_some_and(|note| recreate::restores(note) || goes && !recreate::is_over(note))
    }

    /// Nothing is written from now on, or everything again.
    pub(super) fn take_hold(&mut self, hold: Option<Reason>, now: Tick, out: &mut Vec<Command>) {
        if self.hold == hold {
            return;
        }
        let is_told = |hold: &Option<Reason>| hold.as_ref().is_some_and(|reason| reason.code != STARTING);
        if is_told(&hold) || (hold.is_none() && is_told(&self.hold)) {
            let released = || Reason::new("released", "nothing is held back any more");
            let reason = hold.clone().unwrap_or_else(released);
            Self::report(Note::Remark { reason }, out);
        }
        let begins = self.hold.is_none();
        self.hold = hold;
        if begins {
            // What waits for its turn to be written is planned instead.
            for gated in self.gated.values_mut() {
                self.dirty.append(gated);
            }
            self.dirty.extend(self.order.waiting().cloned());
            self.dirty.extend(self.deletes.unfinished().cloned());
            return;
        }
        // Another hold may let what is being made again go on.
        let has_note = |slot: &Slot| slot.entry.as_ref().is_some_and(|entry| entry.note.is_some());
        let noted = self.slots.iter().filter(|(_, slot)| has_note(slot));
        self.dirty.extend(noted.map(|(key, _)| key.clone()));
        if self.hold.is_none() {
            self.converged = false;
            self.deletes.start_over();
            // Nothing of it is at rest any more: deletes wait for it, and what needs it, too.
            let planned = self
                .slots
                .iter()
                .filter(|(_, slot)| slot.desired.is_some() && matches!(slot.outcome, Outcome::Planned(_)));
            let planned: Vec<ObjectKey> = planned.map(|(key, _)| key.clone()).collect();
            for key in planned {
                self.mark_resting(&key, false);
            }
            self.order.is_stale = true;
            // What was only planned, and what was about to be deleted, is decided on anew.
            self.dirty.extend(self.slots.keys().cloned());
            self.confirm_rebuild(now, out);
        }
    }
}
