//! Room is kept so that any one cluster, or any one domain, may vanish and everything fits still.

use fleet_core::{
    Capacity, Cluster, ContactLimits, ContactState, ContactStatus, Heard, Millis, Resources, Tick,
};
use fleet_scheduler::*;
use proptest::prelude::*;

fn cpu(cores: u64) -> Resources {
    Resources::new().with("cpu", &cores.to_string()).unwrap()
}

fn cluster(name: &str, zone: &str, cores: u64) -> ClusterInfo {
    let capacity = Capacity::new(cpu(cores), Resources::new(), Tick(1));
    ClusterInfo::new(Cluster::new(name).label("zone", zone)).capacity(capacity)
}

fn workload(name: &str, replicas: u64, cores: u64, survives: &Survives) -> Workload {
    let mut workload = Workload::new(name, [Target::replicas(replicas).divided_by(DivideBy::Capacity)])
        .needs(cpu(cores))
        .lost(LostPolicy::Respin { after: Millis(0) });
    workload.survives = survives.clone();
    workload
}

fn planner(clusters: Vec<ClusterInfo>, workloads: Vec<Workload>) -> Planner {
    let wide = Rate::new(u64::MAX, Millis::from_mins(1));
    let options = PlannerOptions::default()
        .storm(StormBreaker::off())
        .budgets(Budgets::new(wide, wide));
    let mut planner = Planner::new(Scheduler::default(), FleetView::new(clusters).unwrap(), options);
    workloads.into_iter().for_each(|workload| planner.set(workload));
    planner.decide(&Facts::none(), Tick(10));
    planner
}

/// Loses these clusters, and checks that everything that had a place has one, within what is offered.
fn lose(planner: &Planner, clusters: &[&str]) -> Result<(), TestCaseError> {
    let placed =
        |planner: &Planner, id: &WorkloadId| planner.table().placement(id).active().values().sum::<u64>();
    let changes: Vec<WhatIf> = clusters
        .iter()
        .map(|name| WhatIf::Lose((*name).to_owned()))
        .collect();
    let after = planner.what_if(&changes, &Facts::none(), Tick(100)).unwrap();
    for id in planner.placements().keys() {
        let (before, now) = (placed(planner, id), placed(&after.planner, id));
        prop_assert!(
            now >= before,
            "{}: {} of {} without {:?}: {:#?}",
            id,
            now,
            before,
            clusters,
            after.round
        );
    }
    let fleet = after.planner.fleet();
    for (slot, cluster) in fleet.clusters().enumerate() {
        let is_lost = clusters.contains(&cluster.name());
        prop_assert!(
            is_lost || after.planner.room().free(slot, "cpu") >= 0,
            "{} is over",
            cluster.name()
        );
        let active = after
            .planner
            .placements()
            .values()
            .map(|one| one.active().get(cluster.name()).copied().unwrap_or(0))
            .sum::<u64>();
        prop_assert!(
            !is_lost || active == 0,
            "{active} still count on {}",
            cluster.name()
        );
    }
    Ok(())
}

#[test]
fn what_cannot_be_kept_for_is_not_placed() {
    let clusters = vec![
        cluster("a", "1", 10),
        cluster("b", "2", 10),
        cluster("c", "3", 10),
    ];
    let check = |survives: Survives, expected: u64| {
        let planner = planner(clusters.clone(), vec![workload("web", 100, 1, &survives)]);
        let placed: u64 = planner.table().clusters_of(&"web".into()).values().sum();
        assert_eq!(placed, expected, "{survives:?}");
    };
    check(Survives::Nothing, 30);
    // Of three clusters of ten, twenty may be used: ten must fit into what the other two have left.
    check(Survives::AnyCluster, 20);
    check(Survives::AnyDomain("zone".into()), 20);
}

#[test]
fn the_shortfall_names_the_room_that_cannot_be_kept() {
    let mut planner = planner(vec![cluster("a", "1", 10), cluster("b", "2", 4)], vec![]);
    planner.set(workload("web", 10, 1, &Survives::AnyCluster));
    let round = planner.decide(&Facts::none(), Tick(20));
    let target = &round["web"].targets[0];
    assert_eq!(target.limit, Some(Limit::Spare));
    assert_eq!((target.wanted, target.unprotected), (10, 0));
    assert!(target.short > 0 && target.short < 10, "{target:?}");
}

#[test]
fn room_is_shared_between_failures() {
    // What is kept on c for a and what is kept there for b is the same room.
    let clusters = vec![
        cluster("a", "1", 10),
        cluster("b", "2", 10),
        cluster("c", "3", 10),
    ];
    let on = |name: &str, home: &str| {
        let mut workload = workload(name, 10, 1, &Survives::AnyCluster);
        workload.targets = vec![Target::replicas(10).on([home, "c"])];
        workload.prefer(
            ClusterSelector::everything().and(Requirement::new(Fact::Label, "zone", Operator::NotIn, ["3"])),
            10,
        )
    };
    let planner = planner(clusters, vec![on("x", "a"), on("y", "b")]);
    assert_eq!(planner.table().clusters_of(&"x".into()), [("a", 10)].into());
    assert_eq!(planner.table().clusters_of(&"y".into()), [("b", 10)].into());
    assert_eq!(planner.room().free(2, "cpu"), 10_000);
    lose(&planner, &["a"]).unwrap();
    lose(&planner, &["b"]).unwrap();
}

/// A label that nobody asks for is another than before: whatever is on these clusters is decided again.
fn decide_again(planner: &mut Planner, round: u64) -> Round {
    for info in planner.fleet().clusters().cloned().collect::<Vec<_>>() {
        let mut info = info;
        info.cluster.labels.insert("round".into(), round.to_string());
        planner.set_cluster(info).unwrap();
    }
    planner.decide(&Facts::none(), Tick(10 + round))
}

#[test]
fn what_is_kept_stays_kept_when_it_is_decided_again() {
    let clusters = ["a", "b", "c"].map(|name| cluster(name, name, 10)).to_vec();
    let mut planner = planner(clusters, vec![workload("web", 20, 1, &Survives::AnyCluster)]);
    for round in 1..4 {
        for decision in decide_again(&mut planner, round).values() {
            assert_eq!(decision.targets[0].unprotected, 0, "round {round}");
        }
        for name in ["a", "b", "c"] {
            lose(&planner, &[name]).unwrap();
        }
    }
}

#[test]
fn what_is_kept_waits_as_long_as_the_lost_replicas_do() {
    let clusters = ["a", "b", "c"].map(|name| cluster(name, name, 10)).to_vec();
    let after = Millis::from_mins(10);
    let web = workload("web", 20, 1, &Survives::AnyCluster).lost(LostPolicy::Respin { after });
    let mut planner = planner(clusters, vec![web]);
    let lost = planner.fleet().get("c").unwrap().clone();
    let mut contact = ContactStatus::first(Heard::silence(9), &ContactLimits::default(), Tick(1000));
    contact.state = ContactState::Lost;
    planner.set_cluster(lost.contact(contact)).unwrap();
    planner.decide(&Facts::none(), Tick(1000));
    // Somebody else asks for the room in the meantime, and does not get it.
    planner.set(workload("late", 10, 1, &Survives::Nothing));
    let round = planner.decide(&Facts::none(), Tick(2000));
    assert_eq!(round["late"].short(), 10, "{:?}", round["late"]);
    let round = planner.decide(&Facts::none(), Tick(1000) + after);
    assert_eq!(round["web"].short(), 0, "{:?}", round["web"]);
    let active: u64 = round["web"].placement.active().values().sum();
    assert_eq!(active, 20);
}

#[test]
fn a_new_cluster_protects_what_was_not() {
    let pinned = |name: &str| {
        let mut workload = workload(name, 10, 1, &Survives::AnyCluster);
        workload.survives = Survives::Nothing;
        workload
    };
    let mut planner = planner(vec![cluster("a", "1", 10)], vec![pinned("web")]);
    let mut web = pinned("web");
    web.survives = Survives::AnyCluster;
    planner.set(web);
    let round = planner.decide(&Facts::none(), Tick(20));
    assert_eq!(round["web"].targets[0].unprotected, 10);
    let fleet = planner.fleet().with(cluster("b", "2", 4)).unwrap();
    planner.set_fleet(fleet);
    let round = planner.decide(&Facts::none(), Tick(30));
    assert_eq!(round["web"].targets[0].unprotected, 6);
    planner.set_cluster(cluster("b", "2", 20)).unwrap();
    let round = planner.decide(&Facts::none(), Tick(40));
    assert_eq!(round["web"].targets[0].unprotected, 0);
}

#[test]
fn what_is_kept_is_within_all_limits() {
    // Two are on each of three clusters of 4 cores, in three zones: there is room enough for any two of them elsewhere.
    let fleet = || ["a", "b", "c"].map(|name| cluster(name, name, 4));
    let check = |scheduler: Scheduler, target: Target, survives: Survives, placed: u64, unprotected: u64| {
        let wide = Rate::new(u64::MAX, Millis::from_mins(1));
        let options = PlannerOptions::default()
            .storm(StormBreaker::off())
            .budgets(Budgets::new(wide, wide));
        let mut planner = Planner::new(scheduler, FleetView::new(fleet()).unwrap(), options);
        let mut web = workload("web", 6, 1, &Survives::Nothing);
        web.targets = vec![target.divided_by(DivideBy::Capacity)];
        planner.set(web.clone());
        planner.decide(&Facts::none(), Tick(10));
        assert_eq!(planner.table().placement(&"web".into()).active().len(), 3);
        web.survives = survives;
        planner.set(web);
        let round = planner.decide(&Facts::none(), Tick(11));
        let active: u64 = planner.table().placement(&"web".into()).active().values().sum();
        assert_eq!(
            (active, round["web"].targets[0].unprotected),
            (placed, unprotected),
            "{round:#?}"
        );
        if unprotected == 0 {
            lose(&planner, &["a"]).unwrap();
        }
    };
    let any = Survives::AnyCluster;
    check(Scheduler::default(), Target::replicas(6), any.clone(), 6, 0);
    let at_most = |most| Scheduler::builder().divider(AtMost::new(most, AsAsked)).build();
    check(at_most(3), Target::replicas(6), any.clone(), 6, 0);
    check(at_most(2), Target::replicas(6), any.clone(), 6, 2);
    let spread = |min| Target::replicas(6).spread(Spread::over("zone").min(min));
    check(Scheduler::default(), spread(2), any.clone(), 6, 0);
    check(Scheduler::default(), spread(3), any.clone(), 6, 0);
    check(
        Scheduler::default(),
        spread(2),
        Survives::AnyDomain("zone".into()),
        6,
        0,
    );
    check(
        Scheduler::default(),
        Target::replicas(6).over_clusters(Some(3), None),
        any.clone(),
        6,
        0,
    );
    check(
        Scheduler::default(),
        Target::replicas(6).bound(Bound::of(ClusterSelector::everything()).max(2)),
        any,
        6,
        2,
    );
}

#[test]
fn a_drain_goes_on_although_nothing_can_be_kept_where_it_goes() {
    let any = Survives::AnyCluster;
    let mut planner = planner(
        vec![cluster("a", "a", 4), cluster("b", "b", 4)],
        vec![workload("web", 2, 1, &any)],
    );
    let mut info = planner.fleet().get("a").unwrap().clone();
    info.cluster.life_cycle = fleet_core::LifeCycle::Draining;
    planner.set_cluster(info).unwrap();
    let round = planner.decide(&Facts::none(), Tick(20));
    let active = planner.table().placement(&"web".into());
    assert_eq!(active.active(), [("b", 2)].into(), "{round:#?}");
    assert_eq!(
        (round["web"].short(), round["web"].targets[0].unprotected),
        (0, 2),
        "{round:#?}"
    );
}

#[test]
fn room_is_kept_in_whatever_group_has_it() {
    let check = |cores: [u64; 3], placed: &[(&str, u64)], kept: [i64; 3]| {
        let tiers = ["prod", "prod", "reserve"];
        let clusters = ["a", "b", "c"].iter().zip(tiers).zip(cores);
        let clusters = clusters.map(|((name, tier), cores)| {
            let mut info = cluster(name, name, cores);
            info.cluster.labels.insert("tier".into(), tier.into());
            info
        });
        let mut web = workload("web", 8, 1, &Survives::AnyCluster);
        let tier = |tier| ClusterSelector::label("tier", tier);
        web.targets = vec![Target::replicas(8).within(tier("prod")).within(tier("reserve"))];
        let planner = planner(clusters.collect(), vec![web]);
        assert_eq!(
            planner.table().placement(&"web".into()).active(),
            placed.iter().copied().collect()
        );
        for name in ["a", "b", "c"] {
            lose(&planner, &[name]).unwrap();
        }
        // What is kept is kept from others, exactly there.
        for (name, kept) in ["a", "b", "c"].into_iter().zip(kept) {
            let mut planner = planner.clone();
            let mut other = workload("other", 100, 1, &Survives::Nothing);
            other.targets = vec![Target::replicas(100).on([name])];
            planner.set(other);
            planner.decide(&Facts::none(), Tick(20));
            let slot = planner.fleet().slot(name).unwrap();
            assert_eq!(
                planner.room().free(slot, "cpu"),
                kept * 1_000,
                "{name} of {cores:?}"
            );
        }
    };
    // Only the reserve has room for what is on a.
    check([8, 1, 8], &[("a", 8)], [0, 0, 8]);
    // The first group has it.
    check([8, 8, 8], &[("a", 8)], [0, 8, 0]);
    // Neither has it alone.
    check([8, 4, 4], &[("a", 8)], [0, 4, 4]);
}

#[test]
fn what_is_on_each_cluster_keeps_no_room_and_is_on_each() {
    let clusters = ["a", "b", "c"].map(|name| cluster(name, name, 4)).to_vec();
    let mut agent = workload("agent", 1, 1, &Survives::AnyCluster);
    agent.targets = vec![Target::each(1)];
    let mut planner = planner(clusters, vec![agent]);
    let fleet = planner.fleet().with(cluster("d", "d", 4)).unwrap();
    planner.set_fleet(fleet);
    let round = planner.decide(&Facts::none(), Tick(20));
    assert_eq!(planner.table().placement(&"agent".into()).active().len(), 4);
    assert_eq!(
        (round["agent"].short(), round["agent"].targets[0].unprotected),
        (0, 0)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 64, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_one_may_vanish(
        cores in prop::collection::vec(1_u64..24, 2..7),
        workloads in prop::collection::vec((1_u64..20, 1_u64..5), 1..8),
        by_zone in any::<bool>(),
    ) {
        let survives = if by_zone { Survives::AnyDomain("zone".into()) } else { Survives::AnyCluster };
        let clusters: Vec<ClusterInfo> = cores.iter().enumerate()
            .map(|(at, cores)| cluster(&format!("c{at}"), &format!("z{}", at % 3), *cores)).collect();
        let workloads = workloads.iter().enumerate()
            .map(|(at, (replicas, cores))| workload(&format!("w{at}"), *replicas, *cores, &survives)).collect();
        let mut planner = planner(clusters, workloads);
        for round in 0..3 {
            for at in 0..cores.len() {
                lose(&planner, &[&format!("c{at}")])?;
            }
            decide_again(&mut planner, round);
        }
        if by_zone {
            for zone in 0..3 {
                let lost: Vec<String> = (0..cores.len()).filter(|at| at % 3 == zone).map(|at| format!("c{at}")).collect();
                lose(&planner, &lost.iter().map(String::as_str).collect::<Vec<_>>())?;
            }
        }
    }
}
