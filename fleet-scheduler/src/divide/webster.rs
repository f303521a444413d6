//! Webster's method, also called Sainte-Laguë: by weight alone, seat by seat.

use super::{
    DivideError, Division, Limit, MAX_REPLICAS, Party,
    awards::{Contender, award},
    fnv::fnv1a,
    party::{by_name, check},
};

/// Who is served first among equals, after the one with fewer seats.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub enum Ties {
    /// Names from first to last.
    #[default]
    NameAscending,
    /// Names from last to first.
    NameDescending,
}

impl Ties {
    /// By a workload's UID, so that not every workload favours the same cluster: descending if FNV-1a of it is odd. An
    /// empty UID means ascending. As Karmada's dispenser.
    pub fn of_uid(uid: &str) -> Self {
        match !uid.is_empty() && fnv1a(uid.bytes()) % 2 == 1 {
            true => Self::NameDescending,
            false => Self::NameAscending,
        }
    }
}

/// Divides by weight: each replica goes to the party with the largest `weight / (2·seats + 1)`.
///
/// House monotone. With weights that are capacities, and no more replicas than their sum, nobody gets more than its
/// capacity. All other limits are ignored. Without weight nobody gets any; if nobody has weight, all is shortfall.
///
/// ```
/// use fleet_scheduler::divide::{Party, Ties, webster};
/// let parties = [Party::new("a").weight(2), Party::new("b").weight(3), Party::new("c").weight(5)];
/// let division = webster(&parties, 7, Ties::default())?;
/// assert_eq!(division.replicas, [1, 2, 4]);
/// # Ok::<(), fleet_scheduler::divide::DivideError>(())
/// ```
///
/// # Errors
/// Names that are not unique, and counts above [`MAX_REPLICAS`].
pub fn webster(parties: &[Party<'_>], replicas: u64, ties: Ties) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    Ok(seats(parties, |_| 0, replicas, ties))
}

/// Adds `replicas` to what runs now, which counts as seats already taken. The answer includes them.
///
/// # Errors
/// As [`webster()`]; also if both together are above [`MAX_REPLICAS`].
pub fn webster_onto(parties: &[Party<'_>], replicas: u64, ties: Ties) -> Result<Division, DivideError> {
    check(parties, replicas)?;
    let count = parties.iter().map(|party| party.current).sum::<u64>() + replicas;
    if count > MAX_REPLICAS {
        return Err(DivideError::TooMany {
            what: "replicas",
            count,
            most: MAX_REPLICAS,
        });
    }
    Ok(seats(parties, |party| party.current, replicas, ties))
}

fn seats(parties: &[Party<'_>], start: fn(&Party<'_>) -> u64, replicas: u64, ties: Ties) -> Division {
    let votes: Vec<(u64, u64)> = parties.iter().map(|party| (party.weight, start(party))).collect();
    let before: u64 = votes.iter().map(|(_, start)| start).sum();
    let counts = apportion(&votes, &tie_order(parties, ties), replicas);
    let shortfall = before + replicas - counts.iter().sum::<u64>();
    let mut division = Division::of(counts);
    division.shortfall = shortfall;
    let limit = |party: &Party<'_>| (party.weight == 0).then_some(Limit::Weight);
    division.limits = parties.iter().map(limit).collect();
    division
}

/// Indexes of the parties in the order in which ties are broken.
pub(super) fn tie_order(parties: &[Party<'_>], ties: Ties) -> Vec<usize> {
    let mut order = by_name(parties);
    if ties == Ties::NameDescending {
        order.reverse();
    }
    order
}

/// Webster over `(votes, seats before)` by index, for those in `order`; the others keep what they have. The result has
/// the seats before in it.
pub(super) fn apportion(votes: &[(u64, u64)], order: &[usize], seats: u64) -> Vec<u64> {
    let mut counts: Vec<u64> = votes.iter().map(|(_, start)| *start).collect();
    let contender = |&i: &usize| {
        let (weight, start) = votes[i];
        let bound = if weight == 0 {
            start
        } else {
            start.saturating_add(seats)
        };
        Contender {
            weight: u128::from(weight),
            start,
            bound,
            counts: false,
        }
    };
    let contenders: Vec<Contender> = order.iter().map(contender).collect();
    let total = seats + contenders.iter().map(|contender| contender.start).sum::<u64>();
    let awarded = award(&contenders, None, total);
    order
        .iter()
        .zip(awarded)
        .for_each(|(&i, count)| counts[i] = count);
    counts
}
