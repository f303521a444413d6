//! What is to be done to an object, and why: made, changed, taken over, or let go of.

use fleet_diff::{FieldChange, Object, ObjectKey};

use super::{
    Adoption, Command, Engine,
    contest::Contest,
    judging::Opinion,
    slot::{Outcome, Recheck, Sight},
};
use crate::{
    edge::Note,
    hand_over::{Predecessor, taken_over},
    plan::{Action, Change},
    strategy::{Manner, Work},
    words::{Live, Reason, Tick},
};

impl Engine {
    pub(super) fn create(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get(key) else { return };
        let Some(document) = slot.document(&self.marks) else {
            return;
        };
        let document = match self.opinion(key, &document, None, now, out) {
            None => return,
            Some(Opinion::Create(document) | Opinion::Update(document, _)) => document,
            Some(Opinion::Nothing | Opinion::Remove(..) | Opinion::Recreate(..)) => {
                let message = "it does not exist, and the judge says that applying it changes nothing";
                let reason = Reason::new("judged-absent", message);
                return self.block(key, Recheck::NowAndThen, reason, now, out);
            }
        };
        let Some(slot) = self.slots.get(key) else { return };
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
        change.covers(&document, &[]);
        change.unchecked = slot.desired.as_ref().is_some_and(|d| d.awaits.is_some());
        self.start(key, Work::Create { document }, change, now, out);
    }

    pub(super) fn update(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        document: Object,
        fields: Vec<FieldChange>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        if self.spare(key, live, &fields, out) {
            self.dirty.insert(key.clone());
            return;
        }
        if self.is_left_to_others(key, live, &fields, now, out) {
            return;
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
        change.covers(&document, &fields);
        change.fields = shown;
        let work = Work::Update {
            document,
            live: live.clone(),
        };
        self.start(key, work, change, now, out);
    }

    /// Others added these fields, and a rule says that they do not belong there.
    pub(super) fn remove_foreign(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        patch: json_patch::Patch,
        fields: Vec<FieldChange>,
        now: Tick,
        out: &mut Vec<Command>,
    ) {
        if self.is_left_to_others(key, live, &fields, now, out) {
            return;
        }
        self.note_repair(key, &fields);
        let paths: Vec<String> = fields.iter().take(8).map(|f| f.path.to_string()).collect();
        let reason = self
            .reason("foreign", "others added what a rule says does not belong there")
            .with("fields", paths.join(", "));
        let mut change = Change::new(key.clone(), Action::Update, Some(live.uid().clone()), reason);
        if let Some(document) = self.slots.get(key).and_then(|slot| slot.document(&self.marks)) {
            change.covers(&document, &fields);
        }
        change.fields = self.shown(key, fields);
        let live = live.clone();
        self.start(key, Work::Remove { patch, live }, change, now, out);
    }

    /// Whether these differences are, for now or for good, left to whoever else writes the object. What follows is seen to.
    fn is_left_to_others(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        fields: &[FieldChange],
        now: Tick,
        out: &mut Vec<Command>,
    ) -> bool {
        match self.contest(key, live, fields, now, out) {
            Contest::None => false,
            Contest::Begun => {
                self.dirty.insert(key.clone());
                true
            }
            Contest::Everything => {
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.settled = slot.settles(&self.types);
                }
                self.in_sync(key, now, out);
                true
            }
        }
    }

    /// It exists and is not ours: refuse, or claim it with our marks and nothing else.
    pub(super) fn adopt(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let (Some(desired), Some(seen)) = (&slot.desired, slot.seen()) else {
            return;
        };
        let policy = desired.adoption;
        let manner = desired.strategy.manner();
        if policy == Adoption::Refuse && desired.take_from.is_none() {
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
        if let Some(fault) = self.parts.judge.forbids(&desired.object) {
            return self.refused(key, fault, now, out);
        }
        if policy == Adoption::AdoptEqual {
            let fields = match self.opinion(key, &document, Some(&live), now, out) {
                None => return,
                Some(Opinion::Nothing | Opinion::Create(_)) => Vec::new(),
                Some(
                    Opinion::Update(_, fields) | Opinion::Remove(_, fields) | Opinion::Recreate(fields, _),
                ) => fields,
            };
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
        // A plan says what follows, too.
        let plans = !self.may_write();
        if plans && self.waits_for_types(key, now, out) {
            return;
        }
        match self.take_over(key, &live) {
            Ok(None) => {}
            Ok(Some((document, mut change))) => {
                if let Some(then) = Live::new(document.clone()).ok().filter(|_| plans) {
                    change.fields = self.foreseen(key, &then);
                }
                let work = Work::TakeOver { document, live };
                return self.start(key, work, change, now, out);
            }
            Err(reason) => return self.block(key, Recheck::NowAndThen, reason, now, out),
        }
        let reason = self.reason("adopt", "it exists, and the adoption policy takes it over");
        let mut change = Change::new(key.clone(), Action::Adopt, Some(live.uid().clone()), reason);
        if plans {
            change.fields = self.foreseen(key, &live);
        }
        let document = match manner {
            Manner::Merged => self.marks.mark(live.object()),
            Manner::Applied | Manner::Once => self.marks.claim(live.object()),
        };
        let work = Work::Claim { document, live };
        self.start(key, work, change, now, out);
    }

    /// What the object is once it is taken over from whoever manages it. None if nobody is known to.
    fn take_over(&self, key: &ObjectKey, live: &Live) -> Result<Option<(Object, Change)>, Reason> {
        let slot = self.slots.get(key);
        let (Some(desired), Some(seen)) = (
            slot.and_then(|slot| slot.desired.as_ref()),
            slot.and_then(|slot| slot.seen()),
        ) else {
            return Ok(None);
        };
        let another = match (seen.inventory.as_deref(), desired.take_from.as_deref()) {
            (None, _) => None,
            (Some(other), Some(from)) if other == from => Some(Predecessor::inventory(other)),
            (Some(other), _) => {
                let message = format!(
                    "it belongs to inventory {other}; to take it over from there, set the annotation {}: {other}",
                    self.marks.take_from_key()
                );
                return Err(Reason::new("of-another-inventory", message).with("inventory", other));
            }
        };
        let known = self.options.predecessors.iter().chain(&another);
        let from: Vec<&Predecessor> = match desired.adoption {
            Adoption::TakeOver => known.filter(|from| from.manages(live.object())).collect(),
            _ => another.iter().collect(),
        };
        if from.is_empty() {
            return Ok(None);
        }
        let names: Vec<&str> = from.iter().map(|from| from.name.as_str()).collect();
        let names = names.join(", ");
        let document = taken_over(live.object(), &from, &self.marks).map_err(|error| {
            Reason::new(
                "not-taken-over",
                format!("it cannot be taken over from {names}: {error}"),
            )
        })?;
        let message = format!("it is taken over from {names}");
        let reason = self.reason("take-over", &message).with("from", names);
        let mut change = Change::new(key.clone(), Action::Adopt, Some(live.uid().clone()), reason);
        change.covers(&document, &[]);
        Ok(Some((document, change)))
    }

    /// Whether a change is only one of our marks being set.
    pub(super) fn is_mark(&self, field: &FieldChange) -> bool {
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

    /// The cluster leaves and ours stays in it: our marks go, and with them our hold on it.
    pub(super) fn let_go(&mut self, key: &ObjectKey, now: Tick, out: &mut Vec<Command>) {
        let body = self.slots.get(key).and_then(|slot| slot.seen()?.body.clone());
        let Some(live) = body else {
            return self.read(key, out);
        };
        let Ok(document) = self.marks.unmark(live.object()) else {
            let reason = Reason::new("not-unmarked", "it would be no object without our marks");
            return self.block(key, Recheck::NowAndThen, reason, now, out);
        };
        let reason = self.reason("orphaned", "the cluster leaves: it stays, and is no longer ours");
        let change = Change::new(key.clone(), Action::Release, Some(live.uid().clone()), reason);
        self.start(key, Work::TakeOver { document, live }, change, now, out);
    }

    pub(super) fn release(&mut self, key: &ObjectKey, reason: Reason, now: Tick, out: &mut Vec<Command>) {
        if !self.may_write() {
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
        self.deletes.done_with(key);
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
    pub(super) fn shown(&self, key: &ObjectKey, fields: Vec<FieldChange>) -> Vec<FieldChange> {
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
