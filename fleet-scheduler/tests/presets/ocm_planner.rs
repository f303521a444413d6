//! Open Cluster Management's placements in a planner.

use fleet_core::{Taint, TaintEffect, Tick};
use fleet_scheduler::{
    presets::ocm::{Mode, Placement, Placements, Prioritizer, score_name},
    *,
};

use super::{cluster, counts, placed, with_cores, yaml};

fn planner(scheduler: Scheduler, fleet: FleetView) -> Planner {
    Planner::new(scheduler, fleet, PlannerOptions::default())
}

/// open-cluster-management.io docs/scenarios/distribute-workload-with-placement: two clusters, then one.
#[test]
fn two_clusters_then_one() {
    let fleet = FleetView::new(["cluster1", "cluster2"].map(|name| cluster(name, ""))).unwrap();
    let two: Placement = yaml("numberOfClusters: 2");
    let mut planner = planner(two.scheduler(), fleet);
    planner.set(two.workload("default/placement1"));
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(
        placed(&planner, "default/placement1"),
        counts([("cluster1", 1), ("cluster2", 1)])
    );
    planner.set(two.clusters(1).workload("default/placement1"));
    planner.decide(&Facts::none(), Tick(2));
    assert_eq!(placed(&planner, "default/placement1"), counts([("cluster1", 1)]));
}

/// open-cluster-management.io docs/scenarios/migrate-workload-with-placement: by a taint, and the new copy comes first.
#[test]
fn a_taint_moves_what_runs() {
    let [one, mut two] = ["cluster1", "cluster2"].map(|name| cluster(name, ""));
    let placement = Placement::new().clusters(1);
    let name = "argocd/guestbook-app-placement";
    let mut planner = planner(
        placement.scheduler(),
        FleetView::new([one.clone(), two.clone()]).unwrap(),
    );
    planner.set(placement.workload(name));
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(placed(&planner, name), counts([("cluster1", 1)]));
    let mut unreachable = one.clone();
    unreachable.cluster.taints = vec![Taint::new(
        "cluster.open-cluster-management.io/unreachable",
        "",
        TaintEffect::NoExecute,
    )];
    planner.set_cluster(unreachable).unwrap();
    let round = planner.decide(&Facts::none(), Tick(2));
    assert_eq!(placed(&planner, name), counts([("cluster2", 1)]));
    // Until the new one is healthy, the old one is kept.
    assert_eq!(round[name].placement.on("cluster1"), 1);
    planner.decide(&Facts::none().healthy(name, "cluster2"), Tick(3));
    assert_eq!(planner.table().placement(&name.into()).on("cluster1"), 0);
    // The other is maintained, and it goes back.
    planner.set_cluster(one).unwrap();
    two.cluster.taints = vec![Taint::new("maintenance", "", TaintEffect::NoExecute)];
    planner.set_cluster(two).unwrap();
    planner.decide(&Facts::none(), Tick(4));
    assert_eq!(placed(&planner, name), counts([("cluster1", 1)]));
}

#[test]
fn each_placement_has_its_prioritizers() {
    let until = Tick(1_000);
    let fleet = FleetView::new([
        with_cores(cluster("a", "tier=prod"), 8),
        with_cores(cluster("b", "tier=prod"), 16),
        with_cores(cluster("c", ""), 4),
    ])
    .unwrap()
    .score(score_name("default", "cheap"), "a", 90, until)
    .score(score_name("default", "cheap"), "c", 20, until);
    let exact = |prioritizer| {
        Placement::new()
            .clusters(1)
            .mode(Mode::Exact)
            .prioritizer(prioritizer, 1)
    };
    let least = Placement::new()
        .clusters(1)
        .mode(Mode::Exact)
        .prioritizer(Prioritizer::ResourceAllocatableCpu, -1);
    let placements = Placements::new()
        .with("ns/large", exact(Prioritizer::ResourceAllocatableCpu))
        .with("ns/small", least)
        .with("ns/cheap", exact(Prioritizer::add_on("default", "cheap")))
        .with(
            "ns/prod",
            exact(Prioritizer::Steady)
                .clusters(3)
                .predicate(ClusterSelector::label("tier", "prod")),
        );
    let mut planner = planner(placements.scheduler(), fleet.clone());
    placements.workloads().for_each(|workload| planner.set(workload));
    let round = planner.decide(&Facts::none(), Tick(1));
    assert_eq!(placed(&planner, "ns/large"), counts([("b", 1)]));
    assert_eq!(placed(&planner, "ns/small"), counts([("c", 1)]));
    assert_eq!(placed(&planner, "ns/cheap"), counts([("a", 1)]));
    assert_eq!(placed(&planner, "ns/prod"), counts([("a", 1), ("b", 1)]));
    let prod = &round["ns/prod"];
    assert_eq!((prod.short(), &prod.outcome), (1, &Outcome::Unschedulable));
}

/// The original selects anew, where a score is higher than what `Steady` holds.
#[test]
fn a_better_score_moves_a_decision() {
    let until = Tick(100_000_000);
    let cheap = || Prioritizer::add_on("default", "cheap");
    let fleet = |scores: [i64; 2]| {
        let fleet =
            FleetView::new([with_cores(cluster("a", ""), 4), with_cores(cluster("b", ""), 8)]).unwrap();
        let scores = ["a", "b"].into_iter().zip(scores);
        scores.fold(fleet, |fleet, (name, score)| {
            fleet.score(score_name("default", "cheap"), name, score, until)
        })
    };
    let check = |placement: Placement, later: [i64; 2], expect: &str| {
        let placement = placement.clusters(1).mode(Mode::Exact);
        let mut planner = planner(placement.scheduler(), fleet([50, 10]));
        planner.set(placement.workload("p"));
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(placed(&planner, "p"), counts([("a", 1)]));
        planner.set_fleet(fleet(later));
        let healthy = Facts::none().healthy("p", "a").healthy("p", "b");
        planner.decide(&healthy, Tick(2));
        assert_eq!(placed(&planner, "p"), counts([("a", 1)]));
        planner.rebalance(&healthy, Tick(3_600_000));
        assert_eq!(
            placed(&planner, "p"),
            counts([(expect, 1)]),
            "{placement:?} {later:?}"
        );
        // What the original decides.
        let decided = placement.decide(planner.fleet(), planner.table(), &"p".into(), Tick(3_600_001));
        assert_eq!(decided.names(), [expect]);
    };
    let by_score = Placement::new().prioritizer(cheap(), 1);
    check(by_score.clone(), [50, 51], "b");
    check(by_score.clone(), [50, 50], "a");
    check(
        by_score.clone().prioritizer(Prioritizer::Steady, 1),
        [0, 100],
        "a",
    );
    check(
        by_score.clone().prioritizer(Prioritizer::Steady, 1),
        [-1, 100],
        "b",
    );
    // Offered CPU scores -100 and 100.
    check(
        by_score
            .clone()
            .prioritizer(Prioritizer::ResourceAllocatableCpu, -1),
        [0, 100],
        "a",
    );
    check(
        by_score.prioritizer(Prioritizer::ResourceAllocatableCpu, -1),
        [-100, 101],
        "a",
    );
}

#[test]
fn balance_spreads_placements() {
    let names = ["a", "b", "c"];
    let fleet = FleetView::new(names.map(|name| cluster(name, ""))).unwrap();
    let placement = Placement::new().clusters(1);
    let mut planner = planner(placement.scheduler(), fleet);
    for at in 0..6 {
        planner.set(placement.workload(format!("ns/p{at}")));
    }
    planner.decide(&Facts::none(), Tick(1));
    let on = names.map(|name| planner.table().workloads_on(name).count());
    assert_eq!(on, [2, 2, 2]);
}

/// As the whole scheduler in one step, where nothing is decided yet.
#[test]
fn a_planner_that_starts_decides_as_the_original() {
    let fleet = FleetView::new([
        with_cores(cluster("a", "x=1"), 8),
        with_cores(cluster("b", "x=1"), 16),
        with_cores(cluster("c", "x=2"), 12),
        cluster("d", ""),
    ])
    .unwrap();
    let base = Placement::new();
    let placements = [
        base.clone(),
        base.clone().clusters(2),
        base.clone()
            .clusters(2)
            .prioritizer(Prioritizer::ResourceAllocatableCpu, 2),
        base.clone()
            .clusters(3)
            .prioritizer(Prioritizer::ResourceAllocatableCpu, -3),
        base.clone()
            .clusters(1)
            .predicate(ClusterSelector::label("x", "2"))
            .predicate(ClusterSelector::named(["d"])),
        base.clusters(9),
    ];
    for placement in placements {
        let decisions = placement.decide(&fleet, &PlacementTable::empty(&fleet), &"p".into(), Tick(1));
        let mut planner = planner(placement.scheduler(), fleet.clone());
        planner.set(placement.workload("p"));
        planner.decide(&Facts::none(), Tick(1));
        let on: Vec<String> = placed(&planner, "p").into_keys().collect();
        assert_eq!(on, decisions.names(), "{placement:?}");
    }
}
