//! Two writers are noticed, not fought over.

use fleet_diff::{Digest, FieldChange, ObjectKey, managers_of};

use super::{Command, Engine, slot::Sight};
use crate::{
    edge::Note,
    plan::Action,
    words::{Live, Reason, Tick},
};

impl Engine {
    /// Whether some of these fields are rewritten by the same other manager again and again. If so they are left to
    /// it from now on, and the object is to be judged again without them.
    pub(super) fn contest(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        fields: &[FieldChange],
        now: Tick,
        out: &mut Vec<Command>,
    ) -> bool {
        if !self.options.switches.contest {
            return false;
        }
        let limits = self.options.limits;
        let Some(slot) = self.slots.get_mut(key) else {
            return false;
        };
        let mut found = Vec::new();
        for field in fields {
            for writer in managers_of(live.object(), &field.path) {
                if writer.name == self.marks.manager() {
                    continue;
                }
                let Some(repairs) = slot.contest.get_mut(&(field.path.clone(), writer.name.clone())) else {
                    continue;
                };
                repairs.retain(|at| now.since(*at) <= limits.contest_window);
                if repairs.len() >= limits.contest_repairs && !slot.contested.contains_key(&field.path) {
                    slot.contested.insert(field.path.clone(), writer.name.clone());
                    found.push((field.path.to_string(), writer.name.clone()));
                }
            }
        }
        if found.is_empty() {
            return false;
        }
        slot.exchanges.clear();
        for (path, writer) in found {
            let message = format!(
                "{path} is contested: {writer} rewrote it {} times in {}; its repair stops until its definition changes",
                limits.contest_repairs, limits.contest_window
            );
            let reason = Reason::new("contested", message)
                .with("field", path)
                .with("manager", writer)
                .with("ours", self.marks.manager());
            out.push(Command::Report(Note::Blocked {
                key: key.clone(),
                reason,
            }));
        }
        true
    }

    /// Remembers against whom fields were repaired: after an update of an object whose definition did not change.
    pub(super) fn count_repair(
        &mut self,
        key: &ObjectKey,
        action: Action,
        document: Option<Digest>,
        now: Tick,
    ) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let repairs = std::mem::take(&mut slot.repairing);
        let last = std::mem::replace(&mut slot.last_written, document);
        if action != Action::Update || last != document {
            return;
        }
        for pair in repairs {
            slot.contest.entry(pair).or_default().push(now);
        }
    }

    /// Notes whose values an update is about to replace.
    pub(super) fn note_repair(&mut self, key: &ObjectKey, fields: &[FieldChange]) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let Sight::Present(seen) = &slot.sight else { return };
        let Some(live) = &seen.body else { return };
        let ours = self.marks.manager();
        let others = fields.iter().flat_map(|field| {
            let writers = managers_of(live.object(), &field.path)
                .into_iter()
                .filter(|w| w.name != ours);
            writers.map(|w| (field.path.clone(), w.name)).collect::<Vec<_>>()
        });
        slot.repairing = others.collect();
    }
}
