//! Karmada: what its documents say comes out, by the whole scheduler and in a planner.

use std::collections::BTreeMap;

use fleet_core::{Taint, TaintEffect, Tick};
use fleet_scheduler::{
    divide::{DivideError, Mode},
    presets::{
        PolicyError,
        karmada::{self, ClusterAffinity, Member, Placement, SelectError, SpreadByField, Unschedulable},
    },
    *,
};
use proptest::prelude::*;

use super::{cluster, counts, placed, resources, try_yaml, with_cores, yaml};

/// Clusters by name, labels, and how many replicas fit; none: not known.
type Clusters<'a> = &'a [(&'a str, &'a str, Option<u64>)];

struct Example<'a> {
    /// Project and document.
    source: &'a str,
    placement: &'a str,
    clusters: Clusters<'a>,
    replicas: u64,
    expect: &'a [(&'a str, u64)],
}

fn infos(clusters: Clusters<'_>) -> Vec<ClusterInfo> {
    let info = |(name, labels, fits): &(&str, &str, Option<u64>)| match fits {
        Some(fits) => with_cores(cluster(name, labels), *fits),
        None => cluster(name, labels),
    };
    clusters.iter().map(info).collect()
}

fn planner(clusters: &[ClusterInfo]) -> Planner {
    let fleet = FleetView::new(clusters.to_vec()).unwrap();
    Planner::new(karmada::scheduler(), fleet, PlannerOptions::default())
}

/// A workload of a policy, each of whose replicas needs a core where something is known of cores.
fn workload(placement: &Placement, replicas: u64, clusters: Clusters<'_>) -> Workload {
    let workload = placement.workload("default/nginx", replicas).unwrap();
    match clusters.iter().any(|(_, _, fits)| fits.is_some()) {
        true => workload.needs(resources(&[("cpu", "1")])),
        false => workload,
    }
}

const DOC: &str = "karmada-io/website docs/userguide/scheduling/propagation-policy.md";
const OLD: &str = "karmada-io/website docs/userguide/scheduling/resource-propagating.md";

#[test]
fn documents() {
    let three: Clusters<'_> = &[
        ("member1", "", None),
        ("member2", "", None),
        ("member3", "", None),
    ];
    let four: Clusters<'_> = &[
        ("member1", "region=north", None),
        ("member2", "region=north", None),
        ("member3", "region=south", None),
        ("member4", "region=south", None),
    ];
    let examples = [
        Example {
            source: DOC,
            placement: "clusterAffinity: {labelSelector: {matchLabels: {location: us}}}",
            clusters: &[("member1", "location=us", None), ("member2", "location=eu", None)],
            replicas: 2,
            expect: &[("member1", 2)],
        },
        Example {
            source: DOC,
            placement: "
clusterAffinity:
  labelSelector:
    matchExpressions:
      - key: location
        operator: In
        values:
        - us
",
            clusters: &[("member1", "location=us", None), ("member2", "location=eu", None)],
            replicas: 2,
            expect: &[("member1", 2)],
        },
        Example {
            source: DOC,
            placement: "
clusterAffinity:
  fieldSelector:
    matchExpressions:
    - key: provider
      operator: In
      values:
      - aws
    - key: region
      operator: NotIn
      values:
      - us-west-1
",
            clusters: &[
                ("a", "provider=aws region=us-west-1", None),
                ("b", "provider=aws region=us-east-1", None),
                ("c", "provider=gcp region=us-east-1", None),
            ],
            replicas: 1,
            expect: &[("b", 1)],
        },
        Example {
            source: DOC,
            placement: "clusterAffinity: {clusterNames: [member1, member2]}",
            clusters: three,
            replicas: 2,
            expect: &[("member1", 2), ("member2", 2)],
        },
        Example {
            source: DOC,
            placement: "clusterAffinity: {exclude: [member1, member3]}",
            clusters: three,
            replicas: 2,
            expect: &[("member2", 2)],
        },
        // Ten candidates, exactly two of them.
        Example {
            source: DOC,
            placement: "
clusterAffinity: {clusterNames: [m0, m1, m2, m3, m4, m5, m6, m7, m8, m9]}
spreadConstraints:
  - {spreadByField: cluster, maxGroups: 2, minGroups: 2}
",
            clusters: &[
                ("m0", "", None),
                ("m1", "", None),
                ("m2", "", None),
                ("m3", "", None),
                ("m4", "", None),
                ("m5", "", None),
                ("m6", "", None),
                ("m7", "", None),
                ("m8", "", None),
                ("m9", "", None),
            ],
            replicas: 2,
            expect: &[("m0", 2), ("m1", 2)],
        },
        // The local group carries everything, or the next one does.
        Example {
            source: DOC,
            placement: LOCAL_THEN_CLOUD,
            clusters: &[
                ("local-member1", "", Some(2)),
                ("local-member2", "", Some(2)),
                ("public-cloud-member1", "", Some(9)),
                ("public-cloud-member2", "", Some(9)),
            ],
            replicas: 4,
            expect: &[("local-member1", 2), ("local-member2", 2)],
        },
        Example {
            source: DOC,
            placement: LOCAL_THEN_CLOUD,
            clusters: &[
                ("local-member1", "", Some(2)),
                ("local-member2", "", Some(2)),
                ("public-cloud-member1", "", Some(9)),
                ("public-cloud-member2", "", Some(9)),
            ],
            replicas: 6,
            expect: &[("public-cloud-member1", 3), ("public-cloud-member2", 3)],
        },
        Example {
            source: DOC,
            placement: "
replicaScheduling:
  replicaSchedulingType: Duplicated
spreadConstraints:
  - spreadByField: region
    maxGroups: 2
    minGroups: 2
  - spreadByField: cluster
    maxGroups: 2
    minGroups: 2
",
            clusters: four,
            replicas: 3,
            expect: &[("member1", 3), ("member3", 3)],
        },
        // One cluster for each region, though one cluster is asked for.
        Example {
            source: OLD,
            placement: "
replicaScheduling:
  replicaSchedulingType: Duplicated
spreadConstraints:
  - spreadByField: region
    maxGroups: 2
    minGroups: 2
  - spreadByField: cluster
    maxGroups: 1
    minGroups: 1
",
            clusters: four,
            replicas: 3,
            expect: &[("member1", 3), ("member3", 3)],
        },
        Example {
            source: DOC,
            placement: "
clusterAffinity: {clusterNames: [member1, member2]}
replicaScheduling: {replicaSchedulingType: Duplicated}
",
            clusters: three,
            replicas: 5,
            expect: &[("member1", 5), ("member2", 5)],
        },
        // As few clusters as can be.
        Example {
            source: DOC,
            placement: "
clusterAffinity: {clusterNames: [member1, member2]}
replicaScheduling: {replicaSchedulingType: Divided, replicaDivisionPreference: Aggregated}
",
            clusters: &[
                ("member1", "", Some(5)),
                ("member2", "", Some(8)),
                ("member3", "", Some(99)),
            ],
            replicas: 7,
            expect: &[("member2", 7)],
        },
        Example {
            source: DOC,
            placement: ONE_TO_TWO,
            clusters: three,
            replicas: 3,
            expect: &[("member1", 1), ("member2", 2)],
        },
        Example {
            source: DOC,
            placement: "
clusterAffinity: {clusterNames: [member1, member2]}
spreadConstraints:
  - {spreadByField: cluster, maxGroups: 2, minGroups: 2}
replicaScheduling:
  replicaDivisionPreference: Weighted
  replicaSchedulingType: Divided
  weightPreference:
    staticWeightList:
      - {targetCluster: {clusterNames: [member1]}, weight: 1}
      - {targetCluster: {clusterNames: [member2]}, weight: 2}
",
            clusters: three,
            replicas: 9,
            expect: &[("member1", 3), ("member2", 6)],
        },
        Example {
            source: OLD,
            placement: "
replicaScheduling:
  replicaDivisionPreference: Weighted
  replicaSchedulingType: Divided
  weightPreference:
    staticWeightList:
      - targetCluster:
          clusterNames:
            - member1
        weight: 1
      - targetCluster:
          clusterNames:
            - member2
        weight: 1
",
            clusters: three,
            replicas: 8,
            expect: &[("member1", 4), ("member2", 4)],
        },
        Example {
            source: DOC,
            placement: BY_ROOM,
            clusters: &[("A", "", Some(6)), ("B", "", Some(12)), ("C", "", Some(18))],
            replicas: 12,
            expect: &[("A", 2), ("B", 4), ("C", 6)],
        },
        // Without weights all weigh the same.
        Example {
            source: DOC,
            placement: "replicaScheduling: {replicaSchedulingType: Divided, replicaDivisionPreference: Weighted}",
            clusters: three,
            replicas: 6,
            expect: &[("member1", 2), ("member2", 2), ("member3", 2)],
        },
        // Seven over two alike.
        Example {
            source: "karmada-io/karmada docs/proposals/scheduling/replicas-assign/divide-replicas-by-static-weight-evenly.md",
            placement: "
replicaScheduling:
  weightPreference:
    staticWeightList:
      - {targetCluster: {clusterNames: [member1]}, weight: 1}
      - {targetCluster: {clusterNames: [member2]}, weight: 1}
",
            clusters: three,
            replicas: 7,
            expect: &[("member1", 4), ("member2", 3)],
        },
        // Nine by 1:3.
        Example {
            source: "karmada-io/karmada pkg/scheduler/core/assignment.go, the table of static weights",
            placement: "
replicaScheduling:
  weightPreference:
    staticWeightList:
      - {targetCluster: {clusterNames: [member1]}, weight: 1}
      - {targetCluster: {clusterNames: [member2]}, weight: 3}
",
            clusters: three,
            replicas: 9,
            expect: &[("member1", 2), ("member2", 7)],
        },
    ];
    for example in examples {
        let Example {
            source,
            placement,
            clusters,
            replicas,
            expect,
        } = example;
        let policy: Placement = yaml(placement);
        let expect = counts(expect.iter().copied());
        let infos = infos(clusters);
        let members: Vec<Member<'_>> = infos
            .iter()
            .zip(clusters)
            .map(|(info, (_, _, fits))| match fits {
                Some(fits) => Member::new(info).allocatable(*fits),
                None => Member::new(info),
            })
            .collect();
        assert_eq!(
            policy.schedule(&members, replicas, "", Mode::Steady).unwrap(),
            expect,
            "{source}: {placement}"
        );
        let mut planner = planner(&infos);
        planner.set(workload(&policy, replicas, clusters));
        let round = planner.decide(&Facts::none(), Tick(1));
        assert_eq!(
            placed(&planner, "default/nginx"),
            expect,
            "planner, {source}: {placement}"
        );
        assert_eq!(
            round["default/nginx"].outcome,
            Outcome::Placed,
            "{source}: {placement}"
        );
        assert!(planner.decide(&Facts::none(), Tick(2)).is_empty(), "{source}");
    }
}

const LOCAL_THEN_CLOUD: &str = "
clusterAffinities:
  - affinityName: local-clusters
    clusterNames:
      - local-member1
      - local-member2
  - affinityName: cloud-clusters
    clusterNames:
      - public-cloud-member1
      - public-cloud-member2
replicaScheduling:
  weightPreference:
    dynamicWeight: AvailableReplicas
";

const ONE_TO_TWO: &str = "
replicaScheduling:
  replicaDivisionPreference: Weighted
  replicaSchedulingType: Divided
  weightPreference:
    staticWeightList:
      - targetCluster:
          clusterNames:
            - member1
        weight: 1
      - targetCluster:
          clusterNames:
            - member2
        weight: 2
";

const BY_ROOM: &str = "
replicaScheduling:
  replicaDivisionPreference: Weighted
  replicaSchedulingType: Divided
  weightPreference:
    dynamicWeight: AvailableReplicas
";

/// karmada-io/website docs/userguide/scheduling/cluster-resources.md, general cluster modelling: a pod asks for half a
/// core; (4 - 0.95) / 0.5 = 6, (4 - 2) / 0.5 = 4, and no pod is left.
#[test]
fn rooms_of_the_document() {
    let summary = |name: &str, cpu: &str, pods: &str| {
        let offered = resources(&[("cpu", "4"), ("memory", "16265856Ki"), ("pods", "110")]);
        let asked = resources(&[("cpu", cpu), ("memory", "290Mi"), ("pods", pods)]);
        cluster(name, "").capacity(fleet_core::Capacity::new(offered, asked, Tick(1)))
    };
    let clusters = [
        summary("member1", "950m", "11"),
        summary("member2", "2", "11"),
        summary("member3", "2", "110"),
    ];
    let needs = resources(&[("cpu", "500m"), ("pods", "1")]);
    let by_room: Placement = yaml(BY_ROOM);
    let mut planner = planner(&clusters);
    let room = planner.room();
    let fits: Vec<u64> = (0..3).map(|slot| room.fits(slot, &room.needs(&needs))).collect();
    assert_eq!(fits, [6, 4, 0]);
    planner.set(by_room.workload("default/nginx", 10).unwrap().needs(needs));
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(
        placed(&planner, "default/nginx"),
        counts([("member1", 6), ("member2", 4)])
    );
}

/// karmada-io/website docs/userguide/scheduling/propagation-policy.md, cluster tolerations.
#[test]
fn taints_of_the_document() {
    let mut tainted = cluster("foo", "");
    tainted.cluster.taints = vec![Taint::new("dedicated", "special-user", TaintEffect::NoSchedule)];
    let check = |placement: &str, expect: &[(&str, u64)]| {
        let mut planner = planner(&[tainted.clone()]);
        let placement: Placement = yaml(placement);
        planner.set(placement.workload("default/nginx", 1).unwrap());
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(placed(&planner, "default/nginx"), counts(expect.iter().copied()));
    };
    check("{}", &[]);
    check(
        "clusterTolerations: [{key: dedicated, value: special-user, effect: NoSchedule}]",
        &[("foo", 1)],
    );
    check(
        "clusterTolerations: [{key: dedicated, value: other, effect: NoSchedule}]",
        &[],
    );
    check(
        "clusterTolerations: [{key: dedicated, operator: Exists}]",
        &[("foo", 1)],
    );
}

fn member(name: &str) -> ClusterInfo {
    cluster(name, "")
}

#[test]
fn vectors() {
    const EVEN: &str = "00000000-0000-0000-0000-000000000001";
    const ODD: &str = "00000000-0000-0000-0000-000000000002";
    let infos = ["a", "b", "c"].map(member);
    let check = |weights: [u64; 3], replicas: u64, uid: &str, expect: [u64; 3]| {
        let names = ["a", "b", "c"];
        let weights = names
            .iter()
            .zip(weights)
            .map(|(name, weight)| (ClusterAffinity::named([*name]), weight));
        let placement = Placement::new().static_weights(weights);
        let members = infos.each_ref().map(Member::new);
        let placed = placement.schedule(&members, replicas, uid, Mode::Steady).unwrap();
        assert_eq!(
            names.map(|name| placed.get(name).copied().unwrap_or(0)),
            expect,
            "{replicas} {uid}"
        );
        // The same in a planner, where the workload has the UID.
        let mut planner = planner(&infos);
        let mut workload = placement.workload("default/nginx", replicas).unwrap();
        workload.uid = uid.to_owned();
        planner.set(workload);
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(super::placed(&planner, "default/nginx"), placed);
    };
    check([1, 1, 1], 10, "", [4, 3, 3]);
    check([1, 1, 1], 10, EVEN, [4, 3, 3]);
    check([1, 1, 1], 10, ODD, [3, 3, 4]);
    check([2, 3, 5], 7, "", [1, 2, 4]);
    check([2, 3, 5], 8, "", [2, 2, 4]);
    // Where all weigh nothing, all weigh the same.
    check([0, 0, 0], 3, "", [1, 1, 1]);
    check([0, 3, 0], 3, "", [0, 3, 0]);
}

#[test]
fn the_largest_of_several_weights_counts() {
    let infos = [
        cluster("a", "tier=gold"),
        cluster("b", "tier=gold"),
        cluster("c", ""),
    ];
    let placement = Placement::new().static_weights([
        (ClusterAffinity::named(["a"]), 1),
        (yaml("labelSelector: {matchLabels: {tier: gold}}"), 3),
        (ClusterAffinity::named(["b"]), 6),
    ]);
    assert_eq!(
        infos.each_ref().map(|info| placement.static_weight(info)),
        [3, 6, 0]
    );
    let mut planner = planner(&infos);
    planner.set(placement.workload("default/nginx", 9).unwrap());
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(placed(&planner, "default/nginx"), counts([("a", 3), ("b", 6)]));
}

#[test]
fn steady_and_fresh() {
    let infos = ["a", "b", "c"].map(member);
    let check =
        |placement: &Placement, state: [(u64, u64); 3], replicas: u64, mode: Mode, expect: [u64; 3]| {
            let members: Vec<Member<'_>> = infos
                .iter()
                .zip(state)
                .map(|(info, (fits, runs))| Member::new(info).allocatable(fits).current(runs))
                .collect();
            let placed = placement.schedule(&members, replicas, "", mode).unwrap();
            let counts = ["a", "b", "c"].map(|name| placed.get(name).copied().unwrap_or(0));
            assert_eq!(counts, expect, "{state:?} {replicas} {mode:?}");
        };
    let (by_room, packed) = (Placement::new().dynamic_weight(), Placement::new().aggregated());
    // More: only the difference, by what still fits.
    check(&by_room, [(6, 6), (10, 2), (2, 4)], 21, Mode::Steady, [9, 7, 5]);
    // Fewer: the rest by what runs.
    check(&by_room, [(9, 6), (9, 4), (9, 2)], 6, Mode::Steady, [3, 2, 1]);
    // As many: nothing changes.
    check(&by_room, [(9, 6), (0, 4), (99, 2)], 12, Mode::Steady, [6, 4, 2]);
    // Anew: by what fits in all.
    check(&by_room, [(4, 12), (8, 0), (0, 0)], 12, Mode::Fresh, [8, 4, 0]);
    check(&packed, [(20, 0), (4, 4), (20, 0)], 8, Mode::Steady, [0, 8, 0]);
    check(&packed, [(20, 0), (5, 5), (2, 0)], 12, Mode::Fresh, [8, 4, 0]);
}

/// karmada-io/karmada docs/proposals/scheduling/multi-scheduling-group/overflow-affinities.
#[test]
fn tiers_overflow() {
    let placement: Placement = yaml(
        r#"
clusterAffinities:
  - affinityName: "on-prem"
    clusterNames:
      - cluster1
    overflowAffinities:
      - affinityName: "public-cloud"
        clusterNames:
          - cluster2
          - cluster3
replicaScheduling:
  replicaDivisionPreference: Weighted
  replicaSchedulingType: Divided
  weightPreference:
    dynamicWeight: AvailableReplicas
"#,
    );
    let infos = ["cluster1", "cluster2", "cluster3"].map(member);
    let schedule = |state: [(u64, u64); 3], replicas: u64| {
        let members: Vec<Member<'_>> = infos
            .iter()
            .zip(state)
            .map(|(info, (fits, runs))| Member::new(info).allocatable(fits).current(runs))
            .collect();
        placement.schedule(&members, replicas, "", Mode::Steady)
    };
    let check = |state, replicas, expect: &[(&str, u64)]| {
        assert_eq!(
            schedule(state, replicas),
            Ok(counts(expect.iter().copied())),
            "{state:?} {replicas}"
        );
    };
    // The first tier is filled, then the next; what is taken away goes from the last first.
    check([(5, 0), (4, 0), (4, 0)], 4, &[("cluster1", 4)]);
    check(
        [(5, 0), (4, 0), (4, 0)],
        9,
        &[("cluster1", 5), ("cluster2", 2), ("cluster3", 2)],
    );
    check([(0, 5), (2, 2), (2, 2)], 6, &[("cluster1", 5), ("cluster2", 1)]);
    check([(0, 5), (2, 2), (2, 2)], 3, &[("cluster1", 3)]);
    assert!(matches!(
        schedule([(5, 0), (4, 0), (4, 0)], 14),
        Err(Unschedulable::Divide(DivideError::Insufficient {
            asked: 14,
            available: 13
        }))
    ));
    assert!(matches!(placement.target(3), Err(PolicyError::Unsupported(_))));
}

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

#[test]
fn regions_in_a_planner() {
    let infos = infos(&[
        ("m1", "region=r1", Some(4)),
        ("m2", "region=r1", Some(4)),
        ("m3", "region=r2", Some(9)),
        ("m4", "region=r3", Some(2)),
        ("m5", "", Some(99)),
    ]);
    let placement = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Region, 2, 2)
        .spread(SpreadByField::Cluster, 2, 3);
    let needs = resources(&[("cpu", "1")]);
    let mut planner = planner(&infos);
    planner.set(
        placement
            .workload("default/nginx", 10)
            .unwrap()
            .needs(needs.clone()),
    );
    planner.decide(&Facts::none(), Tick(1));
    let before = placed(&planner, "default/nginx");
    assert_eq!(before, counts([("m1", 2), ("m2", 2), ("m3", 6)]));
    // A third region is never taken, and the cluster without one neither.
    planner.set(placement.workload("default/nginx", 18).unwrap().needs(needs));
    let round = planner.decide(&Facts::none(), Tick(2));
    assert_eq!(
        (round["default/nginx"].short(), placed(&planner, "default/nginx")),
        (8, before)
    );
    // Too few regions.
    let four = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Region, 4, 4)
        .spread(SpreadByField::Cluster, 4, 4);
    planner.set(four.workload("default/other", 4).unwrap());
    let round = planner.decide(&Facts::none(), Tick(3));
    let limit = Limit::Domains {
        over: "region".to_owned(),
        have: 3,
        need: 4,
    };
    assert_eq!(round["default/other"].targets[0].limit, Some(limit));
}

#[test]
fn what_runs_stays_when_the_policy_changes() {
    let cores = [("a", "", Some(20)), ("b", "", Some(6)), ("c", "", Some(6))];
    let mut planner = planner(&infos(&cores));
    let mut check = |placement: &Placement, replicas: u64, expect: [u64; 3]| {
        planner.set(
            placement
                .workload("w", replicas)
                .unwrap()
                .needs(resources(&[("cpu", "1")])),
        );
        planner.decide(&Facts::none(), Tick(1));
        let after = placed(&planner, "w");
        assert_eq!(
            ["a", "b", "c"].map(|name| after.get(name).copied().unwrap_or(0)),
            expect,
            "{replicas}"
        );
    };
    let weights = |weights: [u64; 3]| {
        let named = ["a", "b", "c"].map(|name| ClusterAffinity::named([name]));
        Placement::new().static_weights(named.into_iter().zip(weights))
    };
    check(&weights([5, 5, 1]), 11, [5, 5, 1]);
    // Each is to have three, and the last has one: the others share what is left.
    check(&weights([1, 1, 1]), 9, [4, 4, 1]);
    // Who has too many keeps them, and only what is added is divided.
    check(&weights([0, 0, 1]), 11, [4, 4, 3]);
    // One cluster is all that may be selected, and those in use are selected, too.
    let one = Placement::new()
        .dynamic_weight()
        .spread(SpreadByField::Cluster, 1, 1);
    check(&one, 12, [5, 4, 3]);
    check(&weights([1, 0, 0]), 4, [4, 0, 0]);
    check(&one, 6, [6, 0, 0]);
}

/// Rescheduling: shares are put right step by step, each new copy before its old one goes.
#[test]
fn rescheduling_in_a_planner() {
    let check = |placement: &Placement, expect: [u64; 3]| {
        let old = infos(&[("a", "", Some(9)), ("b", "", Some(9))]);
        let all = infos(&[("a", "", Some(9)), ("b", "", Some(9)), ("c", "", Some(9))]);
        let mut planner = planner(&old);
        planner.set(
            placement
                .workload("w", 12)
                .unwrap()
                .needs(resources(&[("cpu", "1")])),
        );
        planner.decide(&Facts::none(), Tick(1));
        let before = placed(&planner, "w");
        planner.set_fleet(FleetView::new(all).unwrap());
        planner.decide(&Facts::none(), Tick(2));
        assert_eq!(placed(&planner, "w"), before);
        let healthy = ["a", "b", "c"]
            .iter()
            .fold(Facts::none(), |facts, name| facts.healthy("w", *name));
        for hour in 1..8 {
            planner.rebalance(&healthy, Tick(hour * 3_600_000));
        }
        planner.decide(&healthy, Tick(9 * 3_600_000));
        let after = placed(&planner, "w");
        assert_eq!(
            ["a", "b", "c"].map(|name| after.get(name).copied().unwrap_or(0)),
            expect,
            "{placement:?}"
        );
    };
    check(&Placement::new().dynamic_weight(), [4, 4, 4]);
    check(
        &Placement::new().static_weights([(ClusterAffinity::default(), 1)]),
        [4, 4, 4],
    );
    check(&Placement::new().aggregated(), [6, 6, 0]);
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn any_placement() -> impl Strategy<Value = Placement> {
    let weights = prop::collection::vec(0..4u64, 6);
    let strategy = prop_oneof![
        Just(Placement::new()),
        Just(Placement::new().dynamic_weight()),
        Just(Placement::new().aggregated()),
        weights.prop_map(|weights| {
            let weights = NAMES.iter().zip(weights);
            Placement::new()
                .static_weights(weights.map(|(name, weight)| (ClusterAffinity::named([*name]), weight)))
        }),
    ];
    (strategy, prop::option::of((1..3u32, 0..3u32))).prop_map(|(placement, spread)| match spread {
        Some((min, more)) => placement.spread(SpreadByField::Cluster, min, min + more),
        None => placement,
    })
}

proptest! {
    #[test]
    fn neither_order_nor_repetition_matters(
        placement in any_placement(),
        fits in prop::collection::vec(0..12u64, 1..6),
        replicas in 0..20u64,
        by in 0..6usize,
    ) {
        let infos: Vec<ClusterInfo> = NAMES[..fits.len()].iter().map(|name| member(name)).collect();
        let members: Vec<Member<'_>> =
            infos.iter().zip(&fits).map(|(info, fits)| Member::new(info).allocatable(*fits)).collect();
        let first = placement.schedule(&members, replicas, "uid", Mode::Steady);
        let mut turned = members.clone();
        turned.rotate_left(by % members.len());
        prop_assert_eq!(&placement.schedule(&turned, replicas, "uid", Mode::Steady), &first);
        let Ok(first) = first else { return Ok(()) };
        // Once placed, the same again.
        let placed: Vec<Member<'_>> = members
            .iter()
            .zip(&fits)
            .map(|(member, fits)| {
                let runs = first.get(member.cluster.name()).copied().unwrap_or(0);
                member.current(runs).allocatable(fits.saturating_sub(runs))
            })
            .collect();
        prop_assert_eq!(placement.schedule(&placed, replicas, "uid", Mode::Steady), Ok(first));
    }

    #[test]
    fn what_runs_stays_in_a_planner(
        placement in any_placement(),
        fits in prop::collection::vec(0..12u64, 1..6),
        steps in prop::collection::vec(0..20u64, 1..5),
    ) {
        let clusters: Vec<ClusterInfo> =
            NAMES.iter().zip(&fits).map(|(name, fits)| with_cores(member(name), *fits)).collect();
        let mut planner = planner(&clusters);
        let mut before = BTreeMap::new();
        for (at, wanted) in steps.into_iter().enumerate() {
            planner.set(placement.workload("w", wanted).unwrap().needs(resources(&[("cpu", "1")])));
            let round = planner.decide(&Facts::none(), Tick(1 + at as u64));
            let after = placed(&planner, "w");
            if placement.replica_scheduling.is_some() {
                for name in NAMES {
                    let (then, now) = (before.get(name).copied().unwrap_or(0), after.get(name).copied().unwrap_or(0));
                    let sum: u64 = before.values().sum();
                    prop_assert!(if wanted >= sum { now >= then } else { now <= then }, "{before:?} {after:?} {wanted}");
                }
                let (sum, short) = (after.values().sum::<u64>(), round.get("w").map_or(0, Decision::short));
                prop_assert!(sum <= wanted && (round.is_empty() || sum + short == wanted));
            }
            for (name, fits) in NAMES.iter().zip(&fits) {
                prop_assert!(after.get(*name).copied().unwrap_or(0) <= *fits);
            }
            before = after;
        }
    }
}
