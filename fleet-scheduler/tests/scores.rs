//! What scores say of clusters, and what counts of it.

use fleet_core::{Cluster, Tick};
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
