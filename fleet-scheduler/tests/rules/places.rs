//! Where new replicas go, and how many.

use std::collections::BTreeSet;

use fleet_scheduler::*;

use super::*;

/// Divides three clusters' replicas, and fails unless they are where they are expected.
fn divides(target: &Target, costs: [i64; 3], expected: &[(&str, u64)]) -> impl Fn(Scheduler) -> Check {
    move |scheduler| {
        let offers = [("a", "10"), ("b", "6"), ("c", "2")];
        let infos = offers.iter().zip(costs).map(|((name, offers), cost)| {
            let mut info = cluster(name, offers);
            info.cluster = info.cluster.cost("cpu", cost);
            info
        });
        let mut planner = free_of(scheduler, FleetView::new(infos).unwrap());
        let workload = Workload::new("web", [target.clone()]).needs(cpu("1"));
        planner.set(workload.prefer(ClusterSelector::named(["b"]), 100));
        planner.decide(&Facts::none(), at(5));
        need_active(&planner, "web", expected, &format!("{target:?}"))
    }
}

#[test]
fn replicas_are_divided_as_the_target_says() {
    let filled = || Scheduler::builder().divider(BestFirst);
    let by = |replicas, by| Target::replicas(replicas).divided_by(by);
    let weighed = |weights: [u64; 3]| {
        let bounds = ["a", "b", "c"].into_iter().zip(weights);
        bounds.fold(by(8, DivideBy::Weight), |target, (name, weight)| {
            target.bound(Bound::cluster(name).weight(weight))
        })
    };
    let same = [1, 1, 1];
    // By weight, in Webster's way, within what fits.
    let target = weighed([5, 3, 2]);
    notices(divides(&target, same, &[("a", 4), ("b", 2), ("c", 2)]), filled());
    let target = weighed([1, 1, 8]);
    notices(divides(&target, same, &[("a", 3), ("b", 3), ("c", 2)]), filled());
    // By what is free.
    let target = by(9, DivideBy::Capacity);
    notices(divides(&target, same, &[("a", 5), ("b", 3), ("c", 1)]), filled());
    // Over as few clusters as can carry everything, though another would be better.
    notices(divides(&by(8, DivideBy::Fewest), same, &[("a", 8)]), filled());
    // At least and at most so many on a cluster.
    let bounds = by(8, DivideBy::Weight)
        .bound(Bound::cluster("a").min(5))
        .bound(Bound::cluster("b").max(1));
    notices(divides(&bounds, same, &[("a", 5), ("b", 1), ("c", 2)]), filled());
    // For the least cost.
    let weights = Scheduler::builder().divider(wrong::WeightsAlone::new());
    notices(
        divides(&by(8, DivideBy::Cost), [30, 20, 10], &[("b", 6), ("c", 2)]),
        weights,
    );
}

#[test]
fn a_cluster_that_does_not_serve_a_kind_gets_nothing_new_of_it() {
    let serves = |name: &str, kinds: Option<&[&str]>| {
        let mut info = cluster(name, "10");
        let mut capacity = info.capacity.clone().unwrap();
        let kinds = kinds.map(|kinds| kinds.iter().map(|kind| (*kind).to_owned()));
        capacity.kinds = kinds.map(Iterator::collect::<BTreeSet<_>>);
        info.capacity = Some(capacity);
        info
    };
    let pods = "Pod.v1";
    let check = |scheduler: Scheduler| {
        for (last, expected) in [
            (serves("c", Some(&[pods, "Widget.v2.example"])), "c"),
            // What it serves is not known.
            (serves("d", None), "d"),
        ] {
            let fleet = FleetView::new([
                serves("a", Some(&[pods])),
                // Another version of it.
                serves("b", Some(&[pods, "Widget.v1.example"])),
                last,
            ]);
            let mut planner = free_of(scheduler.clone(), fleet.unwrap());
            let mut made = web(3);
            made.kinds = [pods.to_owned(), "Widget.v2.example".to_owned()].into();
            planner.set(made);
            planner.decide(&Facts::none(), at(5));
            need_active(&planner, "web", &[(expected, 3)], "it serves all kinds")?;
            let told = planner.explain(&"web".into(), &Facts::none(), at(6)).unwrap();
            let refused = &told.targets[0].refused;
            need!(refused.get("kind") == Some(&2), "{refused:?}");
        }
        Ok(())
    };
    needs_part(check, "kinds");
}

#[test]
fn room_is_kept_so_that_what_a_lost_cluster_carried_finds_a_place() {
    let check = |switches| {
        let mut planner = free(clusters(&["a", "b", "c"]), switches);
        planner.set(web(24).survives(Survives::AnyCluster));
        let round = planner.decide(&Facts::none(), at(5));
        let placed: u64 = active(&planner, "web").values().sum();
        for name in ["a", "b", "c"] {
            let asked = planner
                .what_if(&[WhatIf::Lose(name.into())], &Facts::none(), at(6))
                .unwrap();
            let after: u64 = active(&asked.planner, "web").values().sum();
            let is_left = active(&asked.planner, "web").contains_key(name);
            need!(after == placed && !is_left, "{after} of {placed} without {name}");
        }
        let target = &round["web"].targets[0];
        need!(
            (placed, target.short, &target.limit) == (20, 4, &Some(Limit::Spare)),
            "{target:?}"
        );
        Ok(())
    };
    guarded(check, |off| off.survives = false);
}
