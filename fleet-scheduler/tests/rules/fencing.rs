//! There are never two of what there must never be two.

use fleet_core::LifeCycle;
use fleet_scheduler::*;

use super::*;

/// One replica on `a`; `b` is free.
fn single(nature: Nature, switches: Switches) -> Planner {
    let mut planner = free(clusters(&["a", "b"]), switches);
    planner.set(web(1).nature(nature));
    planner.decide(&Facts::none(), at(5));
    planner
}

fn runs(planner: &Planner, cluster: &str, nature: Nature) -> u64 {
    let placement = planner.table().placement(&"web".into());
    let on = placement
        .targets
        .values()
        .filter_map(|clusters| clusters.get(cluster));
    on.map(|one| one.runs(nature)).sum()
}

fn for_both(check: impl Fn(Nature, Switches) -> Check) {
    for nature in [Nature::Singleton, Nature::Stateful] {
        guarded(|switches| check(nature, switches), |off| off.fencing = false);
    }
}

#[test]
fn a_lost_singleton_or_stateful_one_is_started_elsewhere_only_when_a_person_says_it_is_stopped() {
    for_both(|nature, switches| {
        let mut planner = single(nature, switches);
        lose(&mut planner, "a", 10);
        let round = planner.decide(&Facts::none(), at(1_000));
        need_active(&planner, "web", &[("a", 1)], "although it respins")?;
        let token = round["web"].proposals[0].token.clone();
        planner.decide(&Facts::none().approve(token), at(1_001));
        need_active(&planner, "web", &[("b", 1)], "approved")?;
        need!(runs(&planner, "b", nature) == 1, "it does not run");
        Ok(())
    });
}

#[test]
fn a_lost_singleton_or_stateful_one_is_started_elsewhere_once_its_cluster_is_fenced_off() {
    for_both(|nature, switches| {
        let mut planner = single(nature, switches);
        lose(&mut planner, "a", 10);
        planner.decide(&Facts::none(), at(11));
        need_active(&planner, "web", &[("a", 1)], "not fenced off")?;
        planner.decide(&Facts::none().stopped("web", "a"), at(12));
        need_active(&planner, "web", &[("b", 1)], "fenced off")?;
        need!(runs(&planner, "b", nature) == 1, "it does not run");
        Ok(())
    });
}

#[test]
fn a_drained_singleton_or_stateful_one_is_stopped_before_it_starts_elsewhere() {
    for_both(|nature, switches| {
        let mut planner = single(nature, switches);
        live(&mut planner, "a", LifeCycle::Draining);
        // It stood still for a moment before it was told to stop: that does not say that it is stopped.
        planner.decide(&Facts::none().stopped("web", "a"), at(10));
        for minute in 11..20 {
            planner.decide(&healthy(&[("web", "a"), ("web", "b")]), at(minute));
            let (old, new) = (runs(&planner, "a", nature), runs(&planner, "b", nature));
            need!(old == 0 && new == 0, "{old} old and {new} new ones are to run");
        }
        planner.decide(&Facts::none().stopped("web", "a"), at(20));
        need!(runs(&planner, "b", nature) == 1, "it does not run");
        need!(on(&planner, "web", "a") == 0, "the old one is still there");
        Ok(())
    });
}

#[test]
fn a_singleton_that_is_called_otherwise_is_stopped_first() {
    for_both(|nature, switches| {
        let mut planner = single(nature, switches);
        let renamed = Target::replicas(1).named("main").on(["b"]);
        planner.set(web(1).nature(nature));
        let mut other = web(1).nature(nature);
        other.targets = vec![renamed];
        planner.set(other);
        planner.decide(&Facts::none(), at(10));
        let (old, new) = (runs(&planner, "a", nature), runs(&planner, "b", nature));
        need!(old == 0 && new == 0, "{old} old and {new} new ones are to run");
        planner.decide(&Facts::none().stopped("web", "a"), at(11));
        need!(runs(&planner, "b", nature) == 1, "it does not run");
        Ok(())
    });
}

#[test]
fn a_stateful_one_that_shrinks_and_grows_again_waits_for_what_was_stopped() {
    let check = |switches| {
        let of = |replicas| web(replicas).nature(Nature::Stateful);
        let mut planner = free(clusters(&["a", "b"]), switches);
        planner.set(of(3));
        planner.decide(&Facts::none(), at(5));
        planner.set(of(2));
        planner.decide(&Facts::none(), at(6));
        live(&mut planner, "a", LifeCycle::Cordoned);
        planner.set(of(3));
        planner.decide(&Facts::none(), at(7));
        let (old, new) = (
            runs(&planner, "a", Nature::Stateful),
            runs(&planner, "b", Nature::Stateful),
        );
        need!(
            (old, new) == (2, 0),
            "{old} and {new} are to run while one may still be running"
        );
        planner.decide(&Facts::none().at_most("web", "a", 2), at(8));
        need!(
            runs(&planner, "b", Nature::Stateful) == 1,
            "the third does not run"
        );
        Ok(())
    };
    guarded(check, |off| off.fencing = false);
}

#[test]
fn what_waits_on_a_cluster_that_is_lost_starts_elsewhere_without_a_person() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b", "c"]), switches);
        planner.set(web(1).nature(Nature::Singleton));
        planner.decide(&Facts::none(), at(5));
        live(&mut planner, "a", LifeCycle::Draining);
        planner.decide(&Facts::none(), at(6));
        need!(runs(&planner, "b", Nature::Singleton) == 0, "two of it");
        lose(&mut planner, "b", 7);
        let round = planner.decide(&Facts::none(), at(8));
        need!(round["web"].proposals.is_empty(), "{:?}", round["web"]);
        need_active(&planner, "web", &[("c", 1)], "b never had it")?;
        planner.decide(&Facts::none().stopped("web", "a"), at(9));
        need!(runs(&planner, "c", Nature::Singleton) == 1, "it does not run");
        Ok(())
    };
    guarded(check, |off| off.fencing = false);
}

#[test]
fn a_singleton_that_is_removed_or_expires_is_there_until_it_is_known_to_be_stopped() {
    let check = |switches| {
        for is_removed in [true, false] {
            let single = |expires| {
                let mut single = web(1).nature(Nature::Singleton);
                single.expires = expires;
                single
            };
            let mut planner = free(clusters(&["a", "b"]), switches);
            planner.set(single(None));
            planner.decide(&Facts::none(), at(5));
            lose(&mut planner, "a", 6);
            match is_removed {
                true => planner.remove(&"web".into()),
                false => planner.set(single(Some(at(7)))),
            }
            let round = planner.decide(&Facts::none(), at(8));
            need!(
                round.get("web").is_some_and(|one| one.proposals.len() == 1),
                "{round:?}"
            );
            planner.set(single(None));
            planner.decide(&Facts::none(), at(9));
            need!(runs(&planner, "b", Nature::Singleton) == 0, "two of it");
            planner.decide(&Facts::none().stopped("web", "a"), at(10));
            planner.decide(&Facts::none().stopped("web", "a"), at(11));
            need!(runs(&planner, "b", Nature::Singleton) == 1, "it does not run");
            planner.remove(&"web".into());
            planner.decide(&Facts::none().stopped("web", "b"), at(12));
            planner.decide(&Facts::none().stopped("web", "b"), at(13));
            need!(planner.placements().is_empty(), "{:?}", planner.placements());
        }
        Ok(())
    };
    guarded(check, |off| off.fencing = false);
}

#[test]
fn a_stateful_one_moves_one_by_one_while_others_of_it_stay() {
    let rate = |limit| Rate::new(limit, minutes(60));
    let options = PlannerOptions::default()
        .storm(StormBreaker::off())
        .budgets(Budgets::new(rate(100), rate(1)));
    let mut planner = planner(clusters(&["a", "b"]), options, Switches::default());
    planner.set(web(3).nature(Nature::Stateful));
    planner.decide(&Facts::none(), at(1));
    live(&mut planner, "a", LifeCycle::Draining);
    for moved in 1..=3_u64 {
        let begin = moved * 61;
        planner.decide(&Facts::none(), at(begin));
        let held = |planner: &Planner| planner.table().placement(&"web".into()).targets["1"]["b"].held;
        assert_eq!(held(&planner), 1);
        // Fewer than that are not told to run there any more, but were not seen to be gone.
        planner.decide(&Facts::none().at_most("web", "a", 4 - moved), at(begin + 1));
        assert_eq!(held(&planner), 1);
        planner.decide(&Facts::none().at_most("web", "a", 3 - moved), at(begin + 2));
        assert_eq!(held(&planner), 0);
        let (a, b) = (
            runs(&planner, "a", Nature::Stateful),
            runs(&planner, "b", Nature::Stateful),
        );
        assert_eq!((a, b), (3 - moved, moved));
    }
}

#[test]
fn what_is_held_where_nothing_may_start_any_more_starts_elsewhere() {
    for_both(|nature, switches| {
        let mut planner = free(clusters(&["a", "b", "c"]), switches);
        planner.set(web(1).nature(nature));
        planner.decide(&Facts::none(), at(5));
        live(&mut planner, "a", LifeCycle::Draining);
        planner.decide(&Facts::none(), at(6));
        need_active(&planner, "web", &[("b", 1)], "held")?;
        live(&mut planner, "b", LifeCycle::Draining);
        planner.decide(&Facts::none(), at(7));
        need_active(&planner, "web", &[("c", 1)], "held elsewhere")?;
        need!(
            runs(&planner, "c", nature) == 0,
            "it runs before the old one is stopped"
        );
        planner.decide(&Facts::none().stopped("web", "a"), at(8));
        need!(runs(&planner, "c", nature) == 1, "it does not run");
        Ok(())
    });
}
