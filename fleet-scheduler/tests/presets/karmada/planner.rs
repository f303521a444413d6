//! Policies over time, in a planner.

use fleet_core::Tick;
use fleet_scheduler::{
    presets::karmada::{ClusterAffinity, Placement, SpreadByField},
    *,
};

use super::{
    super::{counts, placed, resources},
    infos, planner,
};
#[test]
fn regions_in_a_planner() {
    let infos = infos(&[
        ("m1", "region=r1", Some(4)),
        ("m2", "region=r1", Some(4)),
        ("m3", "region=r2", Some(9)),
        ("m4", "region=r3", Some(2)),
        ("m5", "", Some(99)),
    ]);
    let placement = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Region, 2, 2)
        .spread(SpreadByField::Cluster, 2, 3);
    let needs = resources(&[("cpu", "1")]);
    let mut planner = planner(&infos);
    planner.set(
        placement
            .workload("default/nginx", 10)
            .unwrap()
            .needs(needs.clone()),
    );
    planner.decide(&Facts::none(), Tick(1));
    let before = placed(&planner, "default/nginx");
    assert_eq!(before, counts([("m1", 2), ("m2", 2), ("m3", 6)]));
    // A third region is never taken, and the cluster without one neither.
    planner.set(placement.workload("default/nginx", 18).unwrap().needs(needs));
    let round = planner.decide(&Facts::none(), Tick(2));
    assert_eq!(
        (round["default/nginx"].short(), placed(&planner, "default/nginx")),
        (8, before)
    );
    // Too few regions.
    let four = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Region, 4, 4)
        .spread(SpreadByField::Cluster, 4, 4);
    planner.set(four.workload("default/other", 4).unwrap());
    let round = planner.decide(&Facts::none(), Tick(3));
    let limit = Limit::Domains {
        over: "region".to_owned(),
        have: 3,
        need: 4,
    };
    assert_eq!(round["default/other"].targets[0].limit, Some(limit));
}

#[test]
fn what_runs_stays_when_the_policy_changes() {
    let cores = [("a", "", Some(20)), ("b", "", Some(6)), ("c", "", Some(6))];
    let mut planner = planner(&infos(&cores));
    let mut check = |placement: &Placement, replicas: u64, expect: [u64; 3]| {
        planner.set(
            placement
                .workload("w", replicas)
                .unwrap()
                .needs(resources(&[("cpu", "1")])),
        );
        planner.decide(&Facts::none(), Tick(1));
        let after = placed(&planner, "w");
        assert_eq!(
            ["a", "b", "c"].map(|name| after.get(name).copied().unwrap_or(0)),
            expect,
            "{replicas}"
        );
    };
    let weights = |weights: [u64; 3]| {
        let named = ["a", "b", "c"].map(|name| ClusterAffinity::named([name]));
        Placement::new().static_weights(named.into_iter().zip(weights))
    };
    check(&weights([5, 5, 1]), 11, [5, 5, 1]);
    // Each is to have three, and the last has one: the others share what is left.
    check(&weights([1, 1, 1]), 9, [4, 4, 1]);
    // Who has too many keeps them, and only what is added is divided.
    check(&weights([0, 0, 1]), 11, [4, 4, 3]);
    // One cluster is all that may be selected, and those in use are selected, too.
    let one = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Cluster, 1, 1);
    check(&one, 12, [5, 4, 3]);
    check(&weights([1, 0, 0]), 4, [4, 0, 0]);
    check(&one, 6, [6, 0, 0]);
}

/// Rescheduling: shares are put right step by step, each new copy before its old one goes.
#[test]
fn rescheduling_in_a_planner() {
    let check = |placement: &Placement, expect: [u64; 3]| {
        let old = infos(&[("a", "", Some(9)), ("b", "", Some(9))]);
        let all = infos(&[("a", "", Some(9)), ("b", "", Some(9)), ("c", "", Some(9))]);
        let mut planner = planner(&old);
        planner.set(
            placement
                .workload("w", 12)
                .unwrap()
                .needs(resources(&[("cpu", "1")])),
        );
        planner.decide(&Facts::none(), Tick(1));
        let before = placed(&planner, "w");
        planner.set_fleet(FleetView::new(all).unwrap());
        planner.decide(&Facts::none(), Tick(2));
        assert_eq!(placed(&planner, "w"), before);
        let healthy = ["a", "b", "c"]
            .iter()
            .fold(Facts::none(), |facts, name| facts.healthy("w", *name));
        for hour in 1..8 {
            planner.rebalance(&healthy, Tick(hour * 3_600_000));
        }
        planner.decide(&healthy, Tick(9 * 3_600_000));
        let after = placed(&planner, "w");
        assert_eq!(
            ["a", "b", "c"].map(|name| after.get(name).copied().unwrap_or(0)),
            expect,
            "{placement:?}"
        );
    };
    check(&Placement::new().dynamic_weight(), [4, 4, 4]);
    check(
        &Placement::new().static_weights([(ClusterAffinity::default(), 1)]),
        [4, 4, 4],
    );
    check(&Placement::new().aggregated(), [6, 6, 0]);
}
