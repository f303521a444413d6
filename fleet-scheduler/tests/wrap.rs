//! Parts around other parts, and the simplest ones.

use fleet_core::{Capacity, Cluster, LifeCycle, Reason, Resources, Tick};
use fleet_scheduler::*;

fn cpu(cores: u64) -> Resources {
    Resources::new().with("cpu", &cores.to_string()).unwrap()
}

fn planner(builder: SchedulerBuilder, workloads: impl IntoIterator<Item = Workload>) -> Planner {
    let cluster = |name: &str, cores: u64, cost: i64| {
        ClusterInfo::new(Cluster::new(name).cost("cpu", cost)).capacity(Capacity::new(
            cpu(cores),
            Resources::new(),
            Tick(1),
        ))
    };
    let fleet = FleetView::new([cluster("a", 4, 30), cluster("b", 8, 10), cluster("c", 8, 20)]).unwrap();
    let mut planner = Planner::new(builder.build(), fleet, PlannerOptions::default());
    workloads.into_iter().for_each(|workload| planner.set(workload));
    planner.decide(&Facts::none(), Tick(10));
    planner
}

fn web(replicas: u64) -> Workload {
    Workload::new("web", [Target::replicas(replicas)]).needs(cpu(1))
}

fn on<'a>(planner: &'a Planner, workload: &str) -> Vec<(&'a str, u64)> {
    planner
        .table()
        .clusters_of(&workload.into())
        .into_iter()
        .collect()
}

fn not_on_b() -> impl Filter {
    filter_fn("not-b", |candidate| match candidate.cluster.name() {
        "b" => Err(Reason::new("b", "not on b")),
        _ => Ok(()),
    })
}

#[test]
fn a_part_is_asked_about_some_workloads_only() {
    let only_batch = |workload: &Workload, _: &Target| workload.completes;
    let mut batch = web(2);
    (batch.name, batch.completes) = ("batch".into(), true);
    let cheapest = SchedulerBuilder::bare()
        .scorer(Cost, 1)
        .filter(OnlyWhen::new(only_batch, not_on_b()));
    let planner = planner(cheapest, [web(2), batch]);
    assert_eq!(
        (on(&planner, "web"), on(&planner, "batch")),
        (vec![("b", 2)], vec![("c", 2)])
    );

    let dearest = SchedulerBuilder::bare().scorer(OnlyWhen::new(only_batch, Cost), 1);
    let mut batch = web(2);
    (batch.name, batch.completes) = ("batch".into(), true);
    let planner = self::planner(dearest, [web(2), batch]);
    assert_eq!(
        (on(&planner, "web"), on(&planner, "batch")),
        (vec![("a", 2)], vec![("b", 2)])
    );
}

#[test]
fn a_name_tells_two_of_a_kind_apart() {
    let builder = SchedulerBuilder::bare()
        .scorer(Named::new("cheap", Cost), 1)
        .scorer(Named::new("dear", Cost), -2);
    assert_eq!(on(&planner(builder, [web(2)]), "web"), [("a", 2)]);
    let builder = SchedulerBuilder::bare()
        .scorer(Named::new("cheap", Cost), 1)
        .scorer(Named::new("dear", Cost), -2)
        .without("dear");
    assert_eq!(on(&planner(builder, [web(2)]), "web"), [("b", 2)]);
}

#[test]
fn no_cluster_gets_too_much() {
    let check = |replicas: u64, expected: &[(&str, u64)], short: u64, limit: Option<Limit>| {
        let builder = SchedulerBuilder::bare()
            .scorer(Cost, 1)
            .divider(AtMost::new(3, AsAsked));
        let mut planner = planner(builder, []);
        planner.set(web(replicas));
        let round = planner.decide(&Facts::none(), Tick(20));
        assert_eq!(on(&planner, "web"), expected);
        let target = &round["web"].targets[0];
        assert_eq!((target.short, target.limit.clone()), (short, limit));
    };
    check(5, &[("b", 3), ("c", 2)], 0, None);
    check(9, &[("a", 3), ("b", 3), ("c", 3)], 0, None);
    check(12, &[("a", 3), ("b", 3), ("c", 3)], 3, Some(Limit::ClusterMax));
}

#[test]
fn the_simplest_parts_fill_the_best_and_empty_the_worst() {
    let builder = SchedulerBuilder::bare()
        .scorer(Cost, 1)
        .selector(EveryCluster)
        .divider(BestFirst)
        .rebalancer(StayPut);
    let mut planner = planner(builder, [web(14)]);
    assert_eq!(on(&planner, "web"), [("b", 8), ("c", 6)]);
    planner.set(web(9));
    planner.decide(&Facts::none(), Tick(20));
    assert_eq!(on(&planner, "web"), [("b", 8), ("c", 1)]);
    planner.set(web(30));
    let round = planner.decide(&Facts::none(), Tick(30));
    assert_eq!(
        (round["web"].short(), round["web"].targets[0].limit.clone()),
        (10, Some(Limit::Room))
    );
}

#[test]
fn nothing_moves_for_gain_where_all_places_are_worth_the_same() {
    let check = |builder: SchedulerBuilder, moves: usize| {
        let builder = builder.filter(not_on_b()).scorer(Cost, 1);
        let mut planner = planner(
            builder,
            [Workload::new("web", [Target::replicas(2).on(["a", "c"])]).needs(cpu(1))],
        );
        assert_eq!(on(&planner, "web"), [("c", 2)]);
        let mut dearer = planner.fleet().get("c").unwrap().clone();
        dearer.cluster.cost.insert("cpu".into(), 500);
        planner.set_cluster(dearer).unwrap();
        let round = planner.rebalance(&Facts::none(), Tick(20));
        assert_eq!(round.get("web").map_or(0, |decision| decision.moves.len()), moves);
    };
    check(SchedulerBuilder::bare(), 1);
    check(SchedulerBuilder::bare().rebalancer(StayPut), 0);
    check(SchedulerBuilder::bare().rebalancer(Box::new(StayPut)), 0);
}

#[test]
fn answers_are_written_down() {
    let recorder = Recorder::default();
    let builder = SchedulerBuilder::bare()
        .filter(Recorded::new(not_on_b(), &recorder))
        .scorer(Recorded::new(Cost, &recorder), 1)
        .estimator(Recorded::new(estimator_fn("quota", |_| None), &recorder))
        .selector(Recorded::new(BySpread, &recorder))
        .divider(Recorded::new(AsAsked, &recorder));
    planner(builder, [web(14)]);
    let said = |part: &str| -> Vec<String> {
        let records = recorder.latest();
        let of_part = records.iter().filter(|record| record.part == part);
        let cluster = |record: &Record| record.cluster.clone().map_or(String::new(), |name| name + ": ");
        of_part.map(|record| cluster(record) + &record.said).collect()
    };
    assert_eq!(said("not-b"), ["a: passes", "b: refuses", "c: passes"]);
    // The answer depends on the cluster alone: it is given for all of them, once.
    assert_eq!(said("cost"), ["a: -30", "b: -10", "c: -20"]);
    assert_eq!(said("quota"), ["a: not known", "c: not known"]);
    assert_eq!(said("by-spread"), ["c, a"]);
    assert_eq!(said("as-asked"), ["a 4, c 8; 2 short"]);
    assert_eq!(recorder.asked(), 10);
}

#[test]
fn only_the_latest_answers_are_kept() {
    let recorder = Recorder::keeping(2);
    let builder = SchedulerBuilder::bare().filter(Recorded::new(InService, &recorder));
    let mut planner = planner(builder, [web(2)]);
    assert_eq!(recorder.asked(), 3);
    assert_eq!(recorder.latest().len(), 2);
    let mut cordoned = planner.fleet().get("b").unwrap().clone();
    cordoned.cluster.life_cycle = LifeCycle::Cordoned;
    planner.set_cluster(cordoned).unwrap();
    assert_eq!((recorder.asked(), &*recorder.latest()[1].said), (4, "refuses"));
}

#[test]
fn rebalancers_and_gates_are_written_down_too() {
    let recorder = Recorder::default();
    let gate = |_: Step, one: &Move| Consent::Wait(Reason::new("dns", format!("{} first", one.to)));
    let builder = SchedulerBuilder::bare()
        .rebalancer(Recorded::new(Worth::default(), &recorder))
        .gate(Recorded::new(gate, &recorder));
    let mut planner = planner(builder, [web(2)]);
    planner.rebalance(&Facts::none(), Tick(20));
    let records = recorder.latest();
    assert!(
        records
            .iter()
            .any(|record| record.part == "rebalancer" && record.cluster.as_deref() == Some("b"))
    );
    let asked = records.iter().find(|record| record.part == "gate").unwrap();
    assert_eq!(
        (asked.cluster.as_deref(), asked.said.as_str()),
        (Some("a"), "Before: wait: b first")
    );
}
