//! Divides at least cost where domains may not differ by much: a minimum cost flow for each least number that a domain may
//! have, of which the cheapest counts.

use std::collections::BTreeMap;

use super::divisions::Shares;
use crate::{
    decision::Limit,
    flow::{Candidate, Divided, Division, Domain},
    model::{Fact, Slot},
    pipeline::{Ranked, Selected, Units, Wish},
    score::Costs,
};

/// For about so many least numbers a flow is solved, before it is looked more closely near the best one.
const TRIES: u64 = 8;

/// One level of domains, none of which may have so many more than another.
pub(super) struct Even<'a> {
    pub(super) over: &'a str,
    pub(super) skew: u64,
}

/// Divides over these clusters at least cost, with what is there staying; none where a number is too large for it.
pub(super) fn least_cost(wish: &Wish<'_>, selected: &Selected, even: &Even<'_>) -> Option<Units> {
    let groups = groups(wish, &selected.clusters, even.over);
    let sum = |of: fn(&Ranked) -> u64| -> Vec<u64> {
        let in_group = |group: &Vec<usize>| {
            let units = group.iter().map(|at| of(&selected.clusters[*at]));
            units.fold(0, u64::saturating_add)
        };
        groups.iter().map(in_group).collect()
    };
    let (current, holds) = (sum(|one| one.current), sum(Ranked::holds));
    // How many there are if no domain has fewer than this, those that are there included.
    let at_least = |least: u64| {
        let all = current.iter().map(|current| least.max(*current));
        all.fold(0, u64::saturating_add)
    };
    let fullest = holds.iter().min().copied().unwrap_or(0).min(wish.wanted);
    let most = last(0, fullest, |least| at_least(least) <= wish.wanted);
    let least = last(0, most, |least| {
        least == 0 || at_least((least - 1).saturating_add(even.skew)) < wish.wanted
    });
    let best = cheapest(least, most, |least| {
        divide(wish, selected, &groups, least, even.skew)
    })?;
    let units = selected.clusters.iter().zip(&best.clusters);
    let units = Units::of(units.map(|(one, share)| (one.slot, share.replicas)));
    let shares = Shares::of(wish.fleet, wish.target);
    let max = |one: &Ranked| shares.at(one.slot).max;
    let has_room = |one: &Ranked| units.at(one.slot) < one.holds().min(max(one));
    let limit = match selected.clusters.iter().any(has_room) {
        true => Limit::Skew,
        false if selected.clusters.iter().any(|one| one.holds() >= max(one)) => Limit::ClusterMax,
        false => Limit::Room,
    };
    Some(units.short(best.shortfall, limit))
}

/// The cheapest division of those with some of these least numbers, then of those with numbers near the best one, and so on.
fn cheapest(mut from: u64, mut to: u64, divide: impl Fn(u64) -> Option<Divided>) -> Option<Divided> {
    let mut best: Option<(u64, Divided)> = None;
    let cost = |divided: &Divided| (divided.shortfall, unmet(divided), divided.cost);
    loop {
        let step = (to - from).div_ceil(TRIES).max(1);
        let tries = (0..=(to - from) / step).map(|at| to - at * step).chain([from]);
        for least in tries {
            let Some(divided) = divide(least) else { continue };
            if best
                .as_ref()
                .is_none_or(|(_, known)| cost(&divided) < cost(known))
            {
                best = Some((least, divided));
            }
        }
        let (at, _) = best.as_ref()?;
        if step == 1 {
            return best.map(|(_, divided)| divided);
        }
        (from, to) = (at.saturating_sub(step).max(from), at.saturating_add(step).min(to));
    }
}

/// The largest number of these for which it holds, as it does for all below one for which it does; else the first.
fn last(from: u64, to: u64, holds: impl Fn(u64) -> bool) -> u64 {
    let (mut low, mut high) = (from, to);
    while low < high {
        let middle = low + (high - low).div_ceil(2);
        match holds(middle) {
            true => low = middle,
            false => high = middle - 1,
        }
    }
    low
}

fn unmet(divided: &Divided) -> u64 {
    let shares = divided.clusters.iter().chain(&divided.domains);
    shares.map(|share| share.unmet).fold(0, u64::saturating_add)
}

/// The places of clusters by their domain.
fn groups(wish: &Wish<'_>, clusters: &[Ranked], over: &str) -> Vec<Vec<usize>> {
    let column = wish.fleet.column(Fact::Label, over);
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (at, one) in clusters.iter().enumerate() {
        let number = column.map_or(0, |column| column.numbers[one.slot]);
        groups.entry(number).or_default().push(at);
    }
    groups.into_values().collect()
}

fn divide(
    wish: &Wish<'_>,
    selected: &Selected,
    groups: &[Vec<usize>],
    least: u64,
    skew: u64,
) -> Option<Divided> {
    let clusters = &selected.clusters;
    let shares = Shares::of(wish.fleet, wish.target);
    let costs = Costs::of(wish.fleet, &wish.workload.needs);
    let cost_of = |slot: Slot| costs.at(slot);
    let cheapest = clusters.iter().map(|one| cost_of(one.slot)).min().unwrap_or(0);
    let mut division = Division::new(wish.wanted);
    let mut places = vec![0; clusters.len()];
    for group in groups {
        let current = group
            .iter()
            .map(|at| clusters[*at].current)
            .fold(0, u64::saturating_add);
        let most = least.saturating_add(skew).max(current);
        let domain = division.domain(Domain::new().at_least(least).at_most(most));
        for at in group {
            let (one, share) = (&clusters[*at], shares.at(clusters[*at].slot));
            let max = share.max.max(one.current);
            let must = u64::from(selected.must.contains(at));
            let min = share.min.max(must).min(max).max(one.current);
            let cost = cost_of(one.slot).checked_sub(cheapest)?;
            let candidate = Candidate::new(one.holds())
                .at_least(min)
                .at_most(max)
                .running(one.current);
            places[*at] = division.cluster(candidate.cost(u64::try_from(cost).ok()?).within(domain));
        }
    }
    let mut divided = division.solve().ok()?;
    let solved = divided.clusters.clone();
    divided.clusters = places.iter().map(|at| solved[*at].clone()).collect();
    Some(divided)
}
