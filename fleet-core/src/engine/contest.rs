//! Two writers are noticed, not fought over.

use fleet_diff::{
    Digest, DigestBuilder, FieldChange, FieldPath, Object, ObjectKey, PathElement, managers_of,
    managers_within,
};

use super::{Command, Engine, slot::Sight};
use crate::{
    edge::Note,
    plan::Action,
    words::{Live, Reason, Tick},
};

/// Who removes a field leaves no trace.
const WHO_REMOVED_IT: &str = "(who removed it)";

/// A field we stopped repairing.
pub(super) struct Contested {
    /// Who rewrote it.
    pub(super) writer: String,
    /// Digest of what it was rewritten to; none if it was removed.
    value: Option<Digest>,
    /// It is repaired once more then, if nobody rewrites it before.
    until: Tick,
}

/// What an update is about.
pub(super) enum Contest {
    /// Fields that nobody rewrites again and again.
    None,
    /// Fields that are contested from now on: the object is to be judged again without them.
    Begun,
    /// Nothing but fields that are contested already: it is not written.
    Everything,
}

impl Engine {
    /// Whether some of these fields are rewritten by the same other manager again and again. If so they are left to
    /// it from now on.
    pub(super) fn contest(
        &mut self,
        key: &ObjectKey,
        live: &Live,
        fields: &[FieldChange],
        now: Tick,
        out: &mut Vec<Command>,
    ) -> Contest {
        if !self.options.switches.contest {
            return Contest::None;
        }
        let limits = self.options.limits;
        let Some(slot) = self.slots.get_mut(key) else {
            return Contest::None;
        };
        let mut found = Vec::new();
        for (path, writer) in against(live.object(), fields, self.marks.manager()) {
            let Some(repairs) = slot.contest.get_mut(&(path.clone(), writer.clone())) else {
                continue;
            };
            repairs.retain(|at| now.since(*at) <= limits.contest_window);
            if repairs.len() >= limits.contest_repairs && !slot.contested.contains_key(&path) {
                let times = slot.truces.get(&path).copied().unwrap_or_default();
                let wait = Self::backoff(limits.contest_window, limits.contest_max, times + 1);
                let contested = Contested {
                    writer: writer.clone(),
                    value: value_at(live.object(), &path),
                    until: now + wait,
                };
                self.timers.insert((contested.until, key.clone()));
                slot.contested.insert(path.clone(), contested);
                found.push((path.to_string(), writer, wait));
            }
        }
        if found.is_empty() {
            let known = |field: &FieldChange| slot.contested.keys().any(|path| field.path.starts_with(path));
            return if !fields.is_empty() && fields.iter().all(known) {
                Contest::Everything
            } else {
                Contest::None
            };
        }
        slot.exchanges.clear();
        for (path, writer, wait) in found {
            let message = format!(
                "{path} is contested: {writer} rewrote it {} times in {}; its repair stops until nobody rewrote it for \
                 {wait}, or its definition changes",
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
        Contest::Begun
    }

    /// Contested fields that are rewritten still, that the other writer let go, or that nobody rewrote for long.
    pub(super) fn follow_contests(&mut self, key: &ObjectKey, now: Tick) {
        let limits = self.options.limits;
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        if slot.contested.is_empty() {
            return;
        }
        let body = slot.seen().and_then(|seen| seen.body.clone());
        let mut over = Vec::new();
        for (path, contested) in &mut slot.contested {
            let times = slot.truces.get(path).copied().unwrap_or_default();
            if let Some(live) = body.as_ref().map(Live::object) {
                let value = value_at(live, path);
                if contested.writer != WHO_REMOVED_IT
                    && !managers_within(live, path)
                        .iter()
                        .any(|m| m.name == contested.writer)
                {
                    over.push((path.clone(), None));
                    continue;
                }
                if contested.value != value {
                    contested.value = value;
                    // One alarm is enough, however often it is rewritten.
                    if slot.trouble.as_ref().is_none_or(|t| t.until != contested.until) {
                        self.timers.remove(&(contested.until, key.clone()));
                    }
                    contested.until =
                        now + Self::backoff(limits.contest_window, limits.contest_max, times + 1);
                    self.timers.insert((contested.until, key.clone()));
                }
            }
            if contested.until <= now {
                over.push((path.clone(), Some(times + 1)));
            }
        }
        for (path, times) in over {
            let Some(contested) = slot.contested.remove(&path) else {
                continue;
            };
            let pair = (path.clone(), contested.writer);
            match times {
                None => {
                    slot.contest.remove(&pair);
                    slot.truces.remove(&path);
                }
                // One repair, to see: if it is rewritten again the field is contested at once, and for longer.
                Some(times) => {
                    slot.contest
                        .insert(pair, vec![now; limits.contest_repairs.saturating_sub(1)]);
                    slot.truces.insert(path, times);
                }
            }
        }
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
        let (contest, contested) = (&slot.contest, &slot.contested);
        slot.truces.retain(|path, _| {
            contested.contains_key(path) || contest.keys().any(|(fought_over, _)| fought_over == path)
        });
    }

    /// Notes whose values an update is about to replace.
    pub(super) fn note_repair(&mut self, key: &ObjectKey, fields: &[FieldChange]) {
        let Some(slot) = self.slots.get_mut(key) else {
            return;
        };
        let Sight::Present(seen) = &slot.sight else { return };
        let Some(live) = &seen.body else { return };
        slot.repairing = against(live.object(), fields, self.marks.manager()).collect();
    }
}

/// The fields that are about to be written, and who else holds them.
fn against<'a>(
    live: &'a Object,
    fields: &'a [FieldChange],
    ours: &'a str,
) -> impl Iterator<Item = (FieldPath, String)> + 'a {
    fields.iter().flat_map(move |field| {
        let mut found = managers_of(live, &field.path);
        found.retain(|writer| writer.name != ours);
        let mut names: Vec<String> = found.into_iter().map(|writer| writer.name).collect();
        if names.is_empty() && field.before.is_none() {
            names.push(WHO_REMOVED_IT.to_owned());
        }
        let pair = move |writer: String| (as_owned(live, &field.path, &writer), writer);
        names.into_iter().map(pair)
    })
}

/// The field that is left to this writer: what it owns as a whole, a list or a mapping perhaps. Places in lists are
/// those of the live list and mean nothing in our definition, so a field ends before the first of them.
fn as_owned(live: &Object, path: &FieldPath, writer: &str) -> FieldPath {
    // Only who owns a field as a whole owns whatever might be inside.
    let owns_whole = |path: &FieldPath| {
        let inside = path.child(PathElement::key(""));
        managers_of(live, &inside)
            .iter()
            .any(|manager| manager.name == writer)
    };
    let mut owned = FieldPath::root();
    for element in path.elements() {
        let place = matches!(element, PathElement::Index(_) | PathElement::Value(_));
        if place || (!owned.is_root() && owns_whole(&owned)) {
            break;
        }
        owned = owned.child(element.clone());
    }
    owned
}

fn value_at(live: &Object, path: &FieldPath) -> Option<Digest> {
    let value = path.find(live.root())?;
    Some(DigestBuilder::new().text(&value.to_string()).finish())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_field_is_left_as_its_other_owner_owns_it() {
        let entry = |manager: &str, spec: serde_json::Value| json!({"manager": manager, "operation": "Update", "fieldsV1": {"f:spec": spec}});
        let live = Object::from_json(json!({
            "apiVersion": "apps/v1", "kind": "Deployment",
            "metadata": {"name": "web", "managedFields": [
                entry("granular", json!({"f:containers": {"k:{\"name\":\"web\"}": {".": {}, "f:image": {}}}, "f:labels": {".": {}, "f:a": {}}})),
                entry("whole", json!({"f:containers": {}, "f:labels": {}, "f:args": {}})),
            ]},
            "spec": {"containers": [{"name": "web", "image": "w:1"}], "labels": {"a": "1"}, "args": ["a"]},
        }))
        .unwrap();
        let check = |path: &[PathElement], writer: &str, expect: &str| {
            let path = FieldPath::new(path.iter().cloned());
            assert_eq!(as_owned(&live, &path, writer).to_string(), expect, "{writer}");
        };
        let key = PathElement::key;
        let image = [
            key("spec"),
            key("containers"),
            PathElement::list_key([("name", "web")]),
            key("image"),
        ];
        check(&image, "granular", ".spec.containers[name=\"web\"].image");
        check(&image, "whole", ".spec.containers");
        let label = [key("spec"), key("labels"), key("a")];
        check(&label, "granular", ".spec.labels.a");
        check(&label, "whole", ".spec.labels");
        for place in [PathElement::Index(0), PathElement::Value("a".into())] {
            let arg = [key("spec"), key("args"), place];
            check(&arg, "whole", ".spec.args");
            check(&arg, WHO_REMOVED_IT, ".spec.args");
        }
    }
}
