use fleet_scheduler::divide::{Party, clusternet};
use proptest::prelude::*;

use super::model::NAMES;

#[test]
fn static_weights() {
    let check = |weights: &[u64], replicas, expect: &[u64]| {
        let all: Vec<_> = NAMES
            .iter()
            .zip(weights)
            .map(|(name, weight)| Party::new(name).weight(*weight))
            .collect();
        assert_eq!(
            clusternet::static_weight(&all, replicas).expect("valid").replicas,
            expect,
            "{weights:?}"
        );
    };
    check(&[1, 1, 1], 10, &[4, 3, 3]);
    // The remainders go to the largest weights, not to the largest remainders.
    check(&[1, 9, 9], 10, &[0, 5, 5]);
    check(&[2, 5, 6], 4, &[0, 2, 2]);
    check(&[0, 0], 4, &[0, 0]);
}

#[test]
fn dynamic() {
    let check = |now: &[u64], capacity: &[u64], replicas, expect: &[u64], shortfall| {
        let party = |i: usize| Party::new(NAMES[i]).current(now[i]).capacity(capacity[i]);
        let all: Vec<_> = (0..now.len()).map(party).collect();
        let division = clusternet::dynamic(&all, replicas).expect("valid");
        assert_eq!(
            (division.replicas.as_slice(), division.shortfall),
            (expect, shortfall),
            "{now:?} {replicas}"
        );
    };
    check(&[0, 0], &[10, 30], 8, &[2, 6], 0);
    check(&[2, 6], &[10, 30], 12, &[3, 9], 0);
    check(&[3, 9], &[10, 30], 4, &[1, 3], 0);
    check(&[3, 9], &[10, 30], 12, &[3, 9], 0);
    check(&[3, 9], &[4, 10], 20, &[4, 10], 6);
    check(&[0, 0], &[0, 0], 2, &[0, 0], 2);
}

proptest! {
    #[test]
    fn only_the_difference_moves(
        now in prop::collection::vec(0..20u64, 1..8),
        fits in prop::collection::vec(0..40u64, 8),
        replicas in 0..200u64,
    ) {
        let party = |i: usize| Party::new(NAMES[i]).current(now[i]).capacity(fits[i]);
        let all: Vec<_> = (0..now.len()).map(party).collect();
        let division = clusternet::dynamic(&all, replicas).expect("valid");
        prop_assert_eq!(division.placed() + division.shortfall, replicas);
        let runs: u64 = now.iter().sum();
        for (i, count) in division.replicas.iter().enumerate() {
            prop_assert!(replicas < runs || *count >= now[i]);
            prop_assert!(replicas > runs || *count <= now[i]);
            prop_assert!(*count <= fits[i].max(now[i]));
        }
    }
}
