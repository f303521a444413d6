//! What outside sources say of room.

use std::sync::Arc;

use fleet_core::Tick;

use super::Candidate;
use crate::room::Room;

/// What an outside source says of a workload on a cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub struct Estimate {
    /// How many more replicas fit.
    pub replicas: u64,
    /// When that was so. None: it takes account of everything that is decided.
    pub observed_at: Option<Tick>,
}

impl Estimate {
    /// So many more fitted at that moment; what was decided for the workload since is taken off.
    pub fn new(replicas: u64, observed_at: Tick) -> Self {
        Self {
            replicas,
            observed_at: Some(observed_at),
        }
    }

    /// So many more fit, everything that is decided considered: nothing is taken off.
    pub fn of_now(replicas: u64) -> Self {
        Self {
            replicas,
            observed_at: None,
        }
    }

    /// How many more replicas fit once what was decided since has come.
    pub(crate) fn left(self, candidate: &Candidate<'_>) -> u64 {
        let Some(observed_at) = self.observed_at else {
            return self.replicas;
        };
        let is_new = |since: Tick| since != Tick(0) && observed_at < since + Room::SETTLE;
        let seats = candidate.table.seats(&candidate.workload.name).iter();
        let new = seats.filter(|seat| seat.slot == candidate.slot && is_new(seat.assignment.since));
        new.fold(self.replicas, |left, seat| {
            left.saturating_sub(seat.assignment.replicas)
        })
    }
}

/// Knows from outside how many more replicas of a workload fit on a cluster: a quota, what a cloud still sells, a dry run of
/// the cluster's own scheduler. Pure: the same candidate, the same answer, until [`Planner::ask_estimators`] is called.
///
/// The least of all answers counts, together with the built-in account of what is free; so an estimator can only make it
/// less. One that has no answer is as if it was not there: its source being down keeps nothing from being placed.
///
/// An answer is of a moment, and two decisions must not spend it twice: replicas of the workload that were placed on the
/// cluster since then are taken off, for as long as the built-in account does so ([`Room::SETTLE`]); where a workload grew,
/// all it has there counts as new. What other workloads were given since is not: what several draw on belongs into the
/// cluster's [`Capacity`](fleet_core::Capacity) as a resource, from which every decision is taken off.
///
/// [`Planner::ask_estimators`]: crate::Planner::ask_estimators
pub trait Estimator: Send + Sync + 'static {
    /// Its name in explanations, in kebab-case.
    fn name(&self) -> &str;

    /// How many more replicas fit. None: not known.
    fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate>;
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<T: Estimator + ?Sized> Estimator for $pointer<T> {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
                (**self).estimate(candidate)
            }
        }
    )*};
}
forward!(Box, Arc);

/// An estimator from a closure.
///
/// ```
/// # use fleet_scheduler::{Estimate, Scheduler, estimator_fn};
/// let licences = estimator_fn("licences", |candidate| {
///     let free = candidate.property("free-licences")?.parse().ok()?;
///     Some(Estimate::new(free, candidate.cluster.capacity.as_ref()?.observed_at))
/// });
/// let scheduler = Scheduler::builder().estimator(licences).build();
/// # drop(scheduler);
/// ```
pub fn estimator_fn<F>(name: &'static str, estimate: F) -> impl Estimator
where
    F: Fn(&Candidate<'_>) -> Option<Estimate> + Send + Sync + 'static,
{
    struct FromFn<F>(&'static str, F);

    impl<F: Fn(&Candidate<'_>) -> Option<Estimate> + Send + Sync + 'static> Estimator for FromFn<F> {
        fn name(&self) -> &str {
            self.0
        }

        fn estimate(&self, candidate: &Candidate<'_>) -> Option<Estimate> {
            (self.1)(candidate)
        }
    }
    FromFn(name, estimate)
}
