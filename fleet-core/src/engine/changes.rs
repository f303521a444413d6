//! What is to be done to an object, and why: made, changed, taken over, or let go of.

use fleet_diff::{FieldChange, Object, ObjectKey};

use super::{
    Adoption, Approval, Command, Engine,
    contest::Contest,
    judging::Opinion,
    slot::{Outcome, Recheck, Sight},
};
use crate::{
    edge::Note,
    plan::{Action, Change},
    strategy::Work,
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
            Some(Opinion::Nothing) => {
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
        match self.contest(key, live, &fields, now, out) {
            Contest::None => {}
            Contest::Begun => {
                self.dirty.insert(key.clone());
                return;
            }
            Contest::Everything => {
                if let Some(slot) = self.slots.get_mut(key) {
                    slot.settled = slot.settles(&self.types);
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
        change.covers(&document, &fields);
        change.fields = shown;
        let work = Work::Update {
            document,
            uid: live.uid().clone(),
            version: live.version().clone(),
        };
        self.start(key, work, change, now, out);
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
        if policy == Adoption::Refuse {
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
                Some(Opinion::Update(_, fields)) => fields,
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
    fn is_mark(&self, field: &FieldChange) -> bool {
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

    pub(super) fn release(&mut self, key: &ObjectKey, reason: Reason, now: Tick, out: &mut Vec<Command>) {
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
