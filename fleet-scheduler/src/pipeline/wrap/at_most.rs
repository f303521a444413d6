//! A divider that gives no cluster too much.

use crate::{
    decision::Limit,
    pipeline::{Divider, Ranked, Selected, Units, Wish},
};

/// Divides as another divider does, and gives no cluster more than so many units of a target: what is lost with one cluster
/// is limited. What is there stays, even if it is more.
///
/// ```
/// # use fleet_scheduler::{AsAsked, AtMost, Scheduler};
/// let scheduler = Scheduler::builder().divider(AtMost::new(50, AsAsked)).build();
/// # drop(scheduler);
/// ```
#[derive(Clone, Copy, Debug)]
pub struct AtMost<D> {
    most: u64,
    divider: D,
}

impl<D> AtMost<D> {
    /// At most so many units on each cluster.
    pub fn new(most: u64, divider: D) -> Self {
        Self { most, divider }
    }
}

#[deny(clippy::missing_trait_methods)]
impl<D: Divider> Divider for AtMost<D> {
    fn name(&self) -> &str {
        self.divider.name()
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let mut limited = selected.clone();
        for one in &mut limited.clusters {
            one.fits = one.fits.min(self.most.saturating_sub(one.current));
        }
        let mut units = self.divider.grow(wish, &limited)?;
        let is_full = |one: &Ranked| one.holds() > units.at(one.slot) && units.at(one.slot) >= self.most;
        if units.short > 0 && selected.clusters.iter().any(is_full) {
            units.limit = Some(Limit::ClusterMax);
        }
        Ok(units)
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        self.divider.shrink(wish, ranked)
    }
}
