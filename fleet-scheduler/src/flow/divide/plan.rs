//! A division as a network.

use super::segments::{Tie, segments, tied};
use super::{Division, DivisionError, DomainId};
use crate::flow::{ArcId, FlowError, Network};

const SOURCE: usize = 0;
const SINK: usize = 1;

/// The division as a network.
///
/// Replicas flow from the source down through the domains to the sink, and each cluster is a bundle of parallel arcs
/// from its domain to the sink, dearer from one to the next. As a path from source to sink only ever goes down, no
/// flow is taken back, and each phase of the search fills some arc for good.
///
/// Two divisions differ by exchanges, each of which takes a replica from one arc into the sink and gives it to another.
/// So what counts before all prices need only be higher than the dearest place, however many replicas there are.
pub(super) struct Plan {
    network: Network,
    /// The arcs of each cluster.
    arcs: Vec<Vec<ArcId>>,
}

impl Plan {
    pub(super) fn new(division: &Division) -> Result<Self, DivisionError> {
        let clusters = division.clusters.iter();
        let clusters = clusters
            .map(|cluster| segments(cluster, division.replicas, division.move_price))
            .collect::<Option<Vec<_>>>()
            .ok_or(DivisionError::PricesTooLarge)?;
        let dearest = clusters
            .iter()
            .flatten()
            .map(|segment| segment.price)
            .max()
            .unwrap_or(0);
        let above = dearest.checked_add(1);
        let shortfall = match division.shortfall_price {
            // A running replica that is given up has stopped without need, too, and pays for that.
            Some(price) => tied(price.checked_add(division.move_price), Tie::Nowhere),
            None => above,
        };
        let (Some(reward), Some(shortfall)) = (above, shortfall) else {
            return Err(DivisionError::PricesTooLarge);
        };

        let mut network = Network::new(2 + division.domains.len());
        let node = |domain: Option<DomainId>| domain.map_or(SOURCE, |id| 2 + id.0);
        for (index, domain) in division.domains.iter().enumerate() {
            let (from, to) = (node(domain.parent), node(Some(DomainId(index))));
            network.arc(from, to, domain.min, -reward)?;
            network.arc(from, to, domain.max - domain.min, 0)?;
        }
        let mut arcs = Vec::with_capacity(clusters.len());
        for (cluster, segments) in division.clusters.iter().zip(clusters) {
            let from = node(cluster.domain);
            let bundle = segments.into_iter().map(|segment| {
                let price = if segment.needed {
                    segment.price - reward
                } else {
                    segment.price
                };
                network.arc(from, SINK, segment.units, price)
            });
            arcs.push(bundle.collect::<Result<_, _>>()?);
        }
        network.arc(SOURCE, SINK, u64::MAX, shortfall)?;
        Ok(Self { network, arcs })
    }

    /// Replicas in each cluster.
    pub(super) fn place(&self, replicas: u64) -> Result<Vec<u64>, FlowError> {
        let flow = self.network.solve(SOURCE, SINK, replicas)?;
        let clusters = self.arcs.iter();
        Ok(clusters
            .map(|arcs| arcs.iter().map(|&arc| flow.on(arc)).sum())
            .collect())
    }
}
