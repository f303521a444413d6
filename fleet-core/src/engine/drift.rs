//! Drift that is not repaired: fields that somebody changed, and that a policy leaves as they are.

use std::collections::BTreeMap;

use fleet_diff::{Digest, FieldChange, FieldPath, Object, ObjectKey, PathElement, managers_of};

use super::{Command, Engine};
use crate::{
    edge::Note,
    words::{DriftPolicy, Live, Reason},
};

/// Fields of one object that are left as somebody changed them.
#[derive(Default)]
pub(super) struct Spared {
    pub(super) fields: BTreeMap<FieldPath, SparedField>,
    /// The live object that this was seen on: of another, everything is looked at anew.
    at: Option<Digest>,
}

pub(super) struct SparedField {
    /// Who changed it, if that shows.
    pub(super) writer: Option<String>,
    pub(super) policy: DriftPolicy,
}

impl Engine {
    /// The object may be another than the one that fields were spared on.
    pub(super) fn follow_drift(&mut self, key: &ObjectKey) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let now = slot.seen().map(|seen| seen.digest);
        if slot.spared.as_ref().is_some_and(|spared| spared.at != now) {
            slot.spared = None;
        }
    }

    /// Whether some of these differences are drift that a policy leaves alone. Then the object is to be judged again
    /// without them.
    pub(super) fn spare(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        fields: &[FieldChange],
        out: &mut Vec<Command>,
    ) -> bool {
        if self.options.drift.is_empty() {
            return false;
        }
        let ours = self.marks.manager();
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        let before = slot
            .last_in_sync
            .or(slot.entry.as_ref().and_then(|entry| entry.synced));
        let Some(desired) = slot
            .desired
            .as_ref()
            .filter(|_| before.is_some() && before == slot.definition())
        else {
            return false;
        };
        let mut found: Vec<(FieldPath, SparedField)> = Vec::new();
        for field in fields {
            let writer = writer_of(live.object(), &field.path, ours);
            let rule = self
                .options
                .drift
                .iter()
                .find(|rule| rule.is_about(&desired.object, &field.path, writer.as_deref()));
            let policy = rule.map_or(DriftPolicy::Repair, |rule| rule.policy);
            if policy != DriftPolicy::Repair {
                found.push((up_to_place(&field.path), SparedField { writer, policy }));
            }
        }
        let digest = slot.seen().map(|seen| seen.digest);
        let spared = slot.spared.get_or_insert_default();
        spared.at = digest;
        found.retain(|(path, _)| !spared.fields.contains_key(path));
        if found.is_empty() {
            return false;
        }
        slot.exchanges.clear();
        for (path, field) in found {
            if field.policy == DriftPolicy::Report {
                let who = field.writer.as_deref().unwrap_or("somebody");
                let reason = Reason::new(
                    "drift",
                    format!("{who} changed {path}, which is reported and not repaired"),
                )
                .with("field", &path)
                .with("writer", who);
                out.push(Command::Report(Note::Blocked {
                    key: key.clone(),
                    reason,
                }));
            }
            if let Some(spared) = &mut slot.spared {
                spared.fields.insert(path, field);
            }
        }
        true
    }
}

/// The other manager that owns a field, if one does.
fn writer_of(live: &Object, path: &FieldPath, ours: &str) -> Option<String> {
    let mut others = managers_of(live, path)
        .into_iter()
        .filter(|manager| manager.name != ours);
    others.next_back().map(|manager| manager.name)
}

/// Places in lists are those of the live list and mean nothing in a definition.
fn up_to_place(path: &FieldPath) -> FieldPath {
    let is_place = |element: &PathElement| matches!(element, PathElement::Index(_) | PathElement::Value(_));
    let elements = path.elements().iter().take_while(|element| !is_place(element));
    FieldPath::new(elements.cloned())
}
