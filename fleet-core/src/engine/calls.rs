//! Commands that are waited for: what each is for, and how many may be under way.

use std::ops::Bound;

use fleet_diff::{GroupKind, ObjectKey};

use super::{CallId, Engine};

/// What a command's result is for.
#[derive(Clone, Debug)]
pub(super) enum Call {
    /// A read or a judge's question about an object.
    Ask(ObjectKey),
    /// A write of an object.
    Write(ObjectKey),
    List(GroupKind),
    Sweep,
    Survey(ObjectKey),
    KindGone(GroupKind),
    Record,
    Rebuild,
    Reserve,
    /// One delete, to make the object again.
    ReserveOne(ObjectKey),
}

impl Engine {
    pub(super) fn new_call(&mut self, call: Call) -> CallId {
        self.next_call += 1;
        let id = CallId(self.next_call);
        if matches!(call, Call::Ask(_) | Call::Write(_)) {
            self.in_flight += 1;
        }
        self.calls.insert(id, call);
        id
    }

    /// The call a result belongs to, if it is still waited for.
    pub(super) fn end_call(&mut self, id: CallId) -> Option<Call> {
        let call = self.calls.remove(&id)?;
        if matches!(call, Call::Ask(_) | Call::Write(_)) {
            self.in_flight -= 1;
        }
        Some(call)
    }

    /// How many more requests about objects may be sent now. After a silence one goes first, to see.
    pub(super) fn room(&self) -> usize {
        if !self.options.switches.limits {
            return usize::MAX;
        }
        let most = match self.unanswered {
            0 => self.options.limits.in_flight.max(1),
            _ => 1,
        };
        if self.paused_until.is_some() {
            0
        } else {
            most.saturating_sub(self.in_flight)
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.room() > 0
    }

    pub(super) fn feed_starved(&mut self) {
        for _ in 0..self.room() {
            let behind = |fed| {
                self.starved
                    .range((Bound::Excluded(fed), Bound::Unbounded))
                    .next()
            };
            let next = self.fed.as_ref().and_then(behind);
            let Some(key) = next.or_else(|| self.starved.first()).cloned() else {
                break;
            };
            self.starved.remove(&key);
            self.fed = Some(key.clone());
            self.dirty.insert(key);
        }
    }
}
