//! Plans in plain numbers.

use std::collections::BTreeMap;

use crate::divide::{
    DivideError, Party,
    planner::{Planner, plan},
};

/// A cluster that may get replicas.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Member<'a> {
    /// Its name.
    pub name: &'a str,
    /// How many it has.
    pub current: u64,
    /// How many it can have, those it has too, as far as that is estimated; it may be asked for more.
    pub estimated: Option<u64>,
    /// How many it may have at most, whatever else is said.
    pub limited: Option<u64>,
}

impl<'a> Member<'a> {
    /// A cluster where nothing runs, and of which nothing is known.
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            current: 0,
            estimated: None,
            limited: None,
        }
    }

    /// It has so many.
    #[must_use]
    pub fn current(mut self, replicas: u64) -> Self {
        self.current = replicas;
        self
    }

    /// It can have so many, as far as that is estimated.
    #[must_use]
    pub fn estimated(mut self, replicas: u64) -> Self {
        self.estimated = Some(replicas);
        self
    }

    /// It may have so many.
    #[must_use]
    pub fn limited(mut self, replicas: u64) -> Self {
        self.limited = Some(replicas);
        self
    }

    pub(super) fn party(&self) -> Party<'a> {
        Party::new(self.name)
            .current(self.current)
            .capacity(self.estimated)
            .limit(self.limited)
    }
}

/// What each party is asked for, overflow too; those that are asked for nothing are left out.
pub(super) fn asked(
    parties: &[Party<'_>],
    replicas: u64,
    key: &str,
    planner: Planner,
) -> Result<BTreeMap<String, u64>, DivideError> {
    let asked = plan(parties, replicas, key, planner)?.asked();
    let named = parties.iter().map(|party| party.name.to_owned()).zip(asked);
    Ok(named.filter(|(_, count)| *count > 0).collect())
}
