//! One granted delete after the other: later classes first, and all writes before any.

use fleet_diff::ObjectKey;

use crate::{
    engine::{
        Approval, Command, Engine,
        slot::{Awaited, Class, Outcome, Recheck},
    },
    plan::{Action, Change},
    strategy::Work,
    words::{Reason, Tick},
};

impl Engine {
    /// Ours, there, and not listed any more.
    pub(in crate::engine) fn remove(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let Some(seen) = slot.seen() else { return };
        let uid = seen.uid.clone();
        let version = seen.version.clone();
        let approved = slot.approved;
        self.mark_resting(key, true);
        if self.ledger.is_pending(key) {
            // Its intent is on the way to the ledger.
            self.deletes.withdraw(key);
            return;
        }
        if !approved {
            self.deletes.propose(key, uid);
            return;
        }
        self.deletes.withdraw(key);
        // A permission may have been withdrawn since the intent was recorded.
        if let Some(reason) = self.why_not_deleted(key, &uid) {
            return self.keep(key, Recheck::News, reason, now, out);
        }
        // What only shows a plan holds nothing back and waits for nothing.
        if self.options.approval == Approval::Auto && !self.takes_its_turn(key, now, out) {
            return;
        }
        let weight = match self.weight(key, now, out) {
            None => return,
            Some(Ok(weight)) => weight,
            Some(Err(reason)) => return self.keep(key, Recheck::NowAndThen, reason, now, out),
        };
        let Some(gvk) = self.served_gvk(key) else { return };
        let reason = self.reason("unlisted", "it was managed and is no longer listed");
        let mut change = Change::new(key.clone(), Action::Delete, Some(uid.clone()), reason);
        change.weight = weight;
        let propagation = self.options.propagation;
        self.start(
            key,
            Work::Delete {
                key: key.clone(),
                gvk,
                uid,
                version,
                propagation,
            },
            change,
            now,
            out,
        );
    }

    /// Whether a granted delete goes now: later classes go first, and all writes before any.
    fn takes_its_turn(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) -> bool {
        let class = Class::of(key);
        let later_go = self
            .deletes
            .granted
            .iter()
            .any(|(other, granted)| *other > class && !granted.is_empty());
        let must_wait = later_go || self.is_writing();
        let granted = self.deletes.granted.entry(class).or_default();
        granted.remove(key);
        if must_wait {
            granted.waiting.insert(key.clone());
            let outcome = Outcome::Waiting {
                awaited: Awaited::Turn,
                reason: Reason::new("later", "it is deleted once what goes before it is gone"),
            };
            self.stand(key, outcome, now, out);
        } else {
            granted.active.insert(key.clone());
        }
        !must_wait
    }

    /// A delete that was granted turns out not to be possible now.
    fn keep(&mut self, key: &ObjectKey, recheck: Recheck, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        self.deletes.done_with(key);
        if let Some(slot) = self.slots.get_mut(key) {
            slot.approved = false;
        }
        self.block(key, recheck, reason, now, out);
    }

    /// Some listed object is not at rest.
    pub(in crate::engine) fn is_writing(&self) -> bool {
        self.restless.values().any(|set| !set.is_empty())
    }

    /// Deletes whose turn has come: gates first, then the rest, CRDs, namespaces.
    pub(super) fn wake_deletes(&mut self) -> bool {
        if self.is_writing() {
            return false;
        }
        let mut moved = false;
        for granted in self.deletes.granted.values_mut().rev() {
            let turn = std::mem::take(&mut granted.waiting);
            moved |= !turn.is_empty();
            let busy = !granted.is_empty() || !turn.is_empty();
            self.dirty.extend(turn);
            if busy {
                break;
            }
        }
        moved
    }
}
