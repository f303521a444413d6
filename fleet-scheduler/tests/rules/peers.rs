//! Wrong outcomes that other schedulers are known for, by the system where they were found.

use fleet_core::{Cluster, ContactState, LifeCycle, Taint, TaintEffect};
use fleet_scheduler::*;

use super::*;

#[test]
fn karmada_where_nothing_fits_what_runs_is_not_cleared() {
    let check = |switches| {
        let mut planner = free(clusters(&["a"]), switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        change(&mut planner, "a", |info| {
            info.cluster.taints = vec![Taint::new("broken", "", TaintEffect::NoExecute)];
        });
        let round = planner.decide(&Facts::none(), at(6));
        need!(round["web"].outcome == Outcome::Unschedulable, "{round:?}");
        need!(on(&planner, "web", "a") == 3, "it was cleared");
        Ok(())
    };
    guarded(check, |off| off.never_clear = false);
}

#[test]
fn karmada_no_stand_in_at_all_is_not_a_healthy_one() {
    let check = |switches| {
        let mut planner = free(clusters(&["a"]), switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        live(&mut planner, "a", LifeCycle::Draining);
        for minute in 6..100 {
            planner.decide(&healthy(&[("web", "a")]), at(minute));
            need!(
                on(&planner, "web", "a") == 3,
                "gone in minute {minute}, and nothing stands in"
            );
        }
        Ok(())
    };
    guarded(check, |off| off.healthy_first = false);
}

#[test]
fn karmada_all_reasons_are_told_and_always_in_one_order() {
    let check = |switches| {
        let mut bad = cluster("a", "1");
        bad.cluster =
            bad.cluster
                .life_cycle(LifeCycle::Cordoned)
                .taint(Taint::new("t", "", TaintEffect::NoSchedule));
        let mut planner = free(FleetView::new([bad]).unwrap(), switches);
        planner.set(web(3).needs(cpu("2")));
        planner.decide(&Facts::none(), at(5));
        let told = planner.explain(&"web".into(), &Facts::none(), at(6)).unwrap();
        let codes: Vec<&str> = told.targets[0].clusters[0]
            .refusals
            .iter()
            .map(|one| &*one.reason.code)
            .collect();
        need!(codes == ["not-in-service", "taint", "no-room"], "{codes:?}");
        Ok(())
    };
    guarded(check, |off| off.all_reasons = false);
}

#[test]
fn karmada_a_maximum_that_is_not_given_is_no_maximum() {
    let mut planner = free(clusters(&["a", "b", "c"]), Switches::default());
    let target = Target::replicas(30)
        .over_clusters(Some(1), None)
        .spread(Spread::over("region"));
    planner.set(Workload::new("web", [target]).needs(cpu("1")));
    let round = planner.decide(&Facts::none(), at(5));
    assert_eq!((round["web"].short(), active(&planner, "web").len()), (0, 3));
}

#[test]
fn karmada_amounts_written_otherwise_are_amounts_in_the_same_unit() {
    let offers = Resources::new().with("memory", "16Gi").unwrap();
    let info = ClusterInfo::new(Cluster::new("a")).capacity(Capacity::new(offers, Resources::new(), Tick(1)));
    let mut planner = free(FleetView::new([info]).unwrap(), Switches::default());
    let needs = Resources::new().with("memory", "500M").unwrap();
    planner.set(Workload::new("web", [Target::replicas(100)]).needs(needs));
    planner.decide(&Facts::none(), at(5));
    // 16 * 2^30 / 500,000,000 = 34.36
    assert_eq!(active(&planner, "web"), counts(&[("a", 34)]));
}

#[test]
fn karmada_weights_heed_room_and_limits_and_what_runs() {
    let check = |switches| {
        let fleet =
            FleetView::new([cluster("eu-1", "2"), cluster("eu-2", "9"), cluster("us-1", "9")]).unwrap();
        let mut planner = free(fleet, switches);
        let of = |replicas, weight| {
            let heavy = Bound::cluster("eu-1").weight(100);
            let target = Target::replicas(replicas)
                .divided_by(DivideBy::Weight)
                .spread(Spread::over("region").min(2));
            Workload::new(
                "web",
                [target.bound(heavy).bound(Bound::cluster("us-1").weight(weight))],
            )
            .needs(cpu("1"))
        };
        planner.set(of(6, 0));
        planner.decide(&Facts::none(), at(5));
        need_active(
            &planner,
            "web",
            &[("eu-1", 2), ("eu-2", 3), ("us-1", 1)],
            "room and domains",
        )?;
        planner.set(of(7, 50));
        let round = planner.decide(&Facts::none(), at(6));
        need!(moves(&round) == 0, "{round:?}");
        need_active(
            &planner,
            "web",
            &[("eu-1", 2), ("eu-2", 3), ("us-1", 2)],
            "what runs stays",
        )
    };
    guarded(check, |off| off.sticky = false);
}

#[test]
fn karmada_more_room_wakes_who_waits() {
    let check = |switches| {
        let mut planner = free(FleetView::new([cluster("a", "2")]).unwrap(), switches);
        planner.set(web(5));
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("a", 2)], "little room")?;
        change(&mut planner, "a", |info| {
            info.capacity = Some(Capacity::new(cpu("9"), cpu("2"), at(9)));
        });
        planner.decide(&Facts::none(), at(10));
        need_active(&planner, "web", &[("a", 5)], "more room")?;
        // What others leave is room, too.
        planner.set(Workload::new("other", [Target::replicas(9)]).needs(cpu("1")));
        planner.decide(&Facts::none(), at(11));
        // The two that ran before are in what the cluster says; the three others are taken off.
        need_active(&planner, "other", &[("a", 4)], "what is left")?;
        planner.remove(&"web".into());
        planner.decide(&Facts::none(), at(12));
        need!(active(&planner, "other")["a"] > 4, "nobody told it");
        Ok(())
    };
    guarded(check, |off| off.wakes = false);
}

#[test]
fn karmada_decisions_made_together_never_spend_the_same_room() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        for at in 0..7 {
            let mut one = web(3);
            one.name = format!("web-{at}").into();
            planner.set(one);
        }
        planner.decide(&Facts::none(), at(5));
        for name in ["a", "b"] {
            let on: u64 = planner
                .table()
                .workloads_on(name)
                .map(|(_, replicas)| replicas)
                .sum();
            need!(on <= 10, "{on} on {name}, where 10 fit");
        }
        Ok(())
    };
    guarded(check, |off| off.assumptions = false);
}

#[test]
fn karmada_what_runs_stays_where_nothing_new_may_come() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        let mut made = web(3);
        made.kinds = ["Widget.v1.example".into()].into();
        planner.set(made);
        planner.decide(&Facts::none(), at(5));
        change(&mut planner, "a", |info| {
            info.cluster.taints = vec![Taint::new("t", "", TaintEffect::NoSchedule)];
            // Discovery has forgotten a kind for a moment.
            let mut capacity = info.capacity.clone().unwrap();
            capacity.kinds = Some(std::collections::BTreeSet::default());
            info.capacity = Some(capacity);
        });
        let round = planner.decide(&Facts::none(), at(6));
        need!(moves(&round) == 0, "{round:?}");
        need_active(&planner, "web", &[("a", 3)], "tainted")
    };
    guarded(check, |off| off.sticky = false);
}

#[test]
fn karmada_an_edited_label_moves_no_more_than_budgets_let_and_nothing_at_once() {
    let check = |switches| {
        let budgets = Budgets::new(Rate::new(1, minutes(60)), Rate::new(1, minutes(60)));
        let mut planner = planner(
            clusters(&["a", "b"]),
            PlannerOptions::default().budgets(budgets),
            switches,
        );
        change(&mut planner, "b", |info| {
            info.cluster.labels.insert("region".into(), "a".into());
        });
        let mut made = web(3);
        made.targets = vec![Target::replicas(3).within(ClusterSelector::label("region", "a"))];
        planner.set(made);
        planner.decide(&Facts::none(), at(5));
        change(&mut planner, "a", |info| {
            info.cluster.labels.insert("region".into(), "z".into());
        });
        let round = planner.decide(&Facts::none(), at(6));
        need!(moves(&round) == 1, "{} moved at once", moves(&round));
        need!(on(&planner, "web", "a") == 3, "gone at once");
        Ok(())
    };
    guarded(check, |off| off.budgets = false);
}

#[test]
fn karmada_a_lasting_toleration_ends_by_itself() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(3).tolerate(Toleration::of("t").seconds(600)));
    planner.decide(&Facts::none(), at(5));
    change(&mut planner, "a", |info| {
        info.cluster.taints = vec![Taint::new("t", "", TaintEffect::NoExecute).since(at(6))];
    });
    planner.decide(&Facts::none(), at(6));
    assert_eq!(active(&planner, "web"), counts(&[("a", 3)]));
    assert_eq!(planner.again_at(), Some(at(16)));
    planner.decide(&Facts::none(), at(16));
    assert_eq!(active(&planner, "web"), counts(&[("b", 3)]));
}

#[test]
fn what_is_tolerated_for_a_time_only_brings_nothing_new() {
    let check = |effect: TaintEffect, seconds: Option<u64>, expected: &[(&str, u64)]| {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        change(&mut planner, "a", |info| {
            info.cluster.taints = vec![Taint::new("t", "", effect).since(at(4))];
        });
        let mut toleration = Toleration::of("t");
        toleration.seconds = seconds;
        planner.set(web(3).tolerate(toleration));
        planner.decide(&Facts::none(), at(5));
        assert_eq!(
            active(&planner, "web"),
            counts(expected),
            "{effect:?} {seconds:?}"
        );
    };
    let a: &[(&str, u64)] = &[("a", 3)];
    let b: &[(&str, u64)] = &[("b", 3)];
    check(TaintEffect::NoExecute, Some(600), b);
    check(TaintEffect::NoExecute, None, a);
    check(TaintEffect::NoSchedule, Some(600), b);
    check(TaintEffect::NoSchedule, None, a);
    check(TaintEffect::PreferNoSchedule, Some(600), b);
    check(TaintEffect::PreferNoSchedule, None, a);
}

#[test]
fn ocm_a_definition_that_is_wrong_clears_nothing() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        let mut wrong = web(3);
        wrong.targets = vec![Target::replicas(3).over_clusters(Some(3), Some(1))];
        planner.set(wrong);
        let round = planner.decide(&Facts::none(), at(6));
        need!(matches!(round["web"].outcome, Outcome::Invalid(_)), "{round:?}");
        need_active(&planner, "web", &[("a", 3)], "wrong")
    };
    guarded(check, |off| off.never_clear = false);
}

#[test]
fn ocm_a_cluster_that_does_not_answer_loses_nothing_at_once() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        contact(&mut planner, "a", ContactState::Unreachable, 6);
        planner.decide(&Facts::none(), at(7));
        need_active(&planner, "web", &[("a", 3)], "silent")
    };
    guarded(check, |off| off.contact = false);
}

#[test]
fn kubefleet_a_skew_that_is_not_given_is_no_limit_and_clusters_in_use_are_explained_too() {
    let mut planner = free(clusters(&["eu-1", "us-1"]), Switches::default());
    let mut made = web(3);
    made.targets = vec![Target::replicas(3).spread(Spread::over("region"))];
    planner.set(made);
    planner.decide(&Facts::none(), at(5));
    let told = planner.explain(&"web".into(), &Facts::none(), at(6)).unwrap();
    let names: Vec<(&str, u64)> = told.targets[0]
        .clusters
        .iter()
        .map(|one| (one.cluster.as_str(), one.replicas))
        .collect();
    assert_eq!(names, [("eu-1", 3), ("us-1", 0)]);
    assert!(told.targets[0].clusters.iter().all(|one| !one.scores.is_empty()));
}

#[test]
fn kubeadmiral_a_new_process_moves_nothing() {
    let check = |switches| {
        let names = ["a", "b", "c"];
        let first = |planner: &mut Planner| {
            for at in 0..9 {
                let mut one = web(2);
                one.name = format!("web-{at}").into();
                planner.set(one);
            }
        };
        let mut old = free(clusters(&names), Switches::default());
        first(&mut old);
        old.decide(&Facts::none(), at(5));
        // Since then, the cluster that was the best has become the worst.
        let fleet = FleetView::new(names.iter().map(|name| {
            let mut info = cluster(name, "20");
            let cost = if *name == "a" { 1_000 } else { 1 };
            info.cluster = info.cluster.cost("cpu", cost);
            info
        }));
        let mut new = free(fleet.unwrap(), switches).with_previous(&old.placements(), old.moves().clone());
        first(&mut new);
        let round = new.decide(&Facts::none(), at(6));
        need!(moves(&round) == 0, "{round:?}");
        need!(new.placements() == old.placements(), "{:?}", new.placements());
        Ok(())
    };
    guarded(check, |off| off.sticky = false);
}

#[test]
fn kubeadmiral_what_is_left_over_goes_by_the_order_of_names() {
    for names in [["a", "b", "c", "d"], ["d", "c", "b", "a"]] {
        let mut planner = free(clusters(&names), Switches::default());
        let mut made = web(6);
        made.targets = vec![Target::replicas(6).divided_by(DivideBy::Capacity)];
        planner.set(made);
        planner.decide(&Facts::none(), at(5));
        assert_eq!(
            active(&planner, "web"),
            counts(&[("a", 2), ("b", 2), ("c", 1), ("d", 1)])
        );
    }
}

#[test]
fn clusternet_weights_of_any_size_are_shares() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    let target = Target::replicas(9).divided_by(DivideBy::Weight);
    let target = target
        .bound(Bound::cluster("a").weight(u64::MAX))
        .bound(Bound::cluster("b").weight(u64::MAX / 2));
    planner.set(Workload::new("web", [target]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(active(&planner, "web"), counts(&[("a", 6), ("b", 3)]));
}

#[test]
fn clusternet_who_was_placed_before_changes_no_new_placement() {
    let mut planner = free(clusters(&["a", "b", "c"]), Switches::default());
    for at in 0..5 {
        let mut passing = Workload::new(format!("passing-{at}"), [Target::replicas(1)]);
        passing.needs = Resources::new();
        planner.set(passing);
    }
    planner.decide(&Facts::none(), at(5));
    for at in 0..5 {
        planner.remove(&format!("passing-{at}").as_str().into());
    }
    planner.set(web(3));
    planner.decide(&Facts::none(), at(6));
    assert_eq!(active(&planner, "web"), counts(&[("a", 3)]));
}

#[test]
fn clusternet_what_has_no_place_is_counted() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(25));
    let round = planner.decide(&Facts::none(), at(5));
    assert_eq!(round["web"].outcome, Outcome::Unschedulable);
    assert_eq!(
        (round["web"].short(), &round["web"].targets[0].limit),
        (5, &Some(Limit::Room))
    );
}

#[test]
fn rule_10_clusternet_a_cluster_of_which_nothing_is_known_stops_no_other() {
    let unknown = ClusterInfo::new(Cluster::new("a"));
    let mut planner = free(
        FleetView::new([unknown, cluster("b", "10")]).unwrap(),
        Switches::default(),
    );
    planner.set(web(3));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(active(&planner, "web"), counts(&[("b", 3)]));
}

#[test]
fn admiralty_asking_changes_nothing() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(3));
    planner.decide(&Facts::none(), at(5));
    let (placements, free) = (planner.placements(), planner.room().free(0, "cpu"));
    planner.explain(&"web".into(), &Facts::none(), at(6)).unwrap();
    let asked = planner
        .what_if(&[WhatIf::Drain("a".into())], &Facts::none(), at(6))
        .unwrap();
    assert_eq!(moves(&asked.round), 3);
    assert_eq!(
        (planner.placements(), planner.room().free(0, "cpu")),
        (placements, free)
    );
    assert!(planner.decide(&Facts::none(), at(7)).is_empty());
}

#[test]
fn multikueue_others_give_way_on_one_cluster_only_and_only_to_what_is_more_important() {
    for (priority, expected) in [(0, 0), (1, 4)] {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        for name in ["a", "b"] {
            let filler = Workload::new(format!("on-{name}"), [Target::replicas(10).on([name])]);
            planner.set(filler.needs(cpu("1")));
        }
        planner.decide(&Facts::none(), at(5));
        let mut important = web(1).needs(cpu("4")).priority(priority);
        important.preempts = true;
        planner.set(important);
        let round = planner.decide(&Facts::none(), at(6));
        let clusters: std::collections::BTreeSet<&str> = round
            .values()
            .flat_map(|decision| decision.moves.iter().map(|one| one.from.as_str()))
            .collect();
        let placed: u64 = active(&planner, "web").values().sum();
        assert_eq!(placed, u64::from(expected > 0));
        assert!(
            clusters.len() <= 1 && moves(&round) == expected,
            "no more give way than must: {round:?}"
        );
    }
}

#[test]
fn who_has_a_say_in_moves_has_one_in_what_gives_way() {
    for (at_step, refused) in [
        (Step::Before, "a"),
        (Step::BeforeOldGoes, "a"),
        (Step::Before, ""),
    ] {
        let gate = move |step: Step, one: &Move| match step == at_step
            && (refused.is_empty() || one.from == refused)
        {
            true => Consent::Wait(fleet_core::Reason::new("busy", "not now")),
            false => Consent::Go,
        };
        let scheduler = Scheduler::builder().gate(gate).build();
        let mut planner = Planner::new(scheduler, clusters(&["a", "b"]), PlannerOptions::default());
        for name in ["a", "b"] {
            let filler = Workload::new(format!("on-{name}"), [Target::replicas(10).on([name])]);
            planner.set(filler.needs(cpu("1")));
        }
        planner.decide(&Facts::none(), at(5));
        let mut important = web(1).needs(cpu("4")).priority(1);
        important.preempts = true;
        planner.set(important);
        let round = planner.decide(&Facts::none(), at(6));
        if refused == "a" {
            assert_eq!(active(&planner, "web"), counts(&[("b", 1)]), "b lets it");
            assert_eq!(on(&planner, "on-a", "a"), 10);
        } else {
            assert_eq!(active(&planner, "web"), counts(&[]), "nobody lets it");
            let wait = &round["web"].waits[0];
            assert_eq!((wait.on, wait.reason.code.as_ref()), (WaitOn::Gate, "busy"));
        }
    }
}

#[test]
fn volcano_data_counts_as_long_as_it_is_sure_to_be_there() {
    let check = |scheduler| {
        let fleet = clusters(&["a", "b"]).data("logs", [("b", at(10))]);
        let mut planner = Planner::new(scheduler, fleet, PlannerOptions::default());
        planner.set(web(1).data(Data::required("logs")));
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("b", 1)], "while it is sure")?;
        let mut later = web(1).data(Data::required("logs"));
        later.name = "later".into();
        planner.set(later);
        let round = planner.decide(&Facts::none(), at(11));
        need!(round["later"].outcome == Outcome::Unschedulable, "{round:?}");
        need_active(&planner, "web", &[("b", 1)], "what runs")
    };
    needs_part(check, "data");
}

#[test]
fn who_keeps_away_comes_only_once_the_old_copies_have_left() {
    let check = |scheduler| {
        let mut planner = Planner::new(
            scheduler,
            clusters(&["a", "b"]),
            PlannerOptions::default().storm(StormBreaker::off()),
        );
        planner.set(web(2));
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("a", 2)], "at first")?;
        // It moves, and its old copies are there until the new ones are healthy.
        planner.set(Workload::new("web", [Target::replicas(2).on(["b"])]).needs(cpu("1")));
        planner.set(
            Workload::new("db", [Target::replicas(1)])
                .needs(cpu("1"))
                .apart("web"),
        );
        let round = planner.decide(&Facts::none(), at(6));
        need_active(&planner, "web", &[("b", 2)], "on its way")?;
        need_active(&planner, "db", &[], "it waits")?;
        need!(round["db"].short() == 1, "{round:?}");
        planner.decide(&healthy(&[("web", "b")]), at(7));
        need_active(&planner, "db", &[("a", 1)], "it has left")?;
        Ok(())
    };
    needs_part(check, "relations");
}

#[test]
fn who_keeps_away_need_not_leave_for_those_that_leave() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(web(2));
    planner.set(Workload::new("db", [Target::replicas(1)]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(active(&planner, "db"), counts(&[("a", 1)]));
    planner.set(Workload::new("web", [Target::replicas(2).on(["b"])]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(6));
    planner.set(
        Workload::new("db", [Target::replicas(1)])
            .needs(cpu("1"))
            .apart("web"),
    );
    let round = planner.decide(&Facts::none(), at(7));
    assert_eq!((active(&planner, "db"), moves(&round)), (counts(&[("a", 1)]), 0));
}
