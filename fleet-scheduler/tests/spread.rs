//! Which clusters and domains are taken where replicas must be spread.

use fleet_core::{Capacity, Cluster, LifeCycle, Resources, Tick};
use fleet_scheduler::*;

fn cpu(amount: u64) -> Resources {
    Resources::new().with("cpu", &amount.to_string()).unwrap()
}

/// A cluster `region-zone-number` that offers so many cores.
fn cluster(name: &str, cores: u64) -> ClusterInfo {
    let mut words = name.split('-');
    let (region, zone) = (words.next().unwrap(), words.next().unwrap());
    let declared = Cluster::new(name).label("region", region).label("zone", zone);
    ClusterInfo::new(declared).capacity(Capacity::new(cpu(cores), Resources::new(), Tick(1)))
}

fn planner(clusters: &[(&str, u64)], target: &Target) -> Planner {
    let fleet = FleetView::new(clusters.iter().map(|(name, cores)| cluster(name, *cores))).unwrap();
    let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
    planner.set(web(target));
    planner.decide(&Facts::none(), Tick(10));
    planner
}

fn web(target: &Target) -> Workload {
    Workload::new("web", [target.clone()]).needs(cpu(1))
}

fn active(planner: &Planner) -> Vec<(String, u64)> {
    let placement = planner.table().placement(&"web".into());
    let active = placement.active().into_iter();
    active.map(|(name, count)| (name.to_owned(), count)).collect()
}

#[track_caller]
fn check(clusters: &[(&str, u64)], target: &Target, expected: &[(&str, u64)]) {
    let expected: Vec<(String, u64)> = expected
        .iter()
        .map(|(name, count)| ((*name).to_owned(), *count))
        .collect();
    let mut planner = planner(clusters, target);
    assert_eq!(active(&planner), expected, "{target:?}");
    // Decided again, it is the same, whether everything has a place or not.
    let fleet = planner.fleet().clone();
    planner.set_fleet(fleet);
    planner.decide(&Facts::none(), Tick(20));
    assert_eq!(active(&planner), expected, "again: {target:?}");
}

fn regions(min: u32) -> Spread {
    Spread::over("region").min(min)
}

fn zones(min: u32) -> Spread {
    Spread::over("zone").min(min)
}

#[test]
fn a_domain_with_too_few_domains_inside_is_left_out() {
    let target = Target::replicas(4)
        .divided_by(DivideBy::Weight)
        .spread(regions(1))
        .spread(zones(2));
    check(
        &[("eu-1-a", 9), ("us-1-a", 9), ("us-2-a", 9)],
        &target,
        &[("us-1-a", 2), ("us-2-a", 2)],
    );
}

#[test]
fn what_keeps_it_away_is_told_from_the_inside() {
    let target = Target::replicas(4).spread(regions(2)).spread(zones(2));
    let planner = planner(&[("eu-1-a", 9), ("us-1-a", 9), ("us-2-a", 9)], &target);
    let explanation = planner.explain(&"web".into(), &Facts::none(), Tick(11)).unwrap();
    let limit = explanation.targets[0].limit.clone();
    let expected = Limit::Domains {
        over: "zone".into(),
        have: 1,
        need: 2,
    };
    assert_eq!(limit, Some(expected));
}

#[test]
fn as_many_domains_as_units_and_clusters_allow_are_taken() {
    let four = [
        ("ap-1-a", 9),
        ("ap-2-a", 9),
        ("eu-1-a", 9),
        ("eu-2-a", 9),
        ("sa-1-a", 9),
        ("sa-2-a", 9),
        ("us-1-a", 9),
        ("us-2-a", 9),
    ];
    let nested = |replicas| {
        let target = Target::replicas(replicas).divided_by(DivideBy::Weight);
        target.spread(regions(1)).spread(zones(2))
    };
    // Two replicas need two zones, so that one region is taken, and not four.
    check(&four, &nested(2), &[("ap-1-a", 1), ("ap-2-a", 1)]);
    check(
        &four,
        &nested(12).over_clusters(None, Some(5)),
        &[("ap-1-a", 3), ("ap-2-a", 3), ("eu-1-a", 3), ("eu-2-a", 3)],
    );
}

#[test]
fn what_holds_most_is_taken_where_the_best_hold_too_little() {
    let target = Target::replicas(12)
        .spread(Spread::over("region").max(2))
        .spread(Spread::over("zone").max(1));
    check(
        &[
            ("ap-1-a", 2),
            ("eu-1-a", 2),
            ("eu-2-a", 5),
            ("us-1-a", 3),
            ("us-2-a", 7),
        ],
        &target,
        &[("eu-2-a", 5), ("us-2-a", 7)],
    );
}

#[test]
fn enough_clusters_are_taken_where_one_domain_has_too_few() {
    let target = Target::replicas(4)
        .spread(Spread::over("region"))
        .over_clusters(Some(2), Some(3));
    check(
        &[("ap-1-a", 9), ("eu-1-a", 5)],
        &target,
        &[("ap-1-a", 3), ("eu-1-a", 1)],
    );
}

#[test]
fn a_small_domain_does_not_keep_others_small() {
    let target = |replicas| {
        let target = Target::replicas(replicas).divided_by(DivideBy::Weight);
        target.spread(Spread::over("region").skew(1))
    };
    // Beside the one replica that fits in ap, there would be two in each of the others.
    let clusters = [("ap-1-a", 1), ("eu-1-a", 9), ("us-1-a", 9)];
    check(&clusters, &target(12), &[("eu-1-a", 6), ("us-1-a", 6)]);
    check(
        &clusters,
        &target(5),
        &[("ap-1-a", 1), ("eu-1-a", 2), ("us-1-a", 2)],
    );
    check(&[("ap-1-a", 1), ("eu-1-a", 9)], &target(12), &[("eu-1-a", 9)]);
}

#[test]
fn what_runs_stays_although_its_domain_cannot_be_taken() {
    let target = |replicas| {
        Target::replicas(replicas)
            .divided_by(DivideBy::Weight)
            .spread(zones(2))
    };
    let mut planner = planner(&[("eu-1-a", 9), ("eu-2-a", 9), ("eu-3-a", 9)], &target(6));
    for name in ["eu-1-a", "eu-2-a"] {
        let mut info = planner.fleet().get(name).unwrap().clone();
        info.cluster.labels.remove("zone");
        planner.set_cluster(info).unwrap();
    }
    planner.set(web(&target(9)));
    planner.decide(&Facts::none(), Tick(20));
    let there: Vec<(String, u64)> = ["eu-1-a", "eu-2-a", "eu-3-a"]
        .map(|name| (name.to_owned(), 2))
        .to_vec();
    assert_eq!(active(&planner), there);
}

#[test]
fn it_shrinks_on_as_many_domains_as_it_must_be_on() {
    let target = |replicas| Target::replicas(replicas).spread(regions(3));
    let clusters = [("ap-1-a", 9), ("eu-1-a", 9), ("us-1-a", 9)];
    let mut planner = planner(&clusters, &target(9));
    planner.set(web(&target(3)));
    planner.decide(&Facts::none(), Tick(20));
    assert_eq!(active(&planner), clusters.map(|(name, _)| (name.to_owned(), 1)));
}

#[test]
fn what_must_leave_a_cluster_does_not_come_back_to_it() {
    // Without the filter that keeps everything away from clusters that are drained.
    let scheduler = Scheduler::builder().without("in-service").build();
    let fleet = FleetView::new([cluster("a-1", 9), cluster("b-1", 9)]).unwrap();
    let mut planner = Planner::new(scheduler, fleet, PlannerOptions::default());
    planner.set(web(&Target::replicas(3)));
    planner.decide(&Facts::none(), Tick(10));
    let mut info = planner.fleet().get("a-1").unwrap().clone();
    info.cluster.life_cycle = LifeCycle::Draining;
    planner.set_cluster(info).unwrap();
    planner.decide(&Facts::none(), Tick(20));
    assert_eq!(active(&planner), [("b-1".to_owned(), 3)]);
}
