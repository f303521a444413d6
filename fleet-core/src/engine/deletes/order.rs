//! One granted delete after the other, each when it is its turn, and all writes before any.

use fleet_diff::{Object, ObjectKey};

use super::turns::Before;
use crate::{
    engine::{
        Command, Engine,
        slot::{Awaited, Outcome, Recheck, Slot},
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
        if !self.may_write() {
            self.deletes.pause(key);
        } else if !self.takes_its_turn(key, now, out) {
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

    /// Whether a granted delete goes now: after what goes before it, and after all writes.
    fn takes_its_turn(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) -> bool {
        self.deletes.turns.join(key);
        self.arrange_turns();
        self.deletes.granted.remove(key);
        let Some(reason) = self.why_later(key) else {
            self.deletes.granted.active.insert(key.clone());
            return true;
        };
        self.deletes.granted.waiting.insert(key.clone());
        if self.is_writing() {
            self.deletes.turns.look_at_all();
        }
        let awaited = Awaited::Turn;
        self.stand(key, Outcome::Waiting { awaited, reason }, now, out);
        false
    }

    /// What is written or deleted before it.
    pub(in crate::engine) fn why_later(&self, key: &ObjectKey) -> Option<Reason> {
        if self.is_writing() {
            return Some(Reason::new("later", "it is deleted once everything is written"));
        }
        let before = self.deletes.turns.before(key)?;
        Some(match before {
            Before::Class(first) => {
                Reason::new("later", format!("it is deleted once {first} is gone")).with("after", first)
            }
            Before::Edge(edge) => {
                let message = format!(
                    "it is deleted once {} is gone, which {} it",
                    edge.from,
                    edge.cause.words()
                );
                Reason::new("later", message).with("after", edge.from)
            }
            Before::Unknown => Reason::new(
                "later",
                "it is deleted when it is its turn: what else goes is being looked at",
            ),
            Before::Custom => Reason::new(
                "later",
                "it is deleted once the custom resources are gone: it may be what cleans up after them",
            ),
        })
    }

    /// Finds the order of what is granted, after something joined: by definitions that were listed until now, and what
    /// the cluster showed of those of which no definition is known any more.
    fn arrange_turns(&mut self) {
        if self.deletes.turns.is_arranged() || !self.deletes.undecided.is_empty() {
            return;
        }
        let mut going = Vec::new();
        for key in self.deletes.turns.rest() {
            match self.slots.get(key).and_then(Slot::last_body) {
                Some(object) => going.push(object.clone()),
                // All that is known of it is that it is there.
                None if self.deletes.granted.aside.contains(key) => going.push(bare(key)),
                // It is being looked at; until then nobody knows who comes first.
                None => return,
            }
        }
        let stays = |key: &ObjectKey, slot: &Slot| {
            slot.desired.is_none() && slot.seen().is_some() && !self.deletes.is_granted(key)
        };
        let staying = self.slots.iter().filter(|(key, slot)| stays(key, slot));
        let staying: Vec<Object> = staying
            .filter_map(|(_, slot)| slot.last_body().cloned())
            .collect();
        self.deletes.turns.arrange(&going, &staying, &self.options.domain);
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
        self.order.is_waiting() || self.restless.values().any(|set| !set.is_empty())
    }

    /// Looks at deletes again whose turn may have come.
    pub(super) fn wake_deletes(&mut self) -> bool {
        if self.is_writing() || self.deletes.granted.waiting.is_empty() {
            return false;
        }
        self.arrange_turns();
        let waiting = &mut self.deletes.granted.waiting;
        let woken = self.deletes.turns.woken(waiting);
        for key in &woken {
            waiting.remove(key);
        }
        let moved = !woken.is_empty();
        self.dirty.extend(woken);
        moved
    }
}

/// An object of which nothing else is known.
fn bare(key: &ObjectKey) -> Object {
    let version = match key.group() {
        "" => "v1".to_owned(),
        group => format!("{group}/v1"),
    };
    let mut value = serde_json::json!({
        "apiVersion": version, "kind": key.kind(), "metadata": {"name": key.name()},
    });
    if let Some(namespace) = key.namespace() {
        value["metadata"]["namespace"] = namespace.into();
    }
    Object::from_json(value).unwrap_or_else(|_| unreachable!("a key is all that an object must have"))
}
