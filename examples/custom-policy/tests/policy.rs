//! The parts keep their promises, and the program says what it decides.

use std::process::Command;

use custom_policy::{Bill, CARBON, GPU, Idle, Together, scheduler};
use fleet_core::{Capacity, Cluster, Resources, Tick};
use fleet_scheduler::{
    Assignment, ClusterInfo, ClusterSelector, Facts, FleetView, MoveLog, Placement, Planner, PlannerOptions,
    Target, Workload,
    conformance::{Suite, Violation},
};

/// What is drawn has the scores we look at, and a job of the sort that the policy is about.
fn suite() -> Suite {
    let needs = Resources::new().with(GPU, "2").unwrap();
    let mut job = Workload::new("ml/job", [Target::replicas(3)]).needs(needs);
    job.completes = true;
    Suite::default().score(CARBON).workload(job)
}

#[track_caller]
fn check(violations: Vec<Violation>) {
    let told: Vec<String> = violations.iter().map(ToString::to_string).collect();
    assert!(told.is_empty(), "{}", told.join("\n"));
}

#[test]
fn every_part_keeps_its_promises() {
    check(suite().filter(&Idle { percent: 50 }));
    check(suite().scorer(&Bill));
    check(suite().divider(&Together));
    check(suite().rebalancer(&Bill));
}

#[test]
fn all_together_keep_them() {
    check(suite().seed(2).draws(6).scheduler(&scheduler()));
}

/// Where a workload is that has started on `a`, once all may move that is better off on `b`.
fn rebalanced(workload: Workload, carbon_on_b: i64) -> String {
    let cluster = |name: &str| {
        let offered = Resources::new().with("cpu", "8").unwrap().with(GPU, "8").unwrap();
        ClusterInfo::new(Cluster::new(name)).capacity(Capacity::new(offered, Resources::new(), Tick(1)))
    };
    let fleet = FleetView::new([cluster("a"), cluster("b")])
        .unwrap()
        .score(CARBON, "a", 500, Tick(u64::MAX))
        .score(CARBON, "b", carbon_on_b, Tick(u64::MAX));
    let mut planner = Planner::new(scheduler(), fleet, PlannerOptions::default());
    let there = Placement::nowhere().with("1", "a", Assignment::new(1, Tick(1)));
    planner = planner.with_previous(&[(workload.name.clone(), there)].into(), MoveLog::default());
    let name = workload.name.clone();
    planner.set(workload);
    let now = Tick(100_000_000);
    planner.decide(&Facts::none(), now);
    planner.rebalance(&Facts::none(), now);
    let active = planner.table().placement(&name);
    active.active().into_keys().collect::<Vec<_>>().join(",")
}

#[test]
fn only_jobs_are_moved_by_the_bill() {
    let workload = |completes: bool, needs: &str| {
        let needs = Resources::new().with(needs, "1").unwrap();
        let mut workload = Workload::new("one", [Target::replicas(1)]).needs(needs);
        workload.completes = completes;
        workload
    };
    let to_b = ClusterSelector::named(["b"]);
    for (completes, needs, prefers, carbon_on_b, expected) in [
        (true, GPU, false, 10, "b"),
        (true, GPU, false, 490, "a"),
        (true, GPU, true, 500, "a"),
        (false, GPU, false, 10, "a"),
        (true, "cpu", false, 10, "a"),
        (false, "cpu", true, 500, "b"),
        (false, "cpu", true, 1_000, "b"),
    ] {
        let mut one = workload(completes, needs);
        if prefers {
            one = one.prefer(to_b.clone(), 100);
        }
        let is = format!("{completes} {needs} {prefers} {carbon_on_b}");
        assert_eq!(rebalanced(one, carbon_on_b), expected, "{is}");
    }
}

#[test]
fn the_program_says_where_and_why() {
    let output = Command::new(env!("CARGO_BIN_EXE_custom-policy"))
        .output()
        .unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}");
    let row = |name: &str| {
        said.lines()
            .find(|line| line.starts_with(name))
            .unwrap_or_default()
    };
    // The cheapest with its carbon; what does not fit there as a whole is not divided.
    assert!(row("ml/evaluate").contains("wind-1 2"), "{said}");
    assert!(row("ml/simulate").contains("hydro-1 7"), "{said}");
    assert!(row("ml/train").contains("coal-1 5"), "{said}");
    assert!(said.contains("12 of its 16 GPUs are in use"), "{said}");
}
