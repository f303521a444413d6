//! The answer: who gets how many, what is missing, and which limit bound whom.

use super::Party;

/// How replicas are divided. Lists are by index of the parties passed in.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Division {
    /// Replicas of each party.
    pub replicas: Vec<u64>,
    /// What keeps each party from one replica more; `None` if nothing does.
    pub limits: Vec<Option<Limit>>,
    /// Replicas asked for that no party may take.
    pub shortfall: u64,
    /// Minimums that are not reached.
    pub unmet: Vec<Unmet>,
}

impl Division {
    /// A division in which nothing is missing and no limit is known.
    pub(super) fn of(replicas: Vec<u64>) -> Self {
        let limits = vec![None; replicas.len()];
        Self {
            replicas,
            limits,
            shortfall: 0,
            unmet: Vec::new(),
        }
    }

    /// Writes down which parties are at a maximum or a capacity of their own.
    pub(super) fn note_own_limits(&mut self, parties: &[Party<'_>]) {
        let own = |(party, count): (&Party<'_>, &u64)| party.own_limit(*count);
        self.limits = parties.iter().zip(&self.replicas).map(own).collect();
    }

    /// All replicas placed.
    pub fn placed(&self) -> u64 {
        self.replicas.iter().sum()
    }
}

/// What keeps a cluster or domain from one replica more.
///
/// A `depth` names a domain of the party it is reported for: the one that its first `depth` domain names lead to. With
/// one more than it has names, it is the party itself.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum Limit {
    /// Its maximum.
    Max,
    /// No more fit.
    Capacity,
    /// Its weight is zero: it gets its minimum only.
    Weight,
    /// The maximum of a domain it is in.
    DomainMax {
        /// Which domain.
        depth: usize,
    },
    /// A domain it is in would get too far ahead of its siblings.
    Skew {
        /// Which domain.
        depth: usize,
    },
    /// Every cluster in the domain is at a limit of its own, or there is none.
    Members,
    /// No more replicas are to be had: the total is too small, or what runs elsewhere stays there.
    Total,
}

/// A minimum that is not reached.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Unmet {
    /// Whose minimum.
    pub holder: Holder,
    /// Replicas missing.
    pub missing: u64,
    /// What keeps the next one away.
    pub limit: Limit,
}

/// Who has a minimum.
#[derive(Clone, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Holder {
    /// A party, by index.
    Party(usize),
    /// A domain, by its path, outermost name first.
    Domain(Vec<String>),
}
