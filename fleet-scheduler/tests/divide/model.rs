//! Slow models: one replica at a time, each chosen by looking at everybody.

use std::cmp::Ordering;

use fleet_scheduler::divide::{DomainLimit, Level, Party, Skew, Spread};
use proptest::prelude::*;

/// The names that generated parties have, by index.
pub(super) const NAMES: [&str; 8] = ["a", "b", "c", "d", "e", "f", "g", "h"];

/// Whether the left one, of weight and seats, comes before the right one by Webster's rule.
fn before(left: (u128, u64), right: (u128, u64)) -> Ordering {
    let cross = |one: (u128, u64), other: (u128, u64)| one.0 * (2 * u128::from(other.1) + 1);
    cross(right, left)
        .cmp(&cross(left, right))
        .then(left.1.cmp(&right.1))
}

/// Webster's method over `(weight, seats before)` in tie order.
pub(super) fn webster(votes: &[(u64, u64)], seats: u64) -> Vec<u64> {
    let mut counts: Vec<u64> = votes.iter().map(|(_, start)| *start).collect();
    for _ in 0..seats {
        let key = |i: usize| (u128::from(votes[i].0), counts[i]);
        let open = (0..votes.len()).filter(|&i| votes[i].0 > 0);
        if let Some(best) = open.min_by(|&a, &b| before(key(a), key(b))) {
            counts[best] += 1;
        }
    }
    counts
}

/// A cluster or domain of the model.
#[derive(Debug)]
pub(super) struct Node {
    pub(super) party: Option<usize>,
    pub(super) children: Vec<Node>,
    pub(super) skew: Option<Skew>,
    weight: u128,
    pub(super) min: u64,
    pub(super) max: u64,
    pub(super) eligible: bool,
    pub(super) usable: u64,
    ceiling: u64,
    floor: u64,
    base: u64,
    count: u64,
}

impl Node {
    /// The whole tree; `keep` starts from what runs.
    pub(super) fn root(parties: &[Party<'_>], spread: &Spread<'_>, keep: bool) -> Self {
        let mut all: Vec<usize> = (0..parties.len()).collect();
        all.sort_by_key(|&i| parties[i].name);
        Self::domain(parties, spread, keep, &all, &[])
    }

    fn domain(
        parties: &[Party<'_>],
        spread: &Spread<'_>,
        keep: bool,
        members: &[usize],
        path: &[&str],
    ) -> Self {
        let depth = path.len();
        let mut children = Vec::new();
        if depth == spread.levels.len() {
            children.extend(members.iter().map(|&i| Self::cluster(parties, i, keep)));
        } else {
            let mut names: Vec<&str> = members.iter().map(|&i| parties[i].domains[depth]).collect();
            names.sort_unstable();
            names.dedup();
            for name in names {
                let inside: Vec<usize> = members
                    .iter()
                    .copied()
                    .filter(|&i| parties[i].domains[depth] == name)
                    .collect();
                let path: Vec<&str> = path.iter().copied().chain([name]).collect();
                children.push(Self::domain(parties, spread, keep, &inside, &path));
            }
        }
        let skew = if depth == spread.levels.len() {
            spread.clusters
        } else {
            spread.levels[depth].skew
        };
        let special = spread.domains.iter().find(|domain| domain.path == path);
        let level = depth.checked_sub(1).map(|i| &spread.levels[i]);
        let min = special.map_or(level.map_or(0, |level| level.min), |domain| domain.min);
        let max = special
            .map_or(level.and_then(|level| level.max), |domain| domain.max)
            .unwrap_or(u64::MAX);
        let full_counts = skew.is_some_and(|skew| skew.full_counts);
        let stopping = children
            .iter()
            .filter(|child| child.eligible && full_counts)
            .map(|child| child.ceiling);
        let ahead = skew.map_or(u64::MAX, |skew| skew.most);
        let most = stopping
            .min()
            .map_or(u64::MAX, |least| least.saturating_add(ahead));
        for child in &mut children {
            child.usable = child.ceiling.min(most).max(child.base);
            child.floor = child.floor.min(child.usable);
        }
        let highest = children.iter().map(|child| child.floor).max().unwrap_or(0);
        for child in &mut children {
            child.floor = child.floor.max(highest.saturating_sub(ahead).min(child.usable));
        }
        let sum = |of: fn(&Self) -> u64| children.iter().map(of).sum::<u64>();
        let ceiling = max.min(sum(|child| child.usable));
        Self {
            party: None,
            skew,
            weight: children.iter().map(|child| child.weight).sum(),
            min,
            max,
            eligible: max > 0 && children.iter().any(|child| child.eligible),
            usable: ceiling,
            ceiling,
            floor: ceiling.min(min.max(sum(|child| child.floor))),
            base: max.min(sum(|child| child.base)),
            count: sum(|child| child.count),
            children,
        }
    }

    fn cluster(parties: &[Party<'_>], i: usize, keep: bool) -> Self {
        let party = &parties[i];
        let current = if keep { party.current } else { 0 };
        let policy = if party.weight == 0 {
            party.min.max(current)
        } else {
            1 << 40
        };
        let fits = party
            .capacity
            .unwrap_or(1 << 40)
            .min(party.limit.unwrap_or(1 << 40));
        let ceiling = policy.min(party.max.unwrap_or(1 << 40)).min(fits);
        Self {
            party: Some(i),
            children: Vec::new(),
            skew: None,
            weight: u128::from(party.weight),
            min: party.min,
            max: party.max.unwrap_or(u64::MAX),
            eligible: policy > 0 && party.max != Some(0),
            usable: ceiling,
            ceiling,
            floor: party.min.min(ceiling),
            base: current.min(ceiling),
            count: current.min(ceiling),
        }
    }

    /// Brings the tree to `total`.
    pub(super) fn settle(&mut self, total: u64) {
        self.trim();
        while self.count < total {
            self.add();
        }
        while self.count > total {
            self.remove();
        }
    }

    /// Writes the counts of the clusters down.
    fn collect(&self, counts: &mut [u64]) {
        if let Some(party) = self.party {
            counts[party] = self.count;
        }
        self.children.iter().for_each(|child| child.collect(counts));
    }

    /// A domain above its maximum loses what is too much before anything else happens, the inner ones first.
    fn trim(&mut self) {
        self.children.iter_mut().for_each(Self::trim);
        if self.party.is_none() {
            self.count = self.children.iter().map(|child| child.count).sum();
            while self.count > self.max {
                self.remove();
            }
        }
    }

    /// One more, wherever the rules say.
    fn add(&mut self) {
        self.count += 1;
        if self.children.is_empty() {
            return;
        }
        let stops = |child: &&Self| {
            child.eligible
                && self
                    .skew
                    .is_some_and(|skew| skew.full_counts || child.count < child.usable)
        };
        let least = self.children.iter().filter(stops).map(|child| child.count).min();
        let most = match (least, self.skew) {
            (Some(least), Some(skew)) => least.saturating_add(skew.most),
            _ => u64::MAX,
        };
        let needy = self.children.iter().any(|child| child.count < child.floor);
        let open = self.children.iter_mut().filter(|child| {
            let bound = if needy { child.floor } else { child.usable };
            child.count < bound && child.count < most
        });
        let best = open.min_by(|a, b| before((a.weight, a.count), (b.weight, b.count)));
        best.expect("a domain below its ceiling takes one more").add();
    }

    /// One fewer, wherever the rules say.
    fn remove(&mut self) {
        self.count -= 1;
        if self.children.is_empty() {
            return;
        }
        let most = self.children.iter().map(|child| child.count).max().unwrap_or(0);
        let ahead = self.skew.map_or(u64::MAX, |skew| skew.most);
        let spare = |child: &Self| child.count > child.floor.min(child.base);
        let any_spare = self.children.iter().any(spare);
        let open = self.children.iter_mut().filter(|child| {
            let alone = child.count > most.saturating_sub(ahead);
            child.count > 0 && alone && (!any_spare || spare(child))
        });
        // The last of the awards: of equal ones the later name.
        let worst = open.max_by(|a, b| before((a.weight, a.count - 1), (b.weight, b.count - 1)));
        worst.expect("a domain with replicas gives one").remove();
    }
}

/// Bounded division by the model.
pub(super) fn bounded(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64) -> Vec<u64> {
    settled(parties, spread, replicas, false)
}

/// Steady division by the model.
pub(super) fn steady(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64) -> Vec<u64> {
    settled(parties, spread, replicas, true)
}

fn settled(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64, keep: bool) -> Vec<u64> {
    let mut counts = vec![0; parties.len()];
    let mut root = Node::root(parties, spread, keep);
    root.settle(replicas.min(root.ceiling));
    root.collect(&mut counts);
    counts
}

fn small(most: u64) -> impl Strategy<Value = Option<u64>> {
    prop_oneof![2 => Just(None), 3 => (0..=most).prop_map(Some)]
}

/// Parties in two levels of domains, with every kind of limit.
pub(super) fn parties(count: usize, most: u64) -> impl Strategy<Value = Vec<Party<'static>>> {
    let weight = prop_oneof![1 => Just(0), 6 => 1..7u64, 2 => 1..=u64::MAX];
    let one = (
        weight,
        0..=most / 3,
        small(most),
        small(most),
        small(most),
        0..=most,
        0..3usize,
        0..2usize,
    );
    prop::collection::vec(one, 1..=count).prop_map(|all| {
        let party = |(i, (weight, min, max, capacity, limit, current, region, zone)): (usize, _)| {
            let limit = if i % 3 == 0 { limit } else { None };
            let max: Option<u64> = max;
            let min = max.map_or(min, |max| max.min(min));
            let domains = [["eu", "us", "ap"][region], ["1", "2"][zone]];
            Party::new(NAMES[i])
                .weight(weight)
                .min(if i % 2 == 0 { min } else { 0 })
                .max(max)
                .capacity(capacity)
                .limit(limit)
                .current(current)
                .domains(domains)
        };
        all.into_iter().enumerate().map(party).collect()
    })
}

fn skew() -> impl Strategy<Value = Option<Skew>> {
    prop_oneof![
        Just(None),
        (1..4u64).prop_map(|most| Some(Skew::hard(most))),
        (1..4u64).prop_map(|most| Some(Skew::soft(most))),
    ]
}

/// Limits of two levels, of one domain, and skews everywhere.
pub(super) fn spread(most: u64) -> impl Strategy<Value = Spread<'static>> {
    let limits = move || (0..=most / 3, small(2 * most), skew());
    (limits(), limits(), 0..3usize, limits(), skew()).prop_map(|(outer, inner, levels, single, clusters)| {
        let level = |name, (min, max, skew): (u64, Option<u64>, Option<Skew>)| {
            let mut level = Level::new(name).min(max.map_or(min, |max| max.min(min)));
            (level.max, level.skew) = (max, skew);
            level
        };
        let mut spread = Spread::none();
        spread.levels.extend(
            [level("region", outer), level("zone", inner)]
                .into_iter()
                .take(levels),
        );
        spread.clusters = clusters;
        if levels > 0 {
            let mut domain = DomainLimit::new(["eu"]).min(single.1.map_or(single.0, |max| max.min(single.0)));
            domain.max = single.1;
            spread.domains.push(domain);
        }
        spread
    })
}
