//! Why here, why not there, what would make it fit, and what if.

use fleet_core::{Capacity, Cluster, LifeCycle, Resources, Taint, TaintEffect, Tick};
use fleet_scheduler::*;

fn resources(list: &[(&str, &str)]) -> Resources {
    list.iter().fold(Resources::new(), |all, (name, amount)| {
        all.with(name, amount).unwrap()
    })
}

fn cluster(name: &str, cpu: &str) -> ClusterInfo {
    let capacity = Capacity::new(resources(&[("cpu", cpu)]), Resources::new(), Tick(1));
    ClusterInfo::new(Cluster::new(name).label("tier", "prod")).capacity(capacity)
}

/// A cluster that is fine, one that is tainted, one of another tier, one that is cordoned, and one with two faults.
fn planner(workload: Workload) -> Planner {
    let mut tainted = cluster("b-tainted", "8");
    tainted.cluster.taints = vec![Taint::new("gpu", "", TaintEffect::NoSchedule)];
    let mut lab = cluster("c-lab", "8");
    lab.cluster.labels.insert("tier".into(), "lab".into());
    let mut cordoned = cluster("d-cordoned", "8");
    cordoned.cluster.life_cycle = LifeCycle::Cordoned;
    let mut both = tainted.clone();
    both.cluster.name = "e-both".into();
    both.cluster.life_cycle = LifeCycle::Cordoned;
    let fleet = FleetView::new([cluster("a", "4"), tainted, lab, cordoned, both]).unwrap();
    let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
    planner.set(workload);
    planner.decide(&Facts::none(), Tick(10));
    planner
}

fn web(replicas: u64) -> Workload {
    let target = Target::replicas(replicas).within(ClusterSelector::label("tier", "prod"));
    Workload::new("shop/web", [target]).needs(resources(&[("cpu", "1")]))
}

#[test]
fn all_reasons_are_told_and_the_changes_that_help() {
    let planner = planner(web(6));
    let explanation = planner
        .explain(&"shop/web".into(), &Facts::none(), Tick(20))
        .unwrap();
    let target = &explanation.targets[0];
    assert_eq!(
        (target.wanted, target.short, target.limit.clone()),
        (Some(6), 2, Some(Limit::Room))
    );
    assert_eq!(
        target.refused,
        [("not-in-service", 2), ("not-selected", 1), ("taint", 2)].into()
    );
    let both = target
        .clusters
        .iter()
        .find(|one| one.cluster == "e-both")
        .unwrap();
    assert_eq!(both.refusals.len(), 2, "{both:?}");
    let changes: Vec<String> = target.would_fit.iter().map(ToString::to_string).collect();
    assert_eq!(
        changes,
        [
            "cluster d-cordoned back in service",
            "tolerate taint gpu (as on b-tainted)",
            "give up \"label tier is prod\", or let c-lab meet it",
            "2 more cpu on a",
            "ask for 4 replicas",
        ]
    );
    let text = render_explanation(&explanation);
    assert!(
        text.contains("2 have no place: the clusters that pass have no more room"),
        "{text}"
    );
}

#[test]
fn scores_and_ranks_are_those_of_the_decision() {
    let planner = planner(web(3));
    let explanation = planner
        .explain(&"shop/web".into(), &Facts::none(), Tick(20))
        .unwrap();
    let a = &explanation.targets[0].clusters[0];
    assert_eq!(
        (a.cluster.as_str(), a.replicas, a.rank, a.fits),
        ("a", 3, Some(1), 1)
    );
    assert!(
        a.scores
            .iter()
            .any(|score| score.scorer == "least-full" && score.raw == Some(-750_000)),
        "{a:?}"
    );
    assert!(render_cluster(a).contains("3 replicas are here"));
}

#[test]
fn what_if_changes_nothing() {
    let planner = planner(web(3));
    let before = planner.placements();
    let round = planner
        .what_if(&[WhatIf::Drain("a".into())], &Facts::none(), Tick(20))
        .unwrap()
        .round;
    assert_eq!(round["shop/web"].outcome, Outcome::Unschedulable);
    assert_eq!(round["shop/web"].placement, before[&"shop/web".into()]);
    let more = WhatIf::With(cluster("f-new", "4"));
    let round = planner
        .what_if(&[more, WhatIf::Drain("a".into())], &Facts::none(), Tick(20))
        .unwrap()
        .round;
    assert_eq!(round["shop/web"].placement.active(), [("f-new", 3)].into());
    assert_eq!(planner.placements(), before);
    let wrong = planner.what_if(&[WhatIf::Without("nowhere".into())], &Facts::none(), Tick(20));
    assert!(matches!(wrong.err(), Some(InvalidFleet::Unknown(_))));
}

#[test]
fn history_says_what_happened_and_why() {
    let mut planner = planner(web(3));
    planner.set(web(2));
    planner.decide(&Facts::none(), Tick(20));
    planner.set_fleet(planner.fleet().with(cluster("f-new", "4")).unwrap());
    let mut drained = planner.fleet().get("a").unwrap().clone();
    drained.cluster.life_cycle = LifeCycle::Draining;
    planner.set_cluster(drained).unwrap();
    planner.decide(&Facts::none(), Tick(30));
    let id = "shop/web".into();
    let told: Vec<String> = planner
        .history(&id)
        .map(|one| {
            format!(
                "{} {}: {} -> {} ({})",
                one.at.0, one.cluster, one.before, one.after, one.cause
            )
        })
        .collect();
    assert_eq!(
        told,
        [
            "10 a: 0 -> 3 (placed)",
            "20 a: 3 -> 2 (shrunk)",
            "30 a: 2 -> 0 (drain)",
            "30 f-new: 0 -> 2 (drain)"
        ]
    );
}
