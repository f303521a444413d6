//! Deletes: what is proposed, granted and under way.
//!
//! `containers` says what may not go, `budget` how many may, `turns` who goes when, `order` carries it out, `unfinished`
//! says how long it is worth waiting for them.

mod budget;
mod containers;
mod order;
mod turns;
mod unfinished;

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::ObjectKey;

pub(super) use unfinished::Standstill;

use super::{CallId, token::Offers};
use crate::words::{Reason, Revision, Tick, Uid};
use turns::Turns;

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
    /// Granted, recorded, and not gone yet: what is done about them.
    granted: Granted,
    /// And whose turn it is.
    turns: Turns,
    reserving: Option<Reserving>,
    pub(super) held: Option<Held>,
    /// Tokens that persons gave.
    pub(super) offers: Offers,
    confirmed: Option<Confirmed>,
}

/// Granted deletes; each object is in one of the sets.
#[derive(Default)]
struct Granted {
    /// Being deleted now.
    active: BTreeSet<ObjectKey>,
    /// Wait for others to go first.
    waiting: BTreeSet<ObjectKey>,
    /// Deleted, and waiting for finalizers.
    lingering: BTreeSet<ObjectKey>,
    /// Refused or declined, and to be tried again now and then.
    aside: BTreeSet<ObjectKey>,
}

impl Granted {
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

    /// A reservation is waited for.
    pub(super) fn is_reserving(&self) -> bool {
        self.reserving.is_some()
    }

    /// The object is decided anew.
    pub(super) fn withdraw(&mut self, key: &ObjectKey) {
        self.fresh |= self.candidates.remove(key).is_some();
    }

    /// To be deleted, and not granted, or not any more.
    fn propose(&mut self, key: &ObjectKey, uid: Uid) {
        self.granted.remove(key);
        self.turns.leave(key);
        if self.candidates.get(key) != Some(&uid) {
            self.candidates.insert(key.clone(), uid);
            self.fresh = true;
        }
    }

    /// The object is gone, or let go, or stays.
    pub(super) fn done_with(&mut self, key: &ObjectKey) {
        self.granted.remove(key);
        self.turns.leave(key);
        self.turns.stays_no_more(key);
        self.surveys.remove(key);
    }

    /// Intents that were granted and recorded, as the ledger has them now.
    pub(super) fn take_granted(&mut self, recorded: impl Iterator<Item = ObjectKey>) {
        self.turns.start_over(recorded);
    }

    /// It cannot be deleted for now: it is quiet, and still holds back what goes after it. True if it was being
    /// deleted.
    pub(super) fn set_aside(&mut self, key: &ObjectKey) -> bool {
        let active = self.granted.active.remove(key);
        if active {
            self.granted.aside.insert(key.clone());
        }
        active
    }

    /// Its delete was granted, and it is not gone.
    pub(super) fn is_granted(&self, key: &ObjectKey) -> bool {
        self.turns.is_going(key)
    }

    /// What is being deleted, or waits for its turn.
    pub(super) fn unfinished(&self) -> impl Iterator<Item = &ObjectKey> {
        self.granted.active.iter().chain(&self.granted.waiting)
    }

    /// Nothing is carried out now.
    fn pause(&mut self, key: &ObjectKey) {
        self.granted.remove(key);
    }

    /// What was granted cannot be gone on with until there is news, and holds back what goes after it.
    pub(super) fn stay_aside(&mut self, key: &ObjectKey) {
        self.granted.remove(key);
        self.granted.aside.insert(key.clone());
    }

    /// It is deleted and held by its finalizers.
    pub(super) fn linger(&mut self, key: &ObjectKey) {
        self.granted.remove(key);
        self.granted.lingering.insert(key.clone());
        self.turns.join(key);
    }

    /// Nothing is being arranged or carried out. What waits for finalizers, and what waits for that, is quiet.
    pub(super) fn is_quiet(&self) -> bool {
        self.undecided.is_empty()
            && self.reserving.is_none()
            && self.granted.active.is_empty()
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
