//! Whose turn it is among the deletes that are granted: classes from the last to the first, and among the rest the
//! opposite of the order in which they were written ([`Removal`]).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_diff::{Object, ObjectKey};

use crate::{
    engine::slot::Class,
    order::{Edge, Order, Removal},
};

/// What is granted and not gone, whether its intent is recorded already or on the way to the ledger.
#[derive(Default)]
pub(super) struct Turns {
    going: BTreeMap<Class, BTreeSet<ObjectKey>>,
    /// The order of the rest; none after something joined.
    rest: Option<Rest>,
    /// Whose turn it may be now and was not before.
    free: Vec<ObjectKey>,
    /// It may be anyone's turn.
    look: bool,
}

struct Rest {
    order: Arc<Order>,
    removal: Removal,
    /// What is in the order and stays: it holds back what it needs, and nothing else.
    staying: BTreeSet<ObjectKey>,
}

/// The class of a delete. What an aggregated API serves can be deleted only while it is served, so that an APIService
/// goes when it is its turn among the rest.
fn class_of(key: &ObjectKey) -> Class {
    if key.is("apiregistration.k8s.io", "APIService") {
        Class::Rest
    } else {
        Class::of(key)
    }
}

/// Why it is not an object's turn.
pub(super) enum Before<'t> {
    /// All of a later class go first.
    Class(&'t ObjectKey),
    /// This one waits for it.
    Edge(Edge<'t>),
    /// Custom resources go first.
    Custom,
    /// What else goes is not known well enough.
    Unknown,
}

impl Turns {
    pub(super) fn join(&mut self, key: &ObjectKey) {
        let class = class_of(key);
        let joined = self.going.entry(class).or_default().insert(key.clone());
        if joined && class == Class::Rest {
            self.rest = None;
        }
    }

    /// It is gone, or stays.
    pub(super) fn leave(&mut self, key: &ObjectKey) {
        let class = class_of(key);
        let Some(going) = self.going.get_mut(&class) else {
            return;
        };
        if !going.remove(key) {
            return;
        }
        self.look |= going.is_empty();
        if let Some(rest) = self.rest.as_mut().filter(|_| class == Class::Rest) {
            self.free.extend(rest.removal.gone(key));
        }
    }

    /// Others wait for something else than one another.
    pub(super) fn look_at_all(&mut self) {
        self.look = true;
    }

    /// Those of `waiting` to look at again since this was asked last: whose turn has come, or who wait for another reason.
    pub(super) fn woken(&mut self, waiting: &BTreeSet<ObjectKey>) -> Vec<ObjectKey> {
        let free = std::mem::take(&mut self.free);
        if std::mem::take(&mut self.look) {
            return waiting.iter().cloned().collect();
        }
        free.into_iter().filter(|key| waiting.contains(key)).collect()
    }

    pub(super) fn start_over(&mut self, going: impl Iterator<Item = ObjectKey>) {
        *self = Self::default();
        going.for_each(|key| self.join(&key));
    }

    /// The rest is in order; otherwise [`Turns::arrange`] comes first.
    pub(super) fn is_arranged(&self) -> bool {
        self.rest.is_some()
    }

    /// What goes in the order that its objects say.
    pub(super) fn rest(&self) -> impl Iterator<Item = &ObjectKey> {
        self.going.get(&Class::Rest).into_iter().flatten()
    }

    pub(super) fn is_going(&self, key: &ObjectKey) -> bool {
        self.going
            .get(&class_of(key))
            .is_some_and(|going| going.contains(key))
    }

    /// It does not stay, or it is to be decided anew whether it does.
    pub(super) fn stays_no_more(&mut self, key: &ObjectKey) {
        if self.rest.as_ref().is_some_and(|rest| rest.staying.contains(key)) {
            self.rest = None;
        }
    }

    /// The order of the objects that go, beside those that stay.
    pub(super) fn arrange(&mut self, going: &[Object], staying: &[Object], domain: &str) {
        let order = Arc::new(Order::new(going.iter().chain(staying), domain));
        let staying: BTreeSet<ObjectKey> = staying.iter().map(|object| object.key().clone()).collect();
        let removal = Removal::beside(order.clone(), &staying);
        self.rest = Some(Rest {
            order,
            removal,
            staying,
        });
        self.look = true;
    }

    /// Who goes before this one; none when it is its turn.
    pub(super) fn before(&self, key: &ObjectKey) -> Option<Before<'_>> {
        let class = class_of(key);
        let mut later = self.going.iter().rev().take_while(|(other, _)| **other > class);
        if let Some(first) = later.find_map(|(_, going)| going.first()) {
            return Some(Before::Class(first));
        }
        if class != Class::Rest {
            return None;
        }
        let Some(rest) = &self.rest else {
            return Some(Before::Unknown);
        };
        if rest.removal.may_go(key) {
            return None;
        }
        let going = self.going.get(&class)?;
        let mut edges = rest.order.dependents(key);
        let edge = edges.find(|edge| going.contains(edge.from) || rest.staying.contains(edge.from));
        Some(edge.map_or(Before::Custom, Before::Edge))
    }
}
