//! From ranked clusters to units.

use super::{Question, binding::own_limit, divisions::Shares};
use crate::{
    decision::Limit,
    model::{DivideBy, Take},
    pipeline::{Ranked, Units, Wish},
    score::Costs,
};

impl Question<'_> {
    /// Divides `wanted` units over clusters that are given best first; units that are there stay as far as `wanted` lets
    /// them.
    pub(crate) fn divide(&self, ranked: &[Ranked], wanted: u64) -> Units {
        let there = ranked
            .iter()
            .fold(0_u64, |sum, one| sum.saturating_add(one.current));
        let stays = || Units::of(ranked.iter().map(|one| (one.slot, one.current)));
        if there == wanted {
            return stays();
        }
        let parts = self.view.scheduler.parts();
        let wish = self.wish(wanted);
        if there > wanted {
            let used: Vec<Ranked> = ranked.iter().copied().filter(|one| one.current > 0).collect();
            return parts.divider.shrink(&wish, &used);
        }
        if ranked.is_empty() {
            return Units::default().short(wanted, Limit::NoCluster);
        }
        let cheapest = cheapest_first(&wish, ranked);
        let ranked = cheapest.as_deref().unwrap_or(ranked);
        let limited = self.limited(&wish, ranked);
        let units = parts
            .selector
            .select(&wish, limited.as_deref().unwrap_or(ranked))
            .and_then(|selected| parts.divider.grow(&wish, &selected));
        let mut units = units.unwrap_or_else(|limit| stays().short(wanted - there, limit));
        if units.limit == Some(Limit::Room) {
            units.limit = own_limit(&wish, ranked, &units).or(units.limit);
        }
        units
    }

    /// The limits and weights that the target gives clusters.
    pub(crate) fn shares(&self) -> Shares<'_> {
        Shares::of(self.view.fleet, self.target())
    }

    fn wish(&self, wanted: u64) -> Wish<'_> {
        Wish {
            fleet: self.view.fleet,
            workload: self.workload,
            target: self.target(),
            wanted,
            now: self.view.now,
        }
    }

    /// Clusters with what fits by the target's own limits, where it has some.
    fn limited(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Option<Vec<Ranked>> {
        match &self.target().take {
            Take::Divided { bounds, .. } if bounds.is_empty() => return None,
            _ => {}
        }
        let mut limited = ranked.to_vec();
        let shares = Shares::of(wish.fleet, wish.target);
        for one in &mut limited {
            let max = shares.at(one.slot).max;
            one.fits = one.fits.min(max.saturating_sub(one.current));
        }
        limited.retain(|one| one.holds() > 0);
        Some(limited)
    }
}

/// Where cost is what is asked for, the cheapest clusters are the best, and scores say which of two that cost the same is.
fn cheapest_first(wish: &Wish<'_>, ranked: &[Ranked]) -> Option<Vec<Ranked>> {
    if !matches!(
        &wish.target.take,
        Take::Divided {
            by: DivideBy::Cost,
            ..
        }
    ) {
        return None;
    }
    let costs = Costs::of(wish.fleet, &wish.workload.needs);
    let mut ranked = ranked.to_vec();
    ranked.sort_by_cached_key(|one| costs.at(one.slot));
    Some(ranked)
}
