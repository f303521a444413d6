//! The replicas of one workload divided over clusters at least cost, exactly.

mod input;
mod plan;
mod report;
mod segments;

pub use input::{Candidate, Domain, DomainId, Step};

use super::FlowError;
use plan::Plan;

/// How many replicas there are, where they may run, and what that costs.
///
/// What is best, in this order: the fewest replicas short of minimums (of clusters and domains alike, each counted),
/// then the least [`Divided::cost`]. Without a [`Division::shortfall_price`] the fewest replicas that run nowhere come
/// between the two. At equal cost replicas stay where they run, and run rather than not. After that, clusters within
/// fewer domains are filled first, and of those the ones added first.
///
/// One workload with convex costs and nested limits is a minimum cost flow whose answer in integers is exact. Several
/// workloads that compete for the same capacity are not.
///
/// ```
/// use fleet_scheduler::flow::{Candidate, Division, Domain, Limit};
///
/// let mut division = Division::new(10);
/// division.move_price(5);
/// let eu = division.domain(Domain::new().at_most(6));
/// division.cluster(Candidate::new(8).cost(1).within(eu));
/// division.cluster(Candidate::new(8).cost(2).running(3));
/// let divided = division.solve()?;
/// assert_eq!((divided.clusters[0].replicas, divided.clusters[1].replicas), (6, 4));
/// assert_eq!(divided.clusters[0].limits, [Limit::DomainMaximum(eu)]);
/// # Ok::<(), fleet_scheduler::flow::DivisionError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Division {
    replicas: u64,
    move_price: u64,
    shortfall_price: Option<u64>,
    domains: Vec<Domain>,
    clusters: Vec<Candidate>,
}

/// The best division.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Divided {
    /// For each cluster in the order of adding.
    pub clusters: Vec<Share>,
    /// For each domain in the order of adding.
    pub domains: Vec<Share>,
    /// Replicas that run nowhere.
    pub shortfall: u64,
    /// Running replicas that stop where they are although the workload still wants as many: all that stop, less those
    /// by which the workload shrinks.
    pub moved: u64,
    /// The sum of what replicas cost where they run, steps included, of moves and, where it has a price, of the
    /// shortfall.
    pub cost: i128,
}

/// What a cluster or a domain gets.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Share {
    /// Replicas that run in it.
    pub replicas: u64,
    /// Replicas by which its minimum is missed.
    pub unmet: u64,
    /// Limits that are reached, its own before those of its domains from the inside out. If it has no maximum and no
    /// capacity among them, only costs and minimums elsewhere keep further replicas away.
    pub limits: Vec<Limit>,
}

/// A limit that is reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Limit {
    /// Its own maximum: no more are allowed.
    Maximum,
    /// Its capacity: no more fit.
    Capacity,
    /// Its own minimum, or less: none may leave for a cheaper place.
    Minimum,
    /// The maximum of a domain around it.
    DomainMaximum(DomainId),
    /// The minimum of a domain around it, or less: none may leave that domain.
    DomainMinimum(DomainId),
}

/// Why replicas cannot be divided. Too little capacity is no error, see [`Divided::shortfall`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum DivisionError {
    /// A cluster's minimum is above its maximum: correct one of them.
    #[error("cluster {cluster} has minimum {min} above maximum {max}")]
    ClusterMinimumAboveMaximum {
        /// Its place in the order of adding.
        cluster: usize,
        /// [`Candidate::min`].
        min: u64,
        /// [`Candidate::max`].
        max: u64,
    },
    /// A domain's minimum is above its maximum: correct one of them.
    #[error("domain {} has minimum {min} above maximum {max}", domain.0)]
    DomainMinimumAboveMaximum {
        /// The domain.
        domain: DomainId,
        /// [`Domain::min`].
        min: u64,
        /// [`Domain::max`].
        max: u64,
    },
    /// A cluster or a domain lies in a domain that was not added before it to the same division.
    #[error("domain {} is not known where it is named", domain.0)]
    UnknownDomain {
        /// The domain.
        domain: DomainId,
    },
    /// Prices are so large that minimums and shortfall cannot be put above them: use smaller units.
    #[error("prices do not fit in 63 bits")]
    PricesTooLarge,
    /// The total cost does not fit, or the search was too long.
    #[error(transparent)]
    Flow(#[from] FlowError),
}

impl Division {
    /// A division of `replicas` over no clusters yet. Moves are free, and as many replicas as possible run.
    pub fn new(replicas: u64) -> Self {
        Self {
            replicas,
            move_price: 0,
            shortfall_price: None,
            domains: Vec::new(),
            clusters: Vec::new(),
        }
    }

    /// What each replica costs that stops where it runs, while the workload still wants as many, see
    /// [`Divided::moved`]. Replicas by which the workload grows or shrinks are free of it.
    pub fn move_price(&mut self, price: u64) -> &mut Self {
        self.move_price = price;
        self
    }

    /// What each replica costs that runs nowhere. With a price, replicas dearer than that do not run; without one, all
    /// run that can.
    pub fn shortfall_price(&mut self, price: u64) -> &mut Self {
        self.shortfall_price = Some(price);
        self
    }

    /// Adds a domain.
    pub fn domain(&mut self, domain: Domain) -> DomainId {
        self.domains.push(domain);
        DomainId(self.domains.len() - 1)
    }

    /// Adds a cluster; returns its place in [`Divided::clusters`].
    pub fn cluster(&mut self, cluster: Candidate) -> usize {
        self.clusters.push(cluster);
        self.clusters.len() - 1
    }

    /// Divides.
    ///
    /// # Errors
    ///
    /// Every [`DivisionError`].
    pub fn solve(&self) -> Result<Divided, DivisionError> {
        self.check()?;
        let placed = Plan::new(self)?.place(self.replicas)?;
        self.report(&placed)
    }

    fn check(&self) -> Result<(), DivisionError> {
        for (index, &Domain { min, max, parent }) in self.domains.iter().enumerate() {
            if min > max {
                return Err(DivisionError::DomainMinimumAboveMaximum {
                    domain: DomainId(index),
                    min,
                    max,
                });
            }
            known(parent, index)?;
        }
        for (cluster, &Candidate { min, max, domain, .. }) in self.clusters.iter().enumerate() {
            if min > max {
                return Err(DivisionError::ClusterMinimumAboveMaximum { cluster, min, max });
            }
            known(domain, self.domains.len())?;
        }
        Ok(())
    }
}

fn known(domain: Option<DomainId>, domains: usize) -> Result<(), DivisionError> {
    match domain {
        Some(domain) if domain.0 >= domains => Err(DivisionError::UnknownDomain { domain }),
        _ => Ok(()),
    }
}
