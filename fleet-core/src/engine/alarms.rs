//! What waits for time to pass.

use fleet_diff::GroupKind;

use super::{
    Command, Engine,
    kinds::{GoneKind, Listing, ListingStage},
};
use crate::words::{Millis, Tick};

impl Engine {
    /// Everything that waits for time to pass and whose time has come.
    pub(super) fn take_due(&mut self, now: Tick, out: &mut Vec<Command>) {
        if self.paused_until.is_some_and(|until| until <= now) {
            self.paused_until = None;
        }
        while let Some((at, key)) = self.timers.first().cloned() {
            if at > now {
                break;
            }
            self.timers.pop_first();
            if let Some(slot) = self.slots.get_mut(&key) {
                if let Some(trouble) = slot.trouble.take_if(|t| t.until <= now)
                    && trouble.look
                    && !slot.is_busy()
                {
                    slot.look_again();
                }
                self.dirty.insert(key);
            }
        }
        self.follow_deadlines(now);
        for listing in self.listings.values_mut() {
            if listing.due().is_some_and(|at| at <= now) {
                listing.stage = ListingStage::Wanted;
            }
        }
        self.refuse_overdue_reservation(now, out);
        self.refuse_overdue_reservation_of_one(now, out);
        let again = |state: &GoneKind| state.again_at.is_some_and(|at| at <= now);
        let kinds = self.gone_kinds.iter().filter(|(_, state)| again(state));
        let kinds: Vec<GroupKind> = kinds.map(|(kind, _)| kind.clone()).collect();
        for kind in kinds {
            if self.of_kind(&kind).next().is_some() {
                self.ask_kind_gone(kind, out);
            } else {
                self.gone_kinds.remove(&kind);
            }
        }
    }

    /// Wakes the engine at the earliest moment at which something is due.
    pub(super) fn set_alarm(&mut self, now: Tick, out: &mut Vec<Command>) {
        let mut due: Vec<Tick> = Vec::new();
        due.extend(self.timers.first().map(|(at, _)| *at));
        due.extend(self.paused_until);
        due.extend(self.discover_at.filter(|at| *at > now));
        due.extend(self.ledger.due());
        due.extend(self.deletes.due());
        due.extend(self.order.due());
        due.extend(self.reserving_one.as_ref().map(|reserving| reserving.until));
        due.extend(self.worth_waiting_until());
        due.extend(self.listings.values().filter_map(Listing::due));
        due.extend(self.gone_kinds.values().filter_map(|state| state.again_at));
        let next = due.into_iter().min();
        if next != self.wake_at {
            self.wake_at = next;
            out.extend(next.map(Command::WakeAt));
        } else if next.is_some_and(|at| at <= now) {
            // The alarm went off and its cause is still there: never sleep for ever on it.
            let again = now + Millis(100);
            self.wake_at = Some(again);
            out.push(Command::WakeAt(again));
        }
    }

    /// Exponential wait: `first` after one failure, doubled for each more, at most `max`.
    pub(super) fn backoff(first: Millis, max: Millis, failures: u32) -> Millis {
        let factor = 1u64 << failures.saturating_sub(1).min(20);
        Millis(first.0.saturating_mul(factor).min(max.0))
    }
}
