//! Which clusters get a share: as many as are asked for, spread over domains.

use super::domains::{Fleet, Order};
use crate::{
    decision::Limit,
    model::{Clusters, DivideBy, FleetView, Spread, Take},
    pipeline::{Ranked, Selected, Selector, Wish},
    score::Costs,
};

/// Selects as many clusters as the target lets it have, spread over nested domains.
///
/// A domain is taken only if enough domains are inside it; of what runs already nothing is left out. Domains are taken by
/// their best cluster, outermost level first, until there are enough of them and what they hold together suffices; where
/// no more may be taken, the worst is exchanged for the best with which they do, or the one that holds most (as Karmada's
/// selection by cluster does). Where cost is what counts, a domain is as good as its share of the units costs there. Then
/// clusters within them, the same way. Where that holds too little all the same, the largest are taken rather than the
/// best, and with a skew none that keeps the others small. What is divided over few clusters takes no more domains than it
/// needs.
#[derive(Clone, Copy, Debug, Default)]
pub struct BySpread;

impl Selector for BySpread {
    fn name(&self) -> &'static str {
        "by-spread"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let spread = &wish.target.spread;
        let (clusters, is_few) = match &wish.target.take {
            Take::Each { .. } => (Clusters::default(), false),
            Take::Divided { clusters, by, .. } => (*clusters, *by == DivideBy::Fewest),
        };
        if spread.is_empty() && clusters == Clusters::default() {
            return Ok(Selected::any_of(ranked.to_vec()));
        }
        let is_cheap = matches!(
            &wish.target.take,
            Take::Divided {
                by: DivideBy::Cost,
                ..
            }
        );
        let costs = is_cheap.then(|| Costs::of(wish.fleet, &wish.workload.needs));
        let count = |count: Option<u32>| count.map(|count| usize::try_from(count).unwrap_or(usize::MAX));
        let wanted = usize::try_from(wish.wanted).unwrap_or(usize::MAX);
        Selection {
            fleet: wish.fleet,
            spread,
            min: count(clusters.min).unwrap_or(0).min(wanted),
            max: count(clusters.max).unwrap_or(usize::MAX),
            need: wish.wanted,
            is_frugal: is_few && spread.iter().all(|spread| spread.skew.is_none()),
            costs: costs.as_ref(),
        }
        .run(ranked)
    }
}

/// What is asked of a selection.
#[derive(Clone, Copy)]
pub(super) struct Selection<'a> {
    pub(super) fleet: &'a FleetView,
    pub(super) spread: &'a [Spread],
    /// At least and at most so many clusters.
    pub(super) min: usize,
    pub(super) max: usize,
    /// How many units must fit, those that are there too.
    pub(super) need: u64,
    /// Only as many domains and clusters as are needed, rather than as many as may be.
    pub(super) is_frugal: bool,
    /// By cluster, what a unit costs there, where domains are taken by what they cost.
    pub(super) costs: Option<&'a Costs<'a>>,
}

/// The places of clusters that are taken, in the list of those that are given.
struct Taken {
    clusters: Vec<usize>,
    must: Vec<usize>,
    holds: u64,
}

impl Selection<'_> {
    /// Selects among clusters that are given best first; those with something on them are always among them.
    pub(super) fn run(&self, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let fleet = Fleet::of(self, ranked)?;
        let wider = Self {
            is_frugal: false,
            ..*self
        };
        // The first that holds everything; else the one that holds most.
        let mut best: Result<Taken, Limit> = self.take(ranked, &fleet, Order::Best);
        for (selection, order) in [(&wider, Order::Best), (&wider, Order::Largest)] {
            let held = best.as_ref().ok().map(|taken| taken.holds);
            if held.is_some_and(|holds| holds >= self.need) {
                break;
            }
            let other = selection.take(ranked, &fleet, order);
            if other.as_ref().ok().map(|taken| taken.holds) > held {
                best = other;
            }
        }
        let taken = best?;
        let place = |at: &usize| taken.clusters.binary_search(at).ok();
        let mut selected = Selected {
            must: taken.must.iter().filter_map(place).collect(),
            clusters: taken.clusters.iter().map(|at| ranked[*at]).collect(),
        };
        for (one, at) in selected.clusters.iter_mut().zip(&taken.clusters) {
            if fleet.is_stuck(*at) {
                one.fits = 0;
            }
        }
        Ok(selected)
    }

    fn take(&self, ranked: &[Ranked], fleet: &Fleet, order: Order) -> Result<Taken, Limit> {
        let (mut chosen, mut must) = fleet.choose(self, ranked, order);
        chosen.sort_unstable();
        let have = chosen.len();
        if have < self.min {
            return Err(Limit::Clusters { have, need: self.min });
        }
        if have > self.max {
            let is_fixed = |at: &usize| ranked[*at].current > 0 || must.contains(at);
            let (mut kept, mut rest): (Vec<usize>, Vec<usize>) = chosen.into_iter().partition(is_fixed);
            let used = kept.iter().filter(|at| ranked[**at].current > 0).count();
            // More than these are only in use already.
            let most = self.max.max(used);
            if kept.len() > most {
                return Err(Limit::MoreClusters {
                    most,
                    need: kept.len(),
                });
            }
            let fixed = kept.len();
            let later = rest.split_off((most - fixed).min(rest.len()));
            kept.extend(rest);
            exchange(ranked, &mut kept, later, fixed, self.need);
            kept.sort_unstable();
            chosen = kept;
        }
        // Enough of the best get something.
        for at in &chosen {
            if must.len() >= self.min {
                break;
            }
            if !must.contains(at) {
                must.push(*at);
            }
        }
        let holds = |at: &usize| match fleet.is_stuck(*at) {
            true => ranked[*at].current,
            false => ranked[*at].holds(),
        };
        Ok(Taken {
            holds: chosen.iter().map(holds).fold(0, u64::saturating_add),
            clusters: chosen,
            must,
        })
    }
}

/// Exchanges clusters of the end of `kept` for later ones while all together hold too little: for the best with which they
/// hold enough, else for the one that holds most.
fn exchange(ranked: &[Ranked], kept: &mut [usize], mut later: Vec<usize>, fixed: usize, need: u64) {
    let mut sum = kept
        .iter()
        .fold(0_u64, |sum, at| sum.saturating_add(ranked[*at].holds()));
    for place in (fixed..kept.len()).rev() {
        if sum >= need {
            return;
        }
        let old = ranked[kept[place]].holds();
        let holds = |at: &usize| ranked[later[*at]].holds();
        let is_enough = |at: &usize| sum.saturating_sub(old).saturating_add(holds(at)) >= need;
        let largest = (0..later.len()).max_by_key(|at| (holds(at), std::cmp::Reverse(*at)));
        let Some(other) = (0..later.len()).find(is_enough).or(largest) else {
            return;
        };
        let new = holds(&other);
        if new > old {
            sum = sum.saturating_sub(old).saturating_add(new);
            std::mem::swap(&mut kept[place], &mut later[other]);
        }
    }
}
