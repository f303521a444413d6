use fleet_scheduler::divide::{Party, largest_remainder};
use proptest::prelude::*;

use super::model::NAMES;

fn divide(weights: &[u64], replicas: u64) -> Vec<u64> {
    let parties: Vec<_> = NAMES
        .iter()
        .zip(weights)
        .map(|(name, weight)| Party::new(name).weight(*weight))
        .collect();
    let division = largest_remainder(&parties, replicas).expect("valid input");
    assert_eq!(division.placed() + division.shortfall, replicas);
    division.replicas
}

#[test]
fn vectors() {
    let check = |weights: &[u64], replicas, expect: &[u64]| {
        assert_eq!(divide(weights, replicas), expect, "{weights:?} {replicas}");
    };
    check(&[1, 1, 1], 10, &[4, 3, 3]);
    check(&[5, 3, 1], 7, &[4, 2, 1]);
    // Equal remainders of one half: the larger weight first.
    check(&[1, 3], 2, &[0, 2]);
    check(&[0, 7], 3, &[0, 3]);
    check(&[0, 0], 3, &[0, 0]);
    check(&[], 3, &[]);
    check(
        &[u64::MAX, u64::MAX],
        u64::from(u32::MAX),
        &[1 << 31, (1 << 31) - 1],
    );
}

#[test]
fn more_replicas_can_take_one_away() {
    assert_eq!(divide(&[6, 6, 2], 10), [4, 4, 2]);
    assert_eq!(divide(&[6, 6, 2], 11), [5, 5, 1], "the Alabama paradox");
}

proptest! {
    #[test]
    fn nobody_is_a_whole_replica_from_its_quota(
        weights in prop::collection::vec(any::<u64>(), 1..8),
        replicas in 0..1000u64,
    ) {
        let sum: u128 = weights.iter().map(|weight| u128::from(*weight)).sum();
        prop_assume!(sum > 0);
        for (count, weight) in divide(&weights, replicas).into_iter().zip(&weights) {
            let (scaled, quota) = (u128::from(count) * sum, u128::from(*weight) * u128::from(replicas));
            prop_assert!(scaled.abs_diff(quota) < sum);
        }
    }
}
