//! What keeps replicas away is told by its name.

use fleet_core::{Capacity, Cluster, Resources, Tick};
use fleet_scheduler::*;

fn cluster(name: &str, zone: &str, cores: u64) -> ClusterInfo {
    let cpu = Resources::new().with("cpu", &cores.to_string()).unwrap();
    let cluster = Cluster::new(name).label("zone", zone);
    ClusterInfo::new(cluster).capacity(Capacity::new(cpu, Resources::new(), Tick(1)))
}

fn planner(cores: &[u64]) -> Planner {
    let clusters = cores.iter().enumerate();
    let clusters = clusters.map(|(at, cores)| cluster(&format!("c{at}"), &format!("z{}", at / 2), *cores));
    let fleet = FleetView::new(clusters).unwrap();
    Planner::new(Scheduler::default(), fleet, PlannerOptions::default())
}

fn decide(cores: &[u64], workload: Workload) -> Decision {
    let mut planner = planner(cores);
    let needs = Resources::new().with("cpu", "1").unwrap();
    planner.set(workload.needs(needs));
    let mut round = planner.decide(&Facts::none(), Tick(10));
    round.pop_first().unwrap().1
}

fn everything() -> Bound {
    Bound::of(ClusterSelector::everything())
}

#[test]
fn the_limit_of_a_target_is_not_told_as_a_lack_of_room() {
    let check = |cores: &[u64], target: Target, placed: u64, limit: Option<Limit>| {
        for by in [
            DivideBy::Fewest,
            DivideBy::Weight,
            DivideBy::Capacity,
            DivideBy::Cost,
        ] {
            let target = target.clone().divided_by(by);
            let decision = decide(cores, Workload::new("web", [target.clone()]));
            let told = &decision.targets[0];
            let seen = (told.wanted - told.short, told.limit.clone());
            assert_eq!(seen, (placed, limit.clone()), "{by:?}: {cores:?} {target:?}");
        }
    };
    let domains = |most| Limit::MostDomains {
        over: "zone".into(),
        most,
    };
    check(&[100, 100], Target::replicas(6), 6, None);
    check(&[100, 100], Target::replicas(600), 200, Some(Limit::Room));
    let two = Target::replicas(6).bound(everything().max(2));
    check(&[100, 100], two.clone(), 4, Some(Limit::ClusterMax));
    check(&[100, 1], two.clone(), 3, Some(Limit::ClusterMax));
    check(&[1, 1], two, 2, Some(Limit::Room));
    let none = Target::replicas(6).bound(everything().max(0));
    check(&[100, 100], none, 0, Some(Limit::ClusterMax));
    let few = Target::replicas(9).over_clusters(None, Some(2));
    check(&[3, 3, 3], few.clone(), 6, Some(Limit::MostClusters { most: 2 }));
    check(&[3, 3], few.clone(), 6, Some(Limit::Room));
    check(&[3, 3, 0], few, 6, Some(Limit::Room));
    let zone = |max| Target::replicas(12).spread(Spread::over("zone").max(max));
    check(&[3, 3, 3, 3], zone(1), 6, Some(domains(1)));
    check(&[3, 3, 3], zone(2), 9, Some(Limit::Room));
}

#[test]
fn limits_that_are_not_met_are_told() {
    let check = |targets: &[Target], expected: &[(&str, u64, Option<u64>, Option<u64>)]| {
        let mut planner = planner(&[10, 10, 10, 10]);
        let mut told = Vec::new();
        for (at, target) in targets.iter().enumerate() {
            planner.set(Workload::new("web", [target.clone()]));
            let now = Tick(10 + u64::try_from(at).unwrap());
            let mut round = planner.decide(&Facts::none(), now);
            let decision = round.pop_first().unwrap().1;
            assert_eq!(decision.outcome, Outcome::Placed, "{targets:?}");
            told.clone_from(&decision.targets[0].unmet);
        }
        let told: Vec<_> = told
            .iter()
            .map(|one| {
                let of = match &one.of {
                    Limited::Cluster(name) => name.as_str(),
                    Limited::Clusters => "clusters",
                    Limited::Domains(over) => over.as_str(),
                    _ => unreachable!(),
                };
                (of, one.got, one.min, one.max)
            })
            .collect();
        assert_eq!(told, expected, "{targets:?}");
    };
    let two = || Target::replicas(3).on(["c0", "c1"]);
    check(&[two()], &[]);
    let least = two().divided_by(DivideBy::Weight).bound(everything().min(2));
    check(&[least], &[("c1", 1, Some(2), None)]);
    let named = Target::replicas(1)
        .bound(Bound::cluster("c0").min(1))
        .bound(Bound::cluster("c1").min(1));
    check(&[named], &[("c1", 0, Some(1), None)]);
    check(
        &[Target::replicas(1).over_clusters(Some(2), None)],
        &[("clusters", 1, Some(2), None)],
    );
    let zones = |replicas| Target::replicas(replicas).spread(Spread::over("zone").min(2));
    check(&[zones(1)], &[("zone", 1, Some(2), None)]);
    check(&[zones(2)], &[]);
    // What is there stays.
    let more = || Target::replicas(6).on(["c0"]);
    check(
        &[more(), more().bound(everything().max(4))],
        &[("c0", 6, None, Some(4))],
    );
    let wide = Target::replicas(4).divided_by(DivideBy::Weight);
    check(
        &[wide.clone(), wide.over_clusters(None, Some(3))],
        &[("clusters", 4, None, Some(3))],
    );
}
