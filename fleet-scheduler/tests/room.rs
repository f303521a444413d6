//! What fits on clusters: in all, on one node, and beside what is kept.

use fleet_core::{Capacity, Cluster, Reason, Resources, Tick};
use fleet_scheduler::*;

fn resources(text: &str) -> Resources {
    serde_json::from_str(text).unwrap()
}

/// A cluster that offers this, with these gaps on its nodes.
fn cluster(name: &str, offers: &str, gaps: &str) -> ClusterInfo {
    let mut capacity = Capacity::new(resources(offers), Resources::new(), Tick(1));
    capacity.largest_gap = resources(gaps);
    ClusterInfo::new(Cluster::new(name)).capacity(capacity)
}

fn workload(name: &str, target: Target, needs: &str) -> Workload {
    Workload::new(name, [target])
        .needs(resources(needs))
        .lost(LostPolicy::Respin {
            after: fleet_core::Millis(0),
        })
}

fn planner(clusters: impl IntoIterator<Item = ClusterInfo>) -> Planner {
    let options = PlannerOptions::default().storm(StormBreaker::off());
    Planner::new(Scheduler::default(), FleetView::new(clusters).unwrap(), options)
}

fn placed(planner: &Planner, name: &str) -> u64 {
    planner.table().placement(&name.into()).active().values().sum()
}

/// Why a cluster cannot take a workload, as far as room goes.
fn refused(planner: &Planner, name: &str, on: &str) -> Option<Reason> {
    let told = planner.explain(&name.into(), &Facts::none(), Tick(20)).unwrap();
    let clusters = &told.targets[0].clusters;
    let refusals = &clusters.iter().find(|one| one.cluster == on).unwrap().refusals;
    let room = refusals.iter().find(|one| one.filter == "room");
    room.map(|one| one.reason.clone())
}

#[test]
fn a_gap_is_for_one_replica() {
    let check = |target: Target, needs: &str, gaps: &str, expected: u64| {
        let mut planner = planner([cluster("a", r#"{"cpu": 400, "memory": "400Gi"}"#, gaps)]);
        planner.set(workload("web", target.clone(), needs));
        planner.decide(&Facts::none(), Tick(10));
        assert_eq!(placed(&planner, "web"), expected, "{target:?} {needs} {gaps}");
    };
    let gap = r#"{"cpu": 4}"#;
    check(Target::each(10), r#"{"cpu": 1}"#, gap, 10);
    check(Target::each(10), r#"{"cpu": 4}"#, gap, 10);
    check(Target::each(10), r#"{"cpu": 5}"#, gap, 0);
    check(Target::each(10), r#"{"cpu": 5}"#, "{}", 10);
    check(Target::each(401), r#"{"cpu": 1}"#, gap, 0);
    check(Target::replicas(10), r#"{"cpu": 4}"#, gap, 10);
    check(Target::replicas(10), r#"{"cpu": 5}"#, gap, 0);
    // Of memory no gap is known.
    check(Target::replicas(10), r#"{"cpu": 1, "memory": "1Gi"}"#, gap, 10);
    check(Target::replicas(10), r#"{"memory": "1Gi"}"#, gap, 10);
    check(
        Target::replicas(10),
        r#"{"memory": "1Gi"}"#,
        r#"{"memory": 0}"#,
        0,
    );
}

#[test]
fn nothing_is_kept_where_no_node_is_large_enough() {
    let check = |gap: &str, expected: u64| {
        let offers = r#"{"cpu": 10}"#;
        let mut planner = planner([cluster("a", offers, r#"{"cpu": 10}"#), cluster("b", offers, gap)]);
        let mut web = workload("web", Target::replicas(2), r#"{"cpu": 5}"#);
        web.survives = Survives::AnyCluster;
        planner.set(web);
        let round = planner.decide(&Facts::none(), Tick(10));
        let target = &round["web"].targets[0];
        assert_eq!(
            (placed(&planner, "web"), target.unprotected),
            (expected, 0),
            "{gap}"
        );
    };
    check(r#"{"cpu": 5}"#, 2);
    check(r#"{"cpu": 4}"#, 0);
}

#[test]
fn what_was_lost_does_not_come_where_no_node_is_large_enough() {
    let check = |gap: &str, expected: u64| {
        let offers = r#"{"cpu": 10}"#;
        let mut planner = planner([cluster("a", offers, "{}"), cluster("b", offers, "{}")]);
        let mut web = workload("web", Target::replicas(2), r#"{"cpu": 5}"#);
        web.survives = Survives::AnyCluster;
        planner.set(web);
        planner.decide(&Facts::none(), Tick(10));
        assert_eq!(planner.table().clusters_of(&"web".into()), [("a", 2)].into());
        // Its nodes have filled up since.
        planner.set_cluster(cluster("b", offers, gap)).unwrap();
        let after = planner.what_if(&[WhatIf::Lose("a".into())], &Facts::none(), Tick(20));
        let after = after.unwrap().planner.table().placement(&"web".into());
        assert_eq!(after.active().get("b").copied().unwrap_or(0), expected, "{gap}");
    };
    check(r#"{"cpu": 5}"#, 2);
    check(r#"{"cpu": 4}"#, 0);
}

#[test]
fn nobody_gives_way_where_no_node_becomes_large_enough() {
    let check = |small: &str, gaps: &str, expected: u64| {
        let mut planner = planner([cluster("a", r#"{"cpu": 8}"#, "{}")]);
        let count = 8 / resources(small).get("cpu").div_euclid(1000).unsigned_abs();
        planner.set(workload("small", Target::replicas(count), small));
        planner.decide(&Facts::none(), Tick(10));
        assert_eq!(placed(&planner, "small"), count);
        planner.set_cluster(cluster("a", r#"{"cpu": 8}"#, gaps)).unwrap();
        let mut large = workload("large", Target::replicas(2), r#"{"cpu": 4}"#).priority(10);
        large.preempts = true;
        planner.set(large);
        planner.decide(&Facts::none(), Tick(20));
        assert_eq!(placed(&planner, "large"), expected, "{small} {gaps}");
        let left = count - placed(&planner, "small");
        assert_eq!(left > 0, expected > 0, "{small} {gaps}: {left} gave way");
    };
    check(r#"{"cpu": 1}"#, "{}", 2);
    check(r#"{"cpu": 1}"#, r#"{"cpu": 4}"#, 2);
    // Ones leave gaps of one; how many of them share a node is not known.
    check(r#"{"cpu": 1}"#, r#"{"cpu": 1}"#, 0);
    check(r#"{"cpu": 4}"#, r#"{"cpu": 1}"#, 2);
    check(r#"{"cpu": 8}"#, r#"{"cpu": 0}"#, 2);
}

#[test]
fn every_resource_that_is_short_is_told_the_greatest_lack_first() {
    let check = |offers: &str, gaps: &str, needs: &str, expected: &str| {
        let other = cluster("b", r#"{"cpu": 900, "memory": "900Gi", "gpu": 9}"#, "{}");
        let mut planner = planner([cluster("a", offers, gaps), other]);
        planner.set(workload("web", Target::replicas(1), needs));
        let told = refused(&planner, "web", "a").map(|reason| reason.to_string());
        assert_eq!(told.unwrap_or_default(), expected, "{offers} {gaps} {needs}");
    };
    check(r#"{"cpu": 1}"#, "{}", r#"{"cpu": 1}"#, "");
    check(
        r#"{"cpu": "900m", "memory": "1Gi"}"#,
        "{}",
        r#"{"cpu": 1, "memory": "4Gi", "gpu": 1}"#,
        "gpu: 1 is needed, 0 is free; memory: 4Gi is needed, 1Gi is free; cpu: 1 is needed, 900m is free",
    );
    check(
        r#"{"cpu": 8, "memory": "1Gi"}"#,
        r#"{"cpu": 1}"#,
        r#"{"cpu": 4, "memory": "2Gi", "fpga": 1}"#,
        "no cluster offers fpga; cpu: 4 is needed at once, and no node has more than 1 free; \
         memory: 2Gi is needed, 1Gi is free",
    );
}

#[test]
fn what_is_kept_for_a_failure_is_not_free_and_that_is_told() {
    // What is kept on b is for a.
    let check = |cpu: u64, expected: &str, code: &str| {
        let offers = r#"{"cpu": 8}"#;
        let mut planner = planner([cluster("a", offers, "{}"), cluster("b", offers, "{}")]);
        let mut db = workload("db", Target::replicas(cpu), r#"{"cpu": 1}"#);
        db.survives = Survives::AnyCluster;
        planner.set(db);
        planner.set(workload("web", Target::replicas(1).on(["b"]), r#"{"cpu": 3}"#));
        planner.decide(&Facts::none(), Tick(10));
        let reason = refused(&planner, "web", "b").unwrap();
        assert_eq!((reason.to_string().as_str(), &*reason.code), (expected, code));
        assert_eq!(reason.facts.get("kept"), Some(&cpu.to_string()));
    };
    check(
        8,
        "cpu: 3 is needed, 8 is free, all of it kept for a failure",
        "kept",
    );
    check(
        7,
        "cpu: 3 is needed, 8 is free, 7 of it kept for a failure",
        "kept",
    );
}

/// How many replicas of each workload find a place on a cluster, one workload after the other, and what is told of the last.
fn in_slots(offers: &str, gaps: &str, workloads: &[(u64, &str)]) -> (Vec<u64>, String) {
    // Elsewhere there are pods, so that the fleet knows the resource.
    let mut planner = planner([cluster("a", offers, gaps), cluster("b", r#"{"pods": 0}"#, "{}")]);
    let mut placed_each = Vec::new();
    let mut told = None;
    for (at, (replicas, needs)) in workloads.iter().enumerate() {
        let name = format!("w{at}");
        planner.set(workload(&name, Target::replicas(*replicas).on(["a"]), needs));
        planner.decide(&Facts::none(), Tick(10));
        placed_each.push(placed(&planner, &name));
        told = refused(&planner, &name, "a");
    }
    (
        placed_each,
        told.map(|reason| reason.to_string()).unwrap_or_default(),
    )
}

#[test]
fn each_replica_takes_a_slot_for_a_pod() {
    let check = |offers: &str, gaps: &str, workloads: &[(u64, &str)], expected: &[u64], told: &str| {
        let got = in_slots(offers, gaps, workloads);
        assert_eq!(
            got,
            (expected.to_vec(), told.to_owned()),
            "{offers} {gaps} {workloads:?}"
        );
    };
    let ten = r#"{"cpu": 100, "pods": 10}"#;
    let full = "pods: 1 is needed, 0 is free";
    check(ten, "{}", &[(12, r#"{"cpu": 1}"#)], &[10], "");
    check(ten, "{}", &[(12, "{}")], &[10], "");
    check(ten, "{}", &[(12, r#"{"cpu": 0}"#)], &[10], "");
    check(
        ten,
        "{}",
        &[(7, "{}"), (7, r#"{"cpu": 1}"#), (1, "{}")],
        &[7, 3, 0],
        full,
    );
    // Whoever names pods says how many a replica is.
    check(ten, "{}", &[(7, r#"{"pods": 3}"#)], &[3], "");
    check(ten, "{}", &[(10, "{}"), (7, r#"{"pods": 0}"#)], &[10, 7], "");
    // One slot must be free on one node.
    check(
        ten,
        r#"{"pods": 0}"#,
        &[(1, "{}")],
        &[0],
        "pods: 1 is needed at once, and no node has more than 0 free",
    );
    // No limit is said.
    check(r#"{"cpu": 100}"#, "{}", &[(12, r#"{"cpu": 1}"#)], &[12], "");
    check(r#"{"cpu": 100}"#, "{}", &[(500, "{}")], &[500], "");
    // What names them asks for what is not offered.
    check(r#"{"cpu": 100}"#, "{}", &[(1, r#"{"pods": 1}"#)], &[0], full);
    check(r#"{"cpu": 100, "pods": 0}"#, "{}", &[(1, "{}")], &[0], full);
}

#[test]
fn replicas_that_come_together_take_as_many_slots() {
    let check = |pods: u64, expected: u64| {
        let offers = format!(r#"{{"cpu": 100, "pods": {pods}}}"#);
        let mut planner = planner([cluster("a", &offers, "{}")]);
        planner.set(workload("web", Target::each(4), r#"{"cpu": 1}"#));
        planner.decide(&Facts::none(), Tick(10));
        assert_eq!(placed(&planner, "web"), expected, "{pods}");
    };
    check(4, 4);
    check(3, 0);
}

#[test]
fn slots_are_kept_for_failures() {
    let check = |pods: u64, expected: u64| {
        let offers = format!(r#"{{"cpu": 100, "pods": {pods}}}"#);
        let mut planner = planner([cluster("a", &offers, "{}"), cluster("b", &offers, "{}")]);
        let mut web = workload("web", Target::replicas(4), r#"{"cpu": 1}"#);
        web.survives = Survives::AnyCluster;
        planner.set(web);
        let round = planner.decide(&Facts::none(), Tick(10));
        let target = &round["web"].targets[0];
        assert_eq!(
            (placed(&planner, "web"), target.unprotected),
            (expected, 0),
            "{pods}"
        );
        let lost = planner.what_if(&[WhatIf::Lose("a".into())], &Facts::none(), Tick(20));
        let after = lost.unwrap().planner.table().placement(&"web".into());
        assert_eq!(after.active(), [("b", expected)].into(), "{pods}");
    };
    check(4, 4);
    check(3, 3);
    check(1, 1);
}

#[test]
fn slots_that_are_kept_for_a_failure_are_not_free() {
    let check = |pods: &str, expected: u64, told: Option<&str>| {
        let offers = format!(r#"{{"cpu": 100{pods}}}"#);
        let mut planner = planner([cluster("a", &offers, "{}"), cluster("b", &offers, "{}")]);
        let mut db = workload("db", Target::replicas(4), r#"{"cpu": 1}"#);
        db.survives = Survives::AnyCluster;
        planner.set(db);
        planner.set(workload("web", Target::replicas(3).on(["b"]), "{}"));
        planner.decide(&Facts::none(), Tick(10));
        assert_eq!(placed(&planner, "web"), expected, "{pods}");
        let reason = refused(&planner, "web", "b").map(|reason| reason.to_string());
        assert_eq!(reason.as_deref(), told, "{pods}");
    };
    let kept = "pods: 1 is needed, 4 is free, all of it kept for a failure";
    check(r#", "pods": 4"#, 0, Some(kept));
    check(r#", "pods": 5"#, 1, None);
    check(r#", "pods": 7"#, 3, None);
    check("", 3, None);
}

#[test]
fn a_slot_is_made_by_what_gives_way_and_more_of_them_would_help() {
    let mut planner = planner([cluster("a", r#"{"cpu": 100, "pods": 2}"#, "{}")]);
    planner.set(workload("small", Target::replicas(2), "{}"));
    planner.decide(&Facts::none(), Tick(10));
    planner.set(workload("web", Target::replicas(3), r#"{"cpu": 1}"#));
    planner.decide(&Facts::none(), Tick(20));
    let told = planner.explain(&"web".into(), &Facts::none(), Tick(20)).unwrap();
    let grow = Change::Grow {
        resource: "pods".to_owned(),
        more: 3,
        cluster: "a".to_owned(),
    };
    assert!(
        told.targets[0].would_fit.contains(&grow),
        "{:?}",
        told.targets[0].would_fit
    );
    let mut important = workload("web", Target::replicas(3), r#"{"cpu": 1}"#).priority(10);
    important.preempts = true;
    planner.set(important);
    planner.decide(&Facts::none(), Tick(30));
    assert_eq!((placed(&planner, "web"), placed(&planner, "small")), (2, 0));
}

#[test]
fn somebody_goes_elsewhere_where_a_slot_is_free_so_that_another_has_one() {
    let check = |needs: &str, other: &str, expected: u64| {
        let offers = [("a", r#", "pods": 1"#), ("b", r#", "pods": 0"#), ("c", other)];
        let clusters = offers.map(|(name, pods)| cluster(name, &format!(r#"{{"cpu": 100{pods}}}"#), "{}"));
        let scheduler = Scheduler::builder().rebalancer(Worth::without_balance()).build();
        let mut planner = Planner::new(
            scheduler,
            FleetView::new(clusters).unwrap(),
            PlannerOptions::default(),
        );
        let anywhere = Target::replicas(1).on(["a", "b", "c"]);
        planner.set(workload("anywhere", Target::replicas(1).on(["a"]), needs));
        planner.decide(&Facts::none(), Tick(10));
        planner.set(workload("anywhere", anywhere, needs));
        planner.set(workload("web", Target::replicas(1).on(["a"]), r#"{"cpu": 1}"#));
        planner.decide(&Facts::none(), Tick(20));
        assert_eq!((placed(&planner, "anywhere"), placed(&planner, "web")), (1, 0));
        planner.rebalance(&Facts::none(), Tick(30));
        let healthy = Facts::none().healthy("anywhere", "c");
        for now in [40, 50] {
            planner.decide(&healthy, Tick(now));
        }
        let placed = (placed(&planner, "anywhere"), placed(&planner, "web"));
        assert_eq!(placed, (1, expected), "{needs} {other}");
    };
    check("{}", r#", "pods": 1"#, 1);
    check(r#"{"cpu": 1}"#, r#", "pods": 1"#, 1);
    check(r#"{"pods": 1}"#, r#", "pods": 1"#, 1);
    // No limit is said, which is nothing to who names pods.
    check("{}", "", 1);
    check(r#"{"cpu": 1}"#, "", 1);
    check(r#"{"pods": 1}"#, "", 0);
    // No slot is free anywhere.
    check("{}", r#", "pods": 0"#, 0);
}

#[test]
fn a_cluster_may_begin_to_count_pods_and_stop_again() {
    let offers = |pods: &str| cluster("a", &format!(r#"{{"cpu": 100{pods}}}"#), "{}");
    let mut planner = planner([offers(""), cluster("b", r#"{"pods": 0}"#, "{}")]);
    let mut web = workload("web", Target::replicas(2), "{}");
    let steps = [
        ("", 6, 6),
        (r#", "pods": 9"#, 12, 9),
        ("", 20, 20),
        (r#", "pods": 30"#, 40, 30),
    ];
    for (at, (pods, asked, expected)) in (1_u64..).zip(steps) {
        planner.set_cluster(offers(pods)).unwrap();
        web.targets[0] = Target::replicas(asked).on(["a"]);
        planner.set(web.clone());
        planner.decide(&Facts::none(), Tick(at * 10));
        assert_eq!(placed(&planner, "web"), expected, "{pods} {asked}");
    }
}
