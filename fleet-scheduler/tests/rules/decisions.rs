//! What a decision is.

use fleet_core::LifeCycle;
use fleet_scheduler::*;

use super::*;

#[test]
fn nothing_fits_and_the_input_is_wrong_are_two_answers_and_neither_clears_a_placement() {
    let check = |switches| {
        let mut planner = free(clusters(&["a"]), switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        planner.set(web(30));
        let round = planner.decide(&Facts::none(), at(6));
        need!(round["web"].outcome == Outcome::Unschedulable, "{round:?}");
        need_active(&planner, "web", &[("a", 10)], "too many")?;
        let mut wrong = web(3);
        wrong.targets[0].groups = vec![ClusterSelector::label("tier", "x").and(Requirement::new(
            Fact::Label,
            "tier",
            Operator::In,
            ["y"],
        ))];
        planner.set(wrong);
        let round = planner.decide(&Facts::none(), at(7));
        let Outcome::Invalid(InvalidWorkload::Contradiction { requirements, .. }) = &round["web"].outcome
        else {
            return Err(format!("{round:?}"));
        };
        need!(requirements.len() == 2, "{requirements:?}");
        need_active(&planner, "web", &[("a", 10)], "wrong")
    };
    guarded(check, |off| off.never_clear = false);
}

#[test]
fn a_decision_says_which_filters_failed_on_which_cluster_what_binds_and_what_would_help() {
    let check = |switches| {
        let mut cordoned = cluster("b", "10");
        cordoned.cluster.life_cycle = LifeCycle::Cordoned;
        let mut both = cluster("c", "1");
        both.cluster.life_cycle = LifeCycle::Cordoned;
        let mut planner = free(
            FleetView::new([cluster("a", "10"), cordoned, both]).unwrap(),
            switches,
        );
        let named = Target::replicas(12).on(["a", "b", "c"]);
        planner.set(Workload::new("web", [named]).needs(cpu("2")));
        let round = planner.decide(&Facts::none(), at(5));
        let target = &round["web"].targets[0];
        need!(
            (target.short, &target.limit) == (7, &Some(Limit::Room)),
            "{target:?}"
        );
        let told = planner.explain(&"web".into(), &Facts::none(), at(6)).unwrap();
        let of = |name: &str| {
            told.targets[0]
                .clusters
                .iter()
                .find(|one| one.cluster == name)
                .unwrap()
        };
        let codes = |name: &str| {
            of(name)
                .refusals
                .iter()
                .map(|one| &*one.reason.code)
                .collect::<Vec<_>>()
        };
        need!(codes("b") == ["not-in-service"], "{:?}", codes("b"));
        need!(codes("c") == ["not-in-service", "no-room"], "{:?}", codes("c"));
        let score = &of("a").scores[0];
        need!(score.weight != 0 && !score.scorer.is_empty(), "{score:?}");
        need!(
            told.targets[0].would_fit.len() > 1,
            "{:?}",
            told.targets[0].would_fit
        );
        let written = serde_json::to_string(&told).map_err(|error| error.to_string())?;
        let read: Explanation = serde_json::from_str(&written).map_err(|error| error.to_string())?;
        need!(read == told, "{read:?}");
        Ok(())
    };
    guarded(check, |off| off.all_reasons = false);
}

#[test]
fn what_if_is_the_same_decision_on_a_changed_fleet() {
    let check = |scheduler| {
        let mut planner = free_of(scheduler, clusters(&["a", "b", "c"]));
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        let changes = [
            WhatIf::Lose("a".into()),
            WhatIf::Drain("a".into()),
            WhatIf::Cordon("a".into()),
            WhatIf::Without("a".into()),
            WhatIf::With(cluster("d", "10")),
        ];
        for one in changes {
            let asked = planner
                .what_if(std::slice::from_ref(&one), &Facts::none(), at(10))
                .unwrap();
            let mut real = planner.clone();
            match &one {
                WhatIf::Lose(name) => lose(&mut real, name, 0),
                WhatIf::Drain(name) => live(&mut real, name, LifeCycle::Draining),
                WhatIf::Cordon(name) => live(&mut real, name, LifeCycle::Cordoned),
                WhatIf::Without(name) => real.set_fleet(real.fleet().without(name).unwrap()),
                WhatIf::With(info) => real.set_fleet(real.fleet().with(info.clone()).unwrap()),
                _ => unreachable!(),
            }
            let round = real.decide(&Facts::none(), at(10));
            need!(
                asked.round == round,
                "{one:?}: {:?}, and not {round:?}",
                asked.round
            );
        }
        Ok(())
    };
    // A part that remembers decides otherwise the second time.
    notices(check, Scheduler::builder().filter(wrong::reserves(8)));
}

#[test]
fn rule_16_the_same_inputs_give_the_same_decisions() {
    let check = |switches| {
        let story = || {
            let mut planner = free(clusters(&["a", "b", "c"]), switches);
            for at in 0..12 {
                let mut one = web(3 + at % 3);
                one.name = format!("web-{at}").into();
                planner.set(one);
            }
            planner.decide(&Facts::none(), at(5));
            lose(&mut planner, "b", 6);
            let round = planner.decide(&Facts::none(), at(7));
            (
                serde_json::to_string(&round).unwrap(),
                serde_json::to_string(&planner.placements()).unwrap(),
            )
        };
        let (one, other) = (story(), story());
        need!(one.1.len() > 500, "little was decided");
        need!(one == other, "two runs differ");
        Ok(())
    };
    guarded(check, |off| off.ordered = false);
}

#[test]
fn dependencies_and_keeping_apart_are_requirements() {
    let check = |scheduler| {
        let mut planner = Planner::new(scheduler, clusters(&["a", "b", "c"]), PlannerOptions::default());
        planner.set(Workload::new("db", [Target::replicas(1).on(["b"])]));
        planner.set(Workload::new("rival", [Target::replicas(1).on(["a"])]));
        let mut beside = web(1).beside("db");
        beside.name = "beside".into();
        let mut apart = web(1).apart("rival").apart("db");
        apart.name = "apart".into();
        planner.set(beside);
        planner.set(apart);
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "beside", &[("b", 1)], "beside")?;
        need_active(&planner, "apart", &[("c", 1)], "apart")
    };
    needs_part(check, "relations");
}

#[test]
fn who_runs_beside_another_goes_where_it_goes() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(Workload::new("db", [Target::replicas(1)]).lost(LostPolicy::Respin { after: Millis(0) }));
    planner.set(web(1).beside("db"));
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "a", LifeCycle::Draining);
    let facts = healthy(&[("db", "b"), ("web", "b")]);
    for minute in 6..10 {
        planner.decide(&facts, at(minute));
    }
    assert_eq!(active(&planner, "db"), counts(&[("b", 1)]));
    assert_eq!(active(&planner, "web"), counts(&[("b", 1)]));
    assert_eq!(on(&planner, "web", "a") + on(&planner, "db", "a"), 0);
}

#[test]
fn who_must_be_beside_and_apart_by_way_of_others_is_refused_as_a_set() {
    let at_any = |name: &str| Workload::new(name, [Target::replicas(1)]).needs(cpu("1"));
    let torn = |workloads: &[Workload]| -> Vec<(String, Vec<String>)> {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        workloads
            .iter()
            .for_each(|workload| planner.set(workload.clone()));
        let round = planner.decide(&Facts::none(), at(5));
        assert_eq!(moves(&round), 0, "{round:?}");
        let torn = round
            .iter()
            .filter_map(|(name, decision)| match &decision.outcome {
                Outcome::Invalid(InvalidWorkload::Torn { workloads }) => {
                    let path = workloads.iter().map(|id| id.as_str().to_owned()).collect();
                    Some((name.clone(), path))
                }
                _ => None,
            });
        torn.collect()
    };
    let path = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
    assert_eq!(
        torn(&[at_any("p").apart("q"), at_any("q").beside("p")]),
        [("q".to_owned(), path(&["q", "p"]))]
    );
    assert_eq!(
        torn(&[
            at_any("p"),
            at_any("q").beside("p"),
            at_any("r").beside("q").apart("p")
        ]),
        [("r".to_owned(), path(&["r", "q", "p"]))]
    );
    // In one region, and on two clusters of it.
    let mut near = at_any("q");
    near.beside = vec![Relation::required("p").over("region")];
    assert_eq!(torn(&[at_any("p").apart("q"), near.clone()]), []);
    let mut far = at_any("p");
    far.apart = vec![Relation::required("q").over("region")];
    assert_eq!(torn(&[far, near]), [("q".to_owned(), path(&["q", "p"]))]);
}

#[test]
fn who_keeps_away_later_or_is_given_first_is_heeded_by_way_of_others_too() {
    let at_any = |name: &str| Workload::new(name, [Target::replicas(1)]).needs(cpu("1"));
    let is_torn =
        |round: &Round| matches!(round["r"].outcome, Outcome::Invalid(InvalidWorkload::Torn { .. }));
    for apart in [
        [at_any("p").apart("r"), at_any("r").beside("q")],
        [at_any("p"), at_any("r").beside("q").apart("p")],
    ] {
        let together = [at_any("p"), at_any("r").beside("q")];
        for is_reversed in [false, true] {
            let mut all = apart.to_vec();
            all.insert(1, at_any("q").beside("p"));
            if is_reversed {
                all.reverse();
            }
            let mut planner = free(clusters(&["a", "b"]), Switches::default());
            for workload in all {
                planner.set(workload);
            }
            assert!(is_torn(&planner.decide(&Facts::none(), at(1))), "{apart:?}");
            together.iter().for_each(|one| planner.set(one.clone()));
            let round = planner.decide(&Facts::none(), at(2));
            assert_eq!(round["r"].outcome, Outcome::Placed, "{apart:?}");
            apart.iter().for_each(|one| planner.set(one.clone()));
            assert!(is_torn(&planner.decide(&Facts::none(), at(3))), "{apart:?}");
            planner.remove(&"p".into());
            let round = planner.decide(&Facts::none(), at(4));
            assert!(!is_torn(&round), "{apart:?}");
        }
    }
}

#[test]
fn who_was_refused_for_others_is_decided_once_these_are_mended() {
    let at_any = |name: &str| Workload::new(name, [Target::replicas(1)]).needs(cpu("1"));
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(at_any("b"));
    planner.decide(&Facts::none(), at(5));
    planner.set(at_any("b").beside("a"));
    planner.set(at_any("a").beside("b"));
    let round = planner.decide(&Facts::none(), at(6));
    assert!(matches!(
        round["a"].outcome,
        Outcome::Invalid(InvalidWorkload::Cycle { .. })
    ));
    planner.set(at_any("b"));
    let round = planner.decide(&Facts::none(), at(7));
    assert_eq!(round["a"].outcome, Outcome::Placed);
}

#[test]
fn a_named_cluster_that_is_not_there_or_cannot_take_it_is_told_with_the_reason() {
    let mut cordoned = cluster("b", "10");
    cordoned.cluster.life_cycle = LifeCycle::Cordoned;
    let fleet = FleetView::new([cluster("a", "3"), cordoned, cluster("d", "10")]).unwrap();
    for (target, short) in [
        (Target::replicas(12).on(["a", "b", "zz"]), 9),
        (Target::some(2).on(["a", "b", "zz"]), 1),
        (Target::each(1).on(["a", "b", "zz"]), 2),
    ] {
        let mut planner = free(fleet.clone(), Switches::default());
        planner.set(Workload::new("web", [target.clone(), Target::replicas(1).on(["d"])]).needs(cpu("1")));
        let round = planner.decide(&Facts::none(), at(5));
        let told = &round["web"].targets[0];
        let codes: BTreeMap<&str, &str> = told
            .refused
            .iter()
            .map(|(name, reasons)| (name.as_str(), &*reasons[0].code))
            .collect();
        assert_eq!(
            codes,
            [("b", "not-in-service"), ("zz", "not-in-the-fleet")].into(),
            "{target:?}"
        );
        assert_eq!(
            (told.short, round["web"].targets[1].short),
            (short, 0),
            "{target:?}"
        );
    }
    // Nothing is missing: nothing is told.
    let mut planner = free(fleet, Switches::default());
    planner.set(Workload::new("web", [Target::replicas(2).on(["a", "zz"])]).needs(cpu("1")));
    let round = planner.decide(&Facts::none(), at(5));
    assert!(round["web"].targets[0].refused.is_empty(), "{round:?}");
}

/// All orders of so many things.
fn orders_of(count: usize) -> Vec<Vec<usize>> {
    let Some(last) = count.checked_sub(1) else {
        return vec![Vec::new()];
    };
    let with_last = |(order, at): (Vec<usize>, usize)| {
        let mut order = order;
        order.insert(at, last);
        order
    };
    let shorter = orders_of(last).into_iter();
    shorter
        .flat_map(|order| (0..count).map(move |at| (order.clone(), at)))
        .map(with_last)
        .collect()
}

/// Whoever can be reached from itself, and nobody else, is told the shortest circle it is in.
#[test]
fn a_circle_is_told_to_exactly_those_that_are_in_one() {
    const COUNT: usize = 4;
    let pairs: Vec<(usize, usize)> = (0..COUNT)
        .flat_map(|one| (0..COUNT).map(move |other| (one, other)))
        .filter(|(one, other)| one != other)
        .collect();
    let name = |at: usize| format!("w{at}");
    // Every fifth graph, which are all sorts.
    for graph in (0..1_u32 << pairs.len()).step_by(5) {
        let edges: Vec<(usize, usize)> = pairs
            .iter()
            .enumerate()
            .filter(|(at, _)| graph >> at & 1 == 1)
            .map(|(_, pair)| *pair)
            .collect();
        // How far each is from each, by the way of more and more others (Floyd 1962).
        let mut far = [[usize::MAX; COUNT]; COUNT];
        edges.iter().for_each(|(one, other)| far[*one][*other] = 1);
        for by in 0..COUNT {
            for one in 0..COUNT {
                for other in 0..COUNT {
                    far[one][other] = far[one][other].min(far[one][by].saturating_add(far[by][other]));
                }
            }
        }
        let mut planner = free(clusters(&["a"]), Switches::default());
        for one in 0..COUNT {
            let workload = Workload::new(name(one), [Target::replicas(1)]).needs(cpu("1"));
            let others = edges.iter().filter(|edge| edge.0 == one);
            planner.set(others.fold(workload, |made, (_, other)| made.beside(name(*other).as_str())));
        }
        let round = planner.decide(&Facts::none(), at(1));
        for (one, far) in far.iter().enumerate() {
            let outcome = &round[&name(one)].outcome;
            let Outcome::Invalid(InvalidWorkload::Cycle { workloads }) = outcome else {
                assert_eq!(far[one], usize::MAX, "{edges:?}: {outcome:?}");
                continue;
            };
            assert_eq!(workloads.len(), far[one], "{edges:?}: {workloads:?}");
            assert_eq!(workloads[0].as_str(), name(one));
            for (at, id) in workloads.iter().enumerate() {
                let next = &workloads[(at + 1) % workloads.len()];
                let is_edge = edges
                    .iter()
                    .any(|(one, other)| *id.as_str() == name(*one) && *next.as_str() == name(*other));
                assert!(is_edge, "{edges:?}: {workloads:?}");
            }
        }
    }
}

#[test]
fn who_leads_to_a_circle_is_not_in_it_whatever_the_order() {
    let at_any = |name: &str| Workload::new(name, [Target::replicas(1)]).needs(cpu("1"));
    // a and b wait for each other, and b for c, which waits for a; d waits for all of them, and e for d.
    let orders: [[&str; 2]; 2] = [["a", "c"], ["c", "a"]];
    let mut told = std::collections::BTreeSet::new();
    for order in orders {
        for is_alone in [false, true] {
            for first_to_last in orders_of(5) {
                let all = [
                    at_any("a").beside("b"),
                    order.iter().fold(at_any("b"), |b, other| b.beside(*other)),
                    at_any("c").beside("a"),
                    at_any("d").beside("a"),
                    at_any("e").beside("d"),
                ];
                let mut planner = free(clusters(&["a", "b"]), Switches::default());
                let mut round = Round::new();
                for which in first_to_last {
                    planner.set(all[which].clone());
                    if is_alone {
                        round.extend(planner.decide(&Facts::none(), at(1)));
                    }
                }
                round.extend(planner.decide(&Facts::none(), at(2)));
                let outcomes: Vec<String> = round.values().map(|one| format!("{:?}", one.outcome)).collect();
                told.insert(outcomes);
            }
        }
    }
    let circle = |names: &str| {
        let workloads = names
            .chars()
            .map(|name| name.to_string().as_str().into())
            .collect();
        format!("{:?}", Outcome::Invalid(InvalidWorkload::Cycle { workloads }))
    };
    let nowhere = format!("{:?}", Outcome::Unschedulable);
    let expected = vec![
        circle("ab"),
        circle("ba"),
        circle("cab"),
        nowhere.clone(),
        nowhere,
    ];
    assert_eq!(told, [expected].into());
}

#[test]
fn long_chains_are_decided() {
    let mut planner = free(
        FleetView::new([cluster("a", "2000")]).unwrap(),
        Switches::default(),
    );
    let name = |at: usize| format!("w-{at:04}");
    for at in 0..2_000 {
        let mut workload = Workload::new(name(at), [Target::replicas(1)]).needs(cpu("1"));
        if at > 0 {
            workload = workload.beside(name(at - 1).as_str());
        }
        planner.set(workload);
    }
    let round = planner.decide(&Facts::none(), at(1));
    assert!(round.values().all(|one| one.outcome == Outcome::Placed));
}

#[test]
fn a_named_cluster_that_is_lost_with_its_replicas_is_wanted_once() {
    for replicas in [1, 2] {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        let target = Target::each(replicas).on(["a", "b", "gone"]);
        planner.set(Workload::new("web", [target]).needs(cpu("1")));
        planner.decide(&Facts::none(), at(1));
        lose(&mut planner, "a", 5);
        let round = planner.decide(&Facts::none(), at(6));
        let told = &round["web"].targets[0];
        assert_eq!((told.wanted, told.short), (3 * replicas, replicas), "{told:?}");
        assert_eq!(
            told.limit,
            Some(Limit::Named {
                clusters: vec!["gone".into()]
            })
        );
    }
}
