//! Moves cost, are few, and are made in steps.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use fleet_core::{LifeCycle, Reason, Taint, TaintEffect};
use fleet_scheduler::*;

use super::*;

fn priced(name: &str, cost: i64) -> ClusterInfo {
    let mut info = cluster(name, "10");
    info.cluster = info.cluster.cost("cpu", cost);
    info
}

#[test]
fn a_move_is_made_when_it_gains_more_than_its_price() {
    let check = |switches| {
        for (cost, moved) in [(90, 0), (81, 0), (60, 3)] {
            let fleet = FleetView::new([priced("a", 100)]).unwrap();
            let scheduler = Scheduler::builder().rebalancer(Worth::without_balance()).build();
            let mut planner =
                Planner::new(scheduler, fleet, PlannerOptions::default()).with_switches(switches);
            planner.set(web(3).moves(MovePolicy::default().price(20)));
            planner.decide(&Facts::none(), at(5));
            let fleet = planner.fleet().with(priced("b", cost)).unwrap();
            planner.set_fleet(fleet);
            let round = planner.rebalance(&Facts::none(), at(10));
            need!(
                moves(&round) == moved,
                "{} replicas moved for {cost} instead of 100",
                moves(&round)
            );
        }
        Ok(())
    };
    guarded(check, |off| off.hysteresis = false);
}

#[test]
fn what_has_moved_because_another_place_is_better_rests() {
    let check = |switches| {
        let fleet = FleetView::new([priced("a", 100), priced("b", 10)]).unwrap();
        let mut planner = free(fleet, switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(1));
        let mut last = None;
        for minute in 2..200 {
            // The other one becomes the better one again and again.
            let (dear, cheap) = if minute % 2 == 0 { ("b", "a") } else { ("a", "b") };
            for (name, cost) in [(dear, 100), (cheap, 10)] {
                change(&mut planner, name, |info| {
                    info.cluster.cost.insert("cpu".into(), cost);
                });
            }
            let facts = healthy(&[("web", "a"), ("web", "b")]);
            if moves(&planner.rebalance(&facts, at(minute))) > 0 {
                let rested = last.is_none_or(|last| minute - last >= 30);
                need!(rested, "moved in minute {minute} after {last:?}");
                last = Some(minute);
            }
        }
        need!(last.is_some(), "it never moved");
        Ok(())
    };
    guarded(check, |off| off.hysteresis = false);
}

#[test]
fn a_new_cheaper_cluster_is_used_without_anybody_asking_for_it() {
    let check = |switches| {
        let mut planner = free(FleetView::new([priced("a", 100)]).unwrap(), switches);
        planner.set(web(3));
        planner.set(
            Workload::new("stays", [Target::replicas(1)])
                .needs(cpu("1"))
                .moves(MovePolicy::default().pinned()),
        );
        planner.decide(&Facts::none(), at(5));
        let fleet = planner.fleet().with(priced("b", 10)).unwrap();
        planner.set_fleet(fleet);
        planner.rebalance(&Facts::none(), at(10));
        need_active(&planner, "web", &[("b", 3)], "cheaper")?;
        need_active(&planner, "stays", &[("a", 1)], "pinned")
    };
    guarded(check, |off| off.rebalance = false);
    guarded(check, |off| off.hysteresis = false);
}

#[test]
fn budgets_of_fleet_cluster_and_workload_are_hard_promises() {
    let none = Rate::new(1_000, minutes(60));
    let two = Rate::new(2, minutes(60));
    let cases = [
        ("fleet", Budgets::new(two, none), None),
        ("cluster", Budgets::new(none, two), None),
        ("workload", Budgets::new(none, none), Some(2)),
        (
            "nothing may move",
            Budgets::new(Rate::new(0, minutes(60)), none),
            None,
        ),
    ];
    for (name, budgets, own) in cases {
        let check = |switches| {
            let options = PlannerOptions::default()
                .budgets(budgets)
                .storm(StormBreaker::off());
            let mut planner = planner(clusters(&["a", "b", "c"]), options, switches);
            let policy = MovePolicy::default();
            planner.set(web(6).moves(own.map_or(policy.clone(), |limit| policy.at_most(limit, minutes(60)))));
            planner.decide(&Facts::none(), at(0));
            live(&mut planner, "a", LifeCycle::Draining);
            let mut made: Vec<(u64, u64)> = Vec::new();
            for minute in (0..400).step_by(7) {
                let round = planner.decide(&healthy(&[("web", "b"), ("web", "c")]), at(minute));
                made.push((minute, moves(&round)));
                let window: u64 = made
                    .iter()
                    .filter(|(at, _)| at + 60 > minute)
                    .map(|(_, count)| count)
                    .sum();
                need!(
                    window <= 2,
                    "{name}: {window} moves within 60 minutes of minute {minute}"
                );
                let left = active(&planner, "web").get("a").copied().unwrap_or(0);
                need!(
                    left == 0 || waits(&round, "web").contains(&"budget") || round.is_empty(),
                    "{name}: it is not said: {round:?}"
                );
            }
            let all: u64 = made.iter().map(|(_, count)| count).sum();
            let expected = if name == "nothing may move" { 0 } else { 6 };
            need!(all == expected, "{name}: {all} moved");
            Ok(())
        };
        guarded(check, |off| off.budgets = false);
    }
}

#[test]
fn the_new_copy_is_healthy_before_the_old_one_goes() {
    let check = |switches| {
        let fleet = FleetView::new([priced("a", 100), priced("b", 200)]).unwrap();
        let mut planner = free(fleet, switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        change(&mut planner, "b", |info| {
            info.cluster.cost.insert("cpu".into(), 1);
        });
        planner.rebalance(&Facts::none(), at(10));
        need_active(&planner, "web", &[("b", 3)], "better")?;
        // What was said of the new one before it was there does not count.
        planner.decide(&healthy(&[("web", "a")]), at(11));
        need!(on(&planner, "web", "a") == 3, "the old one is gone");
        planner.decide(&healthy(&[("web", "b")]), at(12));
        need!(on(&planner, "web", "a") == 0, "the old one is still there");
        Ok(())
    };
    guarded(check, |off| off.healthy_first = false);
}

/// Lets moves go up to this step.
fn gate(open: Arc<AtomicU8>) -> impl MoveGate {
    move |step: Step, _: &Move| {
        let number = match step {
            Step::Before => 0,
            Step::Switched => 1,
            _ => 2,
        };
        match number < open.load(Ordering::Relaxed) {
            true => Consent::Go,
            false => Consent::Wait(Reason::new("not-yet", "the load balancer is not ready")),
        }
    }
}

#[test]
fn a_move_takes_each_step_only_when_everyone_who_has_a_say_lets_it() {
    let check = |switches| {
        let open = Arc::new(AtomicU8::new(0));
        let scheduler = Scheduler::builder().gate(gate(open.clone())).build();
        let options = PlannerOptions::default();
        let mut planner = Planner::new(scheduler, clusters(&["a", "b"]), options).with_switches(switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        live(&mut planner, "a", LifeCycle::Draining);
        let facts = healthy(&[("web", "b")]);
        let round = planner.decide(&facts, at(6));
        need_active(&planner, "web", &[("a", 3)], "not let go")?;
        need!(waits(&round, "web") == ["not-yet"], "it is not said: {round:?}");
        open.store(1, Ordering::Relaxed);
        planner.decide(&facts, at(7));
        need_active(&planner, "web", &[("b", 3)], "started")?;
        for (step, minute) in [(1, 8), (2, 9)] {
            open.store(step, Ordering::Relaxed);
            planner.decide(&facts, at(minute));
            need!(on(&planner, "web", "a") == 3, "gone after step {step}");
        }
        open.store(3, Ordering::Relaxed);
        planner.decide(&facts, at(10));
        need!(on(&planner, "web", "a") == 0, "still there");
        Ok(())
    };
    guarded(check, |off| off.gates = false);
}

#[test]
fn a_move_that_is_refused_is_not_made_and_one_that_has_begun_waits() {
    let check = |switches| {
        let refused = Arc::new(AtomicU8::new(0));
        let at_step = Arc::clone(&refused);
        let gate = move |step: Step, _: &Move| {
            let number = match step {
                Step::Before => 0,
                Step::Switched => 1,
                _ => 2,
            };
            match number == at_step.load(Ordering::Relaxed) {
                true => Consent::Refuse(Reason::new("never", "its data cannot be copied")),
                false => Consent::Go,
            }
        };
        let scheduler = Scheduler::builder().gate(gate).build();
        let mut planner = free_of(scheduler, clusters(&["a", "b"])).with_switches(switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        live(&mut planner, "a", LifeCycle::Draining);
        let facts = healthy(&[("web", "b")]);
        for minute in 6..9 {
            let round = planner.decide(&facts, at(minute));
            need_active(&planner, "web", &[("a", 3)], "refused")?;
            need!(moves(&round) == 0, "{round:?}");
            need!(waits(&round, "web") == ["never"], "{round:?}");
            need!(round["web"].waits[0].on == WaitOn::Gate, "{round:?}");
        }
        for (step, minute) in [(1, 10), (2, 12)] {
            refused.store(step, Ordering::Relaxed);
            for minute in [minute, minute + 1] {
                let round = planner.decide(&facts, at(minute));
                need_active(&planner, "web", &[("b", 3)], "begun")?;
                need!(on(&planner, "web", "a") == 3, "gone in step {step}");
                let told = stays(&round);
                // In the round in which it begins, nothing is healthy yet.
                let is_first = (step, minute) == (1, 10);
                need!(is_first || told == [("a", 3, "never", None)], "{told:?}");
            }
        }
        refused.store(3, Ordering::Relaxed);
        planner.decide(&facts, at(14));
        need!(on(&planner, "web", "a") == 0, "still there");
        Ok(())
    };
    guarded(check, |off| off.gates = false);
}

#[test]
fn what_is_more_important_waits_when_budgets_let_nobody_give_way() {
    let check = |switches| {
        let rate = Rate::new(2, minutes(60));
        let options = PlannerOptions::default().budgets(Budgets::new(rate, rate));
        let mut planner = planner(clusters(&["a"]), options, switches);
        planner.set(Workload::new("filler", [Target::replicas(10)]).needs(cpu("1")));
        planner.decide(&Facts::none(), at(5));
        let important = |name: &str, cores: &str| {
            let mut one = Workload::new(name, [Target::replicas(1)]);
            one = one.needs(cpu(cores)).priority(1);
            one.preempts = true;
            one
        };
        planner.set(important("first", "2"));
        planner.decide(&Facts::none(), at(6));
        need_active(&planner, "first", &[("a", 1)], "within the budget")?;
        planner.set(important("second", "1"));
        // More than may ever move at once.
        planner.set(important("too-large", "3"));
        let round = planner.decide(&Facts::none(), at(7));
        for (name, until) in [("second", Some(at(66))), ("too-large", None)] {
            need!(round[name].outcome == Outcome::Unschedulable, "{:?}", round[name]);
            need!(waits(&round, name) == ["budget"], "{:?}", round[name]);
            let wait = &round[name].waits[0];
            need!(
                (wait.cause, wait.on, wait.until) == (Cause::Preempted, WaitOn::Budget, until),
                "{wait:?}"
            );
        }
        need_active(&planner, "filler", &[("a", 8)], "nothing gives way now")?;
        need!(planner.again_at() == Some(at(66)), "{:?}", planner.again_at());
        planner.decide(&Facts::none(), at(66));
        need_active(&planner, "second", &[("a", 1)], "its time has come")?;
        need_active(&planner, "filler", &[("a", 7)], "one gives way")?;
        need_active(&planner, "too-large", &[], "never")
    };
    guarded(check, |off| off.budgets = false);
}

#[test]
fn who_waits_for_itself_gives_way_to_nobody() {
    let mut planner = free(FleetView::new([cluster("a", "5")]).unwrap(), Switches::default());
    let of = |name: &str, replicas| Workload::new(name, [Target::replicas(replicas)]).needs(cpu("1"));
    let two = |name: &str| of(name, 2);
    planner.set(two("one"));
    planner.set(two("other"));
    planner.set(of("else", 1));
    planner.decide(&Facts::none(), at(5));
    planner.set(two("one").beside("other"));
    planner.set(two("other").beside("one"));
    planner.decide(&Facts::none(), at(6));
    let mut important = two("important").priority(1);
    important.preempts = true;
    planner.set(important);
    // Nobody could decide where the two in a circle go; the third can go.
    planner.decide(&Facts::none(), at(7));
    for (name, left) in [("one", 2), ("other", 2), ("else", 0), ("important", 1)] {
        let there = active(&planner, name).values().sum::<u64>();
        assert_eq!(there, left, "{name}");
    }
}

#[test]
fn what_a_workload_would_rather_have_holds_it_where_it_is() {
    let check = |wish: &dyn Fn(Workload) -> Workload, taint: bool, moved: u64| {
        // Both cost the same, and all load is on the first.
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        planner.set(Workload::new("db", [Target::replicas(8).on(["a"])]).needs(cpu("1")));
        planner.set(wish(web(1)));
        planner.decide(&Facts::none(), at(1));
        if active(&planner, "web") != counts(&[("a", 1)]) {
            let on_a = Placement::nowhere().with("1", "a", Assignment::new(1, Tick(0)));
            let mut placements = planner.placements();
            placements.insert("web".into(), on_a);
            let fleet = planner.fleet().clone();
            planner = free(fleet, Switches::default()).with_previous(&placements, MoveLog::default());
            planner.set(Workload::new("db", [Target::replicas(8).on(["a"])]).needs(cpu("1")));
            planner.set(wish(web(1)));
        }
        if taint {
            change(&mut planner, "b", |info| {
                info.cluster.taints = vec![Taint::new("old", "", TaintEffect::PreferNoSchedule)];
            });
        }
        let facts = healthy(&[("web", "a"), ("web", "b")]);
        let mut made = 0;
        for minute in 0..5 {
            made += moves(&planner.rebalance(&facts, at(100 + 60 * minute)));
        }
        assert_eq!(made, moved, "with a taint: {taint}");
    };
    let beside = |mut web: Workload| {
        web.beside.push(Relation::required("db").preferred());
        web
    };
    check(&|web| web, false, 1);
    check(&beside, false, 0);
    check(&|web| web, true, 0);
    check(
        &|web| web.tolerate(Toleration::of("old").effect(TaintEffect::PreferNoSchedule)),
        true,
        1,
    );
}

#[test]
fn a_gate_is_asked_before_a_singleton_is_stopped_and_may_use_any_code() {
    let open = Arc::new(AtomicU8::new(0));
    let opens = Arc::clone(&open);
    let gate = move |step: Step, _: &Move| match (step, opens.load(Ordering::Relaxed)) {
        // A code that the planner uses itself: it is asked again all the same.
        (Step::BeforeOldGoes, 0) => Consent::Wait(Reason::new("budget", "its data is not saved")),
        _ => Consent::Go,
    };
    let scheduler = Scheduler::builder().gate(gate).build();
    let mut planner = Planner::new(scheduler, clusters(&["a", "b"]), PlannerOptions::default());
    planner.set(web(1).nature(Nature::Stateful));
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "a", LifeCycle::Draining);
    let round = planner.decide(&Facts::none(), at(6));
    assert_eq!(active(&planner, "web"), counts(&[("a", 1)]));
    assert_eq!(round["web"].waits[0].on, WaitOn::Gate);
    open.store(1, Ordering::Relaxed);
    planner.decide(&Facts::none(), at(7));
    assert_eq!(active(&planner, "web"), counts(&[("b", 1)]));
}

/// The old copies of a workload: where, how many, why, and until when.
fn stays(round: &Round) -> Vec<(&str, u64, &str, Option<Tick>)> {
    let stays = round["web"].stays.iter();
    stays
        .map(|one| (&*one.cluster, one.replicas, &*one.reason.code, one.until))
        .collect()
}

#[test]
fn a_decision_says_why_old_copies_stay() {
    // Their stand-ins are not healthy; then they cannot be asked.
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(3));
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "a", LifeCycle::Draining);
    for minute in [6, 7] {
        let round = planner.decide(&Facts::none(), at(minute));
        assert_eq!(stays(&round), [("a", 3, "unhealthy", None)]);
        assert_eq!(round["web"].stays[0].reason.facts["clusters"], "b");
    }
    contact(&mut planner, "a", ContactState::Unreachable, 7);
    let round = planner.decide(&healthy(&[("web", "b")]), at(8));
    assert_eq!(stays(&round), [("a", 3, "silent", None)]);
    contact(&mut planner, "a", ContactState::Online, 9);
    let round = planner.decide(&healthy(&[("web", "b")]), at(9));
    assert_eq!(stays(&round), []);
    // Somebody has a say.
    let open = Arc::new(AtomicU8::new(1));
    let scheduler = Scheduler::builder().gate(gate(open)).build();
    let mut planner = Planner::new(scheduler, clusters(&["a", "b"]), PlannerOptions::default());
    planner.set(web(3));
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "a", LifeCycle::Draining);
    planner.decide(&Facts::none(), at(6));
    let round = planner.decide(&healthy(&[("web", "b")]), at(7));
    assert_eq!(stays(&round), [("a", 3, "not-yet", None)]);
    // There must never be two.
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(1).nature(Nature::Singleton));
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "a", LifeCycle::Draining);
    let round = planner.decide(&Facts::none(), at(6));
    assert_eq!(stays(&round), [("a", 1, "not-stopped", None)]);
    // Its cluster's replacement can be taken back.
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(1));
    planner.decide(&Facts::none(), at(5));
    planner
        .replace(Replacement::new("a", "b").soak(minutes(10)))
        .unwrap();
    let facts = healthy(&[("web", "b")]);
    planner.decide(&facts, at(6));
    let round = planner.decide(&facts, at(7));
    assert_eq!(stays(&round), [("a", 1, "soak", Some(at(17)))]);
}

#[test]
fn who_is_not_known_to_be_healthy_ends_first() {
    for (facts, expected) in [
        (Facts::none(), [("b", 4)]),
        (healthy(&[("web", "a"), ("web", "b")]), [("b", 4)]),
        (healthy(&[("web", "a")]), [("a", 4)]),
        (healthy(&[("web", "b")]), [("b", 4)]),
        // Said before they were started.
        (Facts::none().healthy_at("web", "a", at(5)), [("b", 4)]),
    ] {
        let mut planner = free(
            FleetView::new([cluster("a", "6"), cluster("b", "6")]).unwrap(),
            Switches::default(),
        );
        planner.set(web(10));
        planner.decide(&Facts::none(), at(5));
        assert_eq!(active(&planner, "web"), counts(&[("a", 6), ("b", 4)]));
        planner.set(web(4));
        planner.decide(&facts, at(6));
        assert_eq!(active(&planner, "web"), counts(&expected), "{facts:?}");
    }
}
