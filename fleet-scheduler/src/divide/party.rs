//! What is known of one cluster that may get a share.

use std::collections::BTreeSet;

use super::{DivideError, Limit, MAX_PARTIES, MAX_REPLICAS};

/// One cluster that may get a share of a workload's replicas.
///
/// ```
/// use fleet_scheduler::divide::Party;
/// let eu = Party::new("eu-1").weight(3).min(1).capacity(40).domains(["aws", "eu-west-1"]);
/// assert_eq!(eu.weight, 3);
/// ```
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Party<'a> {
    /// The cluster's name, unique among the parties. It breaks the last tie.
    pub name: &'a str,
    /// The share it should have, relative to the others. Zero: nothing above its minimum.
    pub weight: u64,
    /// Replicas it should have at least.
    pub min: u64,
    /// Replicas it may have at most.
    pub max: Option<u64>,
    /// How many replicas of this workload fit, **including those that run there now**. `None`: unknown.
    pub capacity: Option<u64>,
    /// A second capacity, which the [planner](super::planner) never exceeds, not even with its overflow. Other
    /// methods hold the smaller of the two.
    pub limit: Option<u64>,
    /// Replicas it has now.
    pub current: u64,
    /// The spread domains it is in, outermost first, one for each level of the [`Spread`](super::Spread).
    pub domains: Vec<&'a str>,
}

impl<'a> Party<'a> {
    /// A cluster of weight one, without limits, where nothing runs yet.
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            weight: 1,
            min: 0,
            max: None,
            capacity: None,
            limit: None,
            current: 0,
            domains: Vec::new(),
        }
    }

    /// Sets the share it should have, relative to the others.
    #[must_use]
    pub fn weight(mut self, weight: u64) -> Self {
        self.weight = weight;
        self
    }

    /// Sets the replicas it should have at least.
    #[must_use]
    pub fn min(mut self, min: u64) -> Self {
        self.min = min;
        self
    }

    /// Sets the replicas it may have at most.
    #[must_use]
    pub fn max(mut self, max: impl Into<Option<u64>>) -> Self {
        self.max = max.into();
        self
    }

    /// Sets how many replicas fit, including those that run there now.
    #[must_use]
    pub fn capacity(mut self, capacity: impl Into<Option<u64>>) -> Self {
        self.capacity = capacity.into();
        self
    }

    /// Sets the capacity that not even overflow exceeds.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Option<u64>>) -> Self {
        self.limit = limit.into();
        self
    }

    /// Sets the replicas it has now.
    #[must_use]
    pub fn current(mut self, current: u64) -> Self {
        self.current = current;
        self
    }

    /// Sets the spread domains it is in, outermost first.
    #[must_use]
    pub fn domains(mut self, domains: impl IntoIterator<Item = &'a str>) -> Self {
        self.domains = domains.into_iter().collect();
        self
    }

    /// The most it can hold by its capacities.
    pub(super) fn room(&self) -> u64 {
        let smaller = self
            .capacity
            .unwrap_or(MAX_REPLICAS)
            .min(self.limit.unwrap_or(MAX_REPLICAS));
        smaller.min(MAX_REPLICAS)
    }

    /// The most it may get: its maximum and what fits.
    pub(super) fn ceiling(&self) -> u64 {
        self.max.unwrap_or(MAX_REPLICAS).min(self.room())
    }

    /// Which of its own limits keeps it from more than `count`.
    pub(super) fn own_limit(&self, count: u64) -> Option<Limit> {
        match self.max {
            Some(max) if count >= max => Some(Limit::Max),
            _ => (count >= self.room()).then_some(Limit::Capacity),
        }
    }
}

/// Refuses what no method can divide.
pub(super) fn check(parties: &[Party<'_>], replicas: u64) -> Result<(), DivideError> {
    check_counts(parties, replicas)?;
    let mut seen = BTreeSet::new();
    match parties.iter().find(|party| !seen.insert(party.name)) {
        Some(party) => Err(DivideError::DuplicateParty {
            name: party.name.to_owned(),
        }),
        None => Ok(()),
    }
}

/// The same for parties whose names are known to differ.
pub(super) fn check_counts(parties: &[Party<'_>], replicas: u64) -> Result<(), DivideError> {
    let within = |what: &'static str, count: u64, most: u64| match count > most {
        true => Err(DivideError::TooMany { what, count, most }),
        false => Ok(()),
    };
    within("replicas", replicas, MAX_REPLICAS)?;
    within("clusters", parties.len() as u64, MAX_PARTIES as u64)?;
    for party in parties {
        within("current replicas of a cluster", party.current, MAX_REPLICAS)?;
        within("minimum of a cluster", party.min, MAX_REPLICAS)?;
        if let Some(max) = party.max.filter(|max| party.min > *max) {
            return Err(DivideError::MinOverMax {
                holder: party.name.to_owned(),
                min: party.min,
                max,
            });
        }
    }
    Ok(())
}

/// Indexes of the parties, by name.
pub(super) fn by_name(parties: &[Party<'_>]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..parties.len()).collect();
    order.sort_unstable_by_key(|&i| parties[i].name);
    order
}
