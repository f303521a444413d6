use fleet_scheduler::divide::{
    Limit, Party,
    planner::{Plan, Planner, plan},
};
use proptest::prelude::*;

use super::model::NAMES;

const ANEW: Planner = Planner::KubeAdmiral {
    avoid_disruption: false,
    keep_unschedulable: false,
};
const CALM: Planner = Planner::KubeAdmiral {
    avoid_disruption: true,
    keep_unschedulable: false,
};
const CALM_KEEP: Planner = Planner::KubeAdmiral {
    avoid_disruption: true,
    keep_unschedulable: true,
};
const KUBEFED: Planner = Planner::Kubefed { rebalance: true };
const KUBEFED_KEEP: Planner = Planner::Kubefed { rebalance: false };

fn check(parties: &[Party<'_>], replicas: u64, planners: &[Planner], expect: (&[u64], &[u64])) {
    for planner in planners {
        let Plan {
            division, overflow, ..
        } = plan(parties, replicas, "", *planner).expect("valid input");
        assert_eq!(
            (&division.replicas[..], &overflow[..]),
            expect,
            "{replicas} by {planner:?} of {parties:?}"
        );
    }
}

#[test]
fn parts_are_rounded_up_in_hash_order() {
    let equal = [Party::new("A"), Party::new("B"), Party::new("C")];
    check(
        &equal,
        10,
        &[ANEW, CALM, CALM_KEEP, KUBEFED, KUBEFED_KEEP],
        (&[2, 4, 4], &[0; 3]),
    );
    check(&equal, 1, &[ANEW, CALM, KUBEFED], (&[0, 0, 1], &[0; 3]));
    // Another key, another order.
    let keyed = plan(&equal, 1, "web", ANEW)
        .expect("valid input")
        .division
        .replicas;
    assert_eq!(keyed.iter().sum::<u64>(), 1);
    let firsts: std::collections::BTreeSet<_> = ["a", "b", "web", "db", "x1"]
        .iter()
        .map(|key| plan(&equal, 1, key, ANEW).expect("valid").division.replicas)
        .collect();
    assert!(firsts.len() > 1, "the key varies who is first");
}

#[test]
fn limits_and_overflow() {
    let with = |c: Party<'static>| {
        [
            Party::new("A").max(2),
            Party::new("B").weight(2).min(3),
            c.weight(5),
        ]
    };
    let limited = with(Party::new("C").limit(6));
    check(&limited, 20, &[ANEW, CALM, CALM_KEEP], (&[2, 12, 6], &[0; 3]));
    let estimated = with(Party::new("C").capacity(6));
    check(&estimated, 20, &[ANEW, CALM_KEEP], (&[2, 12, 6], &[0, 0, 5]));
    check(&estimated, 20, &[CALM, KUBEFED_KEEP], (&[2, 12, 6], &[0; 3]));
    let plan = plan(&estimated, 20, "", CALM_KEEP).expect("valid input");
    assert_eq!(plan.asked(), [2, 12, 11]);
    assert_eq!(
        plan.division.limits,
        [Some(Limit::Max), None, Some(Limit::Capacity)]
    );
}

#[test]
fn overflow_is_trimmed_to_what_is_placed_nowhere() {
    let parties = [Party::new("A").capacity(2), Party::new("B").max(3)];
    check(&parties, 9, &[CALM, KUBEFED_KEEP], (&[2, 3], &[3, 0]));
    let shortfall = plan(&parties, 9, "", CALM)
        .expect("valid input")
        .division
        .shortfall;
    assert_eq!(shortfall, 4);
}

#[test]
fn minimums_overflow_in_one_planner_only() {
    let parties = [Party::new("A").weight(0).min(4).capacity(1), Party::new("B")];
    check(&parties, 6, &[ANEW, CALM_KEEP], (&[1, 5], &[3, 0]));
    check(&parties, 6, &[KUBEFED], (&[1, 5], &[0, 0]));
}

#[test]
fn disruption_is_avoided() {
    let joined = [
        Party::new("A").current(6),
        Party::new("B").current(6),
        Party::new("C"),
    ];
    check(
        &joined,
        12,
        &[CALM, CALM_KEEP, KUBEFED_KEEP],
        (&[6, 6, 0], &[0; 3]),
    );
    check(&joined, 12, &[ANEW, KUBEFED], (&[4, 4, 4], &[0; 3]));
    check(&joined, 9, &[CALM], (&[5, 4, 0], &[0; 3]));
    check(&joined, 15, &[CALM], (&[6, 6, 3], &[0; 3]));
}

#[test]
fn what_runs_is_reserved_and_covered_by_weight() {
    // Six stay in A, and its parts of the other four are covered by them.
    let uneven = [Party::new("A").current(6), Party::new("B")];
    check(&uneven, 10, &[KUBEFED_KEEP], (&[6, 4], &[0; 2]));
    check(&[Party::new("A").current(6)], 10, &[KUBEFED_KEEP], (&[10], &[0]));
    // Reserved up to the maximum and the estimate, and no more than there is.
    let bounded = [
        Party::new("A").current(6).max(4),
        Party::new("B").current(9).capacity(5),
        Party::new("C"),
    ];
    check(&bounded, 10, &[KUBEFED_KEEP], (&[4, 5, 1], &[0; 3]));
    check(
        &[Party::new("A").current(6), Party::new("B").current(6)],
        8,
        &[KUBEFED_KEEP],
        (&[2, 6], &[0; 2]),
    );
    // The limit that is no estimate is KubeAdmiral's alone.
    check(
        &[Party::new("A").limit(3)],
        5,
        &[KUBEFED, KUBEFED_KEEP],
        (&[5], &[0]),
    );
    check(&[Party::new("A").limit(3)], 5, &[ANEW, CALM], (&[3], &[0]));
}

#[test]
fn nobody_with_weight() {
    check(&[], 3, &[ANEW, CALM, KUBEFED, KUBEFED_KEEP], (&[], &[]));
    let idle = [Party::new("A").weight(0).min(1), Party::new("B").weight(0)];
    check(&idle, 3, &[ANEW, KUBEFED, KUBEFED_KEEP], (&[1, 0], &[0, 0]));
}

fn parties() -> impl Strategy<Value = Vec<Party<'static>>> {
    let option = |most: u64| prop_oneof![Just(None), (0..most).prop_map(Some)];
    let one = (0..6u64, 0..5u64, option(20), option(20), option(20), 0..12u64);
    prop::collection::vec(one, 1..7).prop_map(|all| {
        let party = |(i, (weight, min, max, capacity, limit, current)): (usize, _)| {
            let max: Option<u64> = max;
            let min = max.map_or(min, |max: u64| max.min(min));
            Party::new(NAMES[i])
                .weight(weight)
                .min(min)
                .max(max)
                .capacity(capacity)
                .limit(limit)
                .current(current)
        };
        all.into_iter().enumerate().map(party).collect()
    })
}

proptest! {
    #[test]
    fn plans_keep_within_limits(parties in parties(), replicas in 0..60u64) {
        for planner in [ANEW, CALM, CALM_KEEP, KUBEFED, KUBEFED_KEEP] {
            let plan = plan(&parties, replicas, "key", planner).expect("valid input");
            prop_assert!(plan.division.placed() + plan.division.shortfall == replicas);
            let kubefed = matches!(planner, Planner::Kubefed { .. });
            let calm = matches!(planner, Planner::KubeAdmiral { avoid_disruption: true, .. });
            for (party, count) in parties.iter().zip(&plan.division.replicas) {
                prop_assert!(party.capacity.is_none_or(|most| *count <= most));
                prop_assert!(kubefed || party.limit.is_none_or(|most| *count <= most));
                // What runs above a maximum stays there if nothing has to change.
                let stays = u64::from(calm) * party.current;
                prop_assert!(party.max.is_none_or(|most| *count <= most.max(stays)));
            }
            if !matches!(planner, ANEW | CALM_KEEP | KUBEFED) {
                prop_assert!(plan.overflow.iter().all(|over| *over <= plan.division.shortfall));
            }
        }
    }

    #[test]
    fn avoiding_disruption_is_its_own_answer(parties in parties(), replicas in 0..60u64) {
        for planner in [CALM, CALM_KEEP] {
            let first = plan(&parties, replicas, "key", planner).expect("valid input");
            let settled = |counts: &[u64]| -> Vec<_> {
                parties.iter().zip(counts).map(|(party, now)| party.clone().current(*now)).collect()
            };
            let again = plan(&settled(&first.division.replicas), replicas, "key", planner).expect("valid input");
            prop_assert_eq!(&again, &first);
        }
    }

    #[test]
    fn order_of_input_is_irrelevant(parties in parties(), replicas in 0..60u64, by in 0..7usize) {
        for planner in [ANEW, CALM, KUBEFED, KUBEFED_KEEP] {
            let mut asked = plan(&parties, replicas, "key", planner).expect("valid input").asked();
            let mut turned = parties.clone();
            turned.rotate_left(by % parties.len());
            asked.rotate_left(by % parties.len());
            prop_assert_eq!(plan(&turned, replicas, "key", planner).expect("valid input").asked(), asked);
        }
    }
}
