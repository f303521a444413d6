//! What selectors and dividers see, and what they answer.

use std::sync::Arc;

use fleet_core::Tick;

use crate::{
    decision::Limit,
    model::{FleetView, Slot, Target, Workload},
};

/// How many units of a target are asked for, and of what. A unit is one replica, or, where each cluster has the same
/// number, all replicas of a cluster.
#[derive(Clone, Copy)]
#[non_exhaustive]
pub struct Wish<'a> {
    /// All clusters.
    pub fleet: &'a FleetView,
    /// What is to run.
    pub workload: &'a Workload,
    /// Which of its targets this is about.
    pub target: &'a Target,
    /// How many units there are to be, those that are there too.
    pub wanted: u64,
    /// The moment of the decision.
    pub now: Tick,
}

/// A cluster that a target can be on.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Ranked {
    /// Its place in the fleet.
    pub slot: Slot,
    /// The weighted sum of all scores.
    pub score: i64,
    /// How many units are there.
    pub current: u64,
    /// How many more units fit, by what is free and by what the target allows.
    pub fits: u64,
}

impl Ranked {
    /// A cluster where so many units are, and so many more fit.
    pub fn new(slot: Slot, score: i64, current: u64, fits: u64) -> Self {
        Self {
            slot,
            score,
            current,
            fits,
        }
    }

    /// How many units it can hold, those that are there too.
    pub fn holds(&self) -> u64 {
        self.current.saturating_add(self.fits)
    }
}

/// The clusters that were selected, best first, and which of them must get something.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Selected {
    /// The clusters.
    pub clusters: Vec<Ranked>,
    /// Which of them must get something, by their places in `clusters`.
    pub must: Vec<usize>,
}

impl Selected {
    /// These clusters, none of which must get something.
    pub fn any_of(clusters: Vec<Ranked>) -> Self {
        Self {
            clusters,
            must: Vec::new(),
        }
    }
}

/// Units by cluster, in the order of clusters' names, and what is missing.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct Units {
    /// Where how many are to be.
    pub units: Vec<(Slot, u64)>,
    /// How many more were asked for.
    pub short: u64,
    /// What keeps those away.
    pub limit: Option<Limit>,
}

impl Units {
    /// These, and nothing is missing. Clusters with none are left out.
    pub fn of(units: impl IntoIterator<Item = (Slot, u64)>) -> Self {
        let mut units: Vec<(Slot, u64)> = units.into_iter().filter(|(_, units)| *units > 0).collect();
        units.sort_unstable();
        Self {
            units,
            ..Self::default()
        }
    }

    /// With so many missing, because of this.
    #[must_use]
    pub fn short(mut self, short: u64, limit: Limit) -> Self {
        self.short = short;
        self.limit = (short > 0).then_some(limit);
        self
    }

    /// How many are to be on a cluster.
    pub fn at(&self, slot: Slot) -> u64 {
        self.units
            .binary_search_by_key(&slot, |(at, _)| *at)
            .map_or(0, |at| self.units[at].1)
    }

    /// How many there are to be in all.
    pub fn total(&self) -> u64 {
        self.units
            .iter()
            .fold(0, |sum, (_, units)| sum.saturating_add(*units))
    }
}

/// Says which clusters get a share. Pure. Clusters with units on them must be among them: what is there stays.
pub trait Selector: Send + Sync + 'static {
    /// Its name in explanations, in kebab-case.
    fn name(&self) -> &str;

    /// Selects among clusters that are given best first.
    ///
    /// # Errors
    /// Why there are too few.
    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit>;
}

/// Says how many units each selected cluster gets. Pure. No cluster gets more than it holds, and all together no more than
/// was asked for.
pub trait Divider: Send + Sync + 'static {
    /// Its name in explanations, in kebab-case.
    fn name(&self) -> &str;

    /// Divides more units than are there: what is there stays.
    ///
    /// # Errors
    /// Why nothing can be divided.
    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit>;

    /// Takes units away where more are there than are asked for. Only clusters with units are given, best first.
    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units;
}

macro_rules! forward {
    ($($pointer:ident),*) => {$(
        #[deny(clippy::missing_trait_methods)]
        impl<T: Selector + ?Sized> Selector for $pointer<T> {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
                (**self).select(wish, ranked)
            }
        }

        #[deny(clippy::missing_trait_methods)]
        impl<T: Divider + ?Sized> Divider for $pointer<T> {
            fn name(&self) -> &str {
                (**self).name()
            }

            fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
                (**self).grow(wish, selected)
            }

            fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
                (**self).shrink(wish, ranked)
            }
        }
    )*};
}
forward!(Box, Arc);
