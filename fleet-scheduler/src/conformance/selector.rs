//! What a selector promises.

use std::collections::BTreeSet;

use super::{
    Findings, Suite, Violation,
    shares::{Case, limits, numbered},
    sketch::World,
};
use crate::{
    decision::Limit,
    model::Slot,
    pipeline::{Ranked, Selected, Selector},
};

impl Suite {
    /// Runs the suite for a selector.
    ///
    /// The promises:
    /// - `named`, `no-panic`, `deterministic`: as for a [filter](Self::filter).
    /// - `order`: the answer does not depend on the clusters' places in the fleet; their order may break ties.
    /// - `only-given`: it selects clusters it was given, as they were given, each once.
    /// - `best-first`: in the order they were given in.
    /// - `keeps-used`: clusters with units on them are among them.
    /// - `must-is-selected`: what must get something is selected.
    /// - `clusters`: at least as many as the target asks for, but no more than units; at most as many as it may be on, unless
    ///   more are in use or are needed for its domains.
    /// - `domains`: the same for the domains of the target's first spread.
    pub fn selector(&self, selector: &dyn Selector) -> Vec<Violation> {
        let mut found = Findings::default();
        found.name(selector.name());
        for (sketch, mut dice, is_hostile) in self.sketches() {
            let (world, shifted) = (sketch.world(false), sketch.shifted().world(false));
            for case in Case::all(&world, &mut dice, is_hostile) {
                if found.is_over() {
                    return found.into_violations();
                }
                let wanted = case.there().saturating_add(1 + dice.number(20));
                let wanted = wanted.min(crate::divide::MAX_REPLICAS);
                let ask = |world: &World, found: &mut Findings| {
                    let (wish, ranked) = (case.wish(world, wanted), case.ranked(world));
                    found.ask(|| case.say(world, wanted), || selector.select(&wish, &ranked))
                };
                let Some(selected) = ask(&world, &mut found) else {
                    continue;
                };
                let again = ask(&world, &mut found);
                found.same(&selected, again.as_ref(), || case.say(&world, wanted));
                if !found.is_deterministic() {
                    continue;
                }
                if self.is_renaming
                    && let Some(other) = ask(&shifted, &mut found)
                {
                    let (one, other) = (by_number(&world, &selected), by_number(&shifted, &other));
                    found.check(one == other, "order", || {
                        format!(
                            "{}: {one:?}, with clusters at other places {other:?}",
                            case.say(&world, wanted)
                        )
                    });
                }
                if let Ok(selected) = &selected {
                    selects(&case, &world, wanted, selected, &mut found);
                }
            }
        }
        found.into_violations()
    }
}

/// Clusters by their numbers, and whether each must get something; or that there are too few.
fn by_number(world: &World, selected: &Result<Selected, Limit>) -> Option<Vec<(usize, bool)>> {
    let selected = selected.as_ref().ok()?;
    let clusters = selected.clusters.iter().enumerate();
    let must = |at: usize| selected.must.contains(&at);
    Some(numbered(world, clusters.map(|(at, one)| (one.slot, must(at)))))
}

fn selects(case: &Case, world: &World, wanted: u64, selected: &Selected, found: &mut Findings) {
    let ranked = case.ranked(world);
    let seen = || format!("{}: {selected:?}", case.say(world, wanted));
    let places: Vec<Option<usize>> = selected
        .clusters
        .iter()
        .map(|one| ranked.iter().position(|given| given == one))
        .collect();
    let distinct: BTreeSet<Slot> = selected.clusters.iter().map(|one| one.slot).collect();
    let is_given = places.iter().all(Option::is_some) && distinct.len() == places.len();
    found.check(is_given, "only-given", seen);
    found.check(places.is_sorted(), "best-first", seen);
    let mut used = ranked.iter().filter(|one| one.current > 0);
    found.check(used.all(|one| distinct.contains(&one.slot)), "keeps-used", seen);
    let must: BTreeSet<usize> = selected.must.iter().copied().collect();
    let is_there = must.len() == selected.must.len() && must.iter().all(|at| *at < selected.clusters.len());
    found.check(is_there, "must-is-selected", seen);

    let target = case.target(world);
    let clusters = limits(target);
    let in_use: Vec<&Ranked> = ranked.iter().filter(|one| one.current > 0).collect();
    let mut fixed = in_use.len();
    if let Some(spread) = target.spread.first() {
        let domain = |one: &Ranked| world.fleet.at(one.slot).cluster.labels.get(&spread.over);
        let domains: BTreeSet<_> = selected.clusters.iter().map(domain).collect();
        let used: BTreeSet<_> = in_use.iter().map(|one| domain(one)).collect();
        let bounds = (spread.min, spread.max);
        let is_kept = is_within(domains.len(), bounds, wanted, used.len());
        found.check(is_kept, "domains", seen);
        // Each domain that is missing needs a cluster more.
        fixed += domains.len().saturating_sub(used.len());
    }
    let bounds = (clusters.min, clusters.max);
    let is_kept = is_within(distinct.len(), bounds, wanted, fixed);
    found.check(is_kept, "clusters", seen);
}

/// Whether so many are as many as must and may be.
fn is_within(count: usize, (min, max): (Option<u32>, Option<u32>), wanted: u64, in_use: usize) -> bool {
    if min.zip(max).is_some_and(|(min, max)| min > max) {
        // No workload that says so is decided on.
        return true;
    }
    let size = |count: u64| usize::try_from(count).unwrap_or(usize::MAX);
    let min = size(u64::from(min.unwrap_or(0)).min(wanted));
    let max = max
        .map_or(usize::MAX, |max| size(max.into()))
        .max(min)
        .max(in_use);
    (min..=max).contains(&count)
}
