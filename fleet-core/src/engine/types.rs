//! The types of the cluster's objects, as far as a judge needs them.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::{Digest, Gvk, ObjectKey};

use super::{
    Command, Engine,
    slot::{Awaited, Outcome, Slot},
};
use crate::words::{ClusterTypes, KindMap};

/// What is known of them.
#[derive(Default)]
pub(super) struct Types {
    known: Option<ClusterTypes>,
    /// The kinds they were learnt for.
    asked: BTreeSet<Gvk>,
}

impl Types {
    pub(super) fn known(&self) -> Option<&ClusterTypes> {
        self.known.as_ref()
    }

    /// What a judgement about this kind is made with.
    pub(super) fn digest_of(&self, gvk: &Gvk) -> Option<Digest> {
        self.known.as_ref()?.digest_of(gvk)
    }

    pub(super) fn take(
        &mut self,
        types: ClusterTypes,
        slots: &mut BTreeMap<ObjectKey, Slot>,
        dirty: &mut BTreeSet<ObjectKey>,
    ) {
        let before = self.known.replace(types);
        for (key, slot) in slots {
            let waits = matches!(
                slot.outcome,
                Outcome::Waiting {
                    awaited: Awaited::Types,
                    ..
                }
            );
            let gvk = slot.desired.as_ref().map(|desired| desired.object.gvk());
            let changed = gvk.is_some_and(|gvk| {
                before
                    .as_ref()
                    .is_some_and(|before| before.digest_of(gvk) != self.digest_of(gvk))
            });
            if waits || changed {
                dirty.insert(key.clone());
            }
        }
    }
}

impl Engine {
    /// Asks for the types of what is listed.
    pub(super) fn choose_types(&mut self, out: &mut Vec<Command>) {
        if !self.parts.judge.uses_types() {
            return;
        }
        let Some(kinds) = &self.kinds else { return };
        let wanted = wanted(&self.slots, kinds);
        // Without anything listed there is nothing to judge.
        if wanted != self.types.asked && !wanted.is_empty() {
            self.types.asked.clone_from(&wanted);
            out.push(Command::LearnTypes(wanted));
        }
    }

    /// Whether the judge has to wait for them.
    pub(super) fn awaits_types(&self) -> bool {
        self.parts.judge.uses_types() && self.types.known.is_none()
    }
}

fn wanted(slots: &BTreeMap<ObjectKey, Slot>, kinds: &KindMap) -> BTreeSet<Gvk> {
    let listed = slots.values().filter_map(|slot| slot.desired.as_ref());
    let listed = listed.map(|desired| desired.object.gvk());
    listed
        .filter(|gvk| kinds.get(gvk.group_kind()).is_some())
        .cloned()
        .collect()
}
