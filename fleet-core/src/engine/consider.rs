//! Carries out the next step for one object.

use fleet_diff::{DigestBuilder, ObjectKey};

use super::{
    Approval, Call, Command, Engine, Listing,
    contest::Contest,
    decide::{Step, Surroundings, decide},
    inventory::kinds_of_definitions,
    slot::{Awaited, Class, Outcome, Recheck, Sight, Slot, Stage, read_gvk},
};
use crate::{
    edge::{Note, Request},
    judge::{Judgement, Subject},
    ledger::{Entry, EntryState},
    plan::{Action, Change},
    strategy::Work,
    words::{KindMap, Live, Reason, Tick, Uid},
};

impl Engine {
    /// Everything a decision needs is there: ledger, discovery and, at least once, the inventory.
    pub(super) fn is_informed(&self) -> bool {
        self.ledger.is_ready() && self.kinds.is_some() && self.inventory.known.is_some()
    }

    pub(super) fn consider(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        self.starved.remove(key);
        self.follow_namespace(key);
        let Some(slot) = self.slots.get(key) else { return };
        if slot.is_busy() {
            self.deletes.withdraw(key);
            return;
        }
        if let Some(trouble) = &slot.trouble {
            let resting = trouble.resting;
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
        let step = decide(key, slot, &self.surroundings(key, slot, now));
        match &step {
            Step::Remove => {}
            Step::Stand(Outcome::Deleting(_)) => {
                self.deletes.withdraw(key);
                self.deletes.linger(key);
            }
            // Being looked at, it may still be on its way out.
            Step::Read | Step::Stand(Outcome::Waiting { .. }) => self.deletes.withdraw(key),
            _ => {
                self.deletes.withdraw(key);
                self.deletes.left(key);
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
            Step::Create => self.create(key, now, out),
            Step::Adopt => self.adopt(key, now, out),
            Step::Remove => self.remove(key, now, out),
            Step::Release(reason) => self.release(key, reason, now, out),
            Step::AskKindGone => {
                if !self.gone_kinds.contains_key(key.group_kind()) {
                    self.ask_kind_gone(key.group_kind().clone(), out);
                }
                let outcome = Outcome::Waiting {
                    awaited: Awaited::KindGone,
                    reason: Reason::new(
                        "kind-not-served",
                        "its kind is not served; finding out whether it is gone",
                    ),
                };
                self.stand(key, outcome, now, out);
            }
        }
    }

    fn surroundings<'a>(&'a self, key: &ObjectKey, slot: &'a Slot, now: Tick) -> Surroundings<'a> {
        static NO_KINDS: std::sync::OnceLock<KindMap> = std::sync::OnceLock::new();
        let kinds = self
            .kinds
            .as_ref()
            .unwrap_or_else(|| NO_KINDS.get_or_init(KindMap::default));
        let kind = key.group_kind();
        let listing = self.listings.get(kind);
        let watch = read_gvk(key, slot, kinds).and_then(|gvk| self.watches.get(&gvk));
        let overdue = |since: Tick| now.since(since) >= self.options.limits.watch_max;
        Surroundings {
            options: &self.options,
            kinds,
            entry: self.ledger.intended(key, slot.entry.as_ref()),
            inventory_known: self.inventory.is_known(),
            listing: listing.is_some_and(Listing::is_coming),
            unlistable: listing.and_then(|listing| listing.failed.as_ref().map(|(_, reason)| reason)),
            watch_synced: watch.is_some_and(|watch| watch.synced || watch.awaited_since.is_some_and(overdue)),
            unmapped: self.inventory.unmapped_kinds.contains(kind),
            kind_gone: self.gone_kinds.get(kind).and_then(|state| state.answer.as_ref()),
            definition_coming: self.is_definition_coming(slot),
            namespace_leaving: matches!(slot.sight, Sight::Absent) && self.is_namespace_leaving(key),
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
        (established && !self.awaited_too_long) || !crd.resting
    }

    /// Whether discovery shows a CRD's kind at exactly the versions it says are served.
    fn is_discovered(&self, crd: &crate::Object) -> bool {
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

    fn read(&mut self, key: &ObjectKey, out: &mut Vec<Command>) {
        let gvk = self
            .slots
            .get(key)
            .zip(self.kinds.as_ref())
            .and_then(|(slot, kinds)| read_gvk(key, slot, kinds));
        let Some(gvk) = gvk else { return };
        let reason = Reason::new("look", "to see how it is");
        self.ask(
            key,
            Request::Get {
                key: key.clone(),
                gvk,
            },
            reason,
            out,
        );
    }

    /// Sends a question about an object, or queues it when too much is under way.
    fn ask(&mut self, key: &ObjectKey, request: Request, reason: Reason, out: &mut Vec<Command>) {
        self.mark_resting(key, false);
        if !self.has_room() {
            self.starved.insert(key.clone());
            return;
        }
        let call = self.new_call(Call::Ask(key.clone()));
        if let Some(slot) = self.slots.get_mut(key) {
            slot.left = None;
            slot.stage = Stage::Asking(call, Box::new(request.clone()));
        }
        out.push(Command::Send {
            call,
            request,
            reason,
        });
    }

    fn judge(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        self.follow_contests(key, now);
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let (Some(now_settled), Some(seen)) = (slot.settles(), slot.seen()) else {
            return;
        };
        if slot.settled == Some(now_settled) && self.options.switches.nothing_without_change {
            self.in_sync(key, now, out);
            return;
        }
        let (Some(live), Some(document)) = (seen.body.clone(), slot.document(&self.marks)) else {
            self.read(key, out);
            return;
        };
        let subject = Subject::new(&document, Some(&live), self.marks.manager()).exchanges(&slot.exchanges);
        match self.parts.judge.judge(subject) {
            Judgement::Nothing if self.options.switches.nothing_without_change => {
                slot.settled = Some(now_settled);
                self.in_sync(key, now, out);
            }
            Judgement::Nothing | Judgement::Create(_) => {
                self.update(key, &live, document, Vec::new(), now, out);
            }
            Judgement::Update(document, fields) => self.update(key, &live, document, fields, now, out),
            Judgement::Ask(request) => {
                let reason = Reason::new("compare", "to see what applying its definition would change");
                self.ask(key, request, reason, out);
            }
            Judgement::Stale => self.moved(key, now, out),
            Judgement::Refused(fault) => self.refused(key, fault, now, out),
            Judgement::Unsure(fault) => {
                slot.exchanges.clear();
                self.transient(key, fault, now, out);
            }
        }
    }

    /// As its definition says: keep the ledger right, and let go of the body.
    fn in_sync(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let established_max = self.options.limits.established_max;
        let is_definition = Class::of(key) == Class::Definitions;
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
        entry.uid = Some(seen.uid.clone());
        entry.version = version;
        if seen.finished {
            entry.finished = Some(definition);
        } else if entry.finished.is_some_and(|finished| finished != definition) {
            entry.finished = None;
        }
        slot.last_in_sync = Some(definition);
        let established = seen.established;
        let ready = !is_definition || (established && discovered);
        if !ready && self.options.approval == Approval::Auto {
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

    fn create(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get(key) else { return };
        let Some(document) = slot.document(&self.marks) else {
            return;
        };
        let subject = Subject::new(&document, None, self.marks.manager());
        let Judgement::Create(document) = self.parts.judge.judge(subject) else {
            return;
        };
        let exists = matches!(slot.sight, Sight::Listed(_) | Sight::Present(_));
        let (action, reason) = if exists {
            // Only a plan comes here: what would change cannot be asked before the version is served.
            let reason = self.reason("version-awaited", "its version is served once its CRD is written");
            (Action::Update, reason)
        } else {
            (
                Action::Create,
                self.reason("missing", "it is listed and does not exist"),
            )
        };
        let mut change = Change::new(key.clone(), action, None, reason);
        change.digest = DigestBuilder::new()
            .digest(&change.digest)
            .digest(&document.digest())
            .finish();
        change.unchecked = slot.desired.as_ref().is_some_and(|d| d.awaits.is_some());
        self.start(key, Work::Create { document }, change, now, out);
    }

    fn update(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        document: crate::Object,
        fields: Vec<fleet_diff::FieldChange>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        match self.contest(key, live, &fields, now, out) {
            Contest::None => {}
            Contest::Begun => {
                self.dirty.insert(key.clone());
                return;
            }
            Contest::Everything => {
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.settled = slot.settles();
                }
                return self.in_sync(key, now, out);
            }
        }
        self.note_repair(key, &fields);
        let shown = self.shown(key, fields.clone());
        let reason = if fields.is_empty() {
            self.reason(
                "ownership",
                "its fields are right, and some are not recorded as ours",
            )
        } else {
            let paths: Vec<String> = shown.iter().take(8).map(|f| f.path.to_string()).collect();
            self.reason("differs", "it differs from its definition")
                .with("fields", paths.join(", "))
        };
        let mut change = Change::new(key.clone(), Action::Update, Some(live.uid().clone()), reason);
        let base = DigestBuilder::new()
            .digest(&change.digest)
            .digest(&document.digest());
        change.digest = fields
            .iter()
            .fold(base, |b, f| b.text(&f.path.to_string()))
            .finish();
        change.fields = shown;
        let work = Work::Update {
            document,
            uid: live.uid().clone(),
            version: live.version().clone(),
        };
        self.start(key, work, change, now, out);
    }

    /// It exists and is not ours: refuse, or claim it with our marks and nothing else.
    fn adopt(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let (Some(desired), Some(seen)) = (&slot.desired, slot.seen()) else {
            return;
        };
        let policy = desired.adoption;
        if policy == super::Adoption::Refuse {
            let managers = managers_of_object(seen.body.as_ref());
            let message = format!(
                "it exists and is not ours{managers}; to take it over set adoption, or the annotation {}",
                self.marks.adopt_key()
            );
            let reason = Reason::new("not-ours", message);
            return self.block(key, Recheck::NowAndThen, reason, now, out);
        }
        let (Some(live), Some(document)) = (seen.body.clone(), slot.document(&self.marks)) else {
            self.read(key, out);
            return;
        };
        if policy == super::Adoption::AdoptEqual {
            let subject =
                Subject::new(&document, Some(&live), self.marks.manager()).exchanges(&slot.exchanges);
            match self.parts.judge.judge(subject) {
                Judgement::Nothing | Judgement::Create(_) => {}
                Judgement::Update(_, fields) => {
                    let others: Vec<String> = fields
                        .iter()
                        .filter(|f| !self.is_mark(f))
                        .map(|f| f.path.to_string())
                        .collect();
                    if !others.is_empty() {
                        let reason = Reason::new(
                            "not-equal",
                            format!("it exists, is not ours, and differs in {}", others.join(", ")),
                        );
                        return self.block(key, Recheck::NowAndThen, reason, now, out);
                    }
                }
                Judgement::Ask(request) => {
                    let reason = Reason::new("compare", "to see whether it is what its definition says");
                    return self.ask(key, request, reason, out);
                }
                Judgement::Stale => return self.moved(key, now, out),
                Judgement::Refused(fault) => return self.refused(key, fault, now, out),
                Judgement::Unsure(fault) => {
                    slot.exchanges.clear();
                    return self.transient(key, fault, now, out);
                }
            }
        }
        let reason = self.reason("adopt", "it exists, and the adoption policy takes it over");
        let change = Change::new(key.clone(), Action::Adopt, Some(live.uid().clone()), reason);
        let document = self.marks.claim(live.object());
        let work = Work::Claim {
            document,
            uid: live.uid().clone(),
            version: live.version().clone(),
        };
        self.start(key, work, change, now, out);
    }

    /// Whether a change is only one of our marks being set.
    fn is_mark(&self, field: &fleet_diff::FieldChange) -> bool {
        use fleet_diff::PathElement::Key;
        let is = |name: &str, part: &str| {
            let elements = field.path.elements();
            matches!(elements, [Key(a), Key(b), Key(c)] if &**a == "metadata" && &**b == part && &**c == name)
                || matches!(elements, [Key(a), Key(b)] if &**a == "metadata" && &**b == part
                    && field.before.is_none()
                    && field.after.as_ref().and_then(|v| v.as_object()).is_some_and(|m| m.len() == 1 && m.contains_key(name)))
        };
        is(self.marks.label_key(), "labels") || is(self.marks.annotation_key(), "annotations")
    }

    fn release(&mut self, key: &ObjectKey, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        if self.options.approval == Approval::Never {
            let change = Change::new(key.clone(), Action::Release, None, reason);
            self.stand(key, Outcome::Planned(Box::new(change)), now, out);
            return;
        }
        self.stand(key, Outcome::Undecided, now, out);
        self.record_later(key, None, now);
        Self::report(
            Note::Released {
                key: key.clone(),
                reason,
            },
            out,
        );
        self.deletes.left(key);
    }

    /// Why something is written, with the inventory's revision.
    pub(super) fn reason(&self, code: &'static str, message: &str) -> Reason {
        let reason = Reason::new(code, message);
        match self.inventory.revision() {
            Some(revision) => reason.with("revision", revision),
            None => reason,
        }
    }

    /// Field changes as people may see them.
    pub(super) fn shown(
        &self,
        key: &ObjectKey,
        fields: Vec<fleet_diff::FieldChange>,
    ) -> Vec<fleet_diff::FieldChange> {
        if self.options.switches.mask {
            fleet_diff::masked(key, fields)
        } else {
            fields
        }
    }
}

/// Who else manages an object, for a message.
fn managers_of_object(live: Option<&Live>) -> String {
    let entries = live.and_then(|l| l.object().metadata().get("managedFields"));
    let mut names: Vec<&str> = entries
        .into_iter()
        .flat_map(fleet_diff::Node::items)
        .filter_map(|entry| entry.get("manager")?.as_str())
        .collect();
    names.sort_unstable();
    names.dedup();
    if names.is_empty() {
        String::new()
    } else {
        format!(" (managed by {})", names.join(", "))
    }
}
