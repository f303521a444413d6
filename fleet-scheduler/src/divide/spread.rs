//! Domains that replicas are spread over: providers, their regions, their zones.

use super::{DivideError, MAX_LEVELS, MAX_REPLICAS, Party};

/// Levels of domains and their limits. Domains are nested by construction: a cluster's names, outermost first, are a
/// path, and a domain is a prefix of a path.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
#[non_exhaustive]
pub struct Spread<'a> {
    /// The levels, outermost first.
    pub levels: Vec<Level<'a>>,
    /// Limits of single domains; they replace those of the level.
    pub domains: Vec<DomainLimit<'a>>,
    /// Skew between the clusters of one innermost domain.
    pub clusters: Option<Skew>,
}

impl<'a> Spread<'a> {
    /// No levels: all clusters side by side.
    pub fn none() -> Self {
        Self::default()
    }

    /// Adds a level inside those that exist.
    #[must_use]
    pub fn level(mut self, level: Level<'a>) -> Self {
        self.levels.push(level);
        self
    }

    /// Adds limits of a single domain.
    #[must_use]
    pub fn domain(mut self, domain: DomainLimit<'a>) -> Self {
        self.domains.push(domain);
        self
    }

    /// Bounds the skew between the clusters of one innermost domain.
    #[must_use]
    pub fn clusters(mut self, skew: Skew) -> Self {
        self.clusters = Some(skew);
        self
    }
}

/// One level of domains, such as all regions.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Level<'a> {
    /// What the level is called in messages.
    pub name: &'a str,
    /// Replicas that each of its domains should have at least.
    pub min: u64,
    /// Replicas that each of its domains may have at most.
    pub max: Option<u64>,
    /// Skew between its domains that have one parent.
    pub skew: Option<Skew>,
}

impl<'a> Level<'a> {
    /// A level without limits.
    pub fn new(name: &'a str) -> Self {
        Self {
            name,
            min: 0,
            max: None,
            skew: None,
        }
    }

    /// Sets the replicas that each of its domains should have at least.
    #[must_use]
    pub fn min(mut self, min: u64) -> Self {
        self.min = min;
        self
    }

    /// Sets the replicas that each of its domains may have at most.
    #[must_use]
    pub fn max(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }

    /// Bounds the skew between its domains that have one parent.
    #[must_use]
    pub fn skew(mut self, skew: Skew) -> Self {
        self.skew = Some(skew);
        self
    }
}

/// Limits of a single domain.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct DomainLimit<'a> {
    /// Its path, outermost name first.
    pub path: Vec<&'a str>,
    /// Replicas it should have at least.
    pub min: u64,
    /// Replicas it may have at most.
    pub max: Option<u64>,
}

impl<'a> DomainLimit<'a> {
    /// A domain without limits.
    pub fn new(path: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            path: path.into_iter().collect(),
            min: 0,
            max: None,
        }
    }

    /// Sets the replicas it should have at least.
    #[must_use]
    pub fn min(mut self, min: u64) -> Self {
        self.min = min;
        self
    }

    /// Sets the replicas it may have at most.
    #[must_use]
    pub fn max(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }
}

/// How far a domain may be ahead of its smallest sibling, in replicas.
///
/// A sibling that may hold nothing by policy (its maximum, or all weights in it, zero) does not count. One without
/// capacity does, unless the skew is soft.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub struct Skew {
    /// The largest difference, at least one.
    pub most: u64,
    /// Whether a sibling that is full stops the others.
    pub full_counts: bool,
}

impl Skew {
    /// The difference always holds: where a sibling is full, the others wait and replicas stay unplaced. As
    /// `DoNotSchedule` of Kubernetes' topology spread.
    pub fn hard(most: u64) -> Self {
        Self {
            most,
            full_counts: true,
        }
    }

    /// The difference holds among siblings that can still grow: one that is full no longer stops the others.
    pub fn soft(most: u64) -> Self {
        Self {
            most,
            full_counts: false,
        }
    }
}

/// Refuses limits that contradict themselves, and parties in no domain.
pub(super) fn check(parties: &[Party<'_>], spread: &Spread<'_>) -> Result<(), DivideError> {
    let ordered = |holder: &dyn Fn() -> String, min: u64, max: Option<u64>| match max {
        _ if min > MAX_REPLICAS => Err(DivideError::TooMany {
            what: "minimum of a domain",
            count: min,
            most: MAX_REPLICAS,
        }),
        Some(max) if min > max => Err(DivideError::MinOverMax {
            holder: holder(),
            min,
            max,
        }),
        _ => Ok(()),
    };
    let depth = spread.levels.len();
    if depth > MAX_LEVELS {
        let (count, most) = (depth as u64, MAX_LEVELS as u64);
        return Err(DivideError::TooMany {
            what: "levels of domains",
            count,
            most,
        });
    }
    for level in &spread.levels {
        ordered(&|| level.name.to_owned(), level.min, level.max)?;
        check_skew(level.name, level.skew)?;
    }
    check_skew("clusters", spread.clusters)?;
    for (i, domain) in spread.domains.iter().enumerate() {
        let name = || domain.path.join("/");
        ordered(&name, domain.min, domain.max)?;
        let again = spread.domains[..i].iter().any(|other| other.path == domain.path);
        if again || domain.path.is_empty() || domain.path.len() > depth {
            return Err(DivideError::DomainPath { domain: name() });
        }
    }
    match parties.iter().find(|party| party.domains.len() < depth) {
        Some(party) => {
            let (party, level) = (
                party.name.to_owned(),
                spread.levels[party.domains.len()].name.to_owned(),
            );
            Err(DivideError::MissingDomain { party, level })
        }
        None => Ok(()),
    }
}

fn check_skew(level: &str, skew: Option<Skew>) -> Result<(), DivideError> {
    match skew {
        Some(skew) if skew.most == 0 => Err(DivideError::ZeroSkew {
            level: level.to_owned(),
        }),
        _ => Ok(()),
    }
}
