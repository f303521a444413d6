//! Nothing is started elsewhere when too much looks lost at once.

use fleet_core::ContactState;
use fleet_scheduler::*;

use super::*;

/// One workload on each of these clusters, by the cluster's name.
fn one_each(names: &[&str], policy: &LostPolicy, switches: Switches) -> Planner {
    let options = PlannerOptions::default().storm(StormBreaker::default().domain("region").trips(2, 50));
    let mut planner = planner(clusters(names), options, switches);
    for name in names {
        let selector = ClusterSelector::everything();
        let prefers = Target::replicas(1).within(selector);
        let mut workload = Workload::new(*name, [prefers])
            .needs(cpu("1"))
            .lost(policy.clone());
        workload.targets[0].clusters = vec![(*name).to_owned()];
        planner.set(workload.clone());
        planner.decide(&Facts::none(), at(1));
        workload.targets[0].clusters.clear();
        planner.set(workload);
        planner.decide(&Facts::none(), at(2));
    }
    planner
}

#[test]
fn a_storm_stops_the_moves_of_its_failure_domain_and_no_others() {
    let check = |switches| {
        let names = ["eu-1", "eu-2", "eu-3", "us-1", "us-2", "us-3", "us-4"];
        let respin = LostPolicy::Respin { after: minutes(0) };
        let mut planner = one_each(&names, &respin, switches);
        for name in ["eu-1", "eu-2", "us-1"] {
            lose(&mut planner, name, 10);
        }
        let round = planner.decide(&Facts::none(), at(11));
        for name in ["eu-1", "eu-2"] {
            need_active(&planner, name, &[(name, 1)], "in the storm")?;
            need!(waits(&round, name) == ["storm"], "{:?}", round[name]);
        }
        need!(
            on(&planner, "us-1", "us-1") == 1 && !active(&planner, "us-1").contains_key("us-1"),
            "calm, and it stays"
        );
        contact(&mut planner, "eu-2", ContactState::Online, 20);
        planner.decide(&Facts::none(), at(20));
        need_active(&planner, "eu-2", &[("eu-2", 1)], "back")?;
        need!(
            !active(&planner, "eu-1").contains_key("eu-1"),
            "the storm is over, and it stays"
        );
        Ok(())
    };
    guarded(check, |off| off.storm = false);
}

#[test]
fn a_storm_over_the_fleet_stops_all_moves_that_no_person_has_approved() {
    let check = |switches| {
        let names = ["ap-1", "eu-1", "me-1", "us-1", "za-1"];
        let mut planner = one_each(&names, &LostPolicy::Respin { after: minutes(0) }, switches);
        let held = Workload::new("held", [Target::replicas(1).on(["ap-1"])]);
        planner.set(held.clone());
        planner.decide(&Facts::none(), at(5));
        planner.set(Workload::new("held", [Target::replicas(1).named("1")]));
        for name in ["ap-1", "eu-1", "me-1"] {
            lose(&mut planner, name, 10);
        }
        let round = planner.decide(&Facts::none(), at(11));
        for name in ["ap-1", "eu-1", "me-1"] {
            need_active(&planner, name, &[(name, 1)], "in the storm")?;
        }
        let token = round["held"].proposals[0].token.clone();
        planner.decide(&Facts::none().approve(token), at(12));
        need!(
            !active(&planner, "held").contains_key("ap-1"),
            "a person has approved it"
        );
        Ok(())
    };
    guarded(check, |off| off.storm = false);
}

#[test]
fn a_list_of_clusters_that_is_cut_short_moves_nothing() {
    let check = |switches| {
        let names = ["ap-1", "eu-1", "me-1", "us-1", "za-1"];
        let mut planner = one_each(&names, &LostPolicy::Respin { after: minutes(0) }, switches);
        let all = planner.fleet().clone();
        planner.set_fleet(clusters(&["za-1"]));
        let round = planner.decide(&Facts::none(), at(11));
        for name in names {
            need_active(&planner, name, &[(name, 1)], "cut short")?;
        }
        need!(waits(&round, "us-1") == ["storm"], "{:?}", round["us-1"]);
        // Where that is meant, a person says so.
        let token = round["us-1"].proposals[0].token.clone();
        let mut other = planner.clone();
        other.decide(&Facts::none().approve(token), at(12));
        need_active(&other, "us-1", &[("za-1", 1)], "approved")?;
        planner.set_fleet(all);
        planner.decide(&Facts::none(), at(12));
        for name in names {
            need_active(&planner, name, &[(name, 1)], "whole again")?;
        }
        Ok(())
    };
    guarded(check, |off| off.storm = false);
}

#[test]
fn whatever_is_to_become_of_what_was_on_clusters_that_have_left_a_person_can_say_so_in_a_storm() {
    for policy in [
        LostPolicy::Respin { after: minutes(0) },
        LostPolicy::Hold,
        LostPolicy::Shrink,
        LostPolicy::Follow("za-1".into()),
    ] {
        let names = ["ap-1", "eu-1", "me-1", "us-1", "za-1"];
        let mut planner = one_each(&names, &policy, Switches::default());
        planner.set_fleet(clusters(&["za-1"]));
        let round = planner.decide(&Facts::none(), at(11));
        let mut approved = Facts::none();
        for name in &names[..4] {
            let proposals = &round[*name].proposals;
            assert_eq!(proposals.len(), 1, "{policy:?}: {:?}", round[*name]);
            approved = approved.approve(proposals[0].token.clone());
        }
        planner.decide(&approved, at(12));
        for name in names {
            assert_eq!(
                active(&planner, name),
                counts(&[("za-1", 1)]),
                "{policy:?}: {name}"
            );
        }
        planner.decide(&healthy(&names.map(|name| (name, "za-1"))), at(13));
        // The storm is over.
        let fleet = planner.fleet().with(cluster("za-2", "10")).unwrap();
        planner.set_fleet(fleet);
        planner.set(web(1));
        lose(&mut planner, "za-1", 20);
        let round = planner.decide(&Facts::none(), at(21));
        assert!(
            round
                .values()
                .all(|one| one.waits.iter().all(|wait| wait.on != WaitOn::Storm)),
            "{policy:?}: {round:#?}"
        );
    }
}

#[test]
fn a_list_without_clusters_clears_nothing() {
    let check = |switches| {
        let mut planner = planner(clusters(&["a", "b", "c"]), PlannerOptions::default(), switches);
        planner.set(web(3));
        planner.set(Workload::new("agent", [Target::each(1)]));
        planner.decide(&Facts::none(), at(5));
        let before = planner.placements();
        planner.set_fleet(FleetView::default());
        for minute in 10..100 {
            planner.decide(&Facts::none(), at(minute));
        }
        let after = planner.placements();
        let is_as_before =
            |(id, was): (&WorkloadId, &Placement)| after.get(id).is_some_and(|is| is.targets == was.targets);
        need!(before.iter().all(is_as_before), "{after:?}");
        Ok(())
    };
    guarded(check, |off| off.storm = false);
}

#[test]
fn clusters_that_were_lost_long_ago_and_are_empty_make_no_storm() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    for were_empty in [true, false] {
        let mut planner = planner(clusters(&names), PlannerOptions::default(), Switches::default());
        planner.set(web(2));
        if !were_empty {
            for name in ["g", "h"] {
                let held = Workload::new(name, [Target::replicas(1).on([name])]).needs(cpu("1"));
                planner.set(held.lost(LostPolicy::Hold));
            }
        }
        planner.decide(&Facts::none(), at(5));
        lose(&mut planner, "g", 10);
        lose(&mut planner, "h", 11);
        planner.decide(&Facts::none(), at(12));
        lose(&mut planner, "a", 50_000);
        let round = planner.decide(&Facts::none(), at(50_001));
        let expected = if were_empty { "b" } else { "a" };
        assert_eq!(active(&planner, "web"), counts(&[(expected, 2)]), "{round:?}");
    }
}

#[test]
fn a_storm_ends_when_what_was_on_the_lost_clusters_is_elsewhere() {
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let mut planner = planner(clusters(&names), PlannerOptions::default(), Switches::default());
    planner.set(web(2));
    live(&mut planner, "f", fleet_core::LifeCycle::Cordoned);
    for name in ["g", "h"] {
        planner.set(Workload::new(name, [Target::replicas(1).on([name, "f"])]).needs(cpu("1")));
    }
    planner.decide(&Facts::none(), at(5));
    live(&mut planner, "f", fleet_core::LifeCycle::Ready);
    for name in ["a", "g", "h"] {
        lose(&mut planner, name, 10);
    }
    let round = planner.decide(&Facts::none(), at(11));
    need_active(&planner, "web", &[("a", 2)], "in the storm").unwrap();
    assert_eq!(waits(&round, "web"), ["storm"]);
    let token = round["g"].proposals[0].token.clone();
    planner.decide(&Facts::none().approve(token), at(12));
    need_active(&planner, "web", &[("b", 2)], "less is lost").unwrap();
}
