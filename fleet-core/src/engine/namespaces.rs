//! What is inside a namespace waits while that is being deleted, and is woken when it is back.

use fleet_diff::ObjectKey;

use super::{
    Engine,
    slot::{Sight, Slot},
};

/// Why nothing can be made in a namespace.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Away {
    /// It does not exist.
    Absent,
    /// It is being deleted.
    BeingDeleted,
}

fn away(slot: &Slot) -> Option<Away> {
    match &slot.sight {
        Sight::Absent => Some(Away::Absent),
        Sight::Present(seen) if seen.deleting.is_some() => Some(Away::BeingDeleted),
        _ => None,
    }
}

impl Engine {
    fn namespace_of(&self, key: &ObjectKey) -> Option<&Slot> {
        let namespace = ObjectKey::new("", "Namespace", None, key.namespace()?);
        self.slots.get(&namespace)
    }

    /// Its namespace is listed too, and does not exist yet.
    pub(super) fn is_namespace_missing(&self, key: &ObjectKey) -> bool {
        self.namespace_of(key).and_then(away) == Some(Away::Absent)
    }

    /// Its namespace is known to be on its way out: nothing can be made in it.
    pub(super) fn is_namespace_being_deleted(&self, key: &ObjectKey) -> bool {
        self.namespace_of(key).and_then(away) == Some(Away::BeingDeleted)
    }

    /// Wakes what is in a namespace when that is gone at last, or back: whatever was refused there meanwhile.
    pub(super) fn follow_namespace(&mut self, key: &ObjectKey) {
        if !key.is("", "Namespace") {
            return;
        }
        let Some(slot) = self.slots.get(key) else { return };
        let now = away(slot);
        if now.is_none() && matches!(slot.sight, Sight::Unknown) {
            return;
        }
        let before = match now {
            Some(now) => self.namespaces_away.insert(key.name().to_owned(), now),
            None => self.namespaces_away.remove(key.name()),
        };
        if before.is_none() || before == now || now == Some(Away::BeingDeleted) {
            return;
        }
        let kinds = self.kinds.iter().flat_map(|kinds| &kinds.kinds);
        for (kind, _) in kinds.filter(|(_, info)| info.namespaced) {
            let first = ObjectKey::of(kind.clone(), Some(key.name()), "");
            let inside = self.slots.range_mut(first..);
            for (inner, slot) in inside
                .take_while(|(inner, _)| inner.group_kind() == kind && inner.namespace() == Some(key.name()))
            {
                slot.fresh_start();
                self.dirty.insert(inner.clone());
            }
        }
    }
}
