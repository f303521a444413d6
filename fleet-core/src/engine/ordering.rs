//! Who is written after whom, beyond classes: what the objects of the inventory say of each other ([`crate::order`]), and
//! how healthy those are that others wait for.
//!
//! Only what is new waits: an object that was as defined is repaired at once. What somebody wrote down, waves and
//! `depends-on`, is waited for with a deadline, and then as the policy says. What is read from objects is a guess: it is
//! not waited for any more once the other object has come as far as it does in this pass.

use std::{collections::BTreeSet, sync::Arc};

use fleet_diff::{Object, ObjectKey};

use super::{
    Command, Engine, Unhealthy,
    slot::{Awaited, Outcome, Recheck, Slot},
};
use crate::{
    health::HealthState,
    order::{Edge, Hope, Needs, Order, Progress, Reached, Turn},
    strategy::Work,
    words::{Known, Millis, Reason, Tick},
};

/// What is known of it.
pub(super) struct Ordering {
    progress: Progress,
    /// Objects that wait for others.
    waiting: BTreeSet<ObjectKey>,
    /// Objects that would wait any longer than they may.
    stopped: BTreeSet<ObjectKey>,
    /// When it is less worth waiting for the health of an object.
    deadlines: BTreeSet<(Tick, ObjectKey)>,
    /// What is listed has changed.
    pub(super) is_stale: bool,
}

impl Default for Ordering {
    fn default() -> Self {
        Self {
            progress: Progress::new(Arc::new(Order::new([], ""))),
            waiting: BTreeSet::new(),
            stopped: BTreeSet::new(),
            deadlines: BTreeSet::new(),
            is_stale: false,
        }
    }
}

impl Ordering {
    pub(super) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// It is decided anew.
    pub(super) fn leave(&mut self, key: &ObjectKey) {
        self.waiting.remove(key);
        self.stopped.remove(key);
    }

    /// The next moment at which [`Engine::follow_deadlines`] has something to do.
    pub(super) fn due(&self) -> Option<Tick> {
        self.deadlines.first().map(|(at, _)| *at)
    }

    /// What waits.
    pub(super) fn waiting(&self) -> impl Iterator<Item = &ObjectKey> {
        self.waiting.iter()
    }

    fn holds(&self, key: &ObjectKey) -> bool {
        self.waiting.contains(key) || self.stopped.contains(key)
    }

    /// Whether somebody waits for the health of an object.
    fn is_health_awaited(&self, key: &ObjectKey) -> bool {
        let mut behind = self.progress.order().dependents(key);
        behind.any(|edge| edge.cause.needs() == Needs::Healthy)
    }
}

impl Engine {
    /// The order of what is listed now, if that has changed.
    pub(super) fn find_order(&mut self, now: Tick) {
        if !std::mem::take(&mut self.order.is_stale) {
            return;
        }
        let mut listed: Vec<Object> = self
            .slots
            .values()
            .filter_map(|slot| slot.desired.as_ref())
            .map(|desired| desired.object.clone())
            .collect();
        let mapped = listed.len();
        // Listed all the same, and not to be had for now.
        let unmapped = &self.inventory.unmapped;
        let known = self.inventory.known.iter().flat_map(Known::objects);
        listed.extend(
            known
                .filter(|object| unmapped.contains_key(object.key()))
                .cloned(),
        );
        let order = Order::new(&listed, &self.options.domain);
        self.order.progress = Progress::new(Arc::new(order));
        self.order.deadlines.clear();
        let held: Vec<ObjectKey> = self.order.waiting.union(&self.order.stopped).cloned().collect();
        self.dirty.extend(held);
        for object in &listed[mapped..] {
            self.order
                .progress
                .reach(object.key(), Reached::Nothing, Hope::Gone);
        }
        for object in &listed[..mapped] {
            if let Some(slot) = self.slots.get_mut(object.key()) {
                slot.told = None;
            }
            self.follow_order(object.key(), now);
        }
    }

    /// Looks how healthy an object is.
    pub(super) fn see_health(&mut self, key: &ObjectKey, object: &Object, now: Tick) {
        if let Some(slot) = self.slots.get_mut(key).filter(|slot| slot.desired.is_some()) {
            let state = self.parts.health.health(object);
            slot.health = (!state.is_healthy()).then(|| Box::new(state));
            slot.ill_since = slot.health.as_ref().map(|_| slot.ill_since.unwrap_or(now));
        }
    }

    /// How far an object has come, for those that wait for it: whose turn changes by that is looked at again.
    pub(super) fn follow_order(&mut self, key: &ObjectKey, now: Tick) {
        let Some(slot) = self.slots.get(key) else { return };
        let mut deadline = None;
        let stands = match &slot.outcome {
            Outcome::Finished if has_failed(slot) => (Reached::Applied, Hope::Gone),
            Outcome::Finished => (Reached::Healthy, Hope::Open),
            Outcome::InSync if slot.is_as_defined() && slot.health.is_none() => {
                (Reached::Healthy, Hope::Open)
            }
            Outcome::InSync if slot.is_as_defined() => {
                let since = slot.in_sync_since.max(slot.ill_since).unwrap_or(now);
                let (faint, gone) = (
                    since + self.options.limits.backend_max,
                    since + self.options.limits.health_max,
                );
                deadline = [faint, gone].into_iter().filter(|at| *at > now).min();
                match self.options.unhealthy {
                    Unhealthy::GoOn if gone <= now => (Reached::Healthy, Hope::Open),
                    _ if gone <= now => (Reached::Applied, Hope::Gone),
                    _ if faint <= now => (Reached::Applied, Hope::Faint),
                    _ => (Reached::Applied, Hope::Open),
                }
            }
            Outcome::Waiting {
                awaited: Awaited::Others,
                ..
            } => (Reached::Nothing, Hope::Open),
            _ if slot.resting => (Reached::Nothing, Hope::Gone),
            _ => (Reached::Nothing, Hope::Open),
        };
        if slot.told == Some(stands) {
            return;
        }
        let (reached, hope) = stands;
        let turned = self.order.progress.reach(key, reached, hope);
        let held = turned.into_iter().filter(|other| self.order.holds(other));
        self.dirty.extend(held);
        if let Some(at) = deadline.filter(|_| self.order.is_health_awaited(key)) {
            self.order.deadlines.insert((at, key.clone()));
        }
        if let Some(slot) = self.slots.get_mut(key) {
            slot.told = Some(stands);
        }
    }

    /// Whose health has been waited for long enough.
    pub(super) fn follow_deadlines(&mut self, now: Tick) {
        while let Some((at, key)) = self.order.deadlines.first().cloned()
            && at <= now
        {
            self.order.deadlines.pop_first();
            self.follow_order(&key, now);
        }
    }

    /// Whether this work waits for other objects. What follows is seen to.
    pub(super) fn waits_for_others(
        &mut self,
        key: &ObjectKey,
        work: &Work,
        now: Tick,
        out: &mut Vec<Command>,
    ) -> bool {
        if matches!(work, Work::Delete { .. } | Work::Recreate(_)) || self.is_repair(key) {
            return false;
        }
        let progress = &self.order.progress;
        if let Some(block) = progress.order().block(key) {
            let reason = block.reason(progress.order());
            self.block(key, Recheck::News, reason, now, out);
            self.order.stopped.insert(key.clone());
            return true;
        }
        let Some(edge) = progress.first(key) else {
            return false;
        };
        let reason = edge.reason();
        if progress.turn(key) == Turn::Stopped {
            let reason = reason.because(self.why_stopped(&edge));
            self.block(key, Recheck::News, reason, now, out);
            self.order.stopped.insert(key.clone());
        } else {
            let awaited = Awaited::Others;
            self.stand(key, Outcome::Waiting { awaited, reason }, now, out);
            self.order.waiting.insert(key.clone());
        }
        true
    }

    /// For whom an object waits now: not always for the one that it began to wait for.
    pub(super) fn why_waiting(&self, key: &ObjectKey) -> Option<Reason> {
        self.order.progress.first(key).map(|edge| edge.reason())
    }

    /// Whether annotations say for whom an object waits.
    pub(super) fn waits_by_word(&self, key: &ObjectKey) -> bool {
        let order = self.order.progress.order();
        order.block(key).is_some() || order.waits_for(key).any(|edge| edge.cause.is_declared())
    }

    /// It was as it is defined now.
    fn is_repair(&self, key: &ObjectKey) -> bool {
        self.slots.get(key).is_some_and(|slot| {
            let recorded = || slot.entry.as_ref().and_then(|entry| entry.synced);
            let synced = slot.last_in_sync.or_else(recorded);
            synced.is_some() && synced == slot.definition()
        })
    }

    fn why_stopped(&self, edge: &Edge<'_>) -> Reason {
        let other = self.slots.get(edge.on);
        match other.and_then(|slot| Some((&slot.outcome, slot.health.as_ref()?))) {
            Some((Outcome::InSync, health)) => {
                let limit = self.options.limits.health_max;
                let message = format!("{} is not healthy after {limit}: {health}", edge.on);
                Reason::new("unhealthy", message)
            }
            _ => Reason::new("behind", format!("{} is not written either: see there", edge.on)),
        }
    }

    /// Notes since when an object is as defined, from which on its health is waited for.
    pub(super) fn note_in_sync(&mut self, key: &ObjectKey, now: Tick) {
        if let Some(slot) = self.slots.get_mut(key) {
            let is_new = slot.last_in_sync != slot.definition();
            if is_new || slot.in_sync_since.is_none() {
                slot.in_sync_since = Some(now);
            }
        }
    }

    /// Listed objects that are not healthy.
    pub(super) fn unhealthy(&self) -> impl Iterator<Item = (&ObjectKey, &HealthState)> {
        let listed = self
            .slots
            .iter()
            .filter(|(_, slot)| slot.desired.is_some() && slot.seen().is_some());
        listed.filter_map(|(key, slot)| Some((key, slot.health.as_deref()?)))
    }
}

/// Of what has ended and is gone: whether it had failed.
fn has_failed(slot: &Slot) -> bool {
    slot.health.is_some() || slot.entry.as_ref().is_some_and(|entry| entry.failed)
}

/// Long enough for a backend that others only seem to need.
pub(super) const BACKEND_MAX: Millis = Millis::from_secs(30);
