use fleet_scheduler::divide::{Holder, Limit, Mode, Party, Unmet, aggregated};
use proptest::prelude::*;

use super::model;

#[test]
fn vectors() {
    let check = |now: &[u64], room: &[u64], replicas, mode, expect: &[u64]| {
        let party = |i: usize| Party::new(model::NAMES[i]).current(now[i]).capacity(room[i]);
        let all: Vec<_> = (0..now.len()).map(party).collect();
        let division = aggregated(&all, replicas, mode).expect("valid input");
        assert_eq!(division.replicas, expect, "{now:?} {room:?} {replicas} {mode:?}");
        assert_eq!(division.placed() + division.shortfall, replicas);
    };
    let (fresh, steady) = (Mode::Fresh, Mode::Steady);
    check(&[0, 0, 0], &[4, 9, 5], 9, fresh, &[0, 9, 0]);
    check(&[0, 0, 0], &[4, 9, 5], 11, fresh, &[0, 9, 2]);
    check(&[0, 0, 0], &[4, 9, 5], 30, fresh, &[4, 9, 5]);
    // Two suffice in several ways: the one that runs some is one of them.
    check(&[3, 0, 0], &[4, 9, 5], 13, fresh, &[4, 9, 0]);
    check(&[3, 0, 0], &[4, 9, 5], 14, fresh, &[0, 9, 5]);
    check(&[1, 5], &[6, 6], 6, fresh, &[0, 6]);
    // Fresh packs into one; steady stays.
    check(&[5, 5, 0], &[6, 6, 20], 10, fresh, &[0, 0, 10]);
    check(&[5, 5, 0], &[6, 6, 20], 10, steady, &[5, 5, 0]);
    check(&[5, 4, 0], &[6, 6, 20], 12, steady, &[6, 6, 0]);
    check(&[5, 4, 0], &[6, 6, 20], 14, steady, &[6, 6, 2]);
    // The smallest is emptied first.
    check(&[5, 4, 2], &[6, 6, 6], 8, steady, &[5, 3, 0]);
    check(&[8, 0], &[6, 6], 8, steady, &[6, 2]);
    check(&[], &[], 3, fresh, &[]);
}

#[test]
fn minimums_take_part() {
    let parties = [
        Party::new("a").min(2).max(3),
        Party::new("b").min(1).capacity(0),
        Party::new("c"),
    ];
    let division = aggregated(&parties, 7, Mode::Fresh).expect("valid input");
    assert_eq!(division.replicas, [3, 0, 4]);
    let unmet = &division.unmet[0];
    let Unmet {
        holder,
        missing,
        limit,
        ..
    } = unmet;
    assert_eq!(
        (holder, *missing, *limit),
        (&Holder::Party(1), 1, Limit::Capacity)
    );
    assert_eq!(division.limits, [Some(Limit::Max), Some(Limit::Capacity), None]);
}

proptest! {
    #[test]
    fn limits_hold_and_the_answer_is_its_own_answer(parties in model::parties(7, 12), replicas in 0..60u64) {
        for mode in [Mode::Fresh, Mode::Steady] {
            let division = aggregated(&parties, replicas, mode).expect("valid input");
            prop_assert_eq!(division.placed() + division.shortfall, replicas);
            for (i, party) in parties.iter().enumerate() {
                let count = division.replicas[i];
                prop_assert!([party.max, party.capacity, party.limit].into_iter().flatten().all(|most| count <= most));
                prop_assert!(division.shortfall == 0 || division.limits[i].is_some());
                let unmet = division.unmet.iter().any(|unmet| unmet.holder == Holder::Party(i));
                prop_assert_eq!(unmet, count < party.min);
            }
            let now = parties.iter().zip(&division.replicas);
            let settled: Vec<_> = now.map(|(party, now)| party.clone().current(*now)).collect();
            prop_assert_eq!(aggregated(&settled, replicas, mode).expect("valid input").replicas, division.replicas);
        }
    }

    #[test]
    fn fresh_uses_the_fewest(rooms in prop::collection::vec((0..15u64, 0..3u64), 1..8), part in 1..=100u64) {
        let party = |(i, (room, now)): (usize, &(u64, u64))| Party::new(model::NAMES[i]).capacity(*room).current(*now);
        let parties: Vec<_> = rooms.iter().enumerate().map(party).collect();
        let replicas = (rooms.iter().map(|(room, _)| room).sum::<u64>() * part).div_ceil(100);
        let division = aggregated(&parties, replicas, Mode::Fresh).expect("valid input");
        prop_assert_eq!(division.shortfall, 0);
        let used = |set: u32| (0..rooms.len()).filter(move |i| set >> i & 1 == 1);
        let enough = |set: &u32| used(*set).map(|i| rooms[i].0).sum::<u64>() >= replicas;
        let rank = |set: u32| (used(set).count(), std::cmp::Reverse(used(set).filter(|&i| rooms[i].1 > 0).count()));
        let best = (0..1u32 << rooms.len()).filter(enough).map(rank).min().expect("all together suffice");
        let taken = (0..rooms.len()).filter(|&i| division.replicas[i] > 0).fold(0, |set, i| set | 1 << i);
        prop_assert_eq!(rank(taken), best);
    }

    #[test]
    fn steady_moves_nothing_that_fits(parties in model::parties(7, 12), replicas in 0..60u64) {
        let division = aggregated(&parties, replicas, Mode::Steady).expect("valid input");
        let most = |party: &Party<'_>| [party.max, party.capacity, party.limit].into_iter().flatten().min();
        let fits = |party: &Party<'_>| party.current.min(most(party).unwrap_or(u64::MAX));
        let runs: u64 = parties.iter().map(fits).sum();
        for (party, count) in parties.iter().zip(&division.replicas) {
            prop_assert!(runs > replicas || *count >= fits(party) || parties.iter().any(|party| party.min > 0));
            prop_assert!(runs < replicas || *count <= fits(party).max(party.min));
        }
    }
}
