//! Scaling with as few moves as possible: up only adds, down only removes.

use super::{DivideError, Division, Party, Spread, tree::Tree};

/// Divides within all limits of [`bounded()`](super::bounded()), starting from what runs now.
///
/// - More replicas than run: only additions, by the same awards as [`bounded()`](super::bounded()), with what runs as
///   seats taken. So those that have too little catch up first.
/// - Fewer: only removals, in the exact reverse: the cluster whose last replica was least deserved loses it; minimums
///   are touched last, and no removal widens a skew beyond its limit.
/// - As many: nothing changes. So the answer is its own answer.
/// - A maximum, a capacity or a domain's maximum that is below what runs takes replicas away, and they are added
///   elsewhere. These are the only moves. A maximum of zero drains a cluster.
/// - A cluster that is not passed in has lost its replicas; what is missing is added to the others, and these keep what
///   they have.
///
/// Weights, minimums and skews steer what is added or removed but never move what runs. So a minimum may be
/// [unmet](Division::unmet), and a skew exceeded, until the total changes.
///
/// ```
/// use fleet_scheduler::divide::{Party, Spread, steady};
/// let parties = [Party::new("a").current(6), Party::new("b").current(6), Party::new("new")];
/// assert_eq!(steady(&parties, &Spread::none(), 12)?.replicas, [6, 6, 0]);
/// assert_eq!(steady(&parties, &Spread::none(), 15)?.replicas, [6, 6, 3]);
/// assert_eq!(steady(&parties, &Spread::none(), 9)?.replicas, [5, 4, 0]);
/// # Ok::<(), fleet_scheduler::divide::DivideError>(())
/// ```
///
/// # Errors
/// As [`bounded()`](super::bounded()).
pub fn steady(parties: &[Party<'_>], spread: &Spread<'_>, replicas: u64) -> Result<Division, DivideError> {
    Ok(Tree::new(parties, spread, replicas, true)?.divide(replicas))
}
