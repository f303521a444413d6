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

/// For so many least numbers at most, from the largest one on, a flow is solved.
const TRIES: u64 = 16;

/// One level of domains, none of which may have so many more than another.
pub(super) struct Even<'a> {
    pub(super) over: &'a str,
    pub(super) skew: u64,
}

/// Divides over these clusters at least cost, with what is there staying; none where a number is too large for it.
pub(super) fn least_cost(wish: &Wish<'_>, selected: &Selected, even: &Even<'_>) -> Option<Units> {
    let groups = groups(wish, &selected.clusters, even.over);
    let held = |at: &Vec<usize>| {
        let holds = at.iter().map(|at| selected.clusters[*at].holds());
        holds.fold(0_u64, u64::saturating_add)
    };
    let count = u64::try_from(groups.len()).unwrap_or(u64::MAX).max(1);
    // No domain has fewer than this, so none has more than that and the skew.
    let most = groups
        .iter()
        .map(held)
        .min()
        .unwrap_or(0)
        .min(wish.wanted / count);
    let spare = even.skew.saturating_mul(count - 1);
    let least = wish.wanted.saturating_sub(spare).div_ceil(count).min(most);
    let best = (least..=most)
        .rev()
        .take(usize::try_from(TRIES).unwrap_or(usize::MAX))
        .filter_map(|least| divide(wish, selected, &groups, least, even.skew))
        .min_by_key(|divided| (divided.shortfall, unmet(divided), divided.cost))?;
    let units = selected.clusters.iter().zip(&best.clusters);
    let units = Units::of(units.map(|(one, share)| (one.slot, share.replicas)));
    Some(units.short(best.shortfall, Limit::Skew))
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
