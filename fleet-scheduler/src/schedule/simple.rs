//! The simplest selector and the simplest divider: for tests, and to begin one's own from.

use crate::{
    decision::Limit,
    pipeline::{Divider, Ranked, Selected, Selector, Units, Wish},
};

/// Selects every cluster; the target's limits of clusters and domains do not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct EveryCluster;

impl Selector for EveryCluster {
    fn name(&self) -> &'static str {
        "every-cluster"
    }

    fn select(&self, _: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        Ok(Selected::any_of(ranked.to_vec()))
    }
}

/// Fills the best cluster, then the next, and empties the worst first; the target's way of dividing does not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct BestFirst;

impl Divider for BestFirst {
    fn name(&self) -> &'static str {
        "best-first"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let there = total(&selected.clusters);
        let mut rest = wish.wanted.saturating_sub(there);
        let mut units = Vec::with_capacity(selected.clusters.len());
        for one in &selected.clusters {
            let more = one.fits.min(rest);
            rest -= more;
            units.push((one.slot, one.current.saturating_add(more)));
        }
        Ok(Units::of(units).short(rest, Limit::Room))
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        let mut rest = wish.wanted;
        let mut units = Vec::with_capacity(ranked.len());
        for one in ranked {
            let stays = one.current.min(rest);
            rest -= stays;
            units.push((one.slot, stays));
        }
        Units::of(units)
    }
}

fn total(clusters: &[Ranked]) -> u64 {
    clusters
        .iter()
        .fold(0, |sum, one| sum.saturating_add(one.current))
}
