//! What a division is made of: clusters and domains, with their limits and costs.

/// A cluster that may run replicas: its limits and its costs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Candidate {
    /// Replicas that fit.
    pub capacity: u64,
    /// Replicas that are wanted here before any go elsewhere, whatever they cost. What does not fit is reported, see
    /// [`Share::unmet`](super::Share::unmet).
    pub min: u64,
    /// Replicas that are allowed here.
    pub max: u64,
    /// Replicas that run here now, even if they are more than fit. A cluster that may run none any more takes part with
    /// capacity 0, so that what runs there counts as moved.
    pub current: u64,
    /// What each replica here costs.
    pub cost: u64,
    /// The innermost domain it lies in.
    pub domain: Option<DomainId>,
    /// Costs that grow with the number of replicas, in any order.
    pub steps: Vec<Step>,
}

/// Replicas of a cluster beyond the first `above` cost `price` more each, on top of all other costs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Step {
    /// Replicas to which the step does not apply.
    pub above: u64,
    /// What each further replica costs more.
    pub price: u64,
}

/// A group of clusters with limits of its own: a zone, a region, a provider. Domains nest.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Domain {
    /// Replicas that are wanted in it before any go elsewhere, see [`Candidate::min`].
    pub min: u64,
    /// Replicas that are allowed in it.
    pub max: u64,
    /// The domain it lies in, added before it.
    pub parent: Option<DomainId>,
}

/// A domain of the [`Division`](super::Division) that returned it: its place in
/// [`Divided::domains`](super::Divided::domains).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DomainId(pub(super) usize);

impl Candidate {
    /// A cluster in which so many replicas fit, without other limits, and free of cost.
    pub fn new(capacity: u64) -> Self {
        Self {
            capacity,
            min: 0,
            max: u64::MAX,
            current: 0,
            cost: 0,
            domain: None,
            steps: Vec::new(),
        }
    }

    /// Wants so many replicas, see [`Candidate::min`].
    #[must_use]
    pub fn at_least(mut self, min: u64) -> Self {
        self.min = min;
        self
    }

    /// Allows so many replicas.
    #[must_use]
    pub fn at_most(mut self, max: u64) -> Self {
        self.max = max;
        self
    }

    /// Runs so many replicas now.
    #[must_use]
    pub fn running(mut self, current: u64) -> Self {
        self.current = current;
        self
    }

    /// Takes so much for each replica.
    #[must_use]
    pub fn cost(mut self, cost: u64) -> Self {
        self.cost = cost;
        self
    }

    /// Lies in a domain.
    #[must_use]
    pub fn within(mut self, domain: DomainId) -> Self {
        self.domain = Some(domain);
        self
    }

    /// Takes `price` more for each replica beyond the first `above`.
    #[must_use]
    pub fn step(mut self, above: u64, price: u64) -> Self {
        self.steps.push(Step { above, price });
        self
    }

    /// Balances: the first `width` replicas cost nothing more, the next `width` cost `price` more each, the next
    /// `width` twice the price, and so on for `steps` steps, which is nearly a quadratic cost.
    ///
    /// A width in proportion to the capacity evens out how full clusters are; one in proportion to weights divides by
    /// weight. A width of 0 counts as 1.
    #[must_use]
    pub fn balanced(mut self, width: u64, price: u64, steps: u32) -> Self {
        for step in 1..=u64::from(steps) {
            let Some(above) = width.max(1).checked_mul(step) else {
                break;
            };
            self.steps.push(Step { above, price });
        }
        self
    }
}

impl Domain {
    /// A domain without limits that lies in no other.
    pub fn new() -> Self {
        Self {
            min: 0,
            max: u64::MAX,
            parent: None,
        }
    }

    /// Wants so many replicas, see [`Domain::min`].
    #[must_use]
    pub fn at_least(mut self, min: u64) -> Self {
        self.min = min;
        self
    }

    /// Allows so many replicas.
    #[must_use]
    pub fn at_most(mut self, max: u64) -> Self {
        self.max = max;
        self
    }

    /// Lies in another domain.
    #[must_use]
    pub fn within(mut self, parent: DomainId) -> Self {
        self.parent = Some(parent);
        self
    }
}

impl Default for Domain {
    fn default() -> Self {
        Self::new()
    }
}

impl DomainId {
    /// Its place in [`Divided::domains`](super::Divided::domains).
    pub fn index(self) -> usize {
        self.0
    }
}
