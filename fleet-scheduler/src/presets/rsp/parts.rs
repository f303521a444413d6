//! The parts of the scheduler.

use fleet_core::TaintEffect;

use super::{
    SUPPLY_LIMIT, Supply, Usage, balanced_allocation, bin_pack, dynamic_weights, least_allocated,
    most_allocated,
};
use crate::{
    decision::Limit,
    divide::{
        MAX_REPLICAS, Party,
        planner::{Planner, plan},
    },
    model::{ClusterInfo, DivideBy, Take, Tolerated, tolerated},
    pipeline::{Candidate, Divider, Ranked, Scorer, Selected, Selector, Units, Wish},
    presets::keep::toward,
    schedule::{BySpread, Shares},
};

/// The resource that says what is free, where it is asked for; otherwise CPU does.
const GPU: &str = "nvidia.com/gpu";

/// Selects the best clusters, at most as many as the target may be on; those in use are always among them. What
/// `KubeAdmiral` has not (a least number, spreads) is selected by [`BySpread`].
#[derive(Clone, Copy, Debug, Default)]
pub struct MaxClusters;

impl Selector for MaxClusters {
    fn name(&self) -> &'static str {
        "max-clusters"
    }

    fn select(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Result<Selected, Limit> {
        let (min, max) = match &wish.target.take {
            Take::Each { clusters, .. } => (None, *clusters),
            Take::Divided { clusters, .. } => (clusters.min, clusters.max),
        };
        if min.is_some() || !wish.target.spread.is_empty() {
            return BySpread.select(wish, ranked);
        }
        let most = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
        let used = ranked.iter().filter(|one| one.current > 0).count();
        let mut more = most.saturating_sub(used);
        let mut chosen = ranked.to_vec();
        chosen.retain(|one| {
            let is_new = one.current == 0;
            let stays = !is_new || more > 0;
            more -= usize::from(is_new && stays);
            stays
        });
        Ok(Selected::any_of(chosen))
    }
}

/// Divides by the planner: [`DivideBy::Weight`] by weights, [`DivideBy::Capacity`] by dynamic weights,
/// [`DivideBy::Fewest`] and [`DivideBy::Cost`] by packing, the best cluster first.
#[derive(Clone, Copy, Debug)]
pub struct PlannerDivision {
    planner: Planner,
}

impl PlannerDivision {
    /// By this planner.
    pub fn new(planner: Planner) -> Self {
        Self { planner }
    }

    fn divide(self, wish: &Wish<'_>, best_first: &[Ranked]) -> Option<Vec<(Ranked, u64)>> {
        let by = match &wish.target.take {
            Take::Each { .. } => {
                let each = best_first.iter().map(|one| (*one, u64::from(one.holds() > 0)));
                return Some(one_each(wish, each.collect()));
            }
            Take::Divided { by, .. } => *by,
        };
        let mut parties = self.parties(wish, best_first);
        let targets = match by {
            DivideBy::Fewest | DivideBy::Cost => bin_pack(&parties, wish.wanted).planned,
            _ => {
                if by == DivideBy::Capacity {
                    weigh(wish, best_first, &mut parties);
                }
                let key = wish.workload.name.as_str();
                plan(&parties, wish.wanted, key, self.planner)
                    .ok()?
                    .division
                    .replicas
            }
        };
        let mut pairs: Vec<(Ranked, u64)> = best_first.iter().copied().zip(targets).collect();
        pairs.sort_unstable_by_key(|(one, _)| one.slot);
        Some(pairs)
    }

    fn parties<'a>(self, wish: &Wish<'a>, clusters: &[Ranked]) -> Vec<Party<'a>> {
        let shares = Shares::of(wish.fleet, wish.target);
        let party = |one: &Ranked| {
            let cluster = wish.fleet.at(one.slot);
            let share = shares.at(one.slot);
            let mut max = (share.max < MAX_REPLICAS).then_some(share.max);
            if matches!(self.planner, Planner::KubeAdmiral { .. }) && takes_no_more(cluster, wish) {
                max = Some(max.map_or(one.current, |max| max.min(one.current)));
            }
            let holds = (one.fits != u64::MAX).then(|| one.holds().min(MAX_REPLICAS));
            Party::new(cluster.name())
                .weight(share.weight)
                .min(max.map_or(share.min, |max| share.min.min(max)).min(MAX_REPLICAS))
                .max(max)
                .capacity(holds)
                .current(one.current.min(MAX_REPLICAS))
        };
        clusters.iter().map(party).collect()
    }
}

impl Divider for PlannerDivision {
    fn name(&self) -> &'static str {
        "planner-division"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        let pairs = self.divide(wish, &selected.clusters).ok_or(Limit::Room)?;
        Ok(settled(wish, &pairs))
    }

    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        match self.divide(wish, ranked) {
            Some(pairs) => settled(wish, &pairs),
            // Counts beyond all measure: nothing is taken.
            None => Units::of(ranked.iter().map(|one| (one.slot, one.current))),
        }
    }
}

/// The layout as far as what runs lets it be.
fn settled(wish: &Wish<'_>, pairs: &[(Ranked, u64)]) -> Units {
    let current: Vec<u64> = pairs.iter().map(|(one, _)| one.current).collect();
    let targets: Vec<u64> = pairs.iter().map(|(_, target)| *target).collect();
    let counts = toward(&current, &targets, wish.wanted);
    let slots = pairs.iter().map(|(one, _)| one.slot);
    let units = Units::of(slots.zip(counts));
    let short = wish.wanted.saturating_sub(units.total());
    // What is free, or else what is wished for single clusters.
    let is_full = |(one, _): &(Ranked, u64)| units.at(one.slot) >= one.holds().min(MAX_REPLICAS);
    let limit = if pairs.iter().all(is_full) {
        Limit::Room
    } else {
        Limit::ClusterMax
    };
    units.short(short, limit)
}

/// One on each, first where one is, then on the best.
fn one_each(wish: &Wish<'_>, best_first: Vec<(Ranked, u64)>) -> Vec<(Ranked, u64)> {
    let (used, unused): (Vec<_>, Vec<_>) = best_first.into_iter().partition(|(one, _)| one.current > 0);
    let mut rest = wish.wanted;
    let mut pairs: Vec<(Ranked, u64)> = used
        .into_iter()
        .chain(unused)
        .map(|(one, target)| {
            let target = target.min(rest);
            rest -= target;
            (one, target)
        })
        .collect();
    pairs.sort_unstable_by_key(|(one, _)| one.slot);
    pairs
}

/// Weighs by what is free, in whole units.
fn weigh(wish: &Wish<'_>, clusters: &[Ranked], parties: &mut [Party<'_>]) {
    let resource = if wish.workload.needs.get(GPU) > 0 {
        GPU
    } else {
        "cpu"
    };
    let unit = if resource == "cpu" { 1000 } else { 1 };
    let whole = |amount: i64| u64::try_from(amount).unwrap_or(0).div_ceil(unit);
    let supplies: Vec<Supply<'_>> = clusters
        .iter()
        .map(|one| {
            let cluster = wish.fleet.at(one.slot);
            let amounts = cluster.capacity.as_ref().map_or((0, 0), |capacity| {
                let offered = capacity.allocatable.get(resource);
                (offered, offered.saturating_sub(capacity.requested.get(resource)))
            });
            Supply::new(cluster.name(), whole(amounts.0), whole(amounts.1))
        })
        .collect();
    let weights = dynamic_weights(&supplies, SUPPLY_LIMIT);
    for (party, weight) in parties.iter_mut().zip(weights) {
        party.weight = weight;
    }
}

/// Whether a taint keeps new replicas away, while those that are there may stay.
fn takes_no_more(cluster: &ClusterInfo, wish: &Wish<'_>) -> bool {
    cluster.cluster.taints.iter().any(|taint| {
        taint.effect == TaintEffect::NoSchedule
            && tolerated(taint, &wish.workload.tolerations, wish.now) == Tolerated::No
    })
}

/// `KubeAdmiral`'s scores by resources, from 0 to 100.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum ResourceScore {
    /// The emptiest cluster is the best.
    LeastAllocated,
    /// The fullest is.
    MostAllocated,
    /// The one whose resources are used most alike is.
    Balanced,
}

impl Scorer for ResourceScore {
    fn name(&self) -> &'static str {
        match self {
            Self::LeastAllocated => "least-allocated",
            Self::MostAllocated => "most-allocated",
            Self::Balanced => "balanced-allocation",
        }
    }

    fn score(&self, candidate: &Candidate<'_>) -> i64 {
        let usages = usages(candidate);
        match self {
            Self::LeastAllocated => least_allocated(&usages),
            Self::MostAllocated => most_allocated(&usages),
            Self::Balanced => balanced_allocation(&usages),
        }
    }

    /// `KubeAdmiral` adds scores as they are.
    fn normalise(&self, scores: &mut [i64]) {
        for score in scores {
            *score = (*score).clamp(0, 100);
        }
    }
}

/// CPU, memory and whatever else is asked for.
fn usages(candidate: &Candidate<'_>) -> Vec<Usage> {
    let needs = &candidate.workload.needs;
    let others = needs.iter().map(|(name, _)| &**name);
    let others = others.filter(|name| !["cpu", "memory"].contains(name) && needs.get(name) > 0);
    ["cpu", "memory"]
        .into_iter()
        .chain(others)
        .map(|resource| {
            let offered = candidate.room.offered(candidate.slot, resource);
            let taken = offered.saturating_sub(candidate.room.free(candidate.slot, resource));
            let weight = if resource == GPU { 4 } else { 1 };
            Usage::new(taken.saturating_add(needs.get(resource)), offered).weight(weight)
        })
        .collect()
}
