//! What scores say of clusters, and what counts of it.

use fleet_core::{Capacity, Cluster, Resources, Tick};
use fleet_scheduler::*;

/// Which of the clusters a, b and c is taken, and what is told of each.
fn chosen(scorer: External, weight: i32, scores: &[(&str, i64)]) -> (String, Vec<Option<i64>>) {
    let clusters = ["a", "b", "c"].map(|name| ClusterInfo::new(Cluster::new(name)));
    let mut fleet = FleetView::new(clusters).unwrap();
    for (cluster, score) in scores {
        fleet = fleet.score("carbon", *cluster, *score, Tick(100));
    }
    let scheduler = SchedulerBuilder::bare().scorer(scorer, weight).build();
    let mut planner = Planner::new(scheduler, fleet, PlannerOptions::default());
    planner.set(Workload::new("web", [Target::replicas(1)]));
    planner.decide(&Facts::none(), Tick(10));
    let placed = planner.table().placement(&"web".into());
    let told = planner.explain(&"web".into(), &Facts::none(), Tick(10)).unwrap();
    let mut clusters = told.targets[0].clusters.clone();
    clusters.sort_by(|one, other| one.cluster.cmp(&other.cluster));
    let raw = clusters.iter().map(|one| one.scores[0].raw).collect();
    (placed.active().keys().next().unwrap().to_string(), raw)
}

#[test]
fn a_cluster_of_which_no_score_is_known_is_never_better_than_one_of_which_one_is() {
    let check = |scorer: fn() -> External, weight: i32, scores: &[(&str, i64)], expected: &str| {
        let (chosen, raw) = chosen(scorer(), weight, scores);
        assert_eq!(chosen, expected, "{weight} {scores:?}");
        let known = |name: &str| scores.iter().any(|(cluster, _)| *cluster == name);
        let is_known: Vec<bool> = raw.iter().map(Option::is_some).collect();
        assert_eq!(is_known, ["a", "b", "c"].map(known), "{scores:?}: {raw:?}");
    };
    let higher = || External::new("carbon");
    let lower = || External::new("carbon").lower_is_better();
    let two: &[(&str, i64)] = &[("b", 10), ("c", 5)];
    check(higher, 1, two, "b");
    check(higher, -1, two, "c");
    check(lower, 1, two, "c");
    check(lower, -1, two, "b");
    let all: &[(&str, i64)] = &[("a", i64::MAX), ("b", i64::MIN), ("c", 0)];
    check(higher, 1, all, "a");
    check(higher, -1, all, "b");
    check(lower, 1, all, "b");
    check(lower, -1, all, "a");
}

#[test]
fn a_cost_below_0_is_a_gain() {
    let needs = |list: &[(&str, &str)]| {
        let add = |all: Resources, (of, amount): &(&str, &str)| all.with(of, amount).unwrap();
        list.iter().fold(Resources::new(), add)
    };
    let check = |costs: &[(&str, i64)], list: &[(&str, &str)], expected: i64| {
        let add = |all: Cluster, (of, cost): &(&str, i64)| all.cost(*of, *cost);
        let capacity = Capacity::new(needs(list), Resources::new(), Tick(1));
        let info = |cluster: Cluster| ClusterInfo::new(cluster).capacity(capacity.clone());
        let cluster = info(costs.iter().fold(Cluster::new("b"), add));
        assert_eq!(cost_of(&cluster, &needs(list)), expected, "{costs:?} {list:?}");
        // Beside clusters that cost nothing, it is the best or the worst, to scores and to what is divided by cost.
        let fleet = FleetView::new([info(Cluster::new("a")), cluster, info(Cluster::new("c"))]).unwrap();
        let best = if expected < 0 { "b" } else { "a" };
        for (scheduler, by) in [
            (SchedulerBuilder::bare().scorer(Cost, 1), DivideBy::Fewest),
            (SchedulerBuilder::bare(), DivideBy::Cost),
        ] {
            let mut planner = Planner::new(scheduler.build(), fleet.clone(), PlannerOptions::default());
            planner.set(Workload::new("web", [Target::replicas(1).divided_by(by)]).needs(needs(list)));
            planner.decide(&Facts::none(), Tick(10));
            let placed = planner.table().placement(&"web".into());
            assert_eq!(placed.active(), [(best, 1)].into(), "{costs:?} {list:?} {by:?}");
        }
    };
    check(&[("replica", -7)], &[], -7);
    check(&[("replica", 7)], &[], 7);
    check(&[("cpu", -40)], &[("cpu", "1500m")], -60);
    check(
        &[("cpu", -40), ("memory", 5)],
        &[("cpu", "1"), ("memory", "2Gi")],
        -30,
    );
    // Parts are rounded up, which is towards 0.
    check(&[("cpu", -3)], &[("cpu", "500m")], -1);
    check(&[("cpu", 3)], &[("cpu", "500m")], 2);
    check(
        &[("gpu", i64::MIN), ("replica", i64::MIN)],
        &[("gpu", "9")],
        i64::MIN,
    );
    check(&[("gpu", i64::MAX), ("replica", i64::MIN)], &[("gpu", "1")], -1);
}
