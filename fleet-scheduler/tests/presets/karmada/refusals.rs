//! What cannot be taken over, and what does not fit.

use std::collections::BTreeMap;

use fleet_core::Tick;
use fleet_scheduler::{
    divide::{DivideError, Mode},
    presets::{
        PolicyError,
        karmada::{ClusterAffinity, Member, Placement, SelectError, SpreadByField},
    },
    *,
};

use super::{
    super::{counts, placed, resources, try_yaml, yaml},
    infos, planner,
};
#[test]
fn what_cannot_be_taken_over_is_an_error() {
    let unknown = [
        "workloadAffinity: {affinity: {groupByLabelKey: app.group}}",
        "clusterAffinity: {clusterNames: [a], nodes: 3}",
        "clusterAffinity: {fieldSelector: {matchExpressions: [{key: rack, operator: In, values: [a]}]}}",
        "clusterAffinity: {fieldSelector: {matchExpressions: [{key: zone, operator: Exists}]}}",
        "clusterTolerations: [{value: x}]",
        "spreadConstraints: [{spreadByField: planet}]",
    ];
    for text in unknown {
        assert!(try_yaml::<Placement>(text).is_err(), "{text}");
    }
    let check = |text: &str, expect: PolicyError| {
        let placement: Placement = yaml(text);
        assert_eq!(placement.target(1), Err(expect.clone()), "{text}");
        assert_eq!(
            placement.schedule(&[], 1, "", Mode::Steady),
            Err(expect.into()),
            "{text}"
        );
    };
    let unsupported = |what: &str| PolicyError::Unsupported(what.to_owned());
    let others = "Karmada spreads over clusters and regions alone; use a target's `spread`";
    check(
        "spreadConstraints: [{spreadByField: zone, maxGroups: 2}]",
        unsupported(others),
    );
    check(
        "spreadConstraints: [{spreadByField: provider, maxGroups: 2}]",
        unsupported(others),
    );
    check(
        "spreadConstraints: [{spreadByLabel: rack, maxGroups: 2}]",
        unsupported(others),
    );
    check(
        "spreadConstraints: [{spreadByField: region, maxGroups: 2}]",
        unsupported("a spread over regions needs one over clusters, too"),
    );
    check(
        "{clusterAffinity: {clusterNames: [a]}, clusterAffinities: [{affinityName: x}]}",
        PolicyError::Exclusive("clusterAffinity", "clusterAffinities"),
    );
}

#[test]
fn what_does_not_fit_is_not_placed_in_part() {
    let infos = infos(&[("a", "", Some(3)), ("b", "", Some(2))]);
    let members: Vec<Member<'_>> = infos
        .iter()
        .zip([3, 2])
        .map(|(info, fits)| Member::new(info).allocatable(fits))
        .collect();
    for placement in [Placement::new().dynamic_weight(), Placement::new().aggregated()] {
        let error = placement.schedule(&members, 6, "", Mode::Steady).unwrap_err();
        assert_eq!(
            error,
            DivideError::Insufficient {
                asked: 6,
                available: 5
            }
            .into()
        );
        let mut planner = planner(&infos);
        let needs = resources(&[("cpu", "1")]);
        planner.set(
            placement
                .workload("default/nginx", 6)
                .unwrap()
                .needs(needs.clone()),
        );
        let decision = planner
            .decide(&Facts::none(), Tick(1))
            .remove("default/nginx")
            .unwrap();
        assert_eq!((decision.short(), decision.outcome), (6, Outcome::Unschedulable));
        assert_eq!(placed(&planner, "default/nginx"), BTreeMap::new());
        // What runs stays when more do not fit.
        planner.set(
            placement
                .workload("default/nginx", 4)
                .unwrap()
                .needs(needs.clone()),
        );
        planner.decide(&Facts::none(), Tick(2));
        let before = placed(&planner, "default/nginx");
        planner.set(placement.workload("default/nginx", 6).unwrap().needs(needs));
        let decision = planner
            .decide(&Facts::none(), Tick(3))
            .remove("default/nginx")
            .unwrap();
        assert_eq!((decision.short(), placed(&planner, "default/nginx")), (2, before));
    }
    let spread = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Cluster, 1, 1);
    let error = spread.schedule(&members, 4, "", Mode::Steady).unwrap_err();
    assert_eq!(
        error,
        SelectError::Room {
            clusters: 1,
            available: 3,
            need: 4
        }
        .into()
    );
    // Static weights ask nobody; in a planner what fits is placed, and the rest is short.
    let even = Placement::new().static_weights([(ClusterAffinity::default(), 1)]);
    assert_eq!(
        even.schedule(&members, 8, "", Mode::Steady),
        Ok(counts([("a", 4), ("b", 4)]))
    );
    let mut planner = planner(&infos);
    planner.set(
        even.workload("default/nginx", 8)
            .unwrap()
            .needs(resources(&[("cpu", "1")])),
    );
    let decision = planner
        .decide(&Facts::none(), Tick(1))
        .remove("default/nginx")
        .unwrap();
    assert_eq!(
        (decision.short(), placed(&planner, "default/nginx")),
        (3, counts([("a", 3), ("b", 2)]))
    );
}

/// A maximum that is not set selects nothing in Karmada, and has no effect here.
#[test]
fn a_maximum_of_zero() {
    let infos = infos(&[("a", "", None), ("b", "", None)]);
    let members: Vec<Member<'_>> = infos.iter().map(Member::new).collect();
    let all = Placement::new().spread(SpreadByField::Cluster, 1, 0);
    assert_eq!(all.schedule(&members, 2, "", Mode::Steady), Ok(BTreeMap::new()));
    let divided = all.clone().dynamic_weight();
    let error = SelectError::Room {
        clusters: 0,
        available: 0,
        need: 2,
    };
    assert_eq!(divided.schedule(&members, 2, "", Mode::Steady), Err(error.into()));
    for (placement, expect) in [(all, [2, 2]), (divided, [1, 1])] {
        let mut planner = planner(&infos);
        planner.set(placement.workload("default/nginx", 2).unwrap());
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(
            placed(&planner, "default/nginx"),
            counts(["a", "b"].into_iter().zip(expect))
        );
    }
}
