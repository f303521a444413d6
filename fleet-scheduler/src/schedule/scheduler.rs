//! The parts a scheduler is made of.

use std::sync::Arc;

use super::{AsAsked, BySpread};
use crate::{
    filter::{DataLocality, InService, Kinds, LastingTaints, Relations},
    moves::{MoveGate, Rebalancer, Worth},
    pipeline::{Divider, Estimator, Filter, Scorer, Selector},
    score::{Attraction, Cost, LeastFull, PreferredClusters, PreferredTaints},
};

/// The policy of a fleet: its filters, its scorers with their weights. Cheap to clone; it holds no state, which is in a
/// [`Planner`](crate::Planner).
#[derive(Clone)]
pub struct Scheduler {
    parts: Arc<Parts>,
}

pub(crate) struct Parts {
    pub(crate) filters: Vec<Box<dyn Filter>>,
    pub(crate) scorers: Vec<(Box<dyn Scorer>, i64)>,
    pub(crate) estimators: Vec<Box<dyn Estimator>>,
    pub(crate) selector: Box<dyn Selector>,
    pub(crate) divider: Box<dyn Divider>,
    pub(crate) rebalancer: Box<dyn Rebalancer>,
    pub(crate) gates: Vec<Box<dyn MoveGate>>,
}

/// Puts a [`Scheduler`] together.
///
/// ```
/// # use fleet_scheduler::{Scheduler, filter_fn, scorer_fn};
/// let scheduler = Scheduler::builder()
///     .filter(filter_fn("enough-gpus", |_| Ok(())))
///     .scorer(scorer_fn("carbon", |candidate| {
///         -candidate.property("carbon").and_then(|grams| grams.parse().ok()).unwrap_or(1_000)
///     }), 2)
///     .without("least-full")
///     .build();
/// # drop(scheduler);
/// ```
pub struct SchedulerBuilder {
    parts: Parts,
}

impl Default for Scheduler {
    fn default() -> Self {
        Self::builder().build()
    }
}

impl Scheduler {
    /// Everything built in, to which parts can be added.
    ///
    /// Filters: `in-service`, `taints`, `kinds`, `data`, `relations`; what a target means and what fits always counts.
    /// Scorers, with their weights: `preferred-clusters` 8, `attraction` 8, `preferred-taints` 4, `cost` 2, `least-full` 1.
    pub fn builder() -> SchedulerBuilder {
        SchedulerBuilder::bare()
            .filter(InService)
            .filter(LastingTaints)
            .filter(Kinds)
            .filter(DataLocality)
            .filter(Relations)
            .scorer(PreferredClusters, 8)
            .scorer(Attraction, 8)
            .scorer(PreferredTaints, 4)
            .scorer(Cost, 2)
            .scorer(LeastFull, 1)
    }

    /// The names of its scorers, in the order in which they were added.
    pub fn scorers(&self) -> impl Iterator<Item = &str> {
        self.parts.scorers.iter().map(|(scorer, _)| scorer.name())
    }

    pub(crate) fn parts(&self) -> &Parts {
        &self.parts
    }
}

impl SchedulerBuilder {
    /// No filters and no scorers: what a target means and what fits still counts.
    pub fn bare() -> Self {
        Self {
            parts: Parts {
                filters: Vec::new(),
                scorers: Vec::new(),
                estimators: Vec::new(),
                selector: Box::new(BySpread),
                divider: Box::new(AsAsked),
                rebalancer: Box::new(Worth::default()),
                gates: Vec::new(),
            },
        }
    }

    /// Adds a filter.
    #[must_use]
    pub fn filter(mut self, filter: impl Filter) -> Self {
        self.parts.filters.push(Box::new(filter));
        self
    }

    /// Adds a scorer: what it says counts this many times. Below 0, it counts against a cluster.
    #[must_use]
    pub fn scorer(mut self, scorer: impl Scorer, weight: i32) -> Self {
        self.parts.scorers.push((Box::new(scorer), i64::from(weight)));
        self
    }

    /// Adds somebody who knows from outside how many more replicas fit; the least of what all say counts.
    #[must_use]
    pub fn estimator(mut self, estimator: impl Estimator) -> Self {
        self.parts.estimators.push(Box::new(estimator));
        self
    }

    /// Selects clusters another way.
    #[must_use]
    pub fn selector(mut self, selector: impl Selector) -> Self {
        self.parts.selector = Box::new(selector);
        self
    }

    /// Divides replicas another way.
    #[must_use]
    pub fn divider(mut self, divider: impl Divider) -> Self {
        self.parts.divider = Box::new(divider);
        self
    }

    /// Says otherwise what a place is worth for what runs already.
    #[must_use]
    pub fn rebalancer(mut self, rebalancer: impl Rebalancer) -> Self {
        self.parts.rebalancer = Box::new(rebalancer);
        self
    }

    /// Gives somebody a say in moves.
    #[must_use]
    pub fn gate(mut self, gate: impl MoveGate) -> Self {
        self.parts.gates.push(Box::new(gate));
        self
    }

    /// Takes filters, scorers and estimators of this name out.
    #[must_use]
    pub fn without(mut self, name: &str) -> Self {
        self.parts.filters.retain(|filter| filter.name() != name);
        self.parts.scorers.retain(|(scorer, _)| scorer.name() != name);
        self.parts.estimators.retain(|estimator| estimator.name() != name);
        self
    }

    /// The scheduler.
    pub fn build(self) -> Scheduler {
        Scheduler {
            parts: Arc::new(self.parts),
        }
    }
}
