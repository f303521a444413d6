//! Divisions equivalent to Karmada's replica scheduling, for those who come from there.
//!
//! [`Party::capacity`] includes what runs now, so what Karmada calls *allocatable* is the capacity less that. A cluster
//! of unknown capacity is taken to have all replicas allocatable. Minimums, maximums and domains are ignored, as
//! Karmada has none in its division. Pass [`Ties::of_uid`] of the binding's UID to break ties as Karmada does.

use super::{
    DivideError, Division, Limit, Mode, Party, Ties,
    party::check,
    webster::{apportion, tie_order, webster},
};

/// Duplicated: every cluster gets all replicas.
///
/// # Errors
/// Names that are not unique, and counts above [`MAX_REPLICAS`](super::MAX_REPLICAS).
pub fn duplicated(parties: &[Party<'_>], replicas: u64) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    Ok(Division::of(vec![replicas; parties.len()]))
}

/// Static weights: Webster over the weights, or evenly if all are zero. Capacity and what runs now are ignored.
///
/// # Errors
/// As [`duplicated`].
pub fn static_weight(parties: &[Party<'_>], replicas: u64, ties: Ties) -> Result<Division, DivideError> {
    if parties.iter().any(|party| party.weight > 0) {
        return webster(parties, replicas, ties);
    }
    let even: Vec<Party<'_>> = parties.iter().map(|party| party.clone().weight(1)).collect();
    webster(&even, replicas, ties)
}

/// Dynamic weights: in proportion to what fits.
///
/// Fresh: everything by capacity. Steady: what is added by what is allocatable; what remains after a removal by what
/// runs; nothing if the total is the same.
///
/// # Errors
/// [`DivideError::Insufficient`] if not all fit; otherwise as [`duplicated`].
pub fn dynamic_weight(
    parties: &[Party<'_>],
    replicas: u64,
    mode: Mode,
    ties: Ties,
) -> Result<Division, DivideError> {
    dynamic(parties, replicas, mode, ties, Preference::Weighted)
}

/// Aggregated: as [`dynamic_weight`], but over the fewest clusters that suffice, taken in order of what fits; where
/// replicas are added, clusters that have some come first. The replicas are still shared in proportion over these
/// clusters, so the first is not filled: for that, see [`aggregated`](super::aggregated()) of this library.
///
/// Karmada leaves the order of equal clusters open; here the first name goes first.
///
/// # Errors
/// As [`dynamic_weight`].
pub fn aggregated(
    parties: &[Party<'_>],
    replicas: u64,
    mode: Mode,
    ties: Ties,
) -> Result<Division, DivideError> {
    dynamic(parties, replicas, mode, ties, Preference::Aggregated)
}

#[derive(Clone, Copy, Eq, PartialEq)]
enum Preference {
    Weighted,
    Aggregated,
}

fn dynamic(
    parties: &[Party<'_>],
    replicas: u64,
    mode: Mode,
    ties: Ties,
    preference: Preference,
) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    let current: Vec<u64> = parties.iter().map(|party| party.current).collect();
    let runs: u64 = current.iter().sum();
    let allocatable = |party: &Party<'_>| match party.capacity.or(party.limit) {
        Some(_) => party.room().saturating_sub(party.current),
        None => replicas,
    };
    let nothing = || vec![0; parties.len()];
    // What is divided, by which votes, and on top of what.
    let (seats, votes, base) = match mode {
        Mode::Fresh => {
            let all = parties.iter().map(|party| allocatable(party) + party.current);
            (replicas, all.collect::<Vec<u64>>(), nothing())
        }
        Mode::Steady if runs > replicas => (replicas, current.clone(), nothing()),
        Mode::Steady if runs < replicas => (
            replicas - runs,
            parties.iter().map(allocatable).collect(),
            current.clone(),
        ),
        Mode::Steady => return Ok(Division::of(current)),
    };
    let available: u64 = votes.iter().sum();
    if available < seats {
        return Err(DivideError::Insufficient {
            asked: seats,
            available,
        });
    }
    let mut order = tie_order(parties, ties);
    if preference == Preference::Aggregated {
        let prefix = fewest(parties, &votes, seats);
        order.retain(|&i| prefix[i]);
    }
    let voted: Vec<(u64, u64)> = votes.iter().map(|votes| (*votes, 0)).collect();
    let placed = apportion(&voted, &order, seats);
    let mut division = Division::of(
        base.iter()
            .zip(&placed)
            .map(|(base, placed)| base + placed)
            .collect(),
    );
    let full = |(placed, votes): (&u64, &u64)| (placed == votes).then_some(Limit::Capacity);
    division.limits = placed.iter().zip(&votes).map(full).collect();
    Ok(division)
}

/// The shortest prefix of the clusters that suffices: those that run some first, then by votes. (Of a removal the votes
/// are what runs, so there the first rule changes nothing.)
fn fewest(parties: &[Party<'_>], votes: &[u64], seats: u64) -> Vec<bool> {
    let mut order: Vec<usize> = (0..parties.len()).collect();
    let rank = |i: usize| {
        (
            parties[i].current == 0,
            std::cmp::Reverse(votes[i]),
            parties[i].name,
        )
    };
    order.sort_unstable_by_key(|&i| rank(i));
    let mut taken = vec![false; parties.len()];
    let mut available = 0;
    for i in order {
        taken[i] = true;
        available += votes[i];
        if available >= seats {
            break;
        }
    }
    taken
}
