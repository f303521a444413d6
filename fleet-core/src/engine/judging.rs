//! What the judge says of an object, and what follows.

use fleet_diff::{FieldChange, FieldPath, Memory, Object, ObjectKey, without_updates};

use super::{
    Command, Engine,
    inventory::kinds_of_definitions,
    slot::{Awaited, Class, Outcome, Recheck, Sight, Stage},
};
use crate::{
    edge::{Fault, Request},
    judge::{Judgement, Subject},
    ledger::{Entry, EntryState},
    plan::{Action, Change},
    strategy::{Manner, Work},
    words::{Live, Reason, Tick},
};

/// What applying a document would do, as the judge says.
pub(super) enum Opinion {
    Nothing,
    Create(Object),
    Update(Object, Vec<FieldChange>),
    /// What others added is to be removed.
    Remove(json_patch::Patch, Vec<FieldChange>),
    /// It would have to be made again: these fields cannot change, as the server or its rules say.
    Recreate(Vec<FieldChange>, Fault),
}

/// How often the judge answered.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Judgements {
    /// Without asking the server.
    pub local: u64,
    /// After asking it.
    pub asked: u64,
}

impl Judgements {
    fn count(&mut self, judgement: &Judgement, asked: bool) {
        match (judgement, asked) {
            (Judgement::Ask(_) | Judgement::Stale | Judgement::Unsure(_), _) => {}
            (_, false) => self.local += 1,
            (_, true) => self.asked += 1,
        }
    }
}

impl Engine {
    pub(super) fn judge(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        self.follow_contests(key, now);
        self.follow_drift(key);
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let (Some(now_settled), Some(seen)) = (slot.settles(&self.types), slot.seen()) else {
            return;
        };
        let leaves = slot.desired.as_ref().map(|desired| desired.strategy.manner()) == Some(Manner::Once);
        if leaves {
            slot.settled = Some(now_settled);
            self.in_sync(key, now, out);
            return;
        }
        if slot.settled == Some(now_settled) && self.options.switches.nothing_without_change {
            self.in_sync(key, now, out);
            return;
        }
        let (Some(live), Some(document)) = (seen.body.clone(), slot.document(&self.marks)) else {
            self.read(key, out);
            return;
        };
        if let Some(document) = self.remembered_as_applied(key, &live) {
            let reason = self.reason(
                "strategy",
                "what it remembers of another strategy becomes what was applied",
            );
            let mut change = Change::new(key.clone(), Action::Adopt, Some(live.uid().clone()), reason);
            change.covers(&document, &[]);
            return self.start(key, Work::TakeOver { document, live }, change, now, out);
        }
        match self.opinion(key, &document, Some(&live), now, out) {
            None => {}
            Some(Opinion::Nothing) if self.options.switches.nothing_without_change => {
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.settled = Some(now_settled);
                }
                self.in_sync(key, now, out);
            }
            Some(Opinion::Nothing | Opinion::Create(_)) => {
                self.update(key, &live, document, Vec::new(), now, out);
            }
            Some(Opinion::Update(document, fields)) => self.update(key, &live, document, fields, now, out),
            Some(Opinion::Remove(patch, fields)) => self.remove_foreign(key, &live, patch, fields, now, out),
            Some(Opinion::Recreate(fields, fault)) => self.recreate(key, &live, fields, fault, now, out),
        }
    }

    /// An object that another strategy of ours wrote, once a strategy that applies writes it: what it remembers in its
    /// annotation is in its owners then. None if it remembers nothing.
    fn remembered_as_applied(&self, key: &ObjectKey, live: &Live) -> Option<Object> {
        let strategy = &self.slots.get(key)?.desired.as_ref()?.strategy;
        let text = live.object().annotation(self.marks.memory_key())?;
        if strategy.manner() != Manner::Applied {
            return None;
        }
        let manager = self.marks.manager();
        // A memory that cannot be read says nothing; what it was about stays then.
        let object = match Memory::parse(text) {
            Ok(memory) => memory.as_applied(live.object(), manager).ok()?,
            Err(_) => without_updates(live.object(), manager).ok()?.0,
        };
        let memory = FieldPath::keys(["metadata", "annotations", self.marks.memory_key()]);
        object.without([&memory]).ok()
    }

    /// Whether nothing can be said of an object yet, because the types of the cluster's objects are not known.
    pub(super) fn waits_for_types(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) -> bool {
        let waits = self.awaits_types();
        if waits {
            let reason = Reason::new(
                "types-awaited",
                "the types of the cluster's objects are being read",
            );
            let awaited = Awaited::Types;
            self.stand(key, Outcome::Waiting { awaited, reason }, now, out);
        }
        waits
    }

    /// For a plan: what applying the definition would change once the object is like this, marks aside. Nothing where that
    /// cannot be foreseen.
    pub(super) fn foreseen(&self, key: &ObjectKey, then: &Live) -> Vec<FieldChange> {
        let slot = self.slots.get(key);
        let Some((slot, document)) = slot.and_then(|slot| Some((slot, slot.document(&self.marks)?))) else {
            return Vec::new();
        };
        let definition = slot.desired.as_ref().map_or(&document, |desired| &desired.object);
        let manner = slot.desired.as_ref().map(|desired| desired.strategy.manner());
        if manner == Some(Manner::Once) {
            return Vec::new();
        }
        let subject = Subject::new(&document, Some(then), self.marks.manager())
            .definition(definition)
            .types(self.types.known())
            .merged_here((manner == Some(Manner::Merged)).then_some(self.marks.memory_key()));
        let fields = match self.parts.judge.judge(subject) {
            Judgement::Update(_, fields) | Judgement::Recreate(fields, _) => fields,
            _ => Vec::new(),
        };
        let fields = fields.into_iter().filter(|field| !self.is_mark(field)).collect();
        self.shown(key, fields)
    }

    /// What the judge says that applying this document would do. None if it cannot say now: then what it needs is seen
    /// to, and the object comes back.
    pub(super) fn opinion(
        &mut self,
        key: &ObjectKey,
        document: &Object,
        live: Option<&Live>,
        now: Tick,
        out: &mut Vec<Command>,
    ) -> Option<Opinion> {
        if self.waits_for_types(key, now, out) {
            return None;
        }
        let slot = self.slots.get_mut(key)?;
        let definition = slot.desired.as_ref().map_or(document, |desired| &desired.object);
        let manner = slot.desired.as_ref().map(|desired| desired.strategy.manner());
        let subject = Subject::new(document, live, self.marks.manager())
            .definition(definition)
            .exchanges(&slot.exchanges)
            .types(self.types.known())
            .merged_here((manner == Some(Manner::Merged)).then_some(self.marks.memory_key()));
        let judgement = self.parts.judge.judge(subject);
        self.judgements.count(&judgement, !slot.exchanges.is_empty());
        match judgement {
            Judgement::Nothing => return Some(Opinion::Nothing),
            Judgement::Create(document) => return Some(Opinion::Create(document)),
            Judgement::Update(document, fields) => return Some(Opinion::Update(document, fields)),
            Judgement::Remove(patch, fields) => return Some(Opinion::Remove(patch, fields)),
            Judgement::Recreate(fields, fault) => return Some(Opinion::Recreate(fields, fault)),
            Judgement::Ask(request) => {
                let reason = Reason::new("compare", "to see what applying its definition would change");
                let asking = |call, request: &Request| Stage::Asking(call, Box::new(request.clone()));
                self.ask(key, request, reason, asking, out);
            }
            Judgement::Stale => self.moved(key, now, out),
            Judgement::Refused(fault) => self.refused(key, fault, now, out),
            Judgement::Unsure(fault) => {
                slot.exchanges.clear();
                self.transient(key, fault, now, out);
            }
        }
        None
    }

    /// As its definition says: keep the ledger right, and let go of the body.
    pub(super) fn in_sync(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let established_max = self.options.limits.established_max;
        let may_write = self.may_write();
        // Where it matters to the next process whether this was once as it is defined now.
        let remember = !self.options.drift.is_empty() || self.waits_by_word(key);
        let is_definition = Class::of(key) == Class::Definitions;
        let body = self.slots.get(key).and_then(|slot| slot.seen()?.body.clone());
        if let Some(live) = body {
            self.see_health(key, live.object(), now);
        }
        self.note_in_sync(key, now);
        let discovered = !is_definition || {
            let desired = self.slots.get(key).and_then(|slot| slot.desired.as_ref());
            desired.is_none_or(|desired| self.is_discovered(&desired.object))
        };
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        slot.exchanges = Vec::new();
        let Some(desired) = &slot.desired else { return };
        let version = desired.object.gvk().version().to_owned();
        let definition = desired.object.digest();
        let Sight::Present(seen) = &mut slot.sight else {
            return;
        };
        seen.body = None;
        let known = self.ledger.intended(key, slot.entry.as_ref()).cloned();
        let mut entry = known.unwrap_or_else(|| Entry::new(key.clone(), version.as_str()));
        entry.state = EntryState::Owned;
        // What is remembered is over: that another definition could not be reached.
        entry.note = None;
        entry.uid = Some(seen.uid.clone());
        entry.version = version;
        if seen.finished {
            entry.finished = Some(definition);
            entry.failed = slot.health.is_some();
        } else if entry.finished.is_some_and(|finished| finished != definition) {
            (entry.finished, entry.failed) = (None, false);
        }
        slot.last_in_sync = Some(definition);
        entry.synced = remember.then_some(definition);
        let established = seen.established;
        let ready = !is_definition || (established && discovered);
        if !ready && may_write {
            let by = *slot.establish_by.get_or_insert(now + established_max);
            if now < by {
                let (awaited, reason) = if established {
                    let message = "what the CRD defines is not served at its versions yet";
                    (Awaited::Discovery { by }, Reason::new("not-discovered", message))
                } else {
                    let message = "the CRD is not established yet";
                    (
                        Awaited::Establishment { by },
                        Reason::new("not-established", message),
                    )
                };
                self.stand(key, Outcome::Waiting { awaited, reason }, now, out);
            } else if established {
                self.stand(key, Outcome::InSync, now, out);
            } else {
                let message = format!("the CRD was not established within {established_max}");
                let reason = Reason::new("not-established", message);
                self.block(key, Recheck::News, reason, now, out);
            }
        } else {
            slot.fresh_start();
            self.stand(key, Outcome::InSync, now, out);
        }
        let current = self.slots.get(key).and_then(|s| s.entry.as_ref());
        if self.ledger.intended(key, current) != Some(&entry) {
            self.record_later(key, Some(entry), now);
        }
    }

    /// Whether discovery shows a CRD's kind at exactly the versions it says are served.
    fn is_discovered(&self, crd: &Object) -> bool {
        let kinds = self.kinds.as_ref();
        kinds_of_definitions(std::slice::from_ref(crd))
            .iter()
            .all(|(kind, (_, promised))| {
                let shown = kinds.and_then(|kinds| kinds.get(kind));
                shown.is_some_and(|shown| {
                    promised.versions.iter().all(|version| shown.serves(version))
                        && shown.versions.iter().all(|version| promised.serves(version))
                })
            })
    }
}
