//! Events about the cluster: discovery, listings, watches.

use std::collections::BTreeMap;

use fleet_diff::{GroupKind, Gvk, ObjectKey};

use super::{
    CallId, Command, Engine,
    calls::Call,
    kinds::{Listing, ListingStage, of_kind_mut},
    slot::{Awaited, Class, Outcome, Seen, Sight, Stage, is_older, read_gvk},
    unserved,
};
use crate::{
    edge::{Fault, Note},
    marks::MarkState,
    words::{KindMap, Live, LiveMeta, Millis, Reason, Tick, Uid},
};

impl Engine {
    /// Asks for what every decision needs, and for what new kinds need.
    pub(super) fn ask_for_inputs(&mut self, now: Tick, out: &mut Vec<Command>) {
        if self.discover_at.is_some_and(|at| at <= now) {
            self.discover_at = None;
            out.push(Command::Discover);
        }
        self.ask_for_ledger(now, out);
        if !self.is_informed() {
            return;
        }
        self.choose_watches(out);
        self.ask_for_listings(out);
    }

    fn choose_watches(&mut self, out: &mut Vec<Command>) {
        if !std::mem::take(&mut self.watches_stale) {
            return;
        }
        self.choose_types(out);
        let Some(kinds) = &self.kinds else { return };
        let listable = |gvk: &Gvk| kinds.get(gvk.group_kind()).is_some_and(|info| info.listable);
        let wanted: std::collections::BTreeSet<Gvk> = self
            .slots
            .iter()
            .filter_map(|(key, slot)| read_gvk(key, slot, kinds))
            .filter(listable)
            .collect();
        if wanted != self.watched {
            self.watches.retain(|gvk, _| wanted.contains(gvk));
            self.watched.clone_from(&wanted);
            out.push(Command::Watch(wanted));
        }
    }

    fn ask_for_listings(&mut self, out: &mut Vec<Command>) {
        let Some(kinds) = &self.kinds else { return };
        let mut ask = Vec::new();
        for (kind, listing) in &mut self.listings {
            if listing.stage != ListingStage::Wanted {
                continue;
            }
            match kinds.get(kind) {
                Some(info) if info.listable => {
                    if let Some(gvk) = kinds.version_for(kind, None) {
                        listing.stage = ListingStage::Pending;
                        ask.push((kind.clone(), gvk));
                    }
                }
                // Served and not listable: its objects are read one by one.
                Some(_) => listing.stage = ListingStage::Done,
                None => {}
            }
        }
        for (kind, gvk) in ask {
            let call = self.new_call(Call::List(kind));
            out.push(Command::List { call, gvk });
        }
    }

    pub(super) fn take_kinds(&mut self, mut kinds: KindMap) {
        // What is served at no version cannot be read: it is not served.
        kinds.kinds.retain(|_, info| !info.versions.is_empty());
        let before = self.kinds.replace(kinds);
        let Some(kinds) = &self.kinds else { return };
        if before.as_ref() == Some(kinds) {
            self.wake_awaiting();
            self.wake_definitions();
            // A kind that is defined and not served yet may be gone by now.
            for state in self.gone_kinds.values_mut() {
                if matches!(state.answer, Some(Ok(false))) {
                    state.again_at = Some(Tick(0));
                }
            }
            return;
        }
        self.gone_kinds.clear();
        self.watches_stale = true;
        self.awaiting_since = None;
        self.awaited_too_long = false;
        let empty = KindMap::default();
        let before = before.unwrap_or(empty);
        let vanished: Vec<GroupKind> = before
            .kinds
            .keys()
            .filter(|k| kinds.get(k).is_none())
            .cloned()
            .collect();
        for kind in vanished {
            self.listings.remove(&kind);
            of_kind_mut(&mut self.slots, &kind).for_each(|(_, slot)| slot.look_again());
        }
        self.map_inventory();
        let Some(kinds) = &self.kinds else { return };
        for (key, slot) in &mut self.slots {
            let kind = key.group_kind();
            let changed = before.get(kind) != kinds.get(kind)
                || before.is_complete(key.group()) != kinds.is_complete(key.group());
            if changed {
                self.listings.entry(kind.clone()).or_insert(Listing::WANTED);
                slot.fresh_start();
                self.dirty.insert(key.clone());
            }
        }
        self.wake_awaiting();
        self.wake_definitions();
        self.converged = false;
    }

    /// CRDs that wait for discovery to show what they define.
    fn wake_definitions(&mut self) {
        let restless = self.restless.get(&Class::Definitions).into_iter().flatten();
        for key in restless {
            if let Some(slot) = self.slots.get_mut(key)
                && !slot.is_busy()
                && let Outcome::Waiting {
                    awaited: Awaited::Discovery { .. },
                    ..
                } = slot.outcome
            {
                slot.trouble = None;
                self.dirty.insert(key.clone());
            }
        }
    }

    /// Listed custom resources whose kind is not served yet.
    pub(super) fn wake_awaiting(&mut self) {
        self.dirty
            .extend(self.inventory.awaiting.values().flatten().cloned());
    }

    /// Those that wait for this definition, if it is one.
    pub(super) fn wake_awaiting_of(&mut self, crd: &ObjectKey) {
        let keys = self.inventory.awaiting.get(crd);
        self.dirty.extend(keys.into_iter().flatten().cloned());
    }

    pub(super) fn take_listing(&mut self, call: CallId, result: Result<Vec<LiveMeta>, Fault>, now: Tick) {
        let Some(Call::List(kind)) = self.end_call(call) else {
            return;
        };
        match result {
            Ok(metas) => {
                let done = Listing {
                    stage: ListingStage::Done,
                    failed: None,
                };
                self.listings.insert(kind.clone(), done);
                let mut found: BTreeMap<ObjectKey, LiveMeta> =
                    metas.into_iter().map(|m| (m.key.clone(), m)).collect();
                for (key, slot) in of_kind_mut(&mut self.slots, &kind) {
                    if matches!(slot.sight, Sight::Unknown) && !slot.is_busy() {
                        slot.sight = found.remove(key).map_or(Sight::Absent, Sight::Listed);
                    }
                    self.dirty.insert(key.clone());
                }
            }
            Err(fault) => {
                let before = self
                    .listings
                    .get(&kind)
                    .and_then(|listing| listing.failed.as_ref());
                let tries = before.map_or(0, |(tries, _)| *tries) + 1;
                let limits = &self.options.limits;
                let until = now + Self::backoff(limits.retry_first, limits.retry_max, tries);
                let reason = Reason::new("kind-not-listed", format!("{kind} cannot be listed: {fault}"));
                let failed = Listing {
                    stage: ListingStage::RetryAt(until),
                    failed: Some((tries, reason)),
                };
                self.listings.insert(kind.clone(), failed);
                self.wake_kind(&kind);
            }
        }
    }

    pub(super) fn take_kind_gone(&mut self, call: CallId, result: &Result<bool, Fault>, now: Tick) {
        let Some(Call::KindGone(kind)) = self.end_call(call) else {
            return;
        };
        let state = self.gone_kinds.get_mut(&kind);
        let Some(state) = state.filter(|state| state.asked == Some(call)) else {
            return;
        };
        state.asked = None;
        match result {
            Ok(gone) => state.answer = Some(Ok(*gone)),
            Err(fault) => {
                state.answer = Some(Err(unserved::gone_unknown(&kind, fault)));
                state.again_at = Some(now + self.options.limits.retry_max);
            }
        }
        self.wake_kind(&kind);
    }

    /// Asks whether a kind is gone; what was answered before counts until then.
    pub(super) fn ask_kind_gone(&mut self, kind: GroupKind, out: &mut Vec<Command>) {
        let state = self.gone_kinds.entry(kind.clone()).or_default();
        state.again_at = None;
        if state.asked.is_some() {
            return;
        }
        let call = self.new_call(Call::KindGone(kind.clone()));
        self.gone_kinds.entry(kind.clone()).or_default().asked = Some(call);
        out.push(Command::ConfirmKindGone { call, kind });
    }

    pub(super) fn watch_reset(&mut self, gvk: Gvk) {
        self.epochs += 1;
        let watch = self.watches.entry(gvk).or_default();
        watch.epoch = self.epochs;
        watch.synced = false;
    }

    pub(super) fn watch_synced(&mut self, gvk: &Gvk) {
        let Some(watch) = self.watches.get_mut(gvk) else {
            return;
        };
        watch.synced = true;
        watch.awaited_since = None;
        let epoch = watch.epoch;
        let Some(kinds) = &self.kinds else { return };
        for (key, slot) in of_kind_mut(&mut self.slots, gvk.group_kind()) {
            if read_gvk(key, slot, kinds).as_ref() != Some(gvk) {
                continue;
            }
            // It bears our label and was not shown this time: it left while nobody looked.
            if slot.epoch < epoch
                && let Some(uid) = slot
                    .seen()
                    .filter(|seen| seen.labelled)
                    .map(|seen| seen.uid.clone())
            {
                if slot.is_busy() {
                    slot.left_watch = Some(uid);
                } else {
                    slot.look_again();
                }
            }
            self.dirty.insert(key.clone());
        }
    }

    pub(super) fn take_seen(&mut self, live: Live, now: Tick, out: &mut Vec<Command>) {
        let key = live.key().clone();
        let epoch = self
            .watches
            .get(live.object().gvk())
            .map_or(0, |watch| watch.epoch);
        let Some(slot) = self.slots.get_mut(&key) else {
            self.take_stray(&live, out);
            return;
        };
        let wanted = self.kinds.as_ref().and_then(|kinds| read_gvk(&key, slot, kinds));
        if wanted.as_ref().is_some_and(|gvk| gvk != live.object().gvk()) {
            return;
        }
        // After a reset even versions may begin anew: the store may have been restored.
        let anew = slot.epoch != epoch;
        slot.epoch = epoch;
        let is_old = !anew
            && slot
                .seen()
                .is_some_and(|seen| is_older(live.version(), &seen.version));
        if !is_old {
            // Health is in the status, of which nothing else takes note.
            self.see_health(&key, live.object(), now);
        }
        if self.look_at(&key, live, anew) {
            self.converged = false;
        }
        self.follow_order(&key, now);
    }

    /// Takes what a watch shows, unless something newer is known; true when that changed what is known.
    fn look_at(&mut self, key: &ObjectKey, live: Live, anew: bool) -> bool {
        let marks = &self.marks;
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        let mut new = Seen::new(live, marks);
        if !anew && slot.seen().is_some_and(|old| new.is_older_than(old)) {
            return false;
        }
        let settled = slot.settled;
        let document = slot.document_digest();
        if let Sight::Present(old) = &mut slot.sight
            && old.uid == new.uid
            && old.digest == new.digest
            && old.deleting == new.deleting
            && old.mark == new.mark
            && old.labelled == new.labelled
            && old.established == new.established
            && old.finished == new.finished
            && old.orphan == new.orphan
        {
            // Only status, times or other managers' bookkeeping moved.
            let needed = old.body.is_some() || old.version != new.version && !slot.exchanges.is_empty();
            old.version = new.version;
            old.body = if needed { new.body } else { None };
            return false;
        }
        if settled.is_some_and(|s| Some(s.document) == document && s.live == new.digest) {
            new.body = None;
        }
        slot.exchanges.clear();
        slot.sight = Sight::Present(Box::new(new));
        slot.trouble = None;
        self.wake_awaiting_of(key);
        if let Some(slot) = self.slots.get(key)
            && slot.desired.is_some()
        {
            self.mark_resting(key, false);
        }
        self.dirty.insert(key.clone());
        true
    }

    fn take_stray(&mut self, live: &Live, out: &mut Vec<Command>) {
        if !self.ledger.is_ready() || self.marks.read(live.object()) != MarkState::Ours {
            return;
        }
        let key = live.key().clone();
        if self.strays.insert(key.clone(), live.uid().clone()).is_none() {
            let reason = Reason::new(
                "marked-not-recorded",
                "it bears our mark and the ledger does not know it: it is left alone",
            );
            Self::report(Note::Blocked { key, reason }, out);
        }
    }

    pub(super) fn take_left(&mut self, key: &ObjectKey, uid: &Uid) {
        self.strays.remove(key);
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let concerns_it = match &slot.sight {
            Sight::Present(seen) => seen.uid == *uid,
            Sight::Listed(meta) => meta.uid == *uid,
            Sight::Unknown | Sight::Absent => false,
        };
        if slot.is_busy() {
            // The answer under way may be older than this.
            slot.left_watch = Some(uid.clone());
        }
        if concerns_it && !matches!(slot.stage, Stage::Writing(_)) {
            slot.look_again();
            slot.trouble = None;
            self.converged = false;
            if slot.desired.is_some() {
                self.mark_resting(key, false);
            }
            self.dirty.insert(key.clone());
        }
    }

    /// Reads discovery again, soon.
    pub(super) fn suspect_kinds(&mut self, now: Tick, wait: Millis) {
        let at = now + wait;
        if self.discover_at.is_none_or(|planned| planned > at) {
            self.discover_at = Some(at);
        }
    }
}
