//! Several workloads placed at once, by rebalancing: within budgets, with everybody's say, and never against a rule that
//! holds for a single one.

use fleet_core::{Reason, Taint, TaintEffect};

use super::*;

/// A cluster with a cost for each replica.
fn priced(name: &str, offers: &str, cost: i64) -> ClusterInfo {
    let mut info = cluster(name, offers);
    info.cluster.cost.insert("replica".into(), cost);
    info
}

fn fleet(clusters: impl IntoIterator<Item = ClusterInfo>) -> FleetView {
    FleetView::new(clusters).unwrap()
}

fn by_cost(name: &str, replicas: u64) -> Workload {
    let target = Target::replicas(replicas).divided_by(DivideBy::Cost);
    Workload::new(name, [target]).needs(cpu("1"))
}

/// A scheduler for which only cost counts.
fn flat() -> SchedulerBuilder {
    Scheduler::builder().rebalancer(Worth::without_balance())
}

/// Four on the dear one of two clusters; the cheap one has room only now.
fn four_on_the_dear_one(scheduler: Scheduler, moves: MovePolicy) -> Planner {
    let full = fleet([priced("a", "0", 100), priced("b", "10", 200)]);
    let mut planner = Planner::new(scheduler, full, PlannerOptions::default());
    planner.set(by_cost("web", 4).moves(moves));
    planner.decide(&Facts::none(), at(1));
    assert_eq!(active(&planner, "web"), counts(&[("b", 4)]));
    planner.set_cluster(priced("a", "10", 100)).unwrap();
    planner
}

#[test]
fn what_may_stop_first_moves_within_budgets_and_the_log_says_all_of_it() {
    let check = |switches| {
        let moves = MovePolicy::default().at_most(1, minutes(60)).stop_first();
        let mut planner = four_on_the_dear_one(flat().build(), moves).with_switches(switches);
        for hour in 1..4 {
            let before = on(&planner, "web", "a");
            let round = planner.rebalance(&Facts::none(), at(60 * hour));
            let moved = on(&planner, "web", "a") - before;
            need!(
                moved == moves_of(&round),
                "{moved} moved, {} are told",
                moves_of(&round)
            );
            need!(moved <= 1, "{moved} moved in an hour");
        }
        Ok(())
    };
    fn moves_of(round: &Round) -> u64 {
        moves(round)
    }
    guarded(check, |off| off.budgets = false);
}

#[test]
fn a_gate_is_asked_before_what_may_stop_first_is_stopped() {
    for at_step in [Step::Before, Step::BeforeOldGoes] {
        let gate = move |step: Step, _: &Move| match step == at_step {
            true => Consent::Wait(Reason::new("busy", "not now")),
            false => Consent::Go,
        };
        let moves = MovePolicy::default().stop_first();
        let mut planner = four_on_the_dear_one(flat().gate(gate).build(), moves.clone());
        planner.rebalance(&Facts::none(), at(600));
        assert_eq!(active(&planner, "web"), counts(&[("b", 4)]), "{at_step:?}");
        let mut planner = four_on_the_dear_one(flat().build(), moves);
        planner.rebalance(&Facts::none(), at(600));
        let placed = planner.table().placement(&"web".into());
        assert_eq!(placed.on("b"), 0, "it does not stop first: {placed:?}");
        assert_eq!(placed.on("a"), 4);
    }
}

#[test]
fn what_may_stop_first_is_drained_at_once_and_soaks_where_it_is_replaced() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(2).moves(MovePolicy::default().stop_first()));
    planner.decide(&Facts::none(), at(1));
    let mut drained = planner.clone();
    live(&mut drained, "a", LifeCycle::Draining);
    drained.decide(&Facts::none(), at(2));
    assert_eq!((on(&drained, "web", "a"), on(&drained, "web", "b")), (0, 2));
    planner
        .replace(Replacement::new("a", "b").soak(minutes(60)))
        .unwrap();
    for minute in 2..6 {
        planner.decide(&healthy(&[("web", "b")]), at(minute));
    }
    assert_eq!(on(&planner, "web", "a"), 2, "nothing is left to go back to");
    assert!(planner.take_back("a", at(7)));
    planner.decide(&Facts::none(), at(7));
    assert_eq!(active(&planner, "web"), counts(&[("a", 2)]));
}

#[test]
fn nothing_starts_for_what_is_on_a_cluster_that_has_left_by_looking_for_better_places() {
    let check = |lost: LostPolicy, nature: Nature| {
        let old = fleet([priced("a", "1", 100), priced("b", "1", 200), priced("c", "0", 50)]);
        let mut planner = Planner::new(flat().build(), old, PlannerOptions::default());
        planner.set(by_cost("web", 2).lost(lost.clone()).nature(nature));
        planner.decide(&Facts::none(), at(1));
        planner.set_fleet(fleet([priced("b", "1", 200), priced("c", "10", 50)]));
        for minute in 600..604 {
            planner.rebalance(&Facts::none(), at(minute));
        }
        // The one on a counts as being there, whether it is or not.
        assert_eq!(
            active(&planner, "web"),
            counts(&[("a", 1), ("b", 1)]),
            "{lost:?}, {nature:?}"
        );
    };
    for nature in [Nature::Stateless, Nature::Stateful] {
        check(LostPolicy::Hold, nature);
        check(LostPolicy::Shrink, nature);
    }
}

#[test]
fn what_is_short_does_not_grow_past_its_limits_by_moving() {
    let targets = [
        Target::replicas(6).over_clusters(None, Some(1)),
        Target::replicas(6).spread(Spread::over("region").max(1)),
    ];
    for target in targets {
        let mut planner = free(
            fleet([
                priced("a", "2", 100),
                priced("d", "2", 200),
                priced("e", "2", 300),
            ]),
            Switches::default(),
        );
        planner.set(Workload::new("web", [target.clone()]).needs(cpu("1")));
        planner.decide(&Facts::none(), at(1));
        for (hour, name) in [(1, "d"), (2, "e"), (3, "a"), (4, "d")] {
            change(&mut planner, name, |info| {
                info.cluster.cost.insert("replica".into(), 1 - hour);
            });
            let now = 600 * u64::try_from(hour).unwrap();
            planner.rebalance(&Facts::none(), at(now));
            planner.decide(&healthy(&[("web", "a"), ("web", "d"), ("web", "e")]), at(now + 1));
            assert_eq!(active(&planner, "web").len(), 1, "{target:?}");
        }
    }
}

#[test]
fn what_survives_a_failure_does_not_move_to_where_it_would_not() {
    for scheduler in [flat().build(), Scheduler::default()] {
        let zones = |cheap: i64| {
            fleet([
                priced("a-1", "2", 100),
                priced("b-1", "2", 100),
                priced("b-2", "2", cheap),
            ])
        };
        let mut planner = Planner::new(scheduler, zones(200), PlannerOptions::default());
        let home = ClusterSelector::label("region", "a");
        planner.set(
            Workload::new("web", [Target::replicas(2)])
                .needs(cpu("1"))
                .prefer(home, 1)
                .survives(Survives::AnyDomain("region".into())),
        );
        planner.decide(&Facts::none(), at(1));
        assert_eq!(active(&planner, "web"), counts(&[("a-1", 2)]));
        planner.set_fleet(zones(10));
        for hour in 10..14 {
            let round = planner.rebalance(&healthy(&[("web", "a-1"), ("web", "b-2")]), at(60 * hour));
            let unprotected = round
                .values()
                .flat_map(|one| &one.targets)
                .map(|one| one.unprotected)
                .max();
            assert_eq!(unprotected.unwrap_or(0), 0);
        }
    }
}

#[test]
fn who_is_important_is_helped_however_many_hopeless_ones_wait() {
    for hopeless in [0, 1, 8, 30] {
        let mut clusters = vec![cluster("a", "4"), cluster("b", "2")];
        clusters.extend((0..8).map(|at| priced(&format!("x{at}"), "2", -1)));
        let mut planner = free(fleet(clusters), Switches::default());
        let here = |name: &str, replicas| Workload::new(name, [Target::replicas(replicas).on(["a", "b"])]);
        planner.set(here("web", 2).needs(cpu("1")));
        planner.decide(&Facts::none(), at(1));
        assert_eq!(on(&planner, "web", "a"), 2);
        let important = Workload::new("zz", [Target::replicas(1).on(["a"])]).needs(cpu("4"));
        planner.set(important.priority(100));
        for at in 0..hopeless {
            planner.set(Workload::new(format!("h{at:02}"), [Target::replicas(1)]).needs(cpu("1000")));
        }
        for hour in 10..13 {
            let facts = healthy(&[("web", "b")]);
            planner.rebalance(&facts, at(60 * hour));
            planner.decide(&facts, at(60 * hour + 1));
        }
        assert_eq!(
            active(&planner, "zz"),
            counts(&[("a", 1)]),
            "{hopeless} hopeless ones"
        );
    }
}

#[test]
fn what_has_made_room_comes_back_once_nobody_for_whom_it_did_waits() {
    let mut planner = free(
        fleet([priced("a", "4", 10), priced("b", "2", 500), priced("c", "1", 1)]),
        Switches::default(),
    );
    planner.set(Workload::new("web", [Target::replicas(2).on(["a", "b"])]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(1));
    planner.set(Workload::new("big", [Target::replicas(1).on(["a"])]).needs(cpu("4")));
    let facts = healthy(&[("web", "a"), ("web", "b")]);
    planner.decide(&facts, at(60));
    planner.rebalance(&facts, at(600));
    planner.decide(&facts, at(601));
    planner.decide(&facts, at(602));
    assert_eq!(active(&planner, "web"), counts(&[("b", 2)]));
    assert_eq!(active(&planner, "big"), counts(&[("a", 1)]));
    planner.set(Workload::new("hopeless", [Target::replicas(1).on(["c"])]).needs(cpu("100")));
    planner.remove(&"big".into());
    for hour in 11..14 {
        planner.rebalance(&facts, at(60 * hour));
        planner.decide(&facts, at(60 * hour + 1));
    }
    assert_eq!(active(&planner, "web"), counts(&[("a", 2)]));
}

#[test]
fn an_approval_is_for_the_clusters_that_it_was_given_for() {
    let names: Vec<String> = (0..10).map(|at| format!("c{at}")).collect();
    let all: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut planner = planner(clusters(&all), PlannerOptions::default(), Switches::default());
    planner.set(Workload::new("agent", [Target::each(1)]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(1));
    let taint = |planner: &mut Planner, tainted: std::ops::Range<usize>| {
        for (at, name) in names.iter().enumerate() {
            change(planner, name, |info| {
                info.cluster.taints.clear();
                if tainted.contains(&at) {
                    info.cluster.taints = vec![Taint::new("x", "", TaintEffect::NoExecute)];
                }
            });
        }
    };
    taint(&mut planner, 0..4);
    let round = planner.decide(&Facts::none(), at(2));
    let approved = Facts::none().approve(round["agent"].proposals[0].token.clone());
    planner.decide(&approved, at(3));
    assert_eq!(active(&planner, "agent").len(), 6);
    taint(&mut planner, 0..0);
    planner.decide(&approved, at(600));
    assert_eq!(active(&planner, "agent").len(), 10);
    taint(&mut planner, 1..10);
    planner.decide(&approved, at(6000));
    assert_eq!(
        active(&planner, "agent").len(),
        10,
        "by an approval of something else"
    );
}
