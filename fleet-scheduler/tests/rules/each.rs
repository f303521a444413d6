//! What is to be on each cluster.

use fleet_core::{Taint, TaintEffect};

use super::*;

/// A planner with an agent on each cluster of the tier `prod`, which these are, and so many moves an hour.
fn agents(names: &[&str], an_hour: u64, switches: Switches) -> Planner {
    let prod = |name: &&str| {
        let mut info = cluster(name, "10");
        info.cluster.labels.insert("tier".into(), "prod".into());
        info
    };
    let fleet = FleetView::new(names.iter().map(prod)).unwrap();
    let budgets = Budgets::new(Rate::new(an_hour, minutes(60)), Rate::new(an_hour, minutes(60)));
    let mut planner = planner(fleet, PlannerOptions::default().budgets(budgets), switches);
    let target = Target::each(1).within(ClusterSelector::label("tier", "prod"));
    planner.set(Workload::new("agent", [target]).needs(cpu("1")));
    planner.decide(&Facts::none(), at(5));
    planner
}

fn relabel(planner: &mut Planner, names: &[&str]) {
    for name in names {
        change(planner, name, |info| {
            info.cluster.labels.insert("tier".into(), "prd".into());
        });
    }
}

#[test]
fn a_renamed_label_stops_what_is_on_each_cluster_within_budgets() {
    let check = |switches| {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let mut planner = agents(&names, 1, switches);
        relabel(&mut planner, &["a", "b"]);
        let round = planner.decide(&Facts::none(), at(6));
        let there = active(&planner, "agent").len();
        need!(there == 6, "on {there} of 7");
        let decision = &round["agent"];
        let wait = decision.waits.first().map(|wait| (wait.on, &*wait.cluster));
        need!(wait == Some((WaitOn::Budget, "b")), "{:?}", decision.waits);
        need!(decision.targets[0].short == 0, "{:?}", decision.targets);
        need!(
            planner.again_at() == Some(at(66)),
            "again at {:?}",
            planner.again_at()
        );
        planner.decide(&Facts::none(), at(66));
        let there = active(&planner, "agent").len();
        need!(there == 5, "on {there} of 7, an hour later");
        Ok(())
    };
    guarded(check, |off| off.budgets = false);
}

#[test]
fn a_selector_that_loses_many_clusters_at_once_stops_nothing_before_a_person_says_so() {
    let check = |switches| {
        let names = ["a", "b", "c", "d", "e", "f", "g"];
        let mut planner = agents(&names, 9, switches);
        relabel(&mut planner, &["a", "b", "c"]);
        let round = planner.decide(&Facts::none(), at(6));
        need!(active(&planner, "agent").len() == 7, "something has stopped");
        let proposals = &round["agent"].proposals;
        let told: Vec<&str> = proposals.iter().map(|one| &*one.cluster).collect();
        need!(told == ["a", "b", "c"], "{told:?}");
        need!(
            proposals[0].reason.message.contains("3 of the 7 clusters"),
            "{}",
            proposals[0].reason
        );
        // One token is for all of them, and stays the same.
        let token = proposals[0].token.clone();
        need!(proposals.iter().all(|one| one.token == token), "{proposals:?}");
        let again = planner.decide(&Facts::none(), at(7));
        need!(again["agent"].proposals[0].token == token, "another token");
        let mut approved = Facts::none();
        approved.approved.insert(token);
        planner.decide(&approved, at(8));
        let there: Vec<String> = active(&planner, "agent").into_keys().collect();
        need!(there == ["d", "e", "f", "g"], "{there:?}");
        Ok(())
    };
    guarded(check, |off| off.storm = false);
}

#[test]
fn a_typo_in_a_selector_stops_nothing_anywhere() {
    let mut planner = agents(&["a", "b", "c"], 9, Switches::default());
    let target = Target::each(1).within(ClusterSelector::label("tier", "prodd"));
    planner.set(Workload::new("agent", [target]).needs(cpu("1")));
    let round = planner.decide(&Facts::none(), at(6));
    assert_eq!(active(&planner, "agent").len(), 3);
    assert_eq!(round["agent"].proposals.len(), 3);
}

#[test]
fn clusters_that_are_named_no_more_are_left_without_asking() {
    let mut planner = free(clusters(&["a", "b", "c", "d"]), Switches::default());
    let on = |names: &[&str]| Workload::new("agent", [Target::each(1).on(names.iter().copied())]);
    planner.set(on(&["a", "b", "c", "d"]));
    planner.decide(&Facts::none(), at(5));
    planner.set(on(&["a"]));
    planner.decide(&Facts::none(), at(6));
    assert_eq!(active(&planner, "agent"), counts(&[("a", 1)]));
}

#[test]
fn what_is_on_each_cluster_serves_one_that_is_drained_to_its_end() {
    let mut planner = agents(&["a", "b"], 9, Switches::default());
    planner.set(web(2));
    planner.decide(&Facts::none(), at(6));
    live(&mut planner, "a", LifeCycle::Draining);
    planner.decide(&Facts::none(), at(7));
    planner.decide(&healthy(&[("web", "b")]), at(8));
    assert_eq!(active(&planner, "web"), counts(&[("b", 2)]));
    assert_eq!(active(&planner, "agent"), counts(&[("a", 1), ("b", 1)]));
    live(&mut planner, "a", LifeCycle::Leaving);
    planner.decide(&Facts::none(), at(9));
    assert_eq!(active(&planner, "agent"), counts(&[("b", 1)]));
}

#[test]
fn a_gate_has_a_say_in_what_stops_on_a_cluster() {
    let names = ["a", "b"];
    let budgets = Budgets::default();
    let gate = |step: Step, one: &Move| match (step, &*one.from) {
        (Step::BeforeOldGoes, "a") => Consent::Wait(fleet_core::Reason::new("busy", "a is busy")),
        _ => Consent::Go,
    };
    let scheduler = Scheduler::builder().gate(gate).build();
    let options = PlannerOptions::default().budgets(budgets);
    let mut planner = Planner::new(scheduler, clusters(&names), options);
    let on = |names: &[&str]| Workload::new("agent", [Target::each(1).on(names.iter().copied())]);
    planner.set(on(&names));
    planner.decide(&Facts::none(), at(5));
    for name in names {
        change(&mut planner, name, |info| {
            info.cluster.taints = vec![Taint::new("t", "", TaintEffect::NoExecute).since(at(5))];
        });
    }
    let round = planner.decide(&Facts::none(), at(6));
    let waits = &round["agent"].waits;
    assert_eq!(
        waits
            .iter()
            .map(|wait| (&*wait.cluster, wait.on))
            .collect::<Vec<_>>(),
        [("a", WaitOn::Gate)]
    );
    assert_eq!(active(&planner, "agent"), counts(&[("a", 1)]));
}
