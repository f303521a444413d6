//! Weights by what is free.

/// How far a weight may be above the cluster's part of what all offer, in percent of that part.
pub const SUPPLY_LIMIT: u64 = 140;

/// What all weights are together.
const SUM: u128 = 1000;

/// How much of a resource (CPU, or GPU where it is asked for) a cluster offers and has free, in whole units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Supply<'a> {
    /// The cluster.
    pub name: &'a str,
    /// What its nodes offer.
    pub allocatable: u64,
    /// What of that is free.
    pub available: u64,
}

impl<'a> Supply<'a> {
    /// A cluster that offers so much and has so much of it free.
    pub fn new(name: &'a str, allocatable: u64, available: u64) -> Self {
        Self {
            name,
            allocatable,
            available,
        }
    }
}

/// `KubeAdmiral`'s dynamic weights, by index: each cluster's part of what is free, in thousandths, but at most `limit`
/// percent ([`SUPPLY_LIMIT`]) of its part of what is offered; then scaled to a thousand again, and what rounding leaves
/// goes to the largest, the first of these by name. Where nothing is free, all have equal parts.
pub fn dynamic_weights(clusters: &[Supply<'_>], limit: u64) -> Vec<u64> {
    let offered: u128 = clusters.iter().map(|one| u128::from(one.allocatable)).sum();
    let free: u128 = clusters.iter().map(|one| u128::from(one.available)).sum();
    let count = clusters.len() as u128;
    let even = round(SUM, count);
    if free == 0 {
        return vec![narrow(even); clusters.len()];
    }
    let limited = |one: &Supply<'_>| {
        let most = match offered {
            0 => even,
            _ => round(
                u128::from(one.allocatable) * SUM * u128::from(limit),
                offered * 100,
            ),
        };
        round(u128::from(one.available) * SUM, free).min(most)
    };
    let parts: Vec<u128> = clusters.iter().map(limited).collect();
    let sum: u128 = parts.iter().sum();
    let mut weights: Vec<u128> = parts.iter().map(|part| round(part * SUM, sum)).collect();
    let largest = (0..clusters.len()).max_by_key(|&at| (weights[at], std::cmp::Reverse(clusters[at].name)));
    if let Some(largest) = largest {
        let others = weights.iter().sum::<u128>() - weights[largest];
        weights[largest] = SUM.saturating_sub(others);
    }
    weights.into_iter().map(narrow).collect()
}

/// The nearest whole number, halves up; of nothing, 0.
fn round(amount: u128, of: u128) -> u128 {
    (2 * amount + of).checked_div(2 * of).unwrap_or(0)
}

fn narrow(weight: u128) -> u64 {
    u64::try_from(weight).unwrap_or(u64::MAX)
}
