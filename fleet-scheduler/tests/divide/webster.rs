use fleet_scheduler::divide::{Division, Limit, Party, Ties, webster, webster_onto};
use proptest::prelude::*;

use super::model::{self, NAMES};

const EVEN: &str = "00000000-0000-0000-0000-000000000001";
const ODD: &str = "00000000-0000-0000-0000-000000000002";

fn parties(votes: &[u64]) -> Vec<Party<'static>> {
    NAMES
        .iter()
        .zip(votes)
        .map(|(name, votes)| Party::new(name).weight(*votes))
        .collect()
}

fn divide(votes: &[u64], replicas: u64, ties: Ties) -> Division {
    webster(&parties(votes), replicas, ties).expect("valid input")
}

#[test]
fn vectors() {
    let check = |votes: &[u64], replicas, ties, expect: &[u64]| {
        assert_eq!(
            divide(votes, replicas, ties).replicas,
            expect,
            "{votes:?} {replicas} {ties:?}"
        );
    };
    let up = Ties::NameAscending;
    check(&[1, 1, 1], 10, Ties::of_uid(""), &[4, 3, 3]);
    check(&[1, 1, 1], 10, Ties::of_uid(EVEN), &[4, 3, 3]);
    check(&[1, 1, 1], 10, Ties::of_uid(ODD), &[3, 3, 4]);
    check(&[2, 3, 5], 7, up, &[1, 2, 4]);
    check(&[2, 3, 5], 8, up, &[2, 2, 4]);
    // The example that text books give.
    check(&[100_000, 80_000, 30_000, 20_000], 8, up, &[3, 3, 1, 1]);
    check(&[5, 5], 0, up, &[0, 0]);
    check(&[], 0, up, &[]);
    // Equal priority, fewer seats first: 3/3 of the first and 1/1 of the second.
    check(&[3, 1], 2, up, &[1, 1]);
    // Beyond what a double can tell apart.
    check(&[u64::MAX - 1, u64::MAX], 1, up, &[0, 1]);
    check(&[(1 << 60) + 1, 1 << 60], 3, up, &[2, 1]);
    check(&[1 << 60, (1 << 60) + 1], 3, up, &[1, 2]);
}

#[test]
fn nobody_with_weight_is_shortfall() {
    for (votes, replicas) in [(&[][..], 3), (&[0, 0], 3)] {
        let division = divide(votes, replicas, Ties::default());
        assert_eq!((division.placed(), division.shortfall), (0, replicas));
        assert!(division.limits.iter().all(|limit| *limit == Some(Limit::Weight)));
    }
}

#[test]
fn seats_before_count_in_the_divisor() {
    let parties = [
        Party::new("a").current(5),
        Party::new("b"),
        Party::new("c").weight(0).current(2),
    ];
    let onto = |replicas| {
        webster_onto(&parties, replicas, Ties::default())
            .expect("valid input")
            .replicas
    };
    assert_eq!(onto(0), [5, 0, 2]);
    assert_eq!(onto(4), [5, 4, 2]);
    assert_eq!(onto(7), [6, 6, 2]);
}

fn votes() -> impl Strategy<Value = Vec<u64>> {
    prop::collection::vec(prop_oneof![0..6u64, 0..1000u64, any::<u64>()], 1..8)
}

proptest! {
    #[test]
    fn equals_seat_by_seat(votes in votes(), start in prop::collection::vec(0..9u64, 8), seats in 0..200u64) {
        let all: Vec<_> = parties(&votes).into_iter().zip(&start).map(|(p, start)| p.current(*start)).collect();
        let with: Vec<(u64, u64)> = votes.iter().copied().zip(start).collect();
        let fast = webster_onto(&all, seats, Ties::default()).expect("valid input");
        prop_assert_eq!(&fast.replicas, &model::webster(&with, seats));
        let before: u64 = with.iter().map(|(_, start)| start).sum();
        prop_assert_eq!(fast.placed() + fast.shortfall, before + seats);
        // Descending names are ascending names of the mirror image.
        let mirror: Vec<(u64, u64)> = with.iter().rev().copied().collect();
        let mut down = webster_onto(&all, seats, Ties::NameDescending).expect("valid input").replicas;
        down.reverse();
        prop_assert_eq!(down, model::webster(&mirror, seats));
    }

    #[test]
    fn is_house_monotone(votes in votes(), seats in 0..u64::from(u32::MAX)) {
        let (some, more) = (divide(&votes, seats, Ties::default()), divide(&votes, seats + 1, Ties::default()));
        prop_assert!(some.replicas.iter().zip(&more.replicas).all(|(some, more)| some <= more));
    }

    #[test]
    fn order_of_input_is_irrelevant(votes in votes(), seats in 0..100u64, by in 0..8usize) {
        let mut all = parties(&votes);
        let mut straight = webster(&all, seats, Ties::default()).expect("valid input").replicas;
        let by = by % all.len();
        all.rotate_left(by);
        straight.rotate_left(by);
        prop_assert_eq!(webster(&all, seats, Ties::default()).expect("valid input").replicas, straight);
    }

    #[test]
    fn votes_that_are_capacities_are_not_exceeded(
        votes in prop::collection::vec(0..1_000_000u64, 1..8),
        part in 0..=100u64,
    ) {
        let seats = votes.iter().sum::<u64>() * part / 100;
        let division = divide(&votes, seats, Ties::default());
        prop_assert_eq!(division.placed(), seats);
        prop_assert!(division.replicas.iter().zip(&votes).all(|(count, most)| count <= most));
    }
}
