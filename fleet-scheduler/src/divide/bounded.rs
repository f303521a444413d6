//! The default method: weights within minimums, maximums, capacities and spread domains, house monotone.

use super::{DivideError, Division, Party, Spread, tree::Tree};

/// Divides by weight within all limits.
///
/// The answer for `n` replicas is the first `n` of one fixed sequence of awards. Each award goes down the levels, from
/// the outermost domains to a cluster, and at each level to the child that comes first:
///
/// 1. Children that still miss something of a minimum (their own, or one inside them) come before all others.
/// 2. Among these, and then among the rest, Webster's rule decides: the largest `weight / (2·count + 1)`, then the
///    smaller count, then the name. A domain's weight is the sum over its clusters.
/// 3. A child is skipped if it is full (maximum, capacity, all inside full), or if it would get further ahead of its
///    smallest sibling than the [`Skew`](super::Skew) of the level allows.
///
/// What a sibling must get first so that a skew lets a minimum be reached counts as part of that minimum. A cluster
/// without weight gets its minimum and no more.
///
/// Which properties hold, and why:
/// - *House monotone*: the sequence does not depend on `n`.
/// - *Maximums, capacities and skews always hold*: each award checks them and nothing is taken back. So a skew holds
///   for every `n`, and a minimum that contradicts it gives way.
/// - *All is placed if anything allows it*: the sequence ends only where every cluster is limited; what is left is
///   [`Division::shortfall`], and [`Division::limits`] names the limit of each cluster.
/// - *A minimum is missed only* if a limit stands in its way or `n` is too small: it is then listed in
///   [`Division::unmet`] with that limit. When `n` is smaller than all minimums, they are filled by weight.
/// - *With one level of clusters and no limits* it is [`webster()`](super::webster()).
///
/// What runs now is not looked at: for that, see [`steady()`](super::steady()).
///
/// ```
/// use fleet_scheduler::divide::{Level, Party, Skew, Spread, bounded};
/// let spread = Spread::none().level(Level::new("region").skew(Skew::hard(1)));
/// let parties = [
///     Party::new("eu-1").domains(["eu"]).weight(5),
///     Party::new("eu-2").domains(["eu"]).max(1),
///     Party::new("us-1").domains(["us"]).capacity(2),
/// ];
/// let division = bounded(&parties, &spread, 9)?;
/// assert_eq!(division.replicas, [2, 1, 2]);
/// assert_eq!(division.shortfall, 4);
/// # Ok::<(), fleet_scheduler::divide::DivideError>(())
/// ```
///
/// # Errors
/// Input that contradicts itself or is out of range: all variants of [`DivideError`] but `Insufficient`.
pub fn bounded(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64) -> Result<Division, DivideError> {
    Ok(Tree::new(parties, spread, replicas, false)?.divide(replicas))
}
