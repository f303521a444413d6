//! Why here, why not there, what would make it fit, and what if.

use std::borrow::Cow;

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
        [("not-in-service", 2), ("not-selected", 1), ("taint", 2)]
            .map(|(code, count)| (code.into(), count))
            .into()
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
        ("a", 3, Some(1), Some(1))
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
fn as_many_changes_are_remembered_as_are_asked_for() {
    for (most, expected) in [(0, &[][..]), (1, &[5]), (3, &[3, 4, 5])] {
        let options = PlannerOptions::default().history(most);
        let mut planner = Planner::new(
            Scheduler::default(),
            FleetView::new([cluster("a", "8")]).unwrap(),
            options,
        );
        for replicas in 1..=5 {
            planner.set(web(replicas));
            planner.decide(&Facts::none(), Tick(replicas));
        }
        let told: Vec<u64> = planner.history(&"shop/web".into()).map(|one| one.after).collect();
        assert_eq!(told, expected, "{most}");
    }
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

fn explained(planner: &Planner) -> TargetExplanation {
    let all = planner
        .explain(&"shop/web".into(), &Facts::none(), Tick(20))
        .unwrap();
    all.targets[0].clone()
}

fn on<'a>(target: &'a TargetExplanation, cluster: &str) -> &'a ClusterExplanation {
    target.clusters.iter().find(|one| one.cluster == cluster).unwrap()
}

#[test]
fn what_takes_no_more_says_why() {
    let codes = |fleet: FleetView, workload: Workload, cluster: &str| -> Vec<Cow<'static, str>> {
        let mut planner = Planner::new(Scheduler::default(), fleet, PlannerOptions::default());
        planner.set(workload);
        planner.decide(&Facts::none(), Tick(10));
        let target = explained(&planner);
        let one = on(&target, cluster);
        assert!(one.replicas > 0 && one.rank.is_some(), "{one:?}");
        assert_eq!(
            render_cluster(one).contains("no more come"),
            !one.limit.is_empty(),
            "{one:?}"
        );
        one.limit.iter().map(|reason| reason.code.clone()).collect()
    };
    let fleet = || FleetView::new([cluster("a", "4"), cluster("b", "4")]).unwrap();
    let bounded = |max| Target::replicas(3).bound(Bound::cluster("a").max(max));
    let with = |target: Target| Workload::new("shop/web", [target]).needs(resources(&[("cpu", "1")]));
    for (workload, expect) in [
        (web(3), vec![]),
        (web(4), vec!["no-room"]),
        (with(Target::each(1)), vec!["each"]),
        (with(bounded(2).on(["a"])), vec!["cluster-max"]),
        (with(bounded(3).on(["a"])), vec!["cluster-max"]),
    ] {
        assert_eq!(codes(fleet(), workload.clone(), "a"), expect, "{workload:?}");
    }
    let mut kept = with(Target::replicas(4).divided_by(DivideBy::Capacity));
    kept.survives = Survives::AnyCluster;
    assert_eq!(codes(fleet(), kept, "a"), ["kept"]);

    // What is there stays on a cordoned cluster.
    let mut planner = Planner::new(Scheduler::default(), fleet(), PlannerOptions::default());
    planner.set(web(3));
    planner.decide(&Facts::none(), Tick(10));
    let mut cordoned = cluster("a", "4");
    cordoned.cluster.life_cycle = LifeCycle::Cordoned;
    planner.set_cluster(cordoned).unwrap();
    let target = explained(&planner);
    assert_eq!(on(&target, "a").limit[0].code, "not-in-service");
    assert!(
        render_cluster(on(&target, "a")).contains("no more come: it is cordoned"),
        "{target:?}"
    );
}

#[test]
fn the_nearest_miss_comes_first() {
    let mut planner = planner(web(6));
    planner.set_cluster(cluster("a", "4500m")).unwrap();
    planner.decide(&Facts::none(), Tick(11));
    let target = explained(&planner);
    let misses = target.nearest_misses();
    assert_eq!(
        (misses[0].0, misses[0].1[0].to_string()),
        ("a", "cpu: 1 is needed, 500m is free".to_owned())
    );
    assert_eq!((misses[4].0, misses[4].1.len()), ("e-both", 2));

    // Those that are not named miss nothing.
    planner.set(
        Workload::new("shop/web", [Target::replicas(6).on(["a", "c-lab"])]).needs(resources(&[("cpu", "9")])),
    );
    planner.decide(&Facts::none(), Tick(12));
    let target = explained(&planner);
    let names: Vec<&str> = target
        .nearest_misses()
        .into_iter()
        .map(|(name, _)| name)
        .collect();
    assert_eq!(names, ["c-lab", "a"]);
    let all = planner
        .explain(&"shop/web".into(), &Facts::none(), Tick(20))
        .unwrap();
    let text = render_explanation(&all);
    let last = text.lines().last().unwrap();
    assert!(
        last.starts_with("    not on b-tainted: the target names other clusters; likewise d-cordoned"),
        "{text}"
    );
    assert!(!text.contains("not on d-cordoned: "), "{text}");
}

#[test]
fn an_explanation_keeps_what_was_decided() {
    let mut planner = planner(web(6));
    planner.set(web(7));
    let mut decision = planner
        .decide(&Facts::none(), Tick(20))
        .remove("shop/web")
        .unwrap();
    decision.targets[0].limit = Some(Limit::Spare);
    let kept = planner
        .explain_decision(&decision, &Facts::none(), Tick(20))
        .unwrap();
    assert_eq!(kept.targets[0].limit, Some(Limit::Spare));
    assert_eq!(kept.targets[0].short, decision.targets[0].short);
    let again = planner.explain(&"shop/web".into(), &Facts::none(), Tick(20));
    assert_eq!(again.unwrap().targets[0].limit, Some(Limit::Room));
}

#[test]
fn what_has_left_the_fleet_is_told_with_what_is_there() {
    let mut planner = planner(web(3));
    planner.set_fleet(planner.fleet().without("a").unwrap());
    planner.decide(&Facts::none(), Tick(20));
    let target = explained(&planner);
    let left = on(&target, "a");
    assert_eq!(
        (left.replicas, left.rank, &*left.refusals[0].reason.code),
        (3, None, "not-in-fleet")
    );
    assert_eq!(target.refused.get("not-in-fleet"), Some(&1));
    assert!(target.nearest_misses().iter().all(|(name, _)| *name != "a"));
    assert!(render_cluster(left).contains("refused by target: it is not in the fleet"));
}

#[test]
fn it_is_said_which_group_was_taken() {
    let region = |name: &str, region: &str| {
        let mut cluster = cluster(name, "4");
        cluster.cluster.labels.insert("region".into(), region.into());
        cluster
    };
    let told = |replicas: u64| {
        let clusters = [region("a", "eu"), region("b", "us"), region("c", "asia")];
        let mut planner = Planner::new(
            Scheduler::default(),
            FleetView::new(clusters).unwrap(),
            PlannerOptions::default(),
        );
        let target = Target::replicas(replicas)
            .within(ClusterSelector::label("region", "eu"))
            .within(ClusterSelector::label("region", "us"));
        planner.set(Workload::new("shop/web", [target]).needs(resources(&[("cpu", "1")])));
        planner.decide(&Facts::none(), Tick(10));
        explained(&planner)
    };
    let why = |target: &TargetExplanation, cluster: &str| -> Vec<String> {
        let refusals = on(target, cluster).refusals.iter();
        refusals.map(|refusal| refusal.reason.to_string()).collect()
    };
    let first = told(3);
    assert_eq!(first.groups, ["label region is eu"]);
    assert_eq!(why(&first, "a"), [""; 0]);
    assert_eq!(
        why(&first, "b"),
        ["a group before its own (label region is us) carries everything"]
    );
    assert_eq!(why(&first, "c"), ["label region is eu is asked for, it is asia"]);
    // None can carry all: each in its turn, and what is in use is refused nowhere.
    let all = told(6);
    assert_eq!(all.groups, ["label region is eu", "label region is us"]);
    assert_eq!((on(&all, "a").replicas, on(&all, "b").replicas), (4, 2));
    assert_eq!(why(&all, "b"), [""; 0]);
}

#[test]
fn what_is_not_known_is_no_number() {
    let fleet = FleetView::new([cluster("a", "4"), cluster("b", "4")])
        .unwrap()
        .score("latency", "a", 5, Tick(100));
    let scheduler = Scheduler::builder().scorer(External::new("latency"), 1).build();
    let mut planner = Planner::new(scheduler, fleet, PlannerOptions::default());
    planner.set(Workload::new("shop/web", [Target::replicas(1)]));
    planner.decide(&Facts::none(), Tick(10));
    let target = explained(&planner);
    let latency = |cluster: &str| {
        let mut scores = on(&target, cluster).scores.iter();
        scores.find(|score| score.scorer == "latency").unwrap().raw
    };
    assert_eq!((latency("a"), latency("b")), (Some(5), None));
    assert_eq!(on(&target, "a").fits, None, "it asks for nothing");
    let written = serde_json::to_value(&target).unwrap().to_string();
    assert!(!written.contains(&u64::MAX.to_string()), "{written}");
    assert!(!written.contains(&i64::MIN.to_string()), "{written}");
}
