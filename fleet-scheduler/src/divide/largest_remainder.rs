//! Hamilton's method: whole quotas, then the largest remainders.

use super::{DivideError, Division, Limit, Party, party::check};

/// Divides by weight: each party gets its quota `weight · replicas / Σ weights`, rounded down; the replicas that are
/// left go to the largest remainders, of equal ones to the larger weight, then to the first name.
///
/// Nobody is ever a whole replica away from its quota. But the method is **not** house monotone: one replica more can
/// take one from a small cluster (the Alabama paradox), so it suits one-time divisions. Limits are ignored. Without
/// weight nobody gets any; if nobody has weight, all is shortfall.
///
/// # Errors
/// Names that are not unique, and counts above [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub fn largest_remainder(parties: &[Party<'_>], replicas: u64) -> Result<Division, DivideError> {
    by_quotas(parties, replicas, |remainder, weight| (remainder, weight))
}

/// Whole quotas, and what rounding leaves over to those with the largest claim, a function of remainder and weight; of equal
/// claims to the first name.
pub(super) fn by_quotas<K: Ord>(
    parties: &[Party<'_>],
    replicas: u64,
    claim: impl Fn(u128, u64) -> K,
) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    let weights: Vec<u64> = parties.iter().map(|party| party.weight).collect();
    let mut division = Division::of(vec![0; parties.len()]);
    division.limits = weights
        .iter()
        .map(|weight| (*weight == 0).then_some(Limit::Weight))
        .collect();
    let Some((quotas, remainders)) = quotas(&weights, replicas) else {
        division.shortfall = replicas;
        return Ok(division);
    };
    division.replicas = quotas;
    let mut order: Vec<usize> = (0..parties.len()).collect();
    order.sort_unstable_by(|&a, &b| {
        let claim = |i: usize| claim(remainders[i], weights[i]);
        claim(b)
            .cmp(&claim(a))
            .then_with(|| parties[a].name.cmp(parties[b].name))
    });
    top_up(&mut division.replicas, &order, replicas);
    Ok(division)
}

/// Quotas rounded down, and their remainders in units of one over the sum of weights. `None` if that is zero.
fn quotas(weights: &[u64], replicas: u64) -> Option<(Vec<u64>, Vec<u128>)> {
    let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
    let product = |weight: &u64| u128::from(*weight) * u128::from(replicas);
    if sum == 0 {
        return None;
    }
    let parts: Vec<(u128, u128)> = weights
        .iter()
        .map(|weight| (product(weight) / sum, product(weight) % sum))
        .collect();
    // A quota is at most `replicas`.
    let whole = |(quota, _): &(u128, u128)| u64::try_from(*quota).unwrap_or(replicas);
    Some((
        parts.iter().map(whole).collect(),
        parts.iter().map(|(_, rest)| *rest).collect(),
    ))
}

/// Gives one more to the first of `order` until there are `replicas`.
fn top_up(counts: &mut [u64], order: &[usize], replicas: u64) {
    let missing = replicas - counts.iter().sum::<u64>();
    let first = usize::try_from(missing).unwrap_or(usize::MAX);
    order.iter().take(first).for_each(|&i| counts[i] += 1);
}
