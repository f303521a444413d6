//! The domains that a target is spread over, nested in each other, and which of them are taken.

use std::cmp::Reverse;

use super::select::Selection;
use crate::{decision::Limit, model::Fact, pipeline::Ranked};

/// The domains that can be taken, and the clusters that stay although their domain cannot.
pub(super) struct Fleet {
    root: Domain,
    /// At least so many domains of each level within one of the level above, outermost first.
    least: Vec<usize>,
    /// Clusters with something on them that are in no domain that can be taken: nothing new comes there. Sorted.
    stuck: Vec<usize>,
}

/// By what domains and clusters are taken.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// By how good they are.
    Best,
    /// By how much they hold.
    Largest,
}

/// A domain, by the clusters in it: places in the list of those that are given, best first.
struct Domain {
    /// All of its clusters, of the innermost level only.
    clusters: Vec<usize>,
    /// The domains in it, by their best cluster.
    inner: Vec<Domain>,
    is_used: bool,
    /// How many units are there.
    current: u64,
    /// How many units it can hold, within its limits.
    holds: u64,
    /// Where cost counts: of its share of the units, how many have no place, and what the others cost.
    price: (u64, i128),
}

impl Fleet {
    /// # Errors
    /// When there are too few domains.
    pub(super) fn of(selection: &Selection<'_>, ranked: &[Ranked]) -> Result<Self, Limit> {
        let least = least(selection);
        let mut stuck = Vec::new();
        let all = (0..ranked.len()).collect();
        let root = Builder {
            selection,
            ranked,
            least: &least,
            stuck: &mut stuck,
        }
        .domain(all, 0, selection.need)?;
        stuck.sort_unstable();
        stuck.dedup();
        Ok(Self { root, least, stuck })
    }

    pub(super) fn is_stuck(&self, at: usize) -> bool {
        self.stuck.binary_search(&at).is_ok()
    }

    /// The clusters of the domains that are taken, and those that must get something.
    pub(super) fn choose(
        &self,
        selection: &Selection<'_>,
        ranked: &[Ranked],
        order: Order,
    ) -> (Vec<usize>, Vec<usize>) {
        let mut choice = Choice {
            selection,
            ranked,
            least: &self.least,
            order,
            clusters: self.stuck.clone(),
            must: Vec::new(),
        };
        let asked = Asked {
            units: selection.need,
            clusters: selection.max,
            is_needed: false,
        };
        choice.take(&self.root, 0, asked);
        (choice.clusters, choice.must)
    }
}

/// No more domains can be used than there are units.
fn least(selection: &Selection<'_>) -> Vec<usize> {
    let mut units = selection.need;
    let of = |min: Option<u32>| {
        let least = min.map_or(1, u64::from).min(units).max(1);
        units = units.checked_div(least).unwrap_or(units);
        usize::try_from(least).unwrap_or(usize::MAX)
    };
    selection.spread.iter().map(|spread| spread.min).map(of).collect()
}

struct Builder<'a, 's> {
    selection: &'a Selection<'s>,
    ranked: &'a [Ranked],
    least: &'a [usize],
    stuck: &'a mut Vec<usize>,
}

impl Builder<'_, '_> {
    /// The domain of these clusters, if so many units are its share.
    fn domain(&mut self, members: Vec<usize>, level: usize, units: u64) -> Result<Domain, Limit> {
        let sum = |of: fn(&Ranked) -> u64| {
            let all = members.iter().map(|at| of(&self.ranked[*at]));
            all.fold(0, u64::saturating_add)
        };
        let current = sum(|one| one.current);
        let price = self.price(&members, units);
        let Some(spread) = self.selection.spread.get(level) else {
            return Ok(Domain {
                is_used: current > 0,
                current,
                holds: sum(Ranked::holds),
                inner: Vec::new(),
                price,
                clusters: members,
            });
        };
        let (groups, unnamed) = self.groups(&members, &spread.over);
        self.stay(&unnamed);
        let (have, need) = (groups.len(), self.least[level]);
        // Evenly over as many as may be, or all in as few as must be.
        let count = match spread.skew {
            Some(_) => most(spread.max, need, 0).min(have),
            None => need,
        };
        let share = units.div_ceil(u64::try_from(count).unwrap_or(u64::MAX).min(units).max(1));
        let (mut inner, mut failed) = (Vec::with_capacity(have), None);
        for group in groups {
            // Whatever is inside is kept, if it cannot be taken.
            let used: Vec<usize> = group
                .iter()
                .copied()
                .filter(|at| self.ranked[*at].current > 0)
                .collect();
            match self.domain(group, level + 1, share) {
                Ok(domain) => inner.push(domain),
                Err(limit) => {
                    self.stay(&used);
                    failed.get_or_insert(limit);
                }
            }
        }
        if inner.len() < need {
            let too_few = || Limit::Domains {
                over: spread.over.clone(),
                have,
                need,
            };
            return Err(failed.filter(|_| have >= need).unwrap_or_else(too_few));
        }
        let most = most(spread.max, need, used(&inner));
        let by_size = in_order(&inner, Order::Largest, spread.skew);
        let holds = capacity(&best_within(&by_size, need, most, spread.skew), spread.skew);
        Ok(Domain {
            clusters: Vec::new(),
            inner,
            is_used: current > 0,
            current,
            holds,
            price,
        })
    }

    /// What so many units cost on the cheapest of these clusters first: how many have no place, and what the others cost.
    fn price(&self, members: &[usize], units: u64) -> (u64, i128) {
        let Some(costs) = self.selection.costs else {
            return (0, 0);
        };
        let (mut rest, mut sum) = (units, 0_i128);
        for at in members {
            let one = &self.ranked[*at];
            let count = one.holds().min(rest);
            rest -= count;
            sum = sum.saturating_add(i128::from(count) * i128::from(costs.at(one.slot)));
            if rest == 0 {
                break;
            }
        }
        (rest, sum)
    }

    /// Clusters by the domain they are in, each by its best cluster; and those that are in none.
    fn groups(&self, members: &[usize], label: &str) -> (Vec<Vec<usize>>, Vec<usize>) {
        let (mut groups, mut unnamed): (Vec<Vec<usize>>, Vec<usize>) = (Vec::new(), Vec::new());
        let Some(column) = self.selection.fleet.column(Fact::Label, label) else {
            return (groups, members.to_vec());
        };
        let mut places = vec![usize::MAX; column.values.len() + 1];
        for at in members {
            let number = column.numbers[self.ranked[*at].slot] as usize;
            if number == 0 {
                unnamed.push(*at);
                continue;
            }
            if places[number] == usize::MAX {
                places[number] = groups.len();
                groups.push(Vec::new());
            }
            groups[places[number]].push(*at);
        }
        (groups, unnamed)
    }

    fn stay(&mut self, clusters: &[usize]) {
        let used = clusters.iter().filter(|at| self.ranked[**at].current > 0);
        self.stuck.extend(used);
    }
}

/// What is asked of one domain.
#[derive(Clone, Copy)]
struct Asked {
    units: u64,
    /// On so many clusters at most, more or less.
    clusters: usize,
    /// It must get something.
    is_needed: bool,
}

struct Choice<'a, 's> {
    selection: &'a Selection<'s>,
    ranked: &'a [Ranked],
    least: &'a [usize],
    order: Order,
    clusters: Vec<usize>,
    must: Vec<usize>,
}

impl Choice<'_, '_> {
    fn take(&mut self, domain: &Domain, level: usize, asked: Asked) {
        let Some(spread) = self.selection.spread.get(level) else {
            if asked.is_needed && !domain.is_used {
                self.must.extend(self.first(&domain.clusters));
            }
            self.clusters.extend(&domain.clusters);
            return;
        };
        let min = self.least[level];
        // Each that is taken must have something in so many of the domains inside it.
        let inside = self.least[level + 1..]
            .iter()
            .fold(1_usize, |all, least| all.saturating_mul(*least));
        let units = usize::try_from(asked.units).unwrap_or(usize::MAX);
        let used = used(&domain.inner);
        let most = most(spread.max, min, used).min((units.min(asked.clusters) / inside).max(min).max(used));
        let mut list = in_order(&domain.inner, self.order, spread.skew);
        if self.order == Order::Best && most < list.len() {
            // Where not all may be taken, those for which it costs least.
            list.sort_by_key(|one| (!one.is_used, one.price));
        }
        let taken = self.domains(list, min, most, asked.units, spread.skew);
        for ((at, inner), share) in taken.iter().enumerate().zip(shares(&taken, asked.units)) {
            let is_needed = (level == 0 || asked.is_needed) && at < min;
            let asked = Asked {
                units: share,
                clusters: asked.clusters / taken.len(),
                is_needed: is_needed || inside > 1,
            };
            self.take(inner, level + 1, asked);
        }
    }

    /// Of domains in order, used ones first, those that are taken.
    fn domains<'d>(
        &self,
        mut list: Vec<&'d Domain>,
        min: usize,
        most: usize,
        need: u64,
        skew: Option<u64>,
    ) -> Vec<&'d Domain> {
        let used = list.iter().filter(|one| one.is_used).count();
        let most = most.min(list.len());
        let mut count = if self.selection.is_frugal {
            min.max(used).min(most)
        } else {
            most
        };
        let mut holds = capacity(&list[..count], skew);
        while count < most && holds < need {
            count += 1;
            holds = match skew {
                None => holds.saturating_add(list[count - 1].holds),
                Some(_) => capacity(&list[..count], skew),
            };
        }
        let mut later = list.split_off(count);
        while count > used && capacity(&list, skew) < need {
            count -= 1;
            let largest = (0..later.len()).max_by_key(|at| (later[*at].holds, Reverse(*at)));
            if let Some(largest) = largest.filter(|at| later[*at].holds > list[count].holds) {
                std::mem::swap(&mut list[count], &mut later[largest]);
            }
        }
        // What is small keeps the others small.
        if skew.is_some() && capacity(&list, skew) < need {
            let most = list.len();
            list = best_within(&list, min, most, skew);
        }
        list
    }

    fn first(&self, clusters: &[usize]) -> Option<usize> {
        match self.order {
            Order::Best => clusters.iter().copied().min(),
            Order::Largest => {
                let size = |at: &usize| (self.ranked[*at].holds(), Reverse(*at));
                clusters.iter().copied().max_by_key(size)
            }
        }
    }
}

fn used(domains: &[Domain]) -> usize {
    domains.iter().filter(|one| one.is_used).count()
}

/// At most so many, unless more are in use already.
fn most(max: Option<u32>, min: usize, used: usize) -> usize {
    let max = max.map_or(usize::MAX, |max| usize::try_from(max).unwrap_or(usize::MAX));
    max.max(min).max(used)
}

/// Used ones first, without those that are not used and too small to come near what is in others already: what has found no
/// place beside them before finds none now.
fn in_order(domains: &[Domain], order: Order, skew: Option<u64>) -> Vec<&Domain> {
    let highest = domains.iter().map(|one| one.current).max().unwrap_or(0);
    let is_near = |one: &&Domain| skew.is_none_or(|skew| one.holds.saturating_add(skew.max(1)) >= highest);
    let mut list: Vec<&Domain> = domains.iter().filter(|one| one.is_used || is_near(one)).collect();
    match order {
        Order::Best => list.sort_by_key(|one| !one.is_used),
        Order::Largest => list.sort_by_key(|one| (!one.is_used, Reverse(one.holds))),
    }
    list
}

/// How many units domains hold together, if none may have so many more than another. What is there stays in any case.
fn capacity(domains: &[&Domain], skew: Option<u64>) -> u64 {
    let least = domains.iter().map(|one| one.holds).min().unwrap_or(0);
    let most = skew.map_or(u64::MAX, |skew| least.saturating_add(skew.max(1)));
    let of = |one: &&Domain| one.holds.min(most).max(one.current);
    domains.iter().map(of).fold(0, u64::saturating_add)
}

/// At least and at most so many of these, so that they hold most. Without a skew more hold more.
fn best_within<'d>(domains: &[&'d Domain], min: usize, most: usize, skew: Option<u64>) -> Vec<&'d Domain> {
    let most = most.min(domains.len());
    let mut list = domains[..most].to_vec();
    if skew.is_none() {
        return list;
    }
    list.sort_by_key(|one| (!one.is_used, Reverse(one.holds)));
    let used = list.iter().filter(|one| one.is_used).count();
    let counts = min.max(used)..=most;
    let best = counts.max_by_key(|count| capacity(&list[..*count], skew));
    list.truncate(best.unwrap_or(most));
    list
}

/// How many units each is asked for: the same of all, and what is too much for one of the others.
fn shares(domains: &[&Domain], need: u64) -> Vec<u64> {
    let mut by_size: Vec<usize> = (0..domains.len()).collect();
    by_size.sort_by_key(|at| domains[*at].holds);
    let (mut shares, mut rest) = (vec![0; domains.len()], need);
    for (done, at) in by_size.into_iter().enumerate() {
        let left = u64::try_from(domains.len() - done).unwrap_or(u64::MAX);
        let share = rest.div_ceil(left).min(domains[at].holds);
        shares[at] = share;
        rest -= share;
    }
    shares
}
