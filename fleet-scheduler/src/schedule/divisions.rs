//! The built-in division: over few clusters, by weights, by what is free, or for the least cost.

use std::collections::{BTreeMap, BTreeSet};

use fixedbitset::FixedBitSet;

use super::{
    least_cost::{Even, least_cost},
    select::Selection,
};
use crate::{
    decision::Limit,
    divide::{self, DivideError, Level, Party, Skew},
    model::{Bound, Column, DivideBy, Fact, FleetView, Slot, Spread, Take, Target},
    pipeline::{Divider, Ranked, Selected, Units, Wish},
    score::Costs,
};

/// Divides as the target says ([`DivideBy`]): over as few clusters as can carry everything, by weights or by what is free,
/// or for the least cost. What is there stays where it is.
#[derive(Clone, Copy, Debug, Default)]
pub struct AsAsked;

/// The limits and the weight of one cluster.
pub(crate) struct Share {
    pub(crate) weight: u64,
    pub(crate) min: u64,
    pub(crate) max: u64,
}

impl Divider for AsAsked {
    fn name(&self) -> &'static str {
        "as-asked"
    }

    fn grow(&self, wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
        match by(wish) {
            DivideBy::Weight | DivideBy::Capacity => proportional(wish, selected),
            by if has_skew(wish) => {
                let evenly = (by == DivideBy::Cost).then(|| evenly(wish, selected)).flatten();
                evenly.map_or_else(|| proportional(wish, selected), Ok)
            }
            DivideBy::Cost => Ok(fill(wish, &cheapest_first(wish, selected.clone()))),
            DivideBy::Fewest if selected.must.is_empty() => Ok(fewest(wish, &selected.clusters)),
            DivideBy::Fewest => Ok(fill(wish, selected)),
        }
    }

    /// From the worst first where few clusters are wanted, from the dearest where cost counts, else so that shares stay as
    /// they should be. It stays on as many domains and clusters as it must be on.
    fn shrink(&self, wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
        let selected = stay_spread(wish, ranked);
        let is_proportional = matches!(by(wish), DivideBy::Weight | DivideBy::Capacity) || has_skew(wish);
        if is_proportional && let Ok(units) = proportional(wish, &selected) {
            return units;
        }
        let selected = match by(wish) {
            DivideBy::Cost => cheapest_first(wish, selected),
            _ => selected,
        };
        let used = &selected.clusters;
        let must: Vec<Slot> = selected.must.iter().map(|at| used[*at].slot).collect();
        let there = used
            .iter()
            .fold(0_u64, |sum, one| sum.saturating_add(one.current));
        let mut excess = there.saturating_sub(wish.wanted);
        let mut units: Vec<(Slot, u64)> = used.iter().map(|one| (one.slot, one.current)).collect();
        let shares = Shares::of(wish.fleet, wish.target);
        // Above their minimums first.
        for keeps_min in [true, false] {
            for (slot, units) in units.iter_mut().rev() {
                let least = shares.at(*slot).min.max(u64::from(must.contains(slot)));
                let min = if keeps_min { least } else { 0 };
                let less = units.saturating_sub(min).min(excess);
                *units -= less;
                excess -= less;
            }
        }
        Units::of(units)
    }
}

/// The clusters in use, and which of them must keep something.
fn stay_spread(wish: &Wish<'_>, used: &[Ranked]) -> Selected {
    let min = match &wish.target.take {
        Take::Divided { clusters, .. } => clusters.min.unwrap_or(0),
        Take::Each { .. } => 0,
    };
    let least = u64::from(min).min(wish.wanted);
    // As if it came anew to where it is: then it is said where something must be.
    let anew: Vec<Ranked> = used
        .iter()
        .map(|one| Ranked::new(one.slot, one.score, 0, one.current))
        .collect();
    let spread = in_use(wish, used);
    let selection = Selection {
        fleet: wish.fleet,
        spread: &spread,
        min: usize::try_from(least).unwrap_or(usize::MAX).min(used.len()),
        max: usize::MAX,
        need: wish.wanted,
        is_frugal: false,
        costs: None,
    };
    let must = selection.run(&anew).map(|selected| {
        let slots = selected.must.iter().map(|at| selected.clusters[*at].slot);
        let place = |slot: Slot| used.iter().position(|one| one.slot == slot);
        slots.filter_map(place).collect()
    });
    Selected {
        clusters: used.to_vec(),
        must: must.unwrap_or_default(),
    }
}

/// How it is to be spread, over no more domains than it is in: what is lost does not stop the others from staying spread.
fn in_use(wish: &Wish<'_>, used: &[Ranked]) -> Vec<Spread> {
    let mut spread = wish.target.spread.clone();
    let label = |one: &Ranked, over: &str| wish.fleet.at(one.slot).cluster.labels.get(over);
    for level in 0..spread.len() {
        // The domains of this level in each of those around it.
        let mut inside: BTreeMap<Vec<Option<&String>>, BTreeSet<Option<&String>>> = BTreeMap::new();
        for one in used {
            let around = spread[..level].iter().map(|outer| label(one, &outer.over));
            let domains = inside.entry(around.collect()).or_default();
            domains.insert(label(one, &spread[level].over));
        }
        let least = inside.values().map(BTreeSet::len).min().unwrap_or(0);
        let most = u32::try_from(least).unwrap_or(u32::MAX);
        spread[level].min = spread[level].min.map(|min| min.min(most));
    }
    spread
}

/// At least cost where one level of domains has a skew.
fn evenly(wish: &Wish<'_>, selected: &Selected) -> Option<Units> {
    let mut with_skew = wish.target.spread.iter().filter_map(|spread| {
        let skew = spread.skew?.max(1);
        Some(Even {
            over: &spread.over,
            skew,
        })
    });
    let even = with_skew.next()?;
    with_skew
        .next()
        .is_none()
        .then(|| least_cost(wish, selected, &even))
        .flatten()
}

fn has_skew(wish: &Wish<'_>) -> bool {
    wish.target.spread.iter().any(|spread| spread.skew.is_some())
}

fn by(wish: &Wish<'_>) -> DivideBy {
    match &wish.target.take {
        // Each cluster has one unit at most: the best get it.
        Take::Each { .. } => DivideBy::Fewest,
        Take::Divided { by, .. } => *by,
    }
}

/// The limits and the weights of clusters in a target.
pub(crate) enum Shares<'a> {
    /// At most one unit on each.
    One,
    /// The first bound that matches counts.
    Bounds(Vec<(FixedBitSet, &'a Bound)>),
}

impl<'a> Shares<'a> {
    pub(crate) fn of(fleet: &FleetView, target: &'a Target) -> Self {
        match &target.take {
            Take::Each { .. } => Self::One,
            Take::Divided { bounds, .. } => {
                Self::Bounds(bounds.iter().map(|bound| (means(bound, fleet), bound)).collect())
            }
        }
    }

    pub(crate) fn at(&self, slot: Slot) -> Share {
        let unlimited = Share {
            weight: 1,
            min: 0,
            max: u64::MAX,
        };
        match self {
            Self::One => Share { max: 1, ..unlimited },
            Self::Bounds(bounds) => {
                let bound = bounds.iter().find(|(meant, _)| meant[slot]);
                bound.map_or(unlimited, |(_, bound)| Share {
                    weight: bound.weight,
                    min: bound.min,
                    max: bound.max.unwrap_or(u64::MAX),
                })
            }
        }
    }
}

/// The clusters that a bound means.
fn means(bound: &Bound, fleet: &FleetView) -> FixedBitSet {
    let mut meant = fleet.matching(&bound.selector);
    if !bound.clusters.is_empty() {
        let mut named = FixedBitSet::with_capacity(fleet.len());
        let slots = bound.clusters.iter().filter_map(|name| fleet.slot(name));
        slots.for_each(|slot| named.insert(slot));
        meant.intersect_with(&named);
    }
    meant
}

/// One cluster if one suffices, the best of those; else the best until they suffice, exchanging the last for larger
/// ones.
fn fewest(wish: &Wish<'_>, ranked: &[Ranked]) -> Units {
    let wanted = wish.wanted;
    let used: Vec<Ranked> = ranked.iter().copied().filter(|one| one.current > 0).collect();
    let held = used
        .iter()
        .fold(0_u64, |sum, one| sum.saturating_add(one.holds()));
    if held < wanted {
        let rest = wanted - held;
        let one = ranked.iter().find(|one| one.current == 0 && one.fits >= rest);
        if let Some(one) = one {
            let mut clusters = used;
            clusters.push(*one);
            return fill(wish, &Selected::any_of(clusters));
        }
        // As many of the largest as are needed say how many there must be.
        let mut by_size: Vec<u64> = ranked
            .iter()
            .filter(|one| one.current == 0)
            .map(|one| one.fits)
            .collect();
        by_size.sort_unstable_by_key(|fits| std::cmp::Reverse(*fits));
        let mut sum = 0_u64;
        let enough = by_size.iter().position(|fits| {
            sum = sum.saturating_add(*fits);
            sum >= rest
        });
        if let Some(last) = enough {
            let selection = Selection {
                fleet: wish.fleet,
                spread: &[],
                min: 0,
                max: used.len() + last + 1,
                need: wanted,
                is_frugal: true,
                costs: None,
            };
            if let Ok(selected) = selection.run(ranked) {
                return fill(wish, &selected);
            }
        }
    }
    let clusters = ranked.to_vec();
    fill(wish, &Selected::any_of(clusters))
}

/// Fills clusters up, one after the other: first those that have something, then the best; what must get something
/// gets it before.
fn fill(wish: &Wish<'_>, selected: &Selected) -> Units {
    let wanted = wish.wanted;
    let clusters = &selected.clusters;
    let mut units: Vec<u64> = clusters.iter().map(|one| one.current).collect();
    let mut rest = wanted - units.iter().sum::<u64>().min(wanted);
    let shares = Shares::of(wish.fleet, wish.target);
    let shares: Vec<Share> = clusters.iter().map(|one| shares.at(one.slot)).collect();
    let give = |at: usize, upto: u64, rest: &mut u64, units: &mut [u64]| {
        let most = clusters[at].holds().min(shares[at].max).min(upto);
        let more = most.saturating_sub(units[at]).min(*rest);
        units[at] += more;
        *rest -= more;
    };
    for at in &selected.must {
        give(*at, 1, &mut rest, &mut units);
    }
    for (at, share) in shares.iter().enumerate() {
        give(at, share.min, &mut rest, &mut units);
    }
    // Where cost counts, the cheapest first, whether something is there or not.
    let is_first = |at: &usize| units[*at] > 0 || by(wish) == DivideBy::Cost;
    let (used, unused): (Vec<usize>, Vec<usize>) = (0..clusters.len()).partition(is_first);
    for at in used.into_iter().chain(unused) {
        if rest == 0 {
            break;
        }
        give(at, u64::MAX, &mut rest, &mut units);
    }
    let at_max = clusters
        .iter()
        .zip(&shares)
        .zip(&units)
        .any(|((one, share), units)| *units >= share.max && one.holds() > *units);
    let limit = if at_max { Limit::ClusterMax } else { Limit::Room };
    Units {
        short: rest,
        limit: (rest > 0).then_some(limit),
        ..Units::of(clusters.iter().zip(&units).map(|(one, units)| (one.slot, *units)))
    }
}

fn cheapest_first(wish: &Wish<'_>, mut selected: Selected) -> Selected {
    let costs = Costs::of(wish.fleet, &wish.workload.needs);
    let must: Vec<Slot> = selected
        .must
        .iter()
        .map(|at| selected.clusters[*at].slot)
        .collect();
    selected
        .clusters
        .sort_by_cached_key(|one| (costs.at(one.slot), std::cmp::Reverse(one.score), one.slot));
    let place = |slot: &Slot| selected.clusters.iter().position(|one| one.slot == *slot);
    selected.must = must.iter().filter_map(place).collect();
    selected
}

/// By weights or by what is free, within all limits and the skew of domains; what is there stays.
fn proportional(wish: &Wish<'_>, selected: &Selected) -> Result<Units, Limit> {
    let clusters = &selected.clusters;
    let parties = parties(wish, selected);
    let order = in_order(wish, clusters);
    let levels = wish.target.spread.iter().map(|spread| {
        let level = Level::new(&spread.over);
        match spread.skew {
            Some(most) => level.skew(Skew::hard(most.max(1))),
            None => level,
        }
    });
    let spread = levels.fold(divide::Spread::none(), divide::Spread::level);
    let wanted = wish.wanted.min(divide::MAX_REPLICAS);
    let mode = match clusters.iter().all(|one| one.current == 0) {
        true => divide::Mode::Fresh,
        false => divide::Mode::Steady,
    };
    let division = divide::in_order(&parties, &order, &spread, wanted, mode);
    let division = division.map_err(|error| match error {
        DivideError::MinOverMax { .. } => Limit::ClusterMax,
        _ => Limit::Room,
    })?;
    let is_skew = |limit: &divide::Limit| matches!(limit, divide::Limit::Skew { .. });
    let is_max = |limit: &divide::Limit| matches!(limit, divide::Limit::Max | divide::Limit::Weight);
    let limits = || division.limits.iter().flatten();
    let limit = match division.shortfall {
        0 => None,
        _ if limits().any(is_skew) => Some(Limit::Skew),
        _ if limits().any(is_max) => Some(Limit::ClusterMax),
        _ => Some(Limit::Room),
    };
    Ok(Units {
        short: division.shortfall,
        limit,
        ..Units::of(
            clusters
                .iter()
                .zip(&division.replicas)
                .map(|(one, units)| (one.slot, *units)),
        )
    })
}

/// What clusters say of the domains that a target is spread over, outermost first.
fn columns<'a>(wish: &Wish<'a>) -> Vec<Option<&'a Column>> {
    let spread = wish.target.spread.iter();
    spread
        .map(|spread| wish.fleet.column(Fact::Label, &spread.over))
        .collect()
}

/// The places of clusters in the order of their domains, then of their names: slots are in that order, and so are the
/// numbers of values.
fn in_order(wish: &Wish<'_>, clusters: &[Ranked]) -> Vec<usize> {
    let mut places = vec![None; wish.fleet.len()];
    for (at, one) in clusters.iter().enumerate() {
        places[one.slot] = Some(at);
    }
    let mut order: Vec<usize> = places.into_iter().flatten().collect();
    for column in columns(wish).into_iter().flatten().rev() {
        order.sort_by_key(|at| column.domain(clusters[*at].slot));
    }
    order
}

fn parties<'a>(wish: &Wish<'a>, selected: &Selected) -> Vec<Party<'a>> {
    let (fleet, by, shares, columns) = (
        wish.fleet,
        by(wish),
        Shares::of(wish.fleet, wish.target),
        columns(wish),
    );
    let must: FixedBitSet = selected.must.iter().copied().collect();
    let party = |(at, one): (usize, &Ranked)| {
        let cluster = fleet.at(one.slot);
        let share = shares.at(one.slot);
        let holds = one.holds().min(divide::MAX_REPLICAS);
        let weight = match by {
            DivideBy::Capacity => holds,
            DivideBy::Weight => share.weight,
            _ => 1,
        };
        let min = share.min.max(u64::from(must.contains(at)));
        // What is there stays, even if it is more than there may be.
        let max = share.max.max(one.current);
        let domain =
            |column: Option<&'a Column>| column.and_then(|column| column.value(one.slot)).unwrap_or("");
        Party::new(cluster.name())
            .weight(weight)
            .min(min.min(max).min(divide::MAX_REPLICAS))
            .max((max < divide::MAX_REPLICAS).then_some(max))
            .capacity(holds)
            .current(one.current.min(divide::MAX_REPLICAS))
            .domains(columns.iter().copied().map(domain))
    };
    selected.clusters.iter().enumerate().map(party).collect()
}
