//! Between what another system would have and what runs.

use crate::{moves::Rebalancer, pipeline::Candidate};

/// Nowhere is better than where something runs: only shares by weight or by what is free are put right.
pub(super) struct Still;

impl Rebalancer for Still {
    fn worth(&self, _: &Candidate<'_>, _: i64) -> i64 {
        0
    }
}

/// `target` as far as what runs lets it be. Where more are wanted than run, nobody has less than runs there; where
/// fewer are, nobody has more and all together have as many as are wanted. Lists are by index; who comes first gives
/// way last.
pub(super) fn toward(current: &[u64], target: &[u64], wanted: u64) -> Vec<u64> {
    let sum = |counts: &[u64]| counts.iter().fold(0_u64, |sum, count| sum.saturating_add(*count));
    let pairs = current.iter().zip(target);
    if sum(current) <= wanted {
        let mut counts: Vec<u64> = pairs.map(|(now, then)| *now.max(then)).collect();
        let mut excess = sum(&counts).saturating_sub(wanted);
        for (count, now) in counts.iter_mut().zip(current).rev() {
            let less = (*count - now).min(excess);
            *count -= less;
            excess -= less;
        }
        return counts;
    }
    let mut counts: Vec<u64> = pairs.map(|(now, then)| *now.min(then)).collect();
    let mut missing = wanted.saturating_sub(sum(&counts));
    for (count, now) in counts.iter_mut().zip(current) {
        let more = (now - *count).min(missing);
        *count += more;
        missing -= more;
    }
    counts
}

#[cfg(test)]
mod tests {
    use super::toward;

    #[test]
    fn nothing_that_runs_moves() {
        let check = |current: &[u64], target: &[u64], wanted: u64, expect: &[u64]| {
            assert_eq!(
                toward(current, target, wanted),
                expect,
                "{current:?} to {target:?}"
            );
        };
        check(&[], &[], 0, &[]);
        check(&[0, 0], &[3, 4], 7, &[3, 4]);
        check(&[6, 0, 0], &[4, 4, 4], 12, &[6, 4, 2]);
        check(&[6, 6], &[9, 0], 9, &[6, 3]);
        check(&[2, 2], &[2, 2], 4, &[2, 2]);
        check(&[6, 6, 0], &[3, 3, 3], 9, &[6, 3, 0]);
        check(&[0, 4], &[2, 2], 4, &[0, 4]);
        // A layout for fewer than are wanted takes nobody's replicas, and gives up none that may stay.
        check(&[5, 0], &[2, 2], 9, &[5, 2]);
        check(&[5, 5], &[2, 2], 9, &[5, 4]);
    }
}
