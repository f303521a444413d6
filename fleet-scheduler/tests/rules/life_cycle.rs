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
