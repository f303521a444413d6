//! The cost of a cluster's replicas as pieces of constant price.

use super::Candidate;

/// Replicas of a cluster that cost the same.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) units: u64,
    /// Of each, with the price of a move where it is not running yet, as [`tied`] says.
    pub(super) price: i64,
    /// Whether they count for the minimum.
    pub(super) needed: bool,
}

/// What decides between replicas that cost the same, best first.
#[derive(Clone, Copy)]
pub(super) enum Tie {
    Running,
    New,
    Nowhere,
}

/// A price that is never equal for different ties: three times as fine as what it is made from.
///
/// None if there is no price or it does not fit in 63 bits.
pub(super) fn tied(price: Option<u64>, tie: Tie) -> Option<i64> {
    i64::try_from(price?)
        .ok()?
        .checked_mul(3)?
        .checked_add(tie as i64)
}

/// The replicas that a cluster can run, cut where the price changes: cheapest and most needed first.
///
/// None if a price does not fit.
pub(super) fn segments(cluster: &Candidate, replicas: u64, move_price: u64) -> Option<Vec<Segment>> {
    let end = cluster.max.min(cluster.capacity).min(replicas);
    let mut rises: Vec<(u64, u64)> = cluster
        .steps
        .iter()
        .map(|step| (step.above, step.price))
        .collect();
    rises.extend([(cluster.current, move_price), (cluster.min, 0), (end, 0)]);
    rises.sort_unstable();

    let mut segments = Vec::new();
    let (mut start, mut price) = (0, Some(cluster.cost));
    for (at, rise) in rises {
        let cut = at.min(end);
        if cut > start {
            let tie = if start < cluster.current {
                Tie::Running
            } else {
                Tie::New
            };
            segments.push(Segment {
                units: cut - start,
                price: tied(price, tie)?,
                needed: start < cluster.min,
            });
            start = cut;
        }
        price = price.and_then(|price| price.checked_add(rise));
    }
    Some(segments)
}
