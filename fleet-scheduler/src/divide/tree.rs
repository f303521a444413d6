//! Clusters in nested domains, and the division at each level of them.

use super::{
    DivideError, Division, Holder, Limit, MAX_REPLICAS, Party, Skew, Spread, Unmet,
    awards::{Contender, award, withdraw},
    explain::explain,
    party::{check, check_counts},
    spread,
};

/// A cluster or a domain, with what it can hold.
#[derive(Debug)]
pub(super) struct Node {
    /// The party, for a cluster; one of its members, for a domain.
    pub(super) party: usize,
    /// How many names lead to it: for a domain its level, for a cluster one more than its innermost domain.
    pub(super) depth: usize,
    pub(super) children: Vec<Node>,
    /// Skew between its children.
    pub(super) skew: Option<Skew>,
    /// Sum over its clusters.
    pub(super) weight: u128,
    pub(super) min: u64,
    pub(super) max: Option<u64>,
    /// Whether policy lets it have any.
    pub(super) eligible: bool,
    /// The most it can ever hold, as far as its own members go.
    pub(super) ceiling: u64,
    /// The same, with the skew towards its siblings.
    pub(super) usable: u64,
    /// What it must have so that all minimums inside are reached, as far as they can be.
    pub(super) need: u64,
    /// The same, so that the skew lets its siblings reach theirs.
    pub(super) floor: u64,
    /// What it keeps of what runs now.
    pub(super) base: u64,
}

/// Parties and domains, ready to be divided over.
pub(super) struct Tree<'a> {
    parties: &'a [Party<'a>],
    spread: &'a Spread<'a>,
    root: Option<Node>,
}

impl<'a> Tree<'a> {
    /// Builds the domains; `keep` tells whether what runs now counts.
    pub(super) fn new(
        parties: &'a [Party<'a>],
        spread: &'a Spread<'a>,
        replicas: u64,
        keep: bool,
    ) -> Result<Self, DivideError> {
        check(parties, replicas)?;
        spread::check(parties, spread)?;
        let depth = spread.levels.len();
        let mut order: Vec<usize> = (0..parties.len()).collect();
        order.sort_unstable_by_key(|&i| (&parties[i].domains[..depth], parties[i].name));
        Ok(Self::of_order(parties, &order, spread, keep))
    }

    /// As [`new`](Self::new), for parties whose places are given in the order of their domains, then of their names, which
    /// differ.
    pub(super) fn in_order(
        parties: &'a [Party<'a>],
        order: &[usize],
        spread: &'a Spread<'a>,
        replicas: u64,
        keep: bool,
    ) -> Result<Self, DivideError> {
        check_counts(parties, replicas)?;
        spread::check(parties, spread)?;
        Ok(Self::of_order(parties, order, spread, keep))
    }

    fn of_order(parties: &'a [Party<'a>], order: &[usize], spread: &'a Spread<'a>, keep: bool) -> Self {
        let builder = Builder {
            parties,
            spread,
            keep,
        };
        let root = (!order.is_empty()).then(|| builder.domain(order, 0));
        Self {
            parties,
            spread,
            root,
        }
    }

    /// Divides, and says what limits each.
    pub(super) fn divide(&self, replicas: u64) -> Division {
        let mut division = Division::of(vec![0; self.parties.len()]);
        division.shortfall = replicas;
        if let Some(root) = &self.root {
            let placed = replicas.min(root.ceiling);
            division.shortfall = replicas - placed;
            root.share(placed, &mut division.replicas);
            explain(root, self.parties, &mut division);
        }
        self.absent_domains(&mut division.unmet);
        division.unmet.sort_by(|a, b| a.holder.cmp(&b.holder));
        division
    }

    /// Minimums of domains that no party is in.
    fn absent_domains(&self, unmet: &mut Vec<Unmet>) {
        for domain in self.spread.domains.iter().filter(|domain| domain.min > 0) {
            if !self
                .parties
                .iter()
                .any(|party| party.domains.starts_with(&domain.path))
            {
                let holder = Holder::Domain(domain.path.iter().map(|&name| name.to_owned()).collect());
                unmet.push(Unmet {
                    holder,
                    missing: domain.min,
                    limit: Limit::Members,
                });
            }
        }
    }
}

struct Builder<'a> {
    parties: &'a [Party<'a>],
    spread: &'a Spread<'a>,
    keep: bool,
}

impl Builder<'_> {
    /// The domain of these parties, which are sorted and share their first `depth` names. There is at least one.
    fn domain(&self, members: &[usize], depth: usize) -> Node {
        let levels = &self.spread.levels;
        let children: Vec<Node> = match levels.get(depth) {
            Some(_) => members
                .chunk_by(|&a, &b| self.parties[a].domains[depth] == self.parties[b].domains[depth])
                .map(|part| self.domain(part, depth + 1))
                .collect(),
            None => members.iter().map(|&i| self.cluster(i, depth + 1)).collect(),
        };
        let skew = levels.get(depth).map_or(self.spread.clusters, |level| level.skew);
        let party = members[0];
        let path = &self.parties[party].domains[..depth];
        let single = self.spread.domains.iter().find(|domain| domain.path == path);
        let level = depth.checked_sub(1).map(|above| &levels[above]);
        let (min, max) = match (single, level) {
            (Some(domain), _) => (domain.min, domain.max),
            (None, Some(level)) => (level.min, level.max),
            (None, None) => (0, None),
        };
        let mut node = Node {
            party,
            depth,
            skew,
            weight: children.iter().map(|child| child.weight).sum(),
            min,
            max,
            eligible: max != Some(0) && children.iter().any(|child| child.eligible),
            ceiling: 0,
            usable: 0,
            need: 0,
            floor: 0,
            base: 0,
            children,
        };
        node.bound_children();
        let most = |count: u64| node.max.map_or(count, |max| count.min(max));
        node.ceiling = most(node.children.iter().map(|child| child.usable).sum());
        node.base = most(node.children.iter().map(|child| child.base).sum());
        let inside = node.children.iter().map(|child| child.floor).sum::<u64>();
        node.need = inside.max(min).min(node.ceiling);
        (node.usable, node.floor) = (node.ceiling, node.need);
        node
    }

    fn cluster(&self, party: usize, depth: usize) -> Node {
        let it = &self.parties[party];
        let current = if self.keep { it.current } else { 0 };
        let wanted = if it.weight == 0 {
            it.min.max(current)
        } else {
            MAX_REPLICAS
        };
        let ceiling = wanted.min(it.ceiling());
        let need = it.min.min(ceiling);
        Node {
            party,
            depth,
            children: Vec::new(),
            skew: None,
            weight: u128::from(it.weight),
            min: it.min,
            max: it.max,
            eligible: it.max != Some(0) && wanted > 0,
            ceiling,
            usable: ceiling,
            need,
            floor: need,
            base: current.min(ceiling),
        }
    }
}

impl Node {
    /// Applies the skew to what children can hold and must have. What runs is kept in any case: a skew steers where
    /// replicas are added or taken and moves none.
    fn bound_children(&mut self) {
        let Some(skew) = self.skew else { return };
        let counted = self
            .children
            .iter()
            .filter(|child| child.eligible && skew.full_counts);
        let most = counted
            .map(|child| child.ceiling)
            .min()
            .map_or(u64::MAX, |least| least.saturating_add(skew.most));
        for child in &mut self.children {
            child.usable = child.ceiling.min(most).max(child.base);
            child.floor = child.need.min(child.usable);
        }
        let highest = self.children.iter().map(|child| child.floor).max().unwrap_or(0);
        for child in &mut self.children {
            child.floor = child
                .floor
                .max(highest.saturating_sub(skew.most).min(child.usable));
        }
    }

    /// Gives `total`, at most the ceiling, to the clusters inside.
    fn share(&self, total: u64, replicas: &mut [u64]) {
        if self.children.is_empty() {
            replicas[self.party] = total;
            return;
        }
        let counts = self.split(total);
        self.children
            .iter()
            .zip(counts)
            .for_each(|(child, count)| child.share(count, replicas));
    }

    /// How many each child gets. From what runs: minimums first, then the rest; and back in the reverse order.
    fn split(&self, total: u64) -> Vec<u64> {
        let contenders = |start: &dyn Fn(&Node) -> u64, bound: &dyn Fn(&Node) -> u64| -> Vec<Contender> {
            let contender = |child: &Node| Contender {
                weight: child.weight,
                start: start(child),
                bound: bound(child),
                counts: child.eligible,
            };
            self.children.iter().map(contender).collect()
        };
        let sum = |of: &dyn Fn(&Node) -> u64| self.children.iter().map(of).sum::<u64>();
        let base = |child: &Node| child.base;
        let with_needs = |child: &Node| child.floor.max(child.base);
        let needs_only = |child: &Node| child.floor.min(child.base);
        if total >= sum(&with_needs) {
            award(&contenders(&with_needs, &|child| child.usable), self.skew, total)
        } else if total >= sum(&base) {
            award(&contenders(&base, &with_needs), self.skew, total)
        } else if total >= sum(&needs_only) {
            withdraw(&contenders(&base, &needs_only), self.skew, total)
        } else {
            withdraw(&contenders(&needs_only, &|_| 0), self.skew, total)
        }
    }
}
