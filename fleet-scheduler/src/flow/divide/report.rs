//! What a division means: limits reached, moves, cost.

use super::{Divided, Division, DivisionError, Domain, DomainId, Limit, Share};
use crate::flow::FlowError;

impl Division {
    /// What so many replicas in each cluster mean.
    pub(super) fn report(&self, placed: &[u64]) -> Result<Divided, DivisionError> {
        let mut within = vec![0; self.domains.len()];
        for (cluster, replicas) in self.clusters.iter().zip(placed) {
            for domain in self.around(cluster.domain) {
                within[domain.0] += replicas;
            }
        }
        let domains = self.domains.iter().zip(&within).map(|(domain, &replicas)| {
            let own = reached(replicas, domain.min, domain.max, u64::MAX);
            self.share(replicas, domain.min, own, domain.parent, &within)
        });
        let clusters = self.clusters.iter().zip(placed).map(|(cluster, &replicas)| {
            let own = reached(replicas, cluster.min, cluster.max, cluster.capacity);
            self.share(replicas, cluster.min, own, cluster.domain, &within)
        });
        let (clusters, domains) = (clusters.collect(), domains.collect());
        let shortfall = self.replicas - placed.iter().sum::<u64>();
        let moved = self.moved(placed);
        let cost = self.cost(placed, moved, shortfall).ok_or(FlowError::Overflow)?;
        Ok(Divided {
            clusters,
            domains,
            shortfall,
            moved,
            cost,
        })
    }

    fn share(
        &self,
        replicas: u64,
        min: u64,
        own: impl Iterator<Item = Limit>,
        domain: Option<DomainId>,
        within: &[u64],
    ) -> Share {
        let around = self.around(domain).flat_map(|id| {
            let Domain { min, max, .. } = self.domains[id.0];
            reached(within[id.0], min, max, u64::MAX).map(move |limit| match limit {
                Limit::Minimum => Limit::DomainMinimum(id),
                _ => Limit::DomainMaximum(id),
            })
        });
        Share {
            replicas,
            unmet: min.saturating_sub(replicas),
            limits: own.chain(around).collect(),
        }
    }

    /// A domain and all around it, from the inside out.
    fn around(&self, domain: Option<DomainId>) -> impl Iterator<Item = DomainId> {
        std::iter::successors(domain, |inner| self.domains[inner.0].parent)
    }

    fn moved(&self, placed: &[u64]) -> u64 {
        let sum = |counts: &mut dyn Iterator<Item = u64>| counts.map(u128::from).sum::<u128>();
        let stopped = sum(&mut self
            .clusters
            .iter()
            .zip(placed)
            .map(|(cluster, now)| cluster.current.saturating_sub(*now)));
        let running = sum(&mut self.clusters.iter().map(|cluster| cluster.current));
        let shrinks = running.saturating_sub(self.replicas.into());
        // At least as many stop as the workload shrinks by; of the wanted ones no more than are wanted.
        u64::try_from(stopped - shrinks).unwrap_or(u64::MAX)
    }

    fn cost(&self, placed: &[u64], moved: u64, shortfall: u64) -> Option<i128> {
        let mut cost = 0_i128;
        let mut add = |units: u64, price: u64| {
            cost = cost.checked_add(i128::from(units).checked_mul(price.into())?)?;
            Some(())
        };
        for (cluster, &replicas) in self.clusters.iter().zip(placed) {
            add(replicas, cluster.cost)?;
            for step in &cluster.steps {
                add(replicas.saturating_sub(step.above), step.price)?;
            }
        }
        add(moved, self.move_price)?;
        add(shortfall, self.shortfall_price.unwrap_or(0))?;
        Some(cost)
    }
}

/// The own limits that so many replicas reach.
fn reached(replicas: u64, min: u64, max: u64, capacity: u64) -> impl Iterator<Item = Limit> {
    let limits = [
        (Limit::Maximum, replicas == max),
        (Limit::Capacity, replicas == capacity),
        (Limit::Minimum, min > 0 && replicas <= min),
    ];
    limits
        .into_iter()
        .filter_map(|(limit, reached)| reached.then_some(limit))
}
