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
    let check = |scheduler, switches| {
        let mut bad = cluster("a", "1");
        bad.cluster =
            bad.cluster
                .life_cycle(LifeCycle::Cordoned)
                .taint(Taint::new("t", "", TaintEffect::NoSchedule));
        let mut planner = free_of(scheduler, FleetView::new([bad]).unwrap()).with_switches(switches);
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
    guarded(
        |switches| check(Scheduler::default(), switches),
        |off| off.all_reasons = false,
    );
    let other_order = Scheduler::builder().without("in-service").filter(InService);
    notices(|scheduler| check(scheduler, Switches::default()), other_order);
}

#[test]
fn karmada_a_maximum_that_is_not_given_is_no_maximum() {
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b", "c"]));
        let target = Target::replicas(30)
            .over_clusters(Some(1), None)
            .spread(Spread::over("region"));
        planner.set(Workload::new("web", [target]).needs(cpu("1")));
        let round = planner.decide(&Facts::none(), at(5));
        need!(round["web"].short() == 0, "{round:?}");
        need_active(&planner, "web", &[("a", 10), ("b", 10), ("c", 10)], "all")
    };
    notices(check, Scheduler::builder().selector(wrong::NoMaximumIsNone));
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
    let check = |scheduler, switches| {
        let fleet =
            FleetView::new([cluster("eu-1", "2"), cluster("eu-2", "9"), cluster("us-1", "9")]).unwrap();
        let mut planner = free_of(scheduler, fleet).with_switches(switches);
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
    guarded(
        |switches| check(Scheduler::default(), switches),
        |off| off.sticky = false,
    );
    let weights = Scheduler::builder().divider(wrong::WeightsAlone::new());
    notices(|scheduler| check(scheduler, Switches::default()), weights);
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
fn karmada_how_fast_what_is_lost_starts_elsewhere_is_a_choice_and_none_is_none() {
    for limit in [2, 0] {
        let check = |switches| {
            let rate = Rate::new(limit, minutes(60));
            let options = PlannerOptions::default()
                .budgets(Budgets::new(rate, rate))
                .storm(StormBreaker::off());
            let mut planner = planner(clusters(&["a", "b"]), options, switches);
            planner.set(web(6));
            planner.decide(&Facts::none(), at(0));
            lose(&mut planner, "a", 1);
            for minute in 1..300 {
                let round = planner.decide(&Facts::none(), at(minute));
                let elsewhere = active(&planner, "web").get("b").copied().unwrap_or(0);
                let expected = (limit * (1 + (minute - 1) / 60)).min(6);
                need!(
                    elsewhere == expected,
                    "{elsewhere} in minute {minute}, and not {expected}"
                );
                if minute == 1 {
                    need!(waits(&round, "web") == ["budget"], "{round:?}");
                    let until = (limit > 0).then(|| at(61));
                    need!(round["web"].waits[0].until == until, "{round:?}");
                }
            }
            Ok(())
        };
        guarded(check, |off| off.budgets = false);
    }
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
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(3).tolerate(Toleration::of("t").seconds(600)));
        planner.decide(&Facts::none(), at(5));
        change(&mut planner, "a", |info| {
            info.cluster.taints = vec![Taint::new("t", "", TaintEffect::NoExecute).since(at(6))];
        });
        planner.decide(&Facts::none(), at(6));
        need_active(&planner, "web", &[("a", 3)], "tolerated")?;
        planner.decide(&Facts::none(), at(16));
        need_active(&planner, "web", &[("b", 3)], "not any more")?;
        Ok(())
    };
    guarded(check, |off| off.wakes = false);
}

#[test]
fn what_is_tolerated_for_a_time_only_brings_nothing_new() {
    let a: &[(&str, u64)] = &[("a", 3)];
    let b: &[(&str, u64)] = &[("b", 3)];
    let cases = [
        (TaintEffect::NoExecute, Some(600), b),
        (TaintEffect::NoExecute, None, a),
        (TaintEffect::NoSchedule, Some(600), b),
        (TaintEffect::NoSchedule, None, a),
        (TaintEffect::PreferNoSchedule, Some(600), b),
        (TaintEffect::PreferNoSchedule, None, a),
    ];
    let check = |scheduler: Scheduler| {
        for (effect, seconds, expected) in cases {
            let mut planner = free_of(scheduler.clone(), clusters(&["a", "b"]));
            change(&mut planner, "a", |info| {
                info.cluster.taints = vec![Taint::new("t", "", effect).since(at(4))];
            });
            let mut toleration = Toleration::of("t");
            toleration.seconds = seconds;
            planner.set(web(3).tolerate(toleration));
            planner.decide(&Facts::none(), at(5));
            need_active(&planner, "web", expected, &format!("{effect:?} {seconds:?}"))?;
        }
        Ok(())
    };
    let as_kubernetes = Scheduler::builder().without("taints").filter(Taints);
    notices(check, as_kubernetes);
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
fn ocm_a_breach_in_one_group_is_not_undone_by_another_that_is_calm() {
    // The group that breaches its limit comes first, between others and last.
    for stormy in ["ap", "eu", "us"] {
        let check = |switches| {
            let names: Vec<String> = ["ap", "eu", "us"]
                .iter()
                .flat_map(|region| (1..4).map(move |at| format!("{region}-{at}")))
                .collect();
            let names: Vec<&str> = names.iter().map(String::as_str).collect();
            let breaker = StormBreaker::default().domain("region").trips(2, 50);
            let options = PlannerOptions::default().storm(breaker);
            let mut planner = planner(clusters(&names), options, switches);
            for name in &names {
                let mut one = web(1);
                one.name = (*name).into();
                one.targets[0].clusters = vec![(*name).to_owned()];
                planner.set(one.clone());
                planner.decide(&Facts::none(), at(1));
                one.targets[0].clusters.clear();
                planner.set(one);
                planner.decide(&Facts::none(), at(1));
            }
            for region in ["ap", "eu", "us"] {
                let lost = if region == stormy { 2 } else { 1 };
                for which in 1..=lost {
                    lose(&mut planner, &format!("{region}-{which}"), 10);
                }
            }
            for minute in 11..14 {
                planner.decide(&Facts::none(), at(minute));
                for region in ["ap", "eu", "us"] {
                    let name = format!("{region}-1");
                    let stays = active(&planner, &name).contains_key(&name);
                    need!(stays == (region == stormy), "{name} in minute {minute}: {stays}");
                }
            }
            Ok(())
        };
        guarded(check, |off| off.storm = false);
    }
}

#[test]
fn kubefleet_a_skew_that_is_not_given_is_no_limit_and_clusters_in_use_are_explained_too() {
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["eu-1", "us-1"]));
        let mut made = web(3);
        made.targets = vec![Target::replicas(3).spread(Spread::over("region"))];
        planner.set(made);
        planner.decide(&Facts::none(), at(5));
        let told = planner.explain(&"web".into(), &Facts::none(), at(6)).unwrap();
        let clusters = &told.targets[0].clusters;
        let names: Vec<(&str, u64)> = clusters
            .iter()
            .map(|one| (one.cluster.as_str(), one.replicas))
            .collect();
        need!(names == [("eu-1", 3), ("us-1", 0)], "{names:?}");
        need!(clusters.iter().all(|one| !one.scores.is_empty()), "{clusters:?}");
        Ok(())
    };
    let everywhere = Scheduler::builder().selector(EveryCluster);
    notices(check, everywhere.divider(wrong::NoSkewIsOne));
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
    let check = |scheduler: Scheduler| {
        for names in [["a", "b", "c", "d"], ["d", "c", "b", "a"]] {
            let mut planner = free_of(scheduler.clone(), clusters(&names));
            let mut made = web(6);
            made.targets = vec![Target::replicas(6).divided_by(DivideBy::Capacity)];
            planner.set(made);
            planner.decide(&Facts::none(), at(5));
            let expected = [("a", 2), ("b", 2), ("c", 1), ("d", 1)];
            need_active(&planner, "web", &expected, "left over")?;
        }
        Ok(())
    };
    let last_first = wrong::WeightsAlone::last_first();
    notices(check, Scheduler::builder().divider(last_first));
}

#[test]
fn kubeadmiral_of_clusters_as_good_as_each_other_the_first_by_name_are_taken() {
    let check = |scheduler: Scheduler| {
        for names in [["a", "b", "c", "d"], ["d", "c", "b", "a"], ["c", "a", "d", "b"]] {
            let mut planner = free_of(scheduler.clone(), clusters(&names));
            let target = Target::replicas(6).divided_by(DivideBy::Capacity);
            planner.set(Workload::new("web", [target.over_clusters(None, Some(2))]).needs(cpu("1")));
            planner.decide(&Facts::none(), at(5));
            need_active(&planner, "web", &[("a", 3), ("b", 3)], "two at most")?;
        }
        Ok(())
    };
    notices(check, Scheduler::builder().selector(wrong::LastOfEquals));
}

#[test]
fn clusternet_weights_of_any_size_are_shares() {
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b"]));
        let target = Target::replicas(9).divided_by(DivideBy::Weight);
        let target = target
            .bound(Bound::cluster("a").weight(u64::MAX))
            .bound(Bound::cluster("b").weight(u64::MAX / 2));
        planner.set(Workload::new("web", [target]).needs(cpu("1")));
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("a", 6), ("b", 3)], "two to one")
    };
    let narrow = wrong::WeightsAlone::narrow();
    notices(check, Scheduler::builder().divider(narrow));
}

#[test]
fn clusternet_clusters_as_good_as_each_other_get_their_shares_by_name() {
    // More than are sorted by insertion, which would be stable.
    let names: Vec<String> = (0..40).map(|at| format!("c-{at:02}")).collect();
    let check = |scheduler: Scheduler| {
        for is_reversed in [false, true] {
            let mut given: Vec<&str> = names.iter().map(String::as_str).collect();
            if is_reversed {
                given.reverse();
            }
            let mut planner = free_of(scheduler.clone(), clusters(&given));
            planner.set(web(30));
            planner.decide(&Facts::none(), at(5));
            let expected = [("c-00", 10), ("c-01", 10), ("c-02", 10)];
            need_active(&planner, "web", &expected, "the first three")?;
        }
        Ok(())
    };
    notices(check, Scheduler::builder().selector(wrong::LastOfEquals));
}

#[test]
fn clusternet_who_was_placed_before_changes_no_new_placement() {
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b", "c"]));
        for at in 0..5 {
            planner.set(Workload::new(format!("passing-{at}"), [Target::replicas(1)]));
        }
        planner.decide(&Facts::none(), at(5));
        for at in 0..5 {
            planner.remove(&format!("passing-{at}").as_str().into());
        }
        planner.set(web(3));
        planner.decide(&Facts::none(), at(6));
        need_active(&planner, "web", &[("a", 3)], "as if nobody had been there")
    };
    let rotating = wrong::Rotating::default();
    notices(check, Scheduler::builder().selector(rotating));
}

#[test]
fn clusternet_what_has_no_place_is_counted() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(25));
        let round = planner.decide(&Facts::none(), at(5));
        need!(round["web"].outcome == Outcome::Unschedulable, "{round:?}");
        let target = &round["web"].targets[0];
        need!(
            (target.short, &target.limit) == (5, &Some(Limit::Room)),
            "{target:?}"
        );
        Ok(())
    };
    guarded(check, |off| off.shortfall = false);
}

#[test]
fn rule_10_clusternet_a_cluster_of_which_nothing_is_known_stops_no_other() {
    let check = |scheduler| {
        let unknown = ClusterInfo::new(Cluster::new("a"));
        let fleet = FleetView::new([unknown, cluster("b", "10")]).unwrap();
        let mut planner = free_of(scheduler, fleet);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("b", 3)], "what is known")
    };
    notices(check, Scheduler::builder().estimator(wrong::all_or_nothing()));
}

#[test]
fn clusternet_a_predictor_that_fails_for_one_cluster_stops_nothing() {
    let predictor = |when_it_fails: Option<Estimate>| {
        estimator_fn("predictor", move |candidate| match candidate.cluster.name() {
            "b" => Some(Estimate::of_now(4)),
            _ => when_it_fails,
        })
    };
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b"]));
        planner.set(web(25));
        let round = planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", &[("a", 10), ("b", 4)], "it fails for a")?;
        need!(round["web"].short() == 11, "{round:?}");
        Ok(())
    };
    tells_apart(
        check,
        Scheduler::builder().estimator(predictor(None)),
        Scheduler::builder().estimator(predictor(Some(Estimate::of_now(0)))),
    );
}

#[test]
fn admiralty_asking_changes_nothing() {
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b"]));
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        let (placements, free) = (planner.placements(), planner.room().free(0, "cpu"));
        for minute in 6..20 {
            planner
                .explain(&"web".into(), &Facts::none(), at(minute))
                .unwrap();
            let asked = planner
                .what_if(&[WhatIf::Drain("a".into())], &Facts::none(), at(minute))
                .unwrap();
            need!(
                moves(&asked.round) == 3,
                "asked in minute {minute}: {:?}",
                asked.round
            );
        }
        need!(planner.placements() == placements, "{:?}", planner.placements());
        need!(planner.room().free(0, "cpu") == free, "room was taken");
        need!(
            planner.decide(&Facts::none(), at(20)).is_empty(),
            "something was touched"
        );
        planner.set(web(5));
        planner.decide(&Facts::none(), at(21));
        need_active(&planner, "web", &[("a", 5)], "as if nobody had asked")
    };
    notices(check, Scheduler::builder().filter(wrong::reserves(20)));
}

#[test]
fn multikueue_others_give_way_on_one_cluster_only_and_only_to_what_is_more_important() {
    let check = |switches| {
        for (priority, expected) in [(0, 0), (1, 4)] {
            let mut planner = free(clusters(&["a", "b"]), switches);
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
            need!(
                placed == u64::from(expected > 0),
                "{placed} of priority {priority}"
            );
            need!(
                clusters.len() <= 1 && moves(&round) == expected,
                "no more give way than must: {round:?}"
            );
        }
        Ok(())
    };
    guarded(check, |off| off.priority = false);
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
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b", "c"]));
        let on = |name: &str, replicas, cluster| {
            Workload::new(name, [Target::replicas(replicas).on([cluster])]).needs(cpu("1"))
        };
        planner.set(on("web", 2, "a"));
        planner.set(on("db", 1, "a"));
        planner.decide(&Facts::none(), at(5));
        planner.set(on("web", 2, "b"));
        planner.decide(&Facts::none(), at(6));
        need!(
            self::on(&planner, "web", "a") == 2,
            "it leaves, and has not left yet"
        );
        let apart = Workload::new("db", [Target::replicas(1)]).needs(cpu("1"));
        planner.set(apart.apart("web"));
        let round = planner.decide(&Facts::none(), at(7));
        need!(moves(&round) == 0, "{round:?}");
        need_active(&planner, "db", &[("a", 1)], "it stays")
    };
    let strict = Scheduler::builder().filter(wrong::keeps_away_from_what_leaves());
    notices(check, strict);
}
