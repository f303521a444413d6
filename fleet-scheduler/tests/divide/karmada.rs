use fleet_scheduler::divide::{DivideError, Mode, Party, Ties, karmada};
use proptest::prelude::*;

use super::model::{self, NAMES};

type Dynamic = fn(&[Party<'_>], u64, Mode, Ties) -> Result<fleet_scheduler::divide::Division, DivideError>;

fn parties(now: &[u64], capacity: &[u64]) -> Vec<Party<'static>> {
    (0..now.len())
        .map(|i| Party::new(NAMES[i]).current(now[i]).capacity(capacity[i]))
        .collect()
}

#[test]
fn duplicated_and_static() {
    let all = [Party::new("a").weight(1), Party::new("b").weight(2)];
    assert_eq!(karmada::duplicated(&all, 4).expect("valid").replicas, [4, 4]);
    assert_eq!(
        karmada::static_weight(&all, 9, Ties::default())
            .expect("valid")
            .replicas,
        [3, 6]
    );
    let odd = Ties::of_uid("00000000-0000-0000-0000-000000000002");
    let none = [Party::new("a").weight(0), Party::new("b").weight(0)];
    assert_eq!(
        karmada::static_weight(&none, 3, Ties::default())
            .expect("valid")
            .replicas,
        [2, 1]
    );
    assert_eq!(
        karmada::static_weight(&none, 3, odd).expect("valid").replicas,
        [1, 2]
    );
    let some = [Party::new("a").weight(0), Party::new("b").weight(3)];
    assert_eq!(
        karmada::static_weight(&some, 3, odd).expect("valid").replicas,
        [0, 3]
    );
}

#[test]
fn dynamic_vectors() {
    let check = |method: Dynamic, now: &[u64], capacity: &[u64], replicas, mode, expect: &[u64]| {
        let division = method(&parties(now, capacity), replicas, mode, Ties::default()).expect("fits");
        assert_eq!(
            division.replicas, expect,
            "{now:?} {capacity:?} {replicas} {mode:?}"
        );
    };
    let (weighted, aggregated): (Dynamic, Dynamic) = (karmada::dynamic_weight, karmada::aggregated);
    // First time: by what fits.
    check(weighted, &[0, 0, 0], &[18, 12, 6], 12, Mode::Steady, &[6, 4, 2]);
    check(
        aggregated,
        &[0, 0, 0],
        &[18, 12, 6],
        12,
        Mode::Steady,
        &[12, 0, 0],
    );
    check(aggregated, &[0, 0, 0], &[6, 12, 12], 14, Mode::Steady, &[0, 7, 7]);
    // Added: only the difference, by what is still allocatable (6, 10 and 2).
    check(weighted, &[6, 2, 4], &[12, 12, 6], 21, Mode::Steady, &[9, 7, 5]);
    // Aggregated adds where something runs.
    check(aggregated, &[0, 4, 0], &[20, 8, 20], 8, Mode::Steady, &[0, 8, 0]);
    check(aggregated, &[0, 4, 0], &[20, 8, 20], 10, Mode::Steady, &[5, 5, 0]);
    // Removed: the rest by what runs.
    check(weighted, &[6, 4, 2], &[9, 9, 9], 6, Mode::Steady, &[3, 2, 1]);
    check(aggregated, &[6, 4, 2], &[9, 9, 9], 7, Mode::Steady, &[4, 3, 0]);
    // The same total stays, even above capacity.
    check(weighted, &[6, 4, 2], &[1, 1, 1], 12, Mode::Steady, &[6, 4, 2]);
    check(weighted, &[12, 0], &[16, 8], 12, Mode::Fresh, &[8, 4]);
    check(aggregated, &[0, 5], &[20, 10], 12, Mode::Fresh, &[8, 4]);
}

#[test]
fn too_little_room_is_an_error() {
    let check = |now: &[u64], capacity: &[u64], replicas, mode, asked, available| {
        for method in [karmada::dynamic_weight as Dynamic, karmada::aggregated] {
            let answer = method(&parties(now, capacity), replicas, mode, Ties::default());
            assert_eq!(answer, Err(DivideError::Insufficient { asked, available }));
        }
    };
    check(&[0, 0], &[2, 3], 6, Mode::Steady, 6, 5);
    check(&[2, 0], &[4, 1], 6, Mode::Steady, 4, 3);
    check(&[2, 0], &[4, 1], 6, Mode::Fresh, 6, 5);
    check(&[], &[], 1, Mode::Fresh, 1, 0);
}

#[test]
fn unknown_capacity_fits_all() {
    let all = [Party::new("a"), Party::new("b").capacity(5)];
    let division = karmada::dynamic_weight(&all, 15, Mode::Fresh, Ties::default()).expect("fits");
    assert_eq!(division.replicas, [11, 4]);
}

proptest! {
    #[test]
    fn dynamic_equals_its_definition(
        now in prop::collection::vec(0..9u64, 1..7),
        more in prop::collection::vec(0..30u64, 7),
        replicas in 0..150u64,
        fresh in any::<bool>(),
        pack in any::<bool>(),
    ) {
        let capacity: Vec<u64> = now.iter().zip(&more).map(|(now, more)| now + more).collect();
        let runs: u64 = now.iter().sum();
        let mode = if fresh { Mode::Fresh } else { Mode::Steady };
        let method: Dynamic = if pack { karmada::aggregated } else { karmada::dynamic_weight };
        let answer = method(&parties(&now, &capacity), replicas, mode, Ties::default());
        if !fresh && runs == replicas {
            prop_assert_eq!(answer.expect("nothing to do").replicas, now);
            return Ok(());
        }
        let (mut votes, seats, prior) = match (fresh, runs > replicas) {
            (true, _) => (capacity.clone(), replicas, true),
            (false, true) => (now.clone(), replicas, false),
            (false, false) => (more[..now.len()].to_vec(), replicas - runs, true),
        };
        let available: u64 = votes.iter().sum();
        if available < seats {
            prop_assert_eq!(answer, Err(DivideError::Insufficient { asked: seats, available }));
            return Ok(());
        }
        if pack {
            let mut order: Vec<usize> = (0..now.len()).collect();
            order.sort_by_key(|&i| (prior && now[i] == 0, std::cmp::Reverse(votes[i])));
            let mut found = 0;
            for i in order {
                let enough = found >= seats && (found > 0 || seats == 0);
                found += votes[i];
                if enough {
                    votes[i] = 0;
                }
            }
        }
        let voted: Vec<(u64, u64)> = votes.iter().map(|votes| (*votes, 0)).collect();
        let mut expect = model::webster(&voted, seats);
        if !fresh && runs < replicas {
            expect.iter_mut().zip(&now).for_each(|(count, now)| *count += now);
        }
        prop_assert_eq!(answer.expect("fits").replicas, expect);
    }
}
