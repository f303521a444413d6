//! What is known of whole kinds: their listings, their watches, and whether they are gone.

use std::collections::BTreeMap;

use fleet_diff::{GroupKind, ObjectKey};

use super::{CallId, Engine, slot::Slot};
use crate::words::{Reason, Tick};

/// The listing of a kind.
pub(super) struct Listing {
    pub(super) stage: ListingStage,
    /// Failures in a row, and why: until it succeeds nothing of this kind is deleted.
    pub(super) failed: Option<(u32, Reason)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum ListingStage {
    Wanted,
    Pending,
    Done,
    RetryAt(Tick),
}

impl Listing {
    pub(super) const WANTED: Self = Self {
        stage: ListingStage::Wanted,
        failed: None,
    };

    /// Its first try is under way: worth waiting for.
    pub(super) fn is_coming(&self) -> bool {
        self.failed.is_none() && matches!(self.stage, ListingStage::Wanted | ListingStage::Pending)
    }

    pub(super) fn due(&self) -> Option<Tick> {
        match self.stage {
            ListingStage::RetryAt(at) => Some(at),
            _ => None,
        }
    }
}

/// The watch of a kind.
#[derive(Default)]
pub(super) struct Watch {
    /// Greater than that of every watch that began before, also of one that was given up meanwhile.
    pub(super) epoch: u64,
    pub(super) synced: bool,
    /// Since when something waits for it to show everything.
    pub(super) awaited_since: Option<Tick>,
}

/// A kind that discovery no longer names.
#[derive(Default)]
pub(super) struct GoneKind {
    /// The question under way.
    pub(super) asked: Option<CallId>,
    /// Whether it is gone, or why the last question failed; it counts until there is a new answer.
    pub(super) answer: Option<Result<bool, Reason>>,
    /// When to ask again.
    pub(super) again_at: Option<Tick>,
}

impl Engine {
    /// Objects of one kind.
    pub(super) fn of_kind(&self, kind: &GroupKind) -> impl Iterator<Item = (&ObjectKey, &Slot)> {
        let all = self.slots.range(ObjectKey::of(kind.clone(), None, "")..);
        all.take_while(move |(key, _)| key.group_kind() == kind)
    }

    /// Objects of one kind are to be looked at.
    pub(super) fn wake_kind(&mut self, kind: &GroupKind) {
        let keys: Vec<ObjectKey> = self.of_kind(kind).map(|(key, _)| key.clone()).collect();
        self.dirty.extend(keys);
    }
}

/// Objects of one kind.
pub(super) fn of_kind_mut<'a>(
    slots: &'a mut BTreeMap<ObjectKey, Slot>,
    kind: &'a GroupKind,
) -> impl Iterator<Item = (&'a ObjectKey, &'a mut Slot)> {
    let all = slots.range_mut(ObjectKey::of(kind.clone(), None, "")..);
    all.take_while(move |(key, _)| key.group_kind() == kind)
}
