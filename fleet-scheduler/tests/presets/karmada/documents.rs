//! The results that Karmada's documents give.

use fleet_core::{Taint, TaintEffect, Tick};
use fleet_scheduler::{
    divide::{DivideError, Mode},
    presets::{
        PolicyError,
        karmada::{Member, Placement, Unschedulable},
    },
    *,
};

use super::{
    super::{cluster, counts, placed, resources, yaml},
    Clusters, infos, member, planner, workload,
};
struct Example<'a> {
    /// Project and document.
    source: &'a str,
    placement: &'a str,
    clusters: Clusters<'a>,
    replicas: u64,
    expect: &'a [(&'a str, u64)],
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
