//! What others decide in the same round, and what they take away, leaves nobody without what runs.

use fleet_core::LifeCycle;
use fleet_scheduler::*;

use super::*;

fn named(name: &str, replicas: u64) -> Workload {
    Workload::new(name, [Target::replicas(replicas)])
        .needs(cpu("1"))
        .lost(LostPolicy::Respin { after: minutes(0) })
}

/// A core on this cluster costs so much.
fn priced(name: &str, offers: &str, cost: i64) -> ClusterInfo {
    let mut info = cluster(name, offers);
    info.cluster = info.cluster.cost("cpu", cost);
    info
}

#[test]
fn who_cannot_be_where_it_was_just_sent_keeps_its_old_copies() {
    for has_third in [false, true] {
        let mut all = vec![priced("a", "10", 10), priced("b", "10", 20)];
        if has_third {
            all.push(priced("c", "10", 30));
        }
        let mut planner = free(FleetView::new(all).unwrap(), Switches::default());
        planner.set(named("old", 3).priority(5).apart("new"));
        planner.decide(&Facts::none(), at(1));
        live(&mut planner, "a", LifeCycle::Draining);
        planner.set(named("new", 1));
        for minute in 5..9 {
            let round = planner.decide(&healthy(&[("old", "a")]), at(minute));
            let total: u64 = active(&planner, "old").values().sum();
            assert_eq!(total, 3, "{round:#?}");
            assert_eq!(on(&planner, "old", "a"), 3, "{round:#?}");
        }
        // What was decided in between has never been.
        let moves: Vec<&str> = planner.moves().moves().map(|one| one.to.as_str()).collect();
        assert!(moves.len() <= 1, "{moves:?}");
    }
}

#[test]
fn who_is_sent_elsewhere_instead_is_counted_there() {
    let wide = Rate::new(u64::MAX, minutes(60));
    let narrow = Rate::new(3, minutes(60));
    let options = PlannerOptions::default()
        .storm(StormBreaker::off())
        .budgets(Budgets::new(wide, narrow));
    let all = [
        priced("a", "10", 10),
        priced("b", "10", 20),
        priced("c", "10", 30),
        priced("d", "3", 5),
    ];
    let mut planner = planner(FleetView::new(all).unwrap(), options, Switches::default());
    // Three have come to c within the hour.
    planner.set(Workload::new("z", [Target::replicas(3).on(["d"])]).needs(cpu("1")));
    planner.set(
        Workload::new("old", [Target::replicas(3).on(["a", "b", "c"])])
            .needs(cpu("1"))
            .apart("new"),
    );
    planner.decide(&Facts::none(), at(1));
    planner.set(Workload::new("z", [Target::replicas(3).on(["c"])]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(2));
    live(&mut planner, "a", LifeCycle::Draining);
    planner.set(
        Workload::new("new", [Target::replicas(1).on(["b"])])
            .needs(cpu("1"))
            .priority(1),
    );
    for minute in 3..30 {
        planner.decide(&Facts::none(), at(minute));
        let came: u64 = planner
            .moves()
            .moves()
            .filter(|one| one.to == "c")
            .map(|one| one.replicas)
            .sum();
        assert!(came <= 3 && on(&planner, "old", "c") == 0, "{came} came to c");
        assert_eq!(active(&planner, "old").values().sum::<u64>(), 3);
    }
}

#[test]
fn a_stand_in_that_gives_way_leaves_the_old_copies_their_place() {
    for is_drain in [true, false] {
        let all = [priced("a", "3", 10), priced("b", "3", 20)];
        let mut planner = free(FleetView::new(all).unwrap(), Switches::default());
        planner.set(named("web", 3));
        planner.decide(&Facts::none(), at(1));
        live(&mut planner, "a", LifeCycle::Draining);
        planner.decide(&healthy(&[("web", "a")]), at(5));
        assert_eq!(active(&planner, "web"), counts(&[("b", 3)]));
        if !is_drain {
            live(&mut planner, "a", LifeCycle::Cordoned);
        }
        let vip = Workload::new("vip", [Target::replicas(3).on(["b"])]).needs(cpu("1"));
        planner.set(vip.priority(100).preempts());
        for minute in 6..10 {
            planner.decide(&healthy(&[("web", "a"), ("vip", "b")]), at(minute));
            assert_eq!(active(&planner, "web"), counts(&[("a", 3)]));
            assert_eq!(active(&planner, "vip"), counts(&[("b", 3)]));
        }
    }
}

#[test]
fn who_comes_later_heeds_those_that_keep_away_from_it() {
    // It would be cheaper where the other one is, and has a higher priority.
    let all = || FleetView::new([priced("a", "10", 10), priced("b", "10", 200)]).unwrap();
    let mut planner = free(all(), Switches::default());
    planner.set(named("old", 3).apart("new"));
    planner.decide(&Facts::none(), at(1));
    planner.set(named("new", 1).priority(100));
    let round = planner.decide(&Facts::none(), at(2));
    assert_eq!(
        (active(&planner, "old"), active(&planner, "new"), moves(&round)),
        (counts(&[("a", 3)]), counts(&[("b", 1)]), 0)
    );
    // Nor does it come because it is better there.
    for minute in 60..70 {
        assert_eq!(moves(&planner.rebalance(&Facts::none(), at(minute))), 0);
    }
    let told = planner.explain(&"new".into(), &Facts::none(), at(80)).unwrap();
    let there = told.targets[0]
        .clusters
        .iter()
        .find(|one| one.cluster == "a")
        .unwrap();
    assert_eq!(
        there.refusals[0].reason.to_string(),
        "old, which keeps away from it, runs here"
    );
    // Once it keeps away no more, it may come.
    planner.set(named("old", 3));
    planner.rebalance(&Facts::none(), at(120));
    assert_eq!(active(&planner, "new"), counts(&[("a", 1)]));
}

#[test]
fn three_that_keep_away_from_each_other_in_a_ring_do_not_chase_each_other() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    for (one, other) in [("x", "y"), ("y", "z"), ("z", "x")] {
        planner.set(named(one, 1).apart(other));
    }
    let mut moved = 0;
    for minute in 1..60 {
        let round = planner.decide(
            &healthy(&[
                ("x", "a"),
                ("x", "b"),
                ("y", "a"),
                ("y", "b"),
                ("z", "a"),
                ("z", "b"),
            ]),
            at(minute),
        );
        moved += moves(&round);
    }
    let placed = ["x", "y", "z"].map(|name| active(&planner, name).values().sum::<u64>());
    assert_eq!((placed.iter().sum::<u64>(), moved), (2, 0), "{placed:?}");
}

#[test]
fn who_stands_in_for_one_of_some_does_not_take_it_along_when_it_is_lost() {
    for target in [Target::some(1), Target::replicas(1)] {
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        let hold = Workload::new("web", [target]).needs(cpu("1"));
        planner.set(hold.lost(LostPolicy::Respin { after: minutes(60) }));
        planner.decide(&Facts::none(), at(1));
        live(&mut planner, "a", LifeCycle::Draining);
        planner.decide(&healthy(&[("web", "a")]), at(5));
        lose(&mut planner, "b", 6);
        for minute in 7..12 {
            planner.decide(&healthy(&[("web", "a")]), at(minute));
            assert_eq!(on(&planner, "web", "a"), 1, "the only one that runs is gone");
        }
    }
}

#[test]
fn what_has_begun_goes_on_although_others_are_wrong() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(
        named("s", 1)
            .nature(Nature::Singleton)
            .beside("t")
            .expires(at(100)),
    );
    planner.set(named("t", 1));
    planner.decide(&Facts::none(), at(1));
    live(&mut planner, "a", LifeCycle::Draining);
    planner.decide(&Facts::none(), at(2));
    assert_eq!(active(&planner, "s"), counts(&[("b", 1)]));
    // A circle, by somebody else.
    planner.set(named("t", 1).beside("s"));
    planner.decide(&Facts::none(), at(3));
    let round = planner.decide(&Facts::none().stopped("s", "a"), at(4));
    assert!(matches!(
        round["s"].outcome,
        Outcome::Invalid(InvalidWorkload::Cycle { .. })
    ));
    let placement = planner.table().placement(&"s".into());
    assert_eq!(
        placement.targets["1"]["b"].runs(Nature::Singleton),
        1,
        "{placement:?}"
    );
    // It is over all the same.
    let round = planner.decide(&Facts::none(), at(101));
    assert_eq!(round["s"].outcome, Outcome::Expired);
}

#[test]
fn who_comes_into_a_circle_keeps_all_that_it_has() {
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    let on = |targets: &[(&str, u64)]| {
        let targets = targets
            .iter()
            .map(|(cluster, count)| Target::replicas(*count).on([*cluster]));
        Workload::new("x", targets).needs(cpu("1"))
    };
    planner.set(on(&[("a", 2), ("b", 1)]));
    planner.set(named("y", 1).beside("x"));
    planner.decide(&Facts::none(), at(1));
    let before = active(&planner, "x");
    // One target less, and a circle, by the same slip.
    planner.set(on(&[("a", 2)]).beside("y"));
    let round = planner.decide(&Facts::none(), at(2));
    assert!(matches!(
        round["x"].outcome,
        Outcome::Invalid(InvalidWorkload::Cycle { .. })
    ));
    assert_eq!(active(&planner, "x"), before);
    planner.set(on(&[("a", 2)]));
    planner.decide(&Facts::none(), at(3));
    assert_eq!(active(&planner, "x"), counts(&[("a", 2)]));
}

#[test]
fn who_was_removed_and_comes_back_has_all_its_relations() {
    for is_removed in [false, true] {
        let cache = || named("cache", 1).beside("db").nature(Nature::Stateful);
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        planner.set(named("db", 1));
        planner.set(cache());
        planner.decide(&Facts::none(), at(1));
        if is_removed {
            planner.remove(&"cache".into());
            planner.decide(&Facts::none(), at(2));
            planner.set(cache());
            planner.decide(&Facts::none(), at(3));
            planner.decide(&Facts::none().stopped("cache", "a"), at(4));
        }
        planner.set(Workload::new("db", [Target::replicas(1).on(["b"])]).needs(cpu("1")));
        let facts = healthy(&[("db", "b")]).stopped("cache", "a");
        for minute in 5..9 {
            planner.decide(&facts, at(minute));
        }
        assert_eq!(
            active(&planner, "cache"),
            counts(&[("b", 1)]),
            "removed: {is_removed}"
        );
    }
}

#[test]
fn a_removed_singleton_is_told_when_something_changes() {
    let mut planner = free(clusters(&["a"]), Switches::default());
    planner.set(named("s", 1).nature(Nature::Singleton));
    planner.decide(&Facts::none(), at(1));
    planner.remove(&"s".into());
    assert_eq!(planner.decide(&Facts::none(), at(2)).len(), 1);
    for minute in 3..6 {
        assert!(planner.decide(&Facts::none(), at(minute)).is_empty());
    }
}

#[test]
fn targets_with_other_names_are_the_same_in_their_places() {
    let of = |names: [&str; 2]| {
        let [one, other] = names;
        let targets = [
            Target::replicas(3).named(one).on(["a"]),
            Target::replicas(3).named(other).on(["b"]),
        ];
        Workload::new("web", targets).needs(cpu("1"))
    };
    let mut planner = free(clusters(&["a", "b"]), Switches::default());
    planner.set(of(["primary", "backup"]));
    planner.decide(&Facts::none(), at(1));
    for names in [["main", "spare"], ["x", "y"], ["z", "a"]] {
        planner.set(of(names));
        let round = planner.decide(&Facts::none(), at(2));
        let placement = planner.table().placement(&"web".into());
        let where_it_is = names.map(|name| placement.targets[name].keys().next().unwrap().clone());
        assert_eq!(
            (where_it_is, moves(&round)),
            (["a".to_owned(), "b".to_owned()], 0),
            "{names:?}"
        );
    }
}

#[test]
fn what_is_to_go_stays_where_it_may_be_again_if_too_few_have_a_place() {
    let mut planner = free(
        FleetView::new([cluster("a", "6"), cluster("b", "3")]).unwrap(),
        Switches::default(),
    );
    planner.set(named("web", 6));
    planner.decide(&Facts::none(), at(1));
    live(&mut planner, "a", LifeCycle::Draining);
    planner.decide(&healthy(&[("web", "a")]), at(2));
    assert_eq!(active(&planner, "web").get("b"), Some(&3));
    // More are lost than have a place: what is left of it on a is all there is.
    let mut small = cluster("b", "1");
    small.capacity.as_mut().unwrap().observed_at = at(3);
    planner.set_cluster(small).unwrap();
    live(&mut planner, "a", LifeCycle::Ready);
    let facts = healthy(&[("web", "a"), ("web", "b")]);
    for minute in 4..8 {
        planner.decide(&facts, at(minute));
        assert_eq!(active(&planner, "web").values().sum::<u64>(), 6);
        let there = on(&planner, "web", "a") + on(&planner, "web", "b");
        assert!(there >= 6, "{there} of 6 are there");
    }
}

#[test]
fn what_runs_is_kept_before_what_is_lost_when_there_are_to_be_fewer() {
    for policy in [
        LostPolicy::Shrink,
        LostPolicy::Hold,
        LostPolicy::Respin { after: minutes(60) },
    ] {
        let of = |replicas| {
            let target = Target::replicas(replicas).over_clusters(Some(replicas.try_into().unwrap()), None);
            Workload::new("web", [target])
                .needs(cpu("1"))
                .lost(policy.clone())
        };
        let mut planner = free(clusters(&["a", "b"]), Switches::default());
        planner.set(of(2));
        planner.decide(&Facts::none(), at(1));
        assert_eq!(active(&planner, "web"), counts(&[("a", 1), ("b", 1)]));
        lose(&mut planner, "b", 5);
        live(&mut planner, "a", LifeCycle::Draining);
        planner.decide(&healthy(&[("web", "a")]), at(6));
        planner.set(of(1));
        let round = planner.decide(&healthy(&[("web", "a")]), at(7));
        assert_eq!(
            active(&planner, "web"),
            counts(&[("a", 1)]),
            "{policy:?}: {round:?}"
        );
    }
}
