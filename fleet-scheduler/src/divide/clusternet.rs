//! Divisions equivalent to Clusternet's, for those who come from there.

use super::{
    DivideError, Division, Limit, Party,
    largest_remainder::{by_quotas, largest_remainder},
    party::check,
};

/// Static dividing: quotas by weight, rounded down, then one more for each of the largest weights. Clusternet leaves
/// the order of equal weights open; here the first name goes first. Limits are ignored; if nobody has weight, all is
/// shortfall.
///
/// # Errors
/// Names that are not unique, and counts above [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub fn static_weight(parties: &[Party<'_>], replicas: u64) -> Result<Division, DivideError> {
    by_quotas(parties, replicas, |_, weight| weight)
}

/// Dynamic dividing: only the difference to what runs is divided, by largest remainder; an addition by what still fits,
/// a removal by what runs. Where less fits than is to be added, everything that fits is used, and the rest is
/// [shortfall](Division::shortfall) (Clusternet does not say so). A cluster of unknown capacity fits the whole
/// addition.
///
/// # Errors
/// Names that are not unique, and counts above [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub fn dynamic(parties: &[Party<'_>], replicas: u64) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    let current: u64 = parties.iter().map(|party| party.current).sum();
    let added = replicas.saturating_sub(current);
    let fits = |party: &Party<'_>| match party.capacity.or(party.limit) {
        Some(_) => party.room().saturating_sub(party.current),
        None => added,
    };
    let weight = |party: &Party<'_>| if added > 0 { fits(party) } else { party.current };
    let weighted: Vec<Party<'_>> = parties
        .iter()
        .map(|party| party.clone().weight(weight(party)))
        .collect();
    let room: u64 = weighted.iter().map(|party| party.weight).sum();
    let mut division = Division::of(parties.iter().map(|party| party.current).collect());
    if added > 0 {
        let change = largest_remainder(&weighted, added.min(room))?;
        division
            .replicas
            .iter_mut()
            .zip(&change.replicas)
            .for_each(|(count, more)| *count += more);
        division.shortfall = added - added.min(room);
        let limit = |(more, party): (&u64, &Party<'_>)| (*more >= fits(party)).then_some(Limit::Capacity);
        division.limits = change.replicas.iter().zip(parties).map(limit).collect();
    } else {
        // Of the removals nobody has more than it runs: a quota is at most the weight.
        let change = largest_remainder(&weighted, current - replicas)?;
        division
            .replicas
            .iter_mut()
            .zip(&change.replicas)
            .for_each(|(count, fewer)| *count -= fewer);
    }
    Ok(division)
}
