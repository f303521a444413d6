//! Deletes: what is proposed, granted and under way.
//!
//! `containers` says what may not go, `budget` how many may, `order` who goes when, `unfinished` how long it is worth
//! waiting for them.

mod budget;
mod containers;
mod order;
mod unfinished;

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;

pub(super) use unfinished::Standstill;

use super::{CallId, slot::Class, token::Offers};
use crate::words::{Reason, Revision, Tick, Uid};

/// Deletes of the present plan.
#[derive(Default)]
pub(super) struct Deletes {
    /// Owned, not listed, there, and ours: to be deleted.
    candidates: BTreeMap<ObjectKey, Uid>,
    /// The candidates changed since they were last arranged.
    fresh: bool,
    /// Not listed, and not decided yet.
    pub(super) undecided: BTreeSet<ObjectKey>,
    surveys: BTreeMap<ObjectKey, Survey>,
    /// What was found in containers to go with an object of ours: its owner may be gone before it.
    going_along: BTreeSet<Uid>,
    /// Granted, recorded, and not gone yet.
    granted: BTreeMap<Class, Granted>,
    reserving: Option<Reserving>,
    pub(super) held: Option<Held>,
    /// Tokens that persons gave.
    pub(super) offers: Offers,
    confirmed: Option<Confirmed>,
}

/// Granted deletes of one class; each object is in one of the sets.
#[derive(Default)]
struct Granted {
    /// Being deleted now.
    active: BTreeSet<ObjectKey>,
    /// Wait for later classes to go first.
    waiting: BTreeSet<ObjectKey>,
    /// Deleted, and waiting for finalizers.
    lingering: BTreeSet<ObjectKey>,
    /// Refused or declined, and to be tried again now and then.
    aside: BTreeSet<ObjectKey>,
}

impl Granted {
    fn is_empty(&self) -> bool {
        self.active.is_empty()
            && self.waiting.is_empty()
            && self.lingering.is_empty()
            && self.aside.is_empty()
    }

    fn remove(&mut self, key: &ObjectKey) {
        for set in [
            &mut self.active,
            &mut self.waiting,
            &mut self.lingering,
            &mut self.aside,
        ] {
            set.remove(key);
        }
    }
}

/// A reservation under way.
struct Reserving {
    call: CallId,
    /// What it is for, and how much that counts.
    objects: BTreeMap<ObjectKey, Uid>,
    total: u32,
    /// No answer until then is a refusal.
    until: Tick,
}

/// A grant whose intents are not recorded yet.
#[derive(Clone, Copy)]
pub(super) struct Grant {
    /// When it was given, and where its deletes stand in the window.
    pub(super) at: Tick,
    /// Intents that are recorded later do not count.
    pub(super) until: Tick,
}

enum Survey {
    Asked,
    Known { at: Tick, result: Result<u32, Reason> },
}

/// Deletes that wait for a person, or for a budget.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Held {
    pub(super) reason: Reason,
    /// What lets them go.
    pub(super) token: String,
    keys: BTreeSet<ObjectKey>,
    /// Then they are weighed again.
    until: Tick,
}

/// What a person confirmed.
struct Confirmed {
    objects: BTreeSet<(ObjectKey, Uid)>,
    revision: Option<Revision>,
    until: Tick,
}

impl Deletes {
    /// A new plan: what was arranged for the old one is off.
    pub(super) fn start_over(&mut self) {
        self.candidates.clear();
        self.surveys.clear();
        self.going_along.clear();
        self.reserving = None;
        self.held = None;
        self.fresh = true;
    }

    /// The object is decided anew.
    pub(super) fn withdraw(&mut self, key: &ObjectKey) {
        self.fresh |= self.candidates.remove(key).is_some();
    }

    fn propose(&mut self, key: &ObjectKey, uid: Uid) {
        if self.candidates.get(key) != Some(&uid) {
            self.candidates.insert(key.clone(), uid);
            self.fresh = true;
        }
    }

    /// The object is gone, or let go, or stays.
    pub(super) fn done_with(&mut self, key: &ObjectKey) {
        self.granted.entry(Class::of(key)).or_default().remove(key);
        self.surveys.remove(key);
    }

    /// It cannot be deleted for now: it is quiet, and still holds back what goes after it. True if it was being
    /// deleted.
    pub(super) fn set_aside(&mut self, key: &ObjectKey) -> bool {
        let granted = self.granted.entry(Class::of(key)).or_default();
        let active = granted.active.remove(key);
        if active {
            granted.aside.insert(key.clone());
        }
        active
    }

    /// It is deleted and held by its finalizers.
    pub(super) fn linger(&mut self, key: &ObjectKey) {
        let granted = self.granted.entry(Class::of(key)).or_default();
        granted.remove(key);
        granted.lingering.insert(key.clone());
    }

    /// Nothing is being arranged or carried out. What waits for finalizers, and what waits for that, is quiet.
    pub(super) fn is_quiet(&self) -> bool {
        self.undecided.is_empty()
            && self.reserving.is_none()
            && self.granted.values().all(|granted| granted.active.is_empty())
            && !self.is_surveying()
    }

    fn is_surveying(&self) -> bool {
        self.surveys.values().any(|s| matches!(s, Survey::Asked))
    }

    pub(super) fn due(&self) -> Option<Tick> {
        let held = self.held.as_ref().map(|held| held.until);
        let reserving = self.reserving.as_ref().map(|reserving| reserving.until);
        [held, reserving].into_iter().flatten().min()
    }
}
