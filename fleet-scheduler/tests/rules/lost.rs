//! What happens with the replicas of a cluster that is lost, or that left.

use fleet_core::ContactState;
use fleet_scheduler::*;

use super::*;

/// `web` has three replicas on `a`, which is lost from minute 10 on; `b` is free.
fn lost_at_10(policy: LostPolicy, switches: Switches) -> Planner {
    let mut planner = free(clusters(&["a", "b"]), switches);
    planner.set(web(3).lost(policy));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(active(&planner, "web"), counts(&[("a", 3)]));
    lose(&mut planner, "a", 10);
    planner
}

#[test]
fn respin_starts_lost_replicas_elsewhere_after_the_toleration() {
    let check = |switches| {
        let mut planner = lost_at_10(LostPolicy::Respin { after: minutes(20) }, switches);
        let round = planner.decide(&Facts::none(), at(15));
        need_active(&planner, "web", &[("a", 3)], "before the toleration is over")?;
        need!(waits(&round, "web") == ["tolerated"], "{round:?}");
        need!(
            planner.again_at() == Some(at(30)),
            "asks again at {:?}",
            planner.again_at()
        );
        planner.decide(&Facts::none(), at(30));
        need_active(&planner, "web", &[("b", 3)], "after it")
    };
    guarded(check, |off| off.lost_policy = false);
}

#[test]
fn hold_changes_nothing_until_its_token_is_approved() {
    let check = |switches| {
        let mut planner = lost_at_10(LostPolicy::Hold, switches);
        let round = planner.decide(&Facts::none(), at(1_000));
        need_active(&planner, "web", &[("a", 3)], "without an answer")?;
        let proposals = &round["web"].proposals;
        need!(
            proposals.len() == 1 && proposals[0].replicas == 3,
            "{proposals:?}"
        );
        let token = proposals[0].token.clone();
        planner.decide(&Facts::none().approve("another"), at(1_001));
        need_active(&planner, "web", &[("a", 3)], "with another token")?;
        planner.decide(&Facts::none().approve(token), at(1_002));
        need_active(&planner, "web", &[("b", 3)], "approved")
    };
    guarded(check, |off| off.lost_policy = false);
}

#[test]
fn the_token_of_one_loss_does_not_approve_the_next() {
    let mut planner = lost_at_10(LostPolicy::Hold, Switches::default());
    let round = planner.decide(&Facts::none(), at(20));
    let first = round["web"].proposals[0].token.clone();
    contact(&mut planner, "a", ContactState::Online, 30);
    planner.decide(&Facts::none(), at(30));
    lose(&mut planner, "a", 40);
    let round = planner.decide(&Facts::none().approve(first.clone()), at(41));
    assert_eq!(active(&planner, "web"), counts(&[("a", 3)]));
    assert_ne!(round["web"].proposals[0].token, first);
}

#[test]
fn shrink_runs_fewer_until_the_cluster_is_back() {
    let check = |switches| {
        let mut planner = lost_at_10(LostPolicy::Shrink, switches);
        let round = planner.decide(&Facts::none(), at(1_000));
        need_active(&planner, "web", &[("a", 3)], "while it is lost")?;
        need!(waits(&round, "web") == ["shrink"], "it is not said: {round:?}");
        contact(&mut planner, "a", ContactState::Online, 1_001);
        let round = planner.decide(&Facts::none(), at(1_001));
        need!(moves(&round) == 0 && waits(&round, "web").is_empty(), "{round:?}");
        need_active(&planner, "web", &[("a", 3)], "once it is back")
    };
    guarded(check, |off| off.lost_policy = false);
}

#[test]
fn follow_goes_where_the_other_goes() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b", "c"]), switches);
        let after = LostPolicy::Respin { after: minutes(20) };
        let db = Workload::new("db", [Target::replicas(1)])
            .needs(cpu("1"))
            .lost(after);
        let on_c = ClusterSelector::label("region", "c");
        planner.set(
            db.prefer(ClusterSelector::label("region", "a"), 100)
                .prefer(on_c, 50),
        );
        planner.set(
            web(3)
                .prefer(ClusterSelector::label("region", "a"), 100)
                .lost(LostPolicy::Follow("db".into())),
        );
        planner.decide(&Facts::none(), at(5));
        lose(&mut planner, "a", 10);
        let round = planner.decide(&Facts::none(), at(15));
        need_active(&planner, "web", &[("a", 3)], "before the other goes")?;
        need!(waits(&round, "web") == ["follow"], "{round:?}");
        planner.decide(&Facts::none(), at(31));
        need_active(&planner, "db", &[("c", 1)], "the other")?;
        need_active(&planner, "web", &[("c", 3)], "after the other")
    };
    guarded(check, |off| off.lost_policy = false);
}

#[test]
fn who_leaves_the_fleet_is_treated_by_the_same_policy() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(3).lost(LostPolicy::Hold));
        planner.decide(&Facts::none(), at(5));
        let fleet = planner.fleet().without("a").unwrap();
        planner.set_fleet(fleet);
        let round = planner.decide(&Facts::none(), at(10));
        need_active(&planner, "web", &[("a", 3)], "without an answer")?;
        let token = round["web"].proposals[0].token.clone();
        planner.decide(&Facts::none().approve(token), at(11));
        planner.decide(&healthy(&[("web", "b")]), at(12));
        need!(on(&planner, "web", "a") == 0, "it is still where no cluster is");
        need_active(&planner, "web", &[("b", 3)], "approved")
    };
    guarded(check, |off| off.lost_policy = false);
}

#[test]
fn silence_is_not_loss() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(3));
        planner.decide(&Facts::none(), at(5));
        contact(&mut planner, "a", ContactState::Unreachable, 10);
        let round = planner.decide(&Facts::none(), at(1_000));
        need!(moves(&round) == 0, "{round:?}");
        need_active(&planner, "web", &[("a", 3)], "silent")
    };
    guarded(check, |off| off.contact = false);
}

#[test]
fn coming_back_causes_no_second_wave() {
    let check = |switches| {
        let mut planner = lost_at_10(LostPolicy::Respin { after: minutes(0) }, switches);
        planner.decide(&Facts::none(), at(11));
        need_active(&planner, "web", &[("b", 3)], "lost")?;
        contact(&mut planner, "a", ContactState::Online, 20);
        let mut moved = 0;
        for minute in 20..30 {
            moved += moves(&planner.rebalance(&healthy(&[("web", "a"), ("web", "b")]), at(minute)));
            need_active(&planner, "web", &[("b", 3)], "back")?;
        }
        need!(moved == 0, "{moved} replicas moved");
        need!(on(&planner, "web", "a") == 0, "the old copies are still there");
        Ok(())
    };
    guarded(check, |off| off.returning = false);
}

#[test]
fn rule_11_an_old_copy_leaves_its_cluster_only_once_contact_is_back_and_its_stand_in_is_healthy() {
    let check = |switches| {
        let mut planner = lost_at_10(LostPolicy::Respin { after: minutes(0) }, switches);
        planner.decide(&Facts::none(), at(11));
        planner.decide(&healthy(&[("web", "b")]), at(12));
        need!(on(&planner, "web", "a") == 3, "taken from a cluster that is lost");
        contact(&mut planner, "a", ContactState::Online, 20);
        planner.decide(&Facts::none(), at(20));
        need!(
            on(&planner, "web", "a") == 3,
            "gone before its stand-in is healthy"
        );
        planner.decide(&healthy(&[("web", "b")]), at(21));
        need!(on(&planner, "web", "a") == 0, "still there");
        Ok(())
    };
    guarded(check, |off| off.healthy_first = false);
}

#[test]
fn who_is_missed_in_the_list_of_clusters_may_come_back_as_one_that_is_lost() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(web(3).lost(LostPolicy::Respin { after: minutes(10) }));
        planner
            .set(Workload::new("agent", [Target::each(1)]).lost(LostPolicy::Respin { after: minutes(10) }));
        planner.decide(&Facts::none(), at(5));
        let all = planner.fleet().clone();
        planner.set_fleet(all.without("a").unwrap());
        let round = planner.decide(&Facts::none(), at(10));
        need!(waits(&round, "web") == ["tolerated"], "{:?}", round["web"]);
        need_active(&planner, "web", &[("a", 3)], "missed")?;
        need_active(&planner, "agent", &[("a", 1), ("b", 1)], "missed")?;
        planner.set_fleet(all.clone());
        planner.decide(&Facts::none(), at(15));
        need_active(&planner, "web", &[("a", 3)], "back")?;
        planner.set_fleet(all.without("a").unwrap());
        planner.decide(&Facts::none(), at(20));
        need!(planner.again_at() == Some(at(30)), "{:?}", planner.again_at());
        planner.decide(&Facts::none(), at(30));
        need_active(&planner, "web", &[("b", 3)], "too long")?;
        need_active(&planner, "agent", &[("b", 1)], "too long")
    };
    guarded(check, |off| off.lost_policy = false);
}

#[test]
fn who_follows_nobody_or_in_a_circle_waits_for_a_person() {
    let follows = |name: &str, other: &str| {
        let target = Target::replicas(1).on(["a", "b"]);
        let workload = Workload::new(name, [target]).needs(cpu("1"));
        workload.lost(LostPolicy::Follow(other.into()))
    };
    for (name, others) in [
        ("web", vec![follows("web", "web")]),
        ("web", vec![follows("web", "nobody")]),
        ("web", vec![follows("web", "db"), follows("db", "web")]),
    ] {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        others.iter().for_each(|workload| planner.set(workload.clone()));
        planner.decide(&Facts::none(), at(5));
        let before = active(&planner, name).into_keys().next().unwrap();
        lose(&mut planner, &before, 10);
        let round = planner.decide(&Facts::none(), at(11));
        let token = round[name].proposals[0].token.clone();
        planner.decide(&Facts::none().approve(token), at(12));
        let other = if before == "a" { "b" } else { "a" };
        assert_eq!(active(&planner, name), counts(&[(other, 1)]), "{others:?}");
    }
}

#[test]
fn who_follows_waits_for_all_that_was_where_it_was() {
    let mut planner = free(clusters(&["a", "b", "c"]), Switches::default());
    let db = Workload::new(
        "db",
        [Target::replicas(4).divided_by(DivideBy::Weight).on(["a", "b"])],
    );
    planner.set(db.needs(cpu("1")).lost(LostPolicy::Hold));
    planner.set(web(1).lost(LostPolicy::Follow("db".into())).beside("db"));
    planner.decide(&Facts::none(), at(5));
    assert_eq!(active(&planner, "web"), counts(&[("a", 1)]));
    let fleet = planner.fleet().without("a").unwrap();
    planner.set_fleet(fleet);
    let round = planner.decide(&Facts::none(), at(10));
    assert_eq!(waits(&round, "web"), ["follow"], "{:?}", round["web"]);
}

#[test]
fn who_is_on_every_cluster_forgets_those_that_have_left_whatever_its_policy() {
    for policy in [
        LostPolicy::Hold,
        LostPolicy::Shrink,
        LostPolicy::Follow("other".into()),
        LostPolicy::Respin { after: minutes(0) },
    ] {
        let names = ["a", "b", "c", "d", "e", "f"];
        let mut planner = planner(clusters(&names), PlannerOptions::default(), Switches::default());
        planner.set(
            Workload::new("web", [Target::each(1)])
                .needs(cpu("1"))
                .lost(policy.clone()),
        );
        planner.decide(&Facts::none(), at(5));
        planner.set_fleet(clusters(&names[1..]));
        let round = planner.decide(&Facts::none(), at(6));
        assert_eq!(active(&planner, "web").len(), 5, "{policy:?}");
        assert!(
            round["web"].proposals.is_empty() && round["web"].waits.is_empty(),
            "{round:?}"
        );
        // Too many at once: the list of clusters may be wrong.
        planner.set_fleet(clusters(&names[5..]));
        planner.decide(&Facts::none(), at(7));
        assert_eq!(active(&planner, "web").len(), 5, "{policy:?}");
        planner.set_fleet(clusters(&names));
        let round = planner.decide(&Facts::none(), at(8));
        assert_eq!(
            (active(&planner, "web").len(), moves(&round)),
            (6, 0),
            "{policy:?}"
        );
    }
}

#[test]
fn how_long_a_cluster_is_missed_survives_a_restart() {
    let left = || clusters(&["b"]);
    let restart = |old: &Planner, workload: &Workload| {
        let kept = serde_json::to_string(&old.placements()).unwrap();
        let mut new = free(left(), Switches::default())
            .with_previous(&serde_json::from_str(&kept).unwrap(), old.moves().clone());
        new.set(workload.clone());
        new
    };
    // Its time runs on.
    let mut workload = web(1).lost(LostPolicy::Respin { after: minutes(5) });
    workload.targets = vec![Target::replicas(1)];
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(workload.clone());
    planner.decide(&Facts::none(), at(1));
    planner.set_fleet(left());
    planner.decide(&Facts::none(), at(10));
    for (minute, expected) in [(12, "a"), (14, "a"), (16, "b")] {
        planner = restart(&planner, &workload);
        planner.decide(&Facts::none(), at(minute));
        assert_eq!(active(&planner, "web"), counts(&[(expected, 1)]), "{minute}");
    }
    // What was known to be stopped before the restart is stopped.
    let workload = web(1).nature(Nature::Singleton);
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(workload.clone());
    planner.decide(&Facts::none(), at(1));
    planner.set_fleet(left());
    planner.decide(&Facts::none(), at(10));
    let mut planner = restart(&planner, &workload);
    planner.decide(&Facts::none().stopped_at("web", "a", at(12)), at(15));
    assert_eq!(active(&planner, "web"), counts(&[("b", 1)]));
}

#[test]
fn who_follows_one_that_is_over_or_stays_waits_for_a_person() {
    let job = || Workload::new("job", [Target::replicas(1)]).needs(cpu("1"));
    for (leader, is_finished) in [
        (job().completes(), true),
        (job().expires(at(5)), false),
        (job().lost(LostPolicy::Shrink), false),
    ] {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        planner.set(leader.clone());
        planner.set(
            web(1)
                .lost(LostPolicy::Follow("job".into()))
                .beside_as(Relation::required("job").preferred()),
        );
        planner.decide(&Facts::none(), at(1));
        let was = active(&planner, "web").into_keys().next().unwrap();
        if is_finished {
            planner.decide(&Facts::none().finished("job"), at(2));
        }
        lose(&mut planner, &was, 6);
        let round = planner.decide(&Facts::none(), at(7));
        assert_eq!(round["web"].proposals.len(), 1, "{leader:?}: {round:?}");
        let token = round["web"].proposals[0].token.clone();
        planner.decide(&Facts::none().approve(token), at(8));
        assert!(!active(&planner, "web").contains_key(&was), "{leader:?}");
    }
}

#[test]
fn a_lost_domain_is_made_up_for_although_there_are_fewer_than_asked_for_then() {
    for target in [
        Target::replicas(4).spread(Spread::over("region").min(2)),
        Target::replicas(4).spread(Spread::over("region").skew(1)),
        Target::replicas(4).over_clusters(Some(2), None),
    ] {
        let mut planner = free(clusters(&["eu-1", "us-1"]), Switches::default());
        let mut workload = web(4);
        workload.targets = vec![target.divided_by(DivideBy::Capacity)];
        planner.set(workload);
        planner.decide(&Facts::none(), at(5));
        assert_eq!(active(&planner, "web").len(), 2);
        lose(&mut planner, "us-1", 10);
        let round = planner.decide(&Facts::none(), at(11));
        assert_eq!(active(&planner, "web"), counts(&[("eu-1", 4)]), "{round:?}");
        assert_eq!(round["web"].short(), 0);
    }
}

#[test]
fn who_shrinks_stays_spread_over_what_is_left() {
    for nested in [false, true] {
        let mut planner = free(clusters(&["eu-1", "us-1", "ap-1"]), Switches::default());
        let mut target = Target::replicas(9).spread(Spread::over("region").min(3));
        if nested {
            target = target.spread(Spread::over("region").min(1));
        }
        let of = |replicas: u64| {
            let mut workload = web(replicas).lost(LostPolicy::Shrink);
            let mut target = target.clone();
            if let Take::Divided { replicas: all, .. } = &mut target.take {
                *all = replicas;
            }
            workload.targets = vec![target];
            workload
        };
        planner.set(of(9));
        planner.decide(&Facts::none(), at(5));
        let before = active(&planner, "web");
        assert_eq!(before.len(), 3);
        let largest = before.iter().max_by_key(|(_, count)| **count).unwrap().0.clone();
        let lost = before.keys().find(|name| **name != largest).unwrap();
        lose(&mut planner, lost, 10);
        planner.decide(&Facts::none(), at(11));
        planner.set(of(4));
        planner.decide(&Facts::none(), at(12));
        let answering = active(&planner, "web")
            .into_iter()
            .filter(|(name, _)| name != lost);
        assert_eq!(
            answering.filter(|(_, count)| *count > 0).count(),
            2,
            "{:?}",
            active(&planner, "web")
        );
    }
}
