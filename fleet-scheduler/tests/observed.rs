//! What was decided counts until it is observed, once; and what was observed counts for what was decided before it.

use fleet_core::{
    Capacity, Cluster, ContactLimits, ContactState, ContactStatus, Heard, LifeCycle, Millis, Resources, Tick,
};
use fleet_scheduler::*;

fn cpu(amount: &str) -> Resources {
    Resources::new().with("cpu", amount).unwrap()
}

fn at(minutes: u64) -> Tick {
    Tick(minutes * 60_000)
}

/// A cluster with 10 cores, of which so many are asked for.
fn cluster(name: &str, requested: &str, observed_at: Tick) -> ClusterInfo {
    ClusterInfo::new(Cluster::new(name)).capacity(Capacity::new(cpu("10"), cpu(requested), observed_at))
}

fn planner() -> Planner {
    let fleet = FleetView::new([cluster("a", "0", at(1)), cluster("b", "0", at(1))]).unwrap();
    begin(fleet)
}

fn begin(fleet: FleetView) -> Planner {
    Planner::new(
        Scheduler::default(),
        fleet,
        PlannerOptions::default().storm(StormBreaker::off()),
    )
}

/// A new process that has only what the old one has kept, and no workloads.
fn restarted(old: &Planner) -> Planner {
    let kept = serde_json::to_string(&old.placements()).unwrap();
    begin(old.fleet().clone()).with_previous(&serde_json::from_str(&kept).unwrap(), old.moves().clone())
}

fn web(replicas: u64, needs: &str) -> Workload {
    Workload::new("web", [Target::replicas(replicas)]).needs(cpu(needs))
}

fn free(planner: &Planner, cluster: &str) -> i64 {
    let slot = planner.fleet().slot(cluster).unwrap();
    planner.room().free(slot, "cpu")
}

fn change(planner: &mut Planner, name: &str, change: impl FnOnce(&mut ClusterInfo)) {
    let mut info = planner.fleet().get(name).unwrap().clone();
    change(&mut info);
    planner.set_cluster(info).unwrap();
}

#[test]
fn what_was_seen_is_not_counted_again_when_others_come_or_go() {
    let mut planner = planner();
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(2));
    assert_eq!(free(&planner, "a"), 4_000, "decided");
    planner.set_cluster(cluster("a", "6", at(10))).unwrap();
    assert_eq!(free(&planner, "a"), 4_000, "observed");
    // Two more: they alone are not observed.
    planner.set(web(8, "1"));
    planner.decide(&Facts::none(), at(11));
    assert_eq!(free(&planner, "a"), 2_000, "grown");
    planner.set(web(9, "1"));
    planner.decide(&Facts::none(), at(11));
    assert_eq!(
        free(&planner, "a"),
        1_000,
        "grown once more before it was observed"
    );
    // Three less: it is not known whether those of the observation are among them.
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(12));
    assert_eq!(free(&planner, "a"), 1_000, "shrunk");
    planner.set_cluster(cluster("a", "6", at(15))).unwrap();
    assert_eq!(free(&planner, "a"), 4_000, "observed again");
    assert_eq!(free(&restarted(&planner), "a"), 4_000, "after a restart");
}

#[test]
fn who_stays_is_not_counted_again_when_the_old_copies_leave() {
    let mut planner = planner();
    let slowly = MovePolicy::default().at_most(2, Millis::from_mins(60));
    planner.set(web(5, "1").moves(slowly));
    planner.decide(&Facts::none(), at(2));
    planner.set_cluster(cluster("a", "5", at(10))).unwrap();
    change(&mut planner, "a", |a| {
        a.cluster.life_cycle = LifeCycle::Draining;
    });
    planner.decide(&Facts::none(), at(11));
    assert_eq!(planner.table().replicas(&"web".into(), "a"), 5);
    planner.decide(&Facts::none().healthy("web", "a").healthy("web", "b"), at(12));
    assert_eq!(planner.table().replicas(&"web".into(), "a"), 3);
    assert_eq!(free(&planner, "a"), 5_000);
}

#[test]
fn who_asks_for_more_is_counted_with_what_is_more() {
    let mut planner = planner();
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(2));
    planner.set_cluster(cluster("a", "6", at(10))).unwrap();
    planner.set(web(6, "1250m"));
    assert_eq!(free(&planner, "a"), 2_500, "set");
    planner.decide(&Facts::none(), at(11));
    assert_eq!(free(&planner, "a"), 2_500, "decided");
    let mut other = restarted(&planner);
    assert_eq!(free(&other, "a"), 2_500, "after a restart");
    other.set(web(6, "1250m"));
    assert_eq!(free(&other, "a"), 2_500, "after a restart, and set again");
    // Twice more before anything is observed.
    planner.set(web(6, "1500m"));
    planner.decide(&Facts::none(), at(11));
    assert_eq!(free(&planner, "a"), 1_000, "decided twice");
    planner.set_cluster(cluster("a", "9", at(20))).unwrap();
    assert_eq!(free(&planner, "a"), 1_000, "observed");
    // Less is free once it is observed.
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(21));
    assert_eq!(free(&planner, "a"), 1_000, "less");
    planner.set_cluster(cluster("a", "6", at(30))).unwrap();
    assert_eq!(free(&planner, "a"), 4_000, "less, observed");
}

#[test]
fn who_asks_for_more_while_no_process_runs_is_counted_with_what_is_more() {
    let mut planner = planner();
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(2));
    planner.set_cluster(cluster("a", "6", at(10))).unwrap();
    let mut other = restarted(&planner);
    other.set(web(6, "1500m"));
    other.decide(&Facts::none(), at(11));
    assert_eq!(free(&other, "a"), 1_000);
}

#[test]
fn who_is_not_set_after_a_restart_keeps_its_room_until_it_is_removed() {
    let mut planner = planner();
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(2));
    let mut other = restarted(&planner);
    assert_eq!(free(&other, "a"), 4_000);
    other.remove(&"web".into());
    assert_eq!(free(&other, "a"), 10_000);
}

#[test]
fn a_removed_singleton_is_not_forgotten_by_a_restart() {
    for is_removed_before in [true, false] {
        let mut planner = planner();
        planner.set(web(1, "1").nature(Nature::Singleton));
        planner.decide(&Facts::none(), at(2));
        if is_removed_before {
            planner.remove(&"web".into());
            planner.decide(&Facts::none(), at(3));
        }
        let mut other = restarted(&planner);
        other.remove(&"web".into());
        let round = other.decide(&Facts::none(), at(4));
        assert_eq!(other.table().replicas(&"web".into(), "a"), 1, "{round:?}");
        assert_eq!(free(&other, "a"), 9_000);
        // One of the same name waits until the old one is stopped.
        other.set(web(1, "1").nature(Nature::Singleton).priority(1));
        other.decide(&Facts::none(), at(5));
        let runs = |planner: &Planner| -> u64 {
            let placement = planner.table().placement(&"web".into());
            let on = placement.targets.values().flat_map(|clusters| clusters.values());
            on.map(|one| one.runs(Nature::Singleton)).sum()
        };
        assert_eq!(runs(&other), 0);
        other.decide(&Facts::none().stopped("web", "a"), at(6));
        other.decide(&Facts::none().stopped("web", "a"), at(7));
        assert_eq!(runs(&other), 1);
    }
}

#[test]
fn what_was_seen_before_a_decision_says_nothing_about_what_it_started() {
    let lose = |planner: &mut Planner, since: Tick| {
        let mut status = ContactStatus::first(Heard::Answer, &ContactLimits::default(), since);
        status.state = ContactState::Lost;
        change(planner, "a", |a| a.contact = Some(status));
    };
    let active = |planner: &Planner| {
        let placement = planner.table().placement(&"web".into());
        let active = placement.active().into_iter();
        active
            .map(|(name, count)| (name.to_owned(), count))
            .collect::<Vec<_>>()
    };
    // Stopped before it was lost: it may have started since.
    for (seen, is_over) in [(1, false), (2, false), (9, false), (10, true), (11, true)] {
        let mut planner = planner();
        planner.set(web(1, "1").nature(Nature::Singleton));
        planner.decide(&Facts::none(), at(2));
        lose(&mut planner, at(10));
        planner.decide(&Facts::none().stopped_at("web", "a", at(seen)), at(12));
        let expected = if is_over { "b" } else { "a" };
        assert_eq!(active(&planner), [(expected.to_owned(), 1)], "seen at {seen}");
    }
    // Stopped before it was told to stop.
    for (seen, starts) in [(9, false), (10, false), (11, true), (99, true)] {
        let mut planner = planner();
        planner.set(web(1, "1").nature(Nature::Singleton));
        planner.decide(&Facts::none(), at(2));
        change(&mut planner, "a", |a| a.cluster.life_cycle = LifeCycle::Draining);
        planner.decide(&Facts::none(), at(10));
        planner.decide(&Facts::none().stopped_at("web", "a", at(seen)), at(12));
        let placement = planner.table().placement(&"web".into());
        let runs = placement.targets["1"]["b"].runs(Nature::Singleton);
        assert_eq!(runs == 1, starts, "seen at {seen}");
    }
    // Healthy before it was started.
    for (seen, leaves) in [(9, false), (10, false), (11, true), (99, true)] {
        let mut planner = planner();
        planner.set(web(2, "1"));
        planner.decide(&Facts::none(), at(2));
        change(&mut planner, "a", |a| a.cluster.life_cycle = LifeCycle::Draining);
        planner.decide(&Facts::none(), at(10));
        planner.decide(&Facts::none().healthy_at("web", "b", at(seen)), at(12));
        let old = planner.table().replicas(&"web".into(), "a");
        assert_eq!(old == 0, leaves, "seen at {seen}");
    }
}

#[test]
fn what_is_wrong_changes_nothing_about_the_room_of_what_runs() {
    let mut planner = planner();
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(2));
    planner.set(Workload::new("web", []));
    planner.decide(&Facts::none(), at(3));
    assert_eq!(free(&planner, "a"), 4_000);
    assert_eq!(planner.placements()[&"web".into()].needs, cpu("1"));
    let mut other = restarted(&planner);
    assert_eq!(free(&other, "a"), 4_000, "after a restart");
    other.set(Workload::new("web", []));
    assert_eq!(free(&other, "a"), 4_000, "after a restart, wrong still");
    for planner in [&mut planner, &mut other] {
        planner.set(web(6, "1500m"));
        planner.decide(&Facts::none(), at(4));
        assert_eq!(free(planner, "a"), 1_000, "corrected");
    }
}

#[test]
fn who_asks_for_more_takes_no_slot_for_a_pod_again() {
    let offers = |requested: &str, at: Tick| {
        let all = cpu("10").with("pods", "10").unwrap();
        let pods = Resources::new().with("pods", requested).unwrap();
        ClusterInfo::new(Cluster::new("a")).capacity(Capacity::new(all, pods, at))
    };
    let mut planner = begin(FleetView::new([offers("0", at(1))]).unwrap());
    planner.set(web(6, "1"));
    planner.decide(&Facts::none(), at(2));
    planner.set_cluster(offers("6", at(10))).unwrap();
    planner.set(web(6, "1250m"));
    planner.decide(&Facts::none(), at(11));
    assert_eq!(planner.room().free(0, "pods"), 4);
}
