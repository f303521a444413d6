//! Two writers are noticed, not fought over.

use fleet_diff::{FieldChange, ObjectKey, managers_of};

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
            for writer in writers(live, field, self.marks.manager()) {
                let Some(repairs) = slot.contest.get_mut(&(field.path.clone(), writer.clone())) else {
                    continue;
                };
                repairs.retain(|at| now.since(*at) <= limits.contest_window);
                if repairs.len() >= limits.contest_repairs && !slot.contested.contains_key(&field.path) {
                    slot.contested.insert(field.path.clone(), writer.clone());
                    found.push((field.path.to_string(), writer));
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

    /// Remembers against whom fields were repaired: after an update of an object that was as defined before.
    pub(super) fn count_repair(&mut self, key: &ObjectKey, action: Action, now: Tick) {
        let window = self.options.limits.contest_window;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let repairs = std::mem::take(&mut slot.repairing);
        if action != Action::Update || slot.last_in_sync.is_none() || slot.last_in_sync != slot.definition() {
            return;
        }
        for pair in repairs {
            slot.contest.entry(pair).or_default().push(now);
        }
        slot.contest
            .retain(|_, repairs| repairs.last().is_some_and(|at| now.since(*at) <= window));
    }

    /// Notes whose values an update is about to replace.
    pub(super) fn note_repair(&mut self, key: &ObjectKey, fields: &[FieldChange]) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let Sight::Present(seen) = &slot.sight else { return };
        let Some(live) = &seen.body else { return };
        let ours = self.marks.manager();
        slot.repairing = fields
            .iter()
            .flat_map(|field| {
                let pair = |writer| (field.path.clone(), writer);
                writers(live, field, ours).into_iter().map(pair)
            })
            .collect();
    }
}

/// Who else holds a field that is about to be written. Who removes a field leaves no trace.
fn writers(live: &Live, field: &FieldChange, ours: &str) -> Vec<String> {
    let mut found = managers_of(live.object(), &field.path);
    found.retain(|writer| writer.name != ours);
    if found.is_empty() && field.before.is_none() {
        return vec!["(who removed it)".to_owned()];
    }
    found.into_iter().map(|writer| writer.name).collect()
}
