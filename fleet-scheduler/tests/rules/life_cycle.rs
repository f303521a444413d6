//! Clusters and workloads that come to their end.

use fleet_core::LifeCycle;
use fleet_scheduler::*;

use super::*;

#[test]
fn nothing_new_comes_to_a_cordoned_cluster_and_nothing_leaves_it() {
    let check = |scheduler| {
        let mut planner = Planner::new(scheduler, clusters(&["a", "b"]), PlannerOptions::default());
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        live(&mut planner, "a", LifeCycle::Cordoned);
        let round = planner.decide(&Facts::none(), at(6));
        need!(moves(&round) == 0, "{round:?}");
        planner.set(web(5));
        planner.decide(&Facts::none(), at(7));
        need_active(&planner, "web", &[("a", 3), ("b", 2)], "grown")?;
        planner.set(Workload::new("other", [Target::replicas(1)]));
        planner.decide(&Facts::none(), at(8));
        need_active(&planner, "other", &[("b", 1)], "new")
    };
    needs_part(check, "in-service");
}

#[test]
fn a_drained_cluster_is_left_once_stand_ins_are_healthy() {
    for life_cycle in [LifeCycle::Draining, LifeCycle::Leaving] {
        let check = |switches| {
            let mut planner = free(clusters(&["a", "b"]), switches);
            planner.set(web(3));
            planner.decide(&Facts::none(), at(5));
            live(&mut planner, "a", life_cycle);
            let round = planner.decide(&Facts::none(), at(6));
            need!(moves(&round) == 3, "{round:?}");
            planner.decide(&Facts::none(), at(7));
            need!(
                on(&planner, "web", "a") == 3,
                "gone before the others are healthy"
            );
            planner.decide(&healthy(&[("web", "b")]), at(8));
            need!(on(&planner, "web", "a") == 0, "still there");
            need_active(&planner, "web", &[("b", 3)], "drained")
        };
        guarded(check, |off| off.healthy_first = false);
    }
}

/// `b` replaces `a`, where three replicas are: one at a time, and ten minutes to come back.
fn replaced(switches: Switches) -> Planner {
    let mut planner = free(clusters(&["a", "b", "c"]), switches);
    planner.set(web(3));
    planner.decide(&Facts::none(), at(5));
    planner
        .replace(Replacement::new("a", "b").soak(minutes(10)))
        .unwrap();
    planner
}

#[test]
fn a_cluster_is_replaced_a_few_replicas_at_a_time_and_left_after_the_soak() {
    let check = |switches| {
        let mut planner = replaced(switches);
        let there = healthy(&[("web", "b")]);
        for step in 1..=3 {
            planner.decide(&Facts::none(), at(10 * step));
            planner.decide(&Facts::none(), at(10 * step + 1));
            need!(
                active(&planner, "web").get("b") == Some(&step),
                "step {step}: {:?}",
                active(&planner, "web")
            );
            planner.decide(&there, at(10 * step + 2));
        }
        need!(on(&planner, "web", "a") == 3, "gone before the soak");
        planner.decide(&there, at(33));
        let state = planner.replacement("a").unwrap().state(at(33));
        let ReplacementState::Soaking { until } = state else {
            return Err(format!("{state:?}"));
        };
        planner.decide(&there, Tick(until.0 - 1));
        need!(on(&planner, "web", "a") == 3, "gone before the soak is over");
        planner.decide(&there, until);
        need!(on(&planner, "web", "a") == 0, "still there");
        need_active(&planner, "web", &[("b", 3)], "replaced")
    };
    guarded(check, |off| off.replacement = false);
}

#[test]
fn a_replacement_can_be_taken_back_until_the_soak_ends_and_not_after() {
    let check = |switches| {
        let there = healthy(&[("web", "b")]);
        let moved = || {
            let mut planner = replaced(switches);
            for minute in 10..20 {
                planner.decide(&there, at(minute));
            }
            planner
        };
        let mut planner = moved();
        need!(planner.take_back("a", at(20)), "it cannot be taken back");
        planner.decide(&there, at(20));
        need_active(&planner, "web", &[("a", 3)], "taken back")?;
        let mut planner = moved();
        planner.decide(&there, at(40));
        need!(
            !planner.take_back("a", at(41)),
            "it was taken back after the soak"
        );
        Ok(())
    };
    guarded(check, |off| off.replacement = false);
}

#[test]
fn a_replaced_stateful_one_comes_back_only_once_the_new_one_is_stopped() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(1).nature(Nature::Stateful));
        planner.decide(&Facts::none(), at(5));
        planner
            .replace(Replacement::new("a", "b").soak(minutes(60)))
            .unwrap();
        planner.decide(&Facts::none(), at(6));
        planner.decide(&Facts::none().stopped("web", "a"), at(7));
        let runs = |planner: &Planner| -> Vec<(String, u64)> {
            let placement = planner.table().placement(&"web".into());
            let all = placement.targets["1"].iter();
            all.map(|(cluster, one)| (cluster.clone(), one.runs(Nature::Stateful)))
                .collect()
        };
        let expected = |a, b| vec![("a".to_owned(), a), ("b".to_owned(), b)];
        need!(runs(&planner) == expected(0, 1), "moved: {:?}", runs(&planner));
        need!(planner.take_back("a", at(8)), "it cannot be taken back");
        planner.decide(&Facts::none().stopped("web", "a"), at(9));
        need!(
            runs(&planner) == expected(0, 0),
            "not stopped yet: {:?}",
            runs(&planner)
        );
        planner.decide(&Facts::none().stopped("web", "b"), at(10));
        need!(
            runs(&planner) == vec![("a".to_owned(), 1)],
            "back: {:?}",
            runs(&planner)
        );
        Ok(())
    };
    guarded(check, |off| off.fencing = false);
}

#[test]
fn a_completed_batch_workload_frees_its_place_and_is_not_started_again() {
    let check = |switches| {
        let mut planner = free(clusters(&["a"]), switches);
        let mut batch = web(8);
        batch.completes = true;
        planner.set(batch);
        let mut waiting = Workload::new("next", [Target::replicas(8)]).needs(cpu("1"));
        waiting.priority = -1;
        planner.set(waiting);
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "next", &[("a", 2)], "while it runs")?;
        let done = Facts::none().finished("web");
        let round = planner.decide(&done, at(6));
        need!(round["web"].outcome == Outcome::Finished, "{round:?}");
        need_active(&planner, "next", &[("a", 8)], "once it has ended")?;
        lose(&mut planner, "a", 10);
        for minute in 20..25 {
            planner.decide(&done, at(minute));
            need_active(&planner, "web", &[], "later")?;
        }
        Ok(())
    };
    guarded(check, |off| off.completion = false);
}

#[test]
fn what_has_expired_frees_its_place_at_that_moment() {
    let check = |switches| {
        let mut planner = free(FleetView::new([cluster("a", "3")]).unwrap(), switches);
        planner.set(web(3).expires(at(30)));
        let mut after = web(2);
        after.name = "web-after".into();
        planner.set(after);
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("a", 3)], "its time is not over")?;
        need!(
            planner.decide(&Facts::none(), at(29)).is_empty(),
            "decided before the end"
        );
        // Nothing but time has passed.
        let round = planner.decide(&Facts::none(), at(30));
        need!(
            round
                .get("web")
                .is_some_and(|one| one.outcome == Outcome::Expired),
            "{round:?}"
        );
        need!(on(&planner, "web", "a") == 0, "it is still there");
        need_active(&planner, "web-after", &[("a", 2)], "its place is free")
    };
    guarded(check, |off| off.wakes = false);
}

#[test]
fn clusters_are_paired_by_a_label_of_the_new_one_and_everything_goes_to_its_pair() {
    let check = |switches| {
        let new = |name: &str, old: &str| {
            let mut info = cluster(name, "10");
            info.cluster = info.cluster.label("replaces", old);
            info
        };
        let infos = [
            cluster("blue-1", "10"),
            cluster("blue-2", "10"),
            new("green-1", "blue-2"),
            new("green-2", "blue-1"),
            // Nothing of this name is there.
            new("green-3", "blue-3"),
            cluster("other", "10"),
        ];
        let mut planner = free(FleetView::new(infos).unwrap(), switches);
        for name in ["blue-1", "blue-2"] {
            let workload = Workload::new(name, [Target::replicas(2).on([name, "green-1", "green-2"])]);
            planner.set(
                workload
                    .needs(cpu("1"))
                    .prefer(ClusterSelector::named([name]), 100),
            );
        }
        planner.decide(&Facts::none(), at(5));
        let pairs = Replacement::pairs(planner.fleet(), "replaces");
        let told: Vec<(&str, &str)> = pairs.iter().map(|one| (&*one.from, &*one.to)).collect();
        need!(told == [("blue-2", "green-1"), ("blue-1", "green-2")], "{told:?}");
        need!(
            Replacement::pairs(planner.fleet(), "region-of").is_empty(),
            "no such label"
        );
        for pair in pairs {
            planner.replace(pair).map_err(|error| error.to_string())?;
        }
        planner.decide(&Facts::none(), at(6));
        need_active(
            &planner,
            "blue-1",
            &[("blue-1", 1), ("green-2", 1)],
            "one at a time",
        )?;
        need_active(
            &planner,
            "blue-2",
            &[("blue-2", 1), ("green-1", 1)],
            "one at a time",
        )?;
        let facts = healthy(&[("blue-1", "green-2"), ("blue-2", "green-1")]);
        planner.decide(&facts, at(7));
        need_active(&planner, "blue-1", &[("green-2", 2)], "to its pair")?;
        need_active(&planner, "blue-2", &[("green-1", 2)], "to its pair")
    };
    guarded(check, |off| off.replacement = false);
}

#[test]
fn the_old_ones_stay_when_their_stand_ins_are_lost() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b", "c"]), switches);
        let shares = |a: u64, b: u64| {
            Target::replicas(a + b)
                .divided_by(DivideBy::Weight)
                .bound(Bound::cluster("a").max(a))
                .bound(Bound::cluster("b").max(b))
        };
        let web = |target| {
            let mut web = web(1).lost(LostPolicy::Hold);
            web.targets = vec![target];
            web
        };
        planner.set(web(shares(2, 2).on(["a", "b"])));
        planner.decide(&Facts::none(), at(5));
        planner.set(web(shares(2, 2).on(["a", "b", "c"])));
        live(&mut planner, "a", LifeCycle::Draining);
        planner.decide(&Facts::none(), at(6));
        need_active(&planner, "web", &[("b", 2), ("c", 2)], "moving")?;
        lose(&mut planner, "c", 7);
        planner.decide(&healthy(&[("web", "b")]), at(8));
        need!(on(&planner, "web", "a") == 2, "two of four run");
        contact(&mut planner, "c", ContactState::Online, 9);
        planner.decide(&healthy(&[("web", "b"), ("web", "c")]), at(10));
        need!(on(&planner, "web", "a") == 0, "they are healthy");
        Ok(())
    };
    guarded(check, |off| off.healthy_first = false);
}

#[test]
fn one_cluster_that_is_not_healthy_does_not_hold_back_a_drain() {
    let mut planner = free(clusters(&["a", "b", "c"]), Switches::default());
    let target = Target::replicas(9)
        .divided_by(DivideBy::Weight)
        .bound(Bound::cluster("c").max(1));
    planner.set(Workload::new("web", [target]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(active(&planner, "web"), counts(&[("a", 4), ("b", 4), ("c", 1)]));
    live(&mut planner, "a", LifeCycle::Draining);
    planner.decide(&Facts::none(), at(6));
    planner.decide(&healthy(&[("web", "b")]), at(7));
    assert_eq!(
        on(&planner, "web", "a"),
        1,
        "for the one on c, of which nobody knows"
    );
    planner.decide(&healthy(&[("web", "b"), ("web", "c")]), at(8));
    assert_eq!(on(&planner, "web", "a"), 0);
}

#[test]
fn what_is_on_each_cluster_of_a_group_stays_until_another_group_has_it() {
    let grouped = |name: &str, tier: &str| {
        let mut info = cluster(name, "10");
        info.cluster.labels.insert("tier".into(), tier.into());
        info
    };
    let tier = |tier: &str| {
        ClusterSelector::everything().and(Requirement::new(Fact::Label, "tier", Operator::In, [tier]))
    };
    let mut new = grouped("p", "prod");
    new.cluster.life_cycle = LifeCycle::Cordoned;
    let fleet = FleetView::new([grouped("r", "reserve"), new]).unwrap();
    let mut planner = free(fleet, Switches::default());
    planner.set(Workload::new(
        "web",
        [Target::each(1).within(tier("prod")).within(tier("reserve"))],
    ));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(
        active(&planner, "web"),
        counts(&[("r", 1)]),
        "nothing can be on p"
    );
    live(&mut planner, "p", LifeCycle::Ready);
    planner.decide(&Facts::none(), at(6));
    assert_eq!(active(&planner, "web"), counts(&[("p", 1)]));
    assert_eq!(on(&planner, "web", "r"), 1, "gone before p has it");
    planner.decide(&healthy(&[("web", "p")]), at(7));
    assert_eq!(on(&planner, "web", "r"), 0);
}

#[test]
fn what_has_finished_is_not_started_again_by_a_new_process() {
    let batch = || {
        let mut batch = web(1);
        batch.completes = true;
        batch
    };
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(batch());
    planner.decide(&Facts::none(), at(5));
    let round = planner.decide(&Facts::none().finished("web"), at(6));
    assert_eq!(round["web"].outcome, Outcome::Finished);
    let kept = serde_json::to_string(&planner.placements()).unwrap();
    let mut new = Planner::new(
        Scheduler::default(),
        clusters(&["a", "b"]),
        PlannerOptions::default(),
    )
    .with_previous(&serde_json::from_str(&kept).unwrap(), planner.moves().clone());
    new.set(batch());
    assert_eq!(
        new.decide(&Facts::none(), at(7))["web"].outcome,
        Outcome::Finished
    );
    // Another one of the same name runs.
    let mut other = batch();
    other.uid = "2".into();
    new.set(other);
    assert_eq!(new.decide(&Facts::none(), at(8))["web"].outcome, Outcome::Placed);
}

#[test]
fn a_target_with_another_name_is_the_same() {
    let mut planner = free(clusters(&["a"]), Switches::default());
    let web = |name: &str| Workload::new("web", [Target::replicas(10).named(name)]).needs(cpu("1"));
    planner.set(web(""));
    planner.decide(&Facts::none(), at(5));
    planner.set(web("main"));
    let round = planner.decide(&Facts::none(), at(6));
    assert_eq!(
        (round["web"].short(), on(&planner, "web", "a")),
        (0, 10),
        "{:?}",
        round["web"]
    );
}

#[test]
fn a_replacement_that_makes_no_sense_is_refused() {
    let mut planner = free(clusters(&["a", "b", "c", "d"]), Switches::default());
    let mut replace = |from: &str, to: &str| {
        planner
            .replace(Replacement::new(from, to))
            .map_err(|error| error.to_string())
    };
    assert_eq!(
        replace("a", "a").unwrap_err(),
        "cluster a cannot be replaced by itself"
    );
    assert_eq!(replace("a", "x").unwrap_err(), "cluster x is not in the fleet");
    replace("a", "b").unwrap();
    let other = "a is being replaced by b: that must end, or be taken back, first";
    for (from, to) in [("b", "c"), ("b", "a"), ("a", "c"), ("c", "a")] {
        assert_eq!(replace(from, to).unwrap_err(), other, "{from} by {to}");
    }
    replace("a", "b").unwrap();
    replace("c", "b").unwrap();
}

#[test]
fn what_is_on_each_cluster_does_not_hold_up_a_soak_and_who_does_is_told() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(Workload::new("agent", [Target::each(1)]));
    planner.set(Workload::new("web", [Target::replicas(1)]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(5));
    planner
        .replace(Replacement::new("a", "b").soak(minutes(10)))
        .unwrap();
    planner.decide(&Facts::none(), at(6));
    planner.decide(&healthy(&[("agent", "b")]), at(7));
    assert_eq!(planner.not_replaced("a", &Facts::none()), ["web".into()]);
    planner.decide(&healthy(&[("agent", "b"), ("web", "b")]), at(8));
    let state = planner.replacement("a").unwrap().state(at(8));
    assert_eq!(state, ReplacementState::Soaking { until: at(18) });
    assert_eq!(on(&planner, "agent", "a"), 1, "gone before the soak ends");
}

#[test]
fn nothing_is_taken_back_to_a_cluster_that_does_not_answer() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(3));
    planner.decide(&Facts::none(), at(5));
    planner
        .replace(Replacement::new("a", "b").surge(3).soak(minutes(60)))
        .unwrap();
    planner.decide(&Facts::none(), at(6));
    planner.decide(&healthy(&[("web", "b")]), at(7));
    lose(&mut planner, "a", 8);
    assert!(!planner.take_back("a", at(9)));
    contact(&mut planner, "a", ContactState::Online, 10);
    assert!(planner.take_back("a", at(11)));
    planner.decide(&healthy(&[("web", "b")]), at(12));
    assert_eq!(on(&planner, "web", "b"), 3, "gone before those on a are healthy");
    planner.decide(&healthy(&[("web", "a")]), at(13));
    assert_eq!((on(&planner, "web", "a"), on(&planner, "web", "b")), (3, 0));
}

#[test]
fn what_moves_at_once_and_is_more_than_a_budget_says_so() {
    let options = PlannerOptions::default().budgets(Budgets::new(
        Rate::new(100, minutes(60)),
        Rate::new(3, minutes(60)),
    ));
    let mut planner = planner(clusters(&["a", "b"]), options, Switches::default());
    let mut five = web(1);
    five.targets = vec![Target::each(5).over_clusters(None, Some(1))];
    planner.set(five);
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "a", LifeCycle::Draining);
    let round = planner.decide(&Facts::none(), at(6));
    assert_eq!(waits(&round, "web"), ["above-budget"], "{:?}", round["web"]);
}

#[test]
fn a_drain_ends_although_the_workload_is_short() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(30));
    planner.decide(&Facts::none(), at(5));
    change(&mut planner, "a", |info| {
        info.capacity = cluster("a", "14").capacity;
    });
    planner.set(web(16));
    planner.decide(&Facts::none(), at(6));
    planner.set(web(30));
    planner.decide(&Facts::none(), at(7));
    live(&mut planner, "a", LifeCycle::Draining);
    for minute in 8..12 {
        planner.decide(&healthy(&[("web", "b")]), at(minute));
    }
    let active: u64 = active(&planner, "web").values().sum();
    assert!(active < 30, "it is not short");
    let placement = planner.table().placement(&"web".into());
    let going: u64 = placement.targets["1"].values().map(|one| one.going).sum();
    assert_eq!(going, 0, "{placement:?}");
}
