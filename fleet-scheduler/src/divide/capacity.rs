//! In proportion to what fits.

use super::{DivideError, Division, Party, Spread, bounded};

/// Divides with each cluster's capacity as its weight, within all limits of [`bounded()`].
///
/// With no more replicas than the sum of capacities, and no other limits, nobody exceeds its capacity: a property of
/// Webster's rule. A cluster of unknown capacity is taken to fit all replicas, as in Karmada. Weights are ignored.
///
/// # Errors
/// As [`bounded()`].
pub fn by_capacity(
    parties: &[Party<'_>],
    spread: &Spread<'_>,
    replicas: u64,
) -> Result<Division, DivideError> {
    let weight = |party: &Party<'_>| match party.capacity.or(party.limit) {
        Some(_) => party.room(),
        None => replicas,
    };
    let weighted: Vec<Party<'_>> = parties
        .iter()
        .map(|party| party.clone().weight(weight(party)))
        .collect();
    bounded(&weighted, spread, replicas)
}
