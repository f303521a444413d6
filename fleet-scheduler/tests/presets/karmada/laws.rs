//! What holds for every placement.

use std::collections::BTreeMap;

use fleet_core::Tick;
use fleet_scheduler::{
    divide::Mode,
    presets::karmada::{ClusterAffinity, Member, Placement, SpreadByField},
    *,
};
use proptest::prelude::*;

use super::{
    super::{placed, resources, with_cores},
    member, planner,
};
const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn any_placement() -> impl Strategy<Value = Placement> {
    let weights = prop::collection::vec(0..4u64, 6);
    let strategy = prop_oneof![
        Just(Placement::new()),
        Just(Placement::new().dynamic_weight()),
        Just(Placement::new().aggregated()),
        weights.prop_map(|weights| {
            let weights = NAMES.iter().zip(weights);
            Placement::new()
                .static_weights(weights.map(|(name, weight)| (ClusterAffinity::named([*name]), weight)))
        }),
    ];
    (strategy, prop::option::of((1..3u32, 0..3u32))).prop_map(|(placement, spread)| match spread {
        Some((min, more)) => placement.spread(SpreadByField::Cluster, min, min + more),
        None => placement,
    })
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        placement in any_placement(),
        fits in prop::collection::vec(0..12u64, 1..6),
        replicas in 0..20u64,
        by in 0..6usize,
    ) {
        let infos: Vec<ClusterInfo> = NAMES[..fits.len()].iter().map(|name| member(name)).collect();
        let members: Vec<Member<'_>> =
            infos.iter().zip(&fits).map(|(info, fits)| Member::new(info).allocatable(*fits)).collect();
        let first = placement.schedule(&members, replicas, "uid", Mode::Steady);
        let mut turned = members.clone();
        turned.rotate_left(by % members.len());
        prop_assert_eq!(&placement.schedule(&turned, replicas, "uid", Mode::Steady), &first);
        let Ok(first) = first else { return Ok(()) };
        // Once placed, the same again.
        let placed: Vec<Member<'_>> = members
            .iter()
            .zip(&fits)
            .map(|(member, fits)| {
                let runs = first.get(member.cluster.name()).copied().unwrap_or(0);
                member.current(runs).allocatable(fits.saturating_sub(runs))
            })
            .collect();
        prop_assert_eq!(placement.schedule(&placed, replicas, "uid", Mode::Steady), Ok(first));
    }

    #[test]
    fn what_runs_stays_in_a_planner(
        placement in any_placement(),
        fits in prop::collection::vec(0..12u64, 1..6),
        steps in prop::collection::vec(0..20u64, 1..5),
    ) {
        let clusters: Vec<ClusterInfo> =
            NAMES.iter().zip(&fits).map(|(name, fits)| with_cores(member(name), *fits)).collect();
        let mut planner = planner(&clusters);
        let mut before = BTreeMap::new();
        for (at, wanted) in steps.into_iter().enumerate() {
            planner.set(placement.workload("w", wanted).unwrap().needs(resources(&[("cpu", "1")])));
            let round = planner.decide(&Facts::none(), Tick(1 + at as u64));
            let after = placed(&planner, "w");
            if placement.replica_scheduling.is_some() {
                for name in NAMES {
                    let (then, now) = (before.get(name).copied().unwrap_or(0), after.get(name).copied().unwrap_or(0));
                    let sum: u64 = before.values().sum();
                    prop_assert!(if wanted >= sum { now >= then } else { now <= then }, "{before:?} {after:?} {wanted}");
                }
                let (sum, short) = (after.values().sum::<u64>(), round.get("w").map_or(0, Decision::short));
                prop_assert!(sum <= wanted && (round.is_empty() || sum + short == wanted));
            }
            for (name, fits) in NAMES.iter().zip(&fits) {
                prop_assert!(after.get(*name).copied().unwrap_or(0) <= *fits);
            }
            before = after;
        }
    }
}
