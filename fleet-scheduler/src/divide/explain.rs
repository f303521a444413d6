//! Which limit keeps each cluster from one replica more, read from the finished counts.

use super::{Division, Holder, Limit, Party, Unmet, tree::Node};

/// Writes down the limits and the minimums that are not reached.
pub(super) fn explain(root: &Node, parties: &[Party<'_>], division: &mut Division) {
    Report { parties, division }.explain(root, None);
}

struct Report<'a, 'b> {
    parties: &'a [Party<'a>],
    division: &'b mut Division,
}

impl Report<'_, '_> {
    /// Explains a node, of which `outer` is what limits it from outside. Returns whether every cluster in it has a
    /// limit inside of it.
    fn explain(&mut self, node: &Node, outer: Option<Limit>) -> bool {
        if node.children.is_empty() {
            return self.explain_cluster(node, outer);
        }
        let counts: Vec<u64> = node.children.iter().map(|child| self.count(child)).collect();
        let total: u64 = counts.iter().sum();
        let own = (node.max == Some(total)).then_some(Limit::DomainMax { depth: node.depth });
        let first_blocked = node.skew.map_or(u64::MAX, |skew| {
            let both = node.children.iter().zip(&counts);
            let stops =
                both.filter(|(child, count)| child.eligible && (skew.full_counts || **count < child.usable));
            stops
                .map(|(_, count)| *count)
                .min()
                .map_or(u64::MAX, |least| least.saturating_add(skew.most))
        });
        let mut all_limited = true;
        for (child, count) in node.children.iter().zip(&counts) {
            let skewed = (*count >= first_blocked).then_some(Limit::Skew { depth: child.depth });
            let inside = self.explain(child, skewed.or(own).or(outer));
            all_limited &= inside || skewed.is_some();
        }
        if total < node.min {
            let members = all_limited.then_some(Limit::Members);
            let holder = Holder::Domain(
                self.parties[node.party].domains[..node.depth]
                    .iter()
                    .map(|&name| name.to_owned())
                    .collect(),
            );
            let limit = members.or(outer).unwrap_or(Limit::Total);
            self.division.unmet.push(Unmet {
                holder,
                missing: node.min - total,
                limit,
            });
        }
        all_limited || own.is_some()
    }

    fn explain_cluster(&mut self, node: &Node, outer: Option<Limit>) -> bool {
        let (party, count) = (&self.parties[node.party], self.division.replicas[node.party]);
        let weightless = (party.weight == 0 && count >= party.min).then_some(Limit::Weight);
        let own = party.own_limit(count).or(weightless);
        let limit = own.or(outer);
        self.division.limits[node.party] = limit;
        if count < party.min {
            let limit = limit.unwrap_or(Limit::Total);
            let unmet = Unmet {
                holder: Holder::Party(node.party),
                missing: party.min - count,
                limit,
            };
            self.division.unmet.push(unmet);
        }
        own.is_some()
    }

    fn count(&self, node: &Node) -> u64 {
        match node.children.is_empty() {
            true => self.division.replicas[node.party],
            false => node.children.iter().map(|child| self.count(child)).sum(),
        }
    }
}
