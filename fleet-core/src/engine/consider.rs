//! Sees to the next step for one object.

use fleet_diff::{Gvk, ObjectKey};

use super::{
    CallId, Command, Engine,
    calls::Call,
    decide::{Step, Surroundings, decide},
    kinds::Listing,
    slot::{Awaited, Outcome, Recheck, Sight, Slot, Stage, read_gvk},
    unserved,
};
use crate::{
    edge::Request,
    words::{KindMap, Reason, Tick, Uid},
};

impl Engine {
    /// Everything a decision needs is there: ledger, discovery and, at least once, the inventory.
    pub(super) fn is_informed(&self) -> bool {
        self.ledger.is_ready() && self.kinds.is_some() && self.inventory.known.is_some()
    }

    pub(super) fn consider(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        self.starved.remove(key);
        self.order.leave(key);
        self.follow_namespace(key);
        let (Some(slot), Some(kinds)) = (self.slots.get(key), &self.kinds) else {
            return;
        };
        if slot.is_busy() {
            self.deletes.withdraw(key);
            return;
        }
        if slot.trouble.is_some() {
            let resting = slot.resting;
            self.deletes.withdraw(key);
            self.mark_resting(key, resting);
            return;
        }
        if slot.desired.is_none()
            && slot.entry.is_some()
            && self.ledger.intended(key, slot.entry.as_ref()).is_none()
        {
            // Let go already; the ledger will say so soon.
            return;
        }
        let step = decide(key, slot, &self.surroundings(key, slot, kinds, now));
        match &step {
            Step::Remove => {}
            Step::Stand(Outcome::Deleting(_)) => {
                self.deletes.withdraw(key);
                self.deletes.linger(key);
            }
            // Being looked at, it may still be on its way out.
            Step::Read | Step::Stand(Outcome::Waiting { .. }) => self.deletes.withdraw(key),
            // What is not known now does not give up its place: others would go before it.
            Step::AskKindGone
            | Step::Stand(
                Outcome::Kept
                | Outcome::Blocked {
                    recheck: Recheck::News,
                    ..
                },
            ) if self.deletes.is_granted(key) => {
                self.deletes.withdraw(key);
                self.deletes.stay_aside(key);
            }
            _ => {
                self.deletes.withdraw(key);
                self.deletes.done_with(key);
            }
        }
        match step {
            Step::Forget => {
                self.slots.remove(key);
                self.held_back.remove(key);
                self.watches_stale = true;
            }
            Step::Stand(outcome) => self.stand(key, outcome, now, out),
            Step::Read => self.read(key, out),
            Step::Judge => self.judge(key, now, out),
            Step::Resume => self.resume(key, now, out),
            Step::Create => self.create(key, now, out),
            Step::Adopt => self.adopt(key, now, out),
            Step::Remove => self.remove(key, now, out),
            Step::LetGo => self.let_go(key, now, out),
            Step::Release(reason) => self.release(key, reason, now, out),
            Step::AskKindGone => {
                if !self.gone_kinds.contains_key(key.group_kind()) {
                    self.ask_kind_gone(key.group_kind().clone(), out);
                }
                let outcome = Outcome::Waiting {
                    awaited: Awaited::KindGone,
                    reason: unserved::perhaps_gone(),
                };
                self.stand(key, outcome, now, out);
            }
        }
    }

    fn surroundings<'a>(
        &'a self,
        key: &ObjectKey,
        slot: &'a Slot,
        kinds: &'a KindMap,
        now: Tick,
    ) -> Surroundings<'a> {
        let kind = key.group_kind();
        let listing = self.listings.get(kind);
        let watch = read_gvk(key, slot, kinds).and_then(|gvk| self.watches.get(&gvk));
        let overdue = |since: Tick| now.since(since) >= self.options.limits.watch_max;
        Surroundings {
            options: &self.options,
            kinds,
            may_write: self.may_write(),
            entry: self.ledger.intended(key, slot.entry.as_ref()),
            inventory_known: self.inventory.is_known(),
            listing: listing.is_some_and(Listing::is_coming),
            unlistable: listing.and_then(|listing| listing.failed.as_ref().map(|(_, reason)| reason)),
            watch_synced: watch.is_some_and(|watch| watch.synced || watch.awaited_since.is_some_and(overdue)),
            unmapped: self.inventory.unmapped_kinds.contains(kind),
            kind_gone: self.gone_kinds.get(kind).and_then(|state| state.answer.as_ref()),
            definition_coming: self.is_definition_coming(slot),
            namespace_being_deleted: matches!(slot.sight, Sight::Absent)
                && self.is_namespace_being_deleted(key),
            same_object: slot
                .seen()
                .is_some_and(|seen| self.is_same_elsewhere(key, slot, &seen.uid)),
        }
    }

    /// Whether the object with this UID is also listed (if this slot is not) or recorded (if it is listed and not
    /// recorded) under another group: a kind that moved between groups is still the same object.
    pub(super) fn is_same_elsewhere(&self, key: &ObjectKey, slot: &Slot, uid: &Uid) -> bool {
        let listed = slot.desired.is_some();
        if (listed && slot.entry.is_some()) || !self.options.switches.version_free_identity {
            return false;
        }
        let served = self.kinds.iter().flat_map(|kinds| kinds.kinds.keys());
        let groups = served.filter(|kind| kind.kind() == key.kind() && kind.group() != key.group());
        let twins = groups.filter_map(|kind| {
            self.slots
                .get(&ObjectKey::of(kind.clone(), key.namespace(), key.name()))
        });
        twins.into_iter().any(|twin| {
            if listed {
                twin.desired.is_none() && twin.entry.as_ref().is_some_and(|e| e.uid.as_ref() == Some(uid))
            } else {
                let seen = match &twin.sight {
                    Sight::Present(seen) => Some(&seen.uid),
                    Sight::Listed(meta) => Some(&meta.uid),
                    Sight::Unknown | Sight::Absent => None,
                };
                twin.desired.is_some() && seen == Some(uid)
            }
        })
    }

    fn is_definition_coming(&self, slot: &Slot) -> bool {
        let crd = slot
            .desired
            .as_ref()
            .and_then(|d| d.awaits.as_ref())
            .and_then(|crd| self.slots.get(crd));
        let Some(crd) = crd else { return false };
        let established =
            matches!(crd.outcome, Outcome::InSync) && crd.seen().is_some_and(|seen| seen.established);
        let comes_on = !crd.resting || matches!(crd.outcome, Outcome::Waiting { .. });
        (established && !self.awaited_too_long) || comes_on
    }

    /// The kind at the version an object is read, watched and deleted at. There is one: an object whose kind is not
    /// served never gets so far.
    pub(super) fn served_gvk(&self, key: &ObjectKey) -> Option<Gvk> {
        let slot = self.slots.get(key)?;
        let gvk = read_gvk(key, slot, self.kinds.as_ref()?);
        debug_assert!(gvk.is_some(), "no version of {key} is served");
        gvk
    }

    pub(super) fn read(&mut self, key: &ObjectKey, out: &mut Vec<Command>) {
        let Some(gvk) = self.served_gvk(key) else { return };
        let request = Request::Get {
            key: key.clone(),
            gvk,
        };
        let reason = Reason::new("look", "to see how it is");
        self.ask(key, request, reason, |call, _| Stage::Reading(call), out);
    }

    /// Sends a question about an object, or queues it when too much is under way.
    pub(super) fn ask(
        &mut self,
        key: &ObjectKey,
        request: Request,
        reason: Reason,
        stage: impl FnOnce(CallId, &Request) -> Stage,
        out: &mut Vec<Command>,
    ) {
        self.mark_resting(key, false);
        if !self.has_room() {
            self.starved.insert(key.clone());
            return;
        }
        let call = self.new_call(Call::Ask(key.clone()));
        if let Some(slot) = self.slots.get_mut(key) {
            slot.left_watch = None;
            slot.stage = stage(call, &request);
        }
        out.push(Command::Send {
            call,
            request,
            reason,
        });
    }
}
