//! Where workloads go, and what stays where it is.

use fleet_core::{Capacity, Cluster, LifeCycle, Resources, Taint, TaintEffect, Tick};
use fleet_scheduler::*;

fn resources(list: &[(&str, &str)]) -> Resources {
    list.iter().fold(Resources::new(), |all, (name, amount)| {
        all.with(name, amount).unwrap()
    })
}

fn cluster(name: &str, region: &str, cpu: &str) -> ClusterInfo {
    ClusterInfo::new(Cluster::new(name).label("region", region)).capacity(Capacity::new(
        resources(&[("cpu", cpu), ("memory", "64Gi")]),
        Resources::new(),
        Tick(1),
    ))
}

fn fleet() -> FleetView {
    FleetView::new([
        cluster("eu-1", "eu", "4"),
        cluster("eu-2", "eu", "8"),
        cluster("us-1", "us", "4"),
        cluster("us-2", "us", "16"),
    ])
    .unwrap()
}

fn web(target: Target) -> Workload {
    Workload::new("shop/web", [target]).needs(resources(&[("cpu", "1")]))
}

fn active(planner: &Planner) -> Vec<(String, u64)> {
    let placement = planner.table().placement(&"shop/web".into());
    placement
        .active()
        .into_iter()
        .map(|(name, n)| (name.to_owned(), n))
        .collect()
}

fn planner(workload: Workload) -> Planner {
    let mut planner = Planner::new(Scheduler::default(), fleet(), PlannerOptions::default());
    planner.set(workload);
    planner.decide(&Facts::none(), Tick(10));
    planner
}

#[test]
fn targets_are_met() {
    let check = |target: Target, expected: &[(&str, u64)]| {
        let expected: Vec<(String, u64)> = expected
            .iter()
            .map(|(name, n)| ((*name).to_owned(), *n))
            .collect();
        assert_eq!(active(&planner(web(target.clone()))), expected, "{target:?}");
    };
    check(
        Target::each(1),
        &[("eu-1", 1), ("eu-2", 1), ("us-1", 1), ("us-2", 1)],
    );
    check(Target::each(2).on(["eu-1", "us-1"]), &[("eu-1", 2), ("us-1", 2)]);
    check(Target::some(2), &[("eu-1", 1), ("eu-2", 1)]);
    check(
        Target::some(2).spread(Spread::over("region").min(2)),
        &[("eu-1", 1), ("us-1", 1)],
    );
    check(Target::replicas(3), &[("eu-1", 3)]);
    check(Target::replicas(6), &[("eu-2", 6)]);
    check(Target::replicas(20), &[("eu-1", 4), ("us-2", 16)]);
    check(
        Target::replicas(6).within(ClusterSelector::label("region", "us")),
        &[("us-2", 6)],
    );
    check(
        Target::replicas(6).divided_by(DivideBy::Weight),
        &[("eu-1", 2), ("eu-2", 2), ("us-1", 1), ("us-2", 1)],
    );
    check(
        Target::replicas(8)
            .divided_by(DivideBy::Weight)
            .bound(Bound::cluster("eu-2").weight(5))
            .bound(Bound::cluster("us-2").weight(3))
            .bound(Bound::of(ClusterSelector::everything()).weight(0)),
        &[("eu-2", 5), ("us-2", 3)],
    );
    check(
        Target::replicas(6)
            .spread(Spread::over("region").min(2).skew(1))
            .divided_by(DivideBy::Weight),
        &[("eu-1", 2), ("eu-2", 1), ("us-1", 2), ("us-2", 1)],
    );
}

#[test]
fn groups_are_tried_in_order_and_filled_in_order_where_none_can_carry_everything() {
    // In eu there is room for 12, 4 of it on eu-1; in us for 20, 4 of it on us-1.
    let in_both = |target: Target| {
        let region = |name: &str| ClusterSelector::label("region", name);
        target.within(region("eu")).within(region("us"))
    };
    let check = |target: Target, eu: u64, us: u64| {
        let placed = active(&planner(web(in_both(target.clone()))));
        let of = |region: &str| {
            let in_it = placed.iter().filter(|(name, _)| name.starts_with(region));
            in_it.map(|(_, count)| count).sum::<u64>()
        };
        assert_eq!((of("eu"), of("us")), (eu, us), "{target:?}");
    };
    for by in [
        DivideBy::Fewest,
        DivideBy::Weight,
        DivideBy::Capacity,
        DivideBy::Cost,
    ] {
        let target = |replicas: u64| Target::replicas(replicas).divided_by(by);
        check(target(12), 12, 0);
        check(target(13), 0, 13);
        check(target(20), 0, 20);
        check(target(21), 12, 9);
        check(target(32), 12, 20);
        check(target(33), 12, 20);
    }
    // With a limit on clusters, all groups are one.
    let over = |replicas: u64| Target::replicas(replicas).over_clusters(None, Some(2));
    check(over(12), 12, 0);
    check(over(24), 8, 16);
    // On every cluster of the first group that has any.
    check(Target::each(1), 2, 0);
    check(Target::each(5), 5, 0);
}

#[test]
fn what_stays_stays_and_the_shortfall_is_said() {
    let mut planner = planner(web(Target::replicas(6)));
    planner.set(web(Target::replicas(9)));
    planner.decide(&Facts::none(), Tick(20));
    assert_eq!(
        active(&planner),
        [("eu-2".into(), 8), ("eu-1".into(), 1)]
            .into_iter()
            .collect::<std::collections::BTreeMap<String, u64>>()
            .into_iter()
            .collect::<Vec<_>>()
    );
    planner.set(web(Target::replicas(100)));
    let round = planner.decide(&Facts::none(), Tick(30));
    let decision = &round["shop/web"];
    assert_eq!(decision.outcome, Outcome::Unschedulable);
    assert_eq!(
        (decision.short(), decision.targets[0].limit.clone()),
        (68, Some(Limit::Room))
    );
    planner.set(web(Target::replicas(2)));
    let round = planner.decide(&Facts::none(), Tick(40));
    assert_eq!(round["shop/web"].outcome, Outcome::Placed);
    assert_eq!(active(&planner).iter().map(|(_, n)| n).sum::<u64>(), 2);
    assert!(planner.decide(&Facts::none(), Tick(50)).is_empty());
}

#[test]
fn a_drained_cluster_is_left_only_once_stand_ins_are_healthy() {
    let mut planner = planner(web(Target::replicas(3)));
    let info = planner.fleet().get("eu-1").unwrap().clone();
    let mut drained = info.clone();
    drained.cluster.life_cycle = LifeCycle::Draining;
    planner.set_cluster(drained).unwrap();
    let round = planner.decide(&Facts::none(), Tick(20));
    let placement = &round["shop/web"].placement;
    assert_eq!(
        placement.targets["1"]["eu-1"],
        Assignment::new(3, Tick(10)).going(3)
    );
    assert_eq!(placement.active(), [("eu-2", 3)].into());
    let healthy = Facts::none().healthy("shop/web", "eu-2");
    let round = planner.decide(&healthy, Tick(30));
    assert_eq!(round["shop/web"].placement.on("eu-1"), 0);
    assert_eq!(round["shop/web"].placement.active(), [("eu-2", 3)].into());
}

#[test]
fn taints_keep_away_and_drive_out() {
    let mut planner = planner(web(Target::replicas(3)));
    let mut tainted = planner.fleet().get("eu-1").unwrap().clone();
    tainted.cluster.taints = vec![Taint::new("broken", "", TaintEffect::NoSchedule)];
    planner.set_cluster(tainted.clone()).unwrap();
    assert!(
        planner.decide(&Facts::none(), Tick(20))["shop/web"]
            .moves
            .is_empty()
    );
    tainted.cluster.taints = vec![Taint::new("broken", "", TaintEffect::NoExecute)];
    planner.set_cluster(tainted).unwrap();
    let round = planner.decide(&Facts::none(), Tick(30));
    assert_eq!(round["shop/web"].moves.len(), 1);
    assert_eq!(round["shop/web"].moves[0].cause, Cause::Constraint);
}

/// One after the other they get stuck: the small one is where only the large one fits.
#[test]
fn something_makes_room_for_what_has_no_place() {
    let scheduler = Scheduler::builder().rebalancer(Worth::without_balance()).build();
    let mut planner = Planner::new(scheduler, fleet(), PlannerOptions::default());
    let small = Workload::new("shop/small", [Target::replicas(1).on(["us-1", "us-2"])])
        .needs(resources(&[("cpu", "2")]));
    planner.set(small);
    planner.decide(&Facts::none(), Tick(10));
    let on = planner.table().clusters_of(&"shop/small".into());
    let taken = on.keys().next().unwrap().to_string();
    let needs = if taken == "us-1" { "4" } else { "16" };
    planner.set(
        Workload::new("shop/large", [Target::replicas(1).on([taken.clone()])])
            .needs(resources(&[("cpu", needs)])),
    );
    let round = planner.decide(&Facts::none(), Tick(20));
    assert_eq!(round["shop/large"].outcome, Outcome::Unschedulable);
    let round = planner.rebalance(&Facts::none(), Tick(30));
    let moved = &round["shop/small"].moves[0];
    assert_eq!((moved.cause, &moved.from), (Cause::Room, &taken));
    let healthy = Facts::none().healthy("shop/small", moved.to.clone());
    planner.decide(&healthy, Tick(40));
    let round = planner.decide(&healthy, Tick(50));
    assert!(
        round.is_empty() || round["shop/large"].outcome == Outcome::Placed,
        "{round:#?}"
    );
    assert_eq!(planner.table().replicas(&"shop/large".into(), &taken), 1);
}

#[test]
fn when_fewer_are_wanted_those_that_are_lost_go_first() {
    let mut planner = planner(web(Target::replicas(6).divided_by(DivideBy::Weight)));
    assert_eq!(
        active(&planner),
        [
            ("eu-1".into(), 2),
            ("eu-2".into(), 2),
            ("us-1".into(), 1),
            ("us-2".into(), 1)
        ]
    );
    let placements = planner.placements();
    let lost = planner
        .what_if(&[WhatIf::Lose("eu-1".into())], &Facts::none(), Tick(20))
        .unwrap()
        .planner;
    assert_eq!(lost.placements(), placements);
    planner = lost;
    planner.set(web(Target::replicas(4).divided_by(DivideBy::Weight)));
    planner.decide(&Facts::none(), Tick(30));
    assert_eq!(
        active(&planner),
        [("eu-2".into(), 2), ("us-1".into(), 1), ("us-2".into(), 1)]
    );
}

#[test]
fn where_cost_is_asked_for_the_cheapest_is_taken_whatever_is_preferred() {
    let check = |target: Target, expected: &[(&str, u64)]| {
        let costly = |name: &str, region: &str, cost: i64| {
            let mut info = cluster(name, region, "4");
            info.cluster = info.cluster.cost("cpu", cost);
            info
        };
        let clusters = [costly("a", "eu", 50), costly("b", "us", 1), costly("c", "us", 60)];
        let fleet = FleetView::new(clusters).unwrap();
        let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
        planner.set(web(target.clone()).prefer(ClusterSelector::label("region", "eu"), 100));
        planner.decide(&Facts::none(), Tick(10));
        let expected: Vec<(String, u64)> = expected
            .iter()
            .map(|(name, count)| ((*name).to_owned(), *count))
            .collect();
        assert_eq!(active(&planner), expected, "{target:?}");
    };
    let cost = |replicas| Target::replicas(replicas).divided_by(DivideBy::Cost);
    check(cost(2), &[("b", 2)]);
    check(cost(2).over_clusters(None, Some(1)), &[("b", 2)]);
    check(cost(2).spread(Spread::over("region").max(1)), &[("b", 2)]);
    check(cost(6).over_clusters(None, Some(2)), &[("a", 2), ("b", 4)]);
    check(Target::replicas(2).over_clusters(None, Some(1)), &[("a", 2)]);
}
