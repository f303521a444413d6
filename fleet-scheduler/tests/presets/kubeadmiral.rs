//! `KubeAdmiral`: the layouts of its documents, its arithmetic, and its policies in a planner.

use std::collections::BTreeMap;

use fleet_core::{Taint, TaintEffect, Tick};
use fleet_scheduler::{
    divide::{
        Party,
        planner::{Planner as Division, plan},
    },
    presets::{
        PolicyError,
        rsp::{
            self, Member, PropagationPolicy, SUPPLY_LIMIT, Supply, Usage, balanced_allocation, bin_pack,
            dynamic_weights, estimate_capacity, least_allocated, most_allocated,
        },
    },
    *,
};
use proptest::prelude::*;

use super::{cluster, counts, placed, resources, try_yaml, with_cores, yaml};

fn planner(policy: &PropagationPolicy, clusters: impl IntoIterator<Item = ClusterInfo>) -> Planner {
    Planner::new(
        rsp::scheduler(policy.planner()),
        FleetView::new(clusters).unwrap(),
        PlannerOptions::default(),
    )
}

/// kubewharf/kubeadmiral-website content/en/docs/Userguide/Propagation Policy.
#[test]
fn documents() {
    let check = |policy: &str, replicas: u64, expect: &[(&str, u64)]| {
        let policy: PropagationPolicy = yaml(policy);
        let mut planner = planner(
            &policy,
            ["member1", "member2", "member3"].map(|name| cluster(name, "")),
        );
        planner.set(policy.workload("default/web", replicas).unwrap());
        planner.decide(&Facts::none(), Tick(1));
        let expect = counts(expect.iter().copied());
        assert_eq!(placed(&planner, "default/web"), expect, "{policy:?}");
        if policy.scheduling_mode == rsp::SchedulingMode::Divide {
            let members = ["member1", "member2", "member3"].map(Member::new);
            assert_eq!(
                policy.plan(&members, &BTreeMap::new(), replicas, "default/web"),
                Ok(expect)
            );
        }
    };
    check(
        "placement: [{cluster: member1}, {cluster: member2}]",
        2,
        &[("member1", 2), ("member2", 2)],
    );
    check(
        "
schedulingMode: Divide
placement:
  - cluster: member1
    preferences:
      weight: 40
  - cluster: member2
    preferences:
      weight: 60
",
        10,
        &[("member1", 4), ("member2", 6)],
    );
    check(
        "
schedulingMode: Divide
placement:
  - {cluster: member1, preferences: {weight: 3}}
  - {cluster: member2, preferences: {weight: 2}}
",
        5,
        &[("member1", 3), ("member2", 2)],
    );
    let policy: PropagationPolicy = yaml("clusterSelector: {region: beijing, az: zone1}");
    let clusters = [
        cluster("a", "region=beijing az=zone1"),
        cluster("b", "region=beijing az=zone2"),
    ];
    let mut planner = planner(&policy, clusters);
    planner.set(policy.workload("default/web", 1).unwrap());
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(placed(&planner, "default/web"), counts([("a", 1)]));
    // The default of the document: disruption is avoided, and what cannot run is not kept.
    let calm = Division::KubeAdmiral {
        avoid_disruption: true,
        keep_unschedulable: false,
    };
    assert_eq!(PropagationPolicy::default().planner(), calm);
    let anew: PropagationPolicy = yaml(
        "{reschedulePolicy: {replicaRescheduling: {avoidDisruption: false}}, autoMigration: {keepUnschedulableReplicas: true}}",
    );
    let keep = Division::KubeAdmiral {
        avoid_disruption: false,
        keep_unschedulable: true,
    };
    assert_eq!(anew.planner(), keep);
}

#[test]
fn vectors() {
    let spec = |flags: &str| {
        let text = format!(
            "{{schedulingMode: Divide, placement: [{{cluster: A, preferences: {{weight: 1}}}}, {{cluster: B, preferences: \
             {{weight: 1}}}}, {{cluster: C, preferences: {{weight: 1}}}}]{flags}}}"
        );
        yaml::<PropagationPolicy>(&text)
    };
    let anew = spec(", reschedulePolicy: {replicaRescheduling: {avoidDisruption: false}}");
    let joined = [
        Member::new("A").current(6),
        Member::new("B").current(6),
        Member::new("C"),
    ];
    let check =
        |policy: &PropagationPolicy, members: &[Member<'_>], replicas: u64, expect: &[(&str, u64)]| {
            let asked = policy.plan(members, &BTreeMap::new(), replicas, "");
            assert_eq!(
                asked,
                Ok(counts(expect.iter().copied())),
                "{replicas} {members:?}"
            );
        };
    check(
        &spec(""),
        &["A", "B", "C"].map(Member::new),
        10,
        &[("A", 2), ("B", 4), ("C", 4)],
    );
    check(&spec(""), &joined, 12, &[("A", 6), ("B", 6)]);
    check(&anew, &joined, 12, &[("A", 4), ("B", 4), ("C", 4)]);
    check(&spec(""), &joined, 9, &[("A", 5), ("B", 4)]);
    check(&spec(""), &joined, 15, &[("A", 6), ("B", 6), ("C", 3)]);
    let weighed = |flags: &str| {
        let text = format!(
            "{{schedulingMode: Divide, placement: [{{cluster: A, preferences: {{weight: 1, maxReplicas: 2}}}}, {{cluster: B, \
             preferences: {{weight: 2, minReplicas: 3}}}}, {{cluster: C, preferences: {{weight: 5}}}}]{flags}}}"
        );
        yaml::<PropagationPolicy>(&text)
    };
    let limited = [Member::new("A"), Member::new("B"), Member::new("C").limited(6)];
    check(&weighed(""), &limited, 20, &[("A", 2), ("B", 12), ("C", 6)]);
    let estimated = [Member::new("A"), Member::new("B"), Member::new("C").estimated(6)];
    check(&weighed(""), &estimated, 20, &[("A", 2), ("B", 12), ("C", 6)]);
    // Five more are asked of C though it does not hold them: 25 for 20, by design.
    let keep = weighed(", autoMigration: {keepUnschedulableReplicas: true}");
    check(&keep, &estimated, 20, &[("A", 2), ("B", 12), ("C", 11)]);
}

/// kubewharf/kubeadmiral pkg/controllers/scheduler/framework/plugins/rsp: the cases of its own tests, by index, where
/// nothing is limited beyond a cluster's part of what is offered.
#[test]
fn weights_by_what_is_free() {
    let check = |supplies: &[(u64, u64)], limit: u64, expect: &[u64]| {
        let names = ["cluster1", "cluster2", "cluster3"];
        let clusters: Vec<Supply<'_>> = names
            .iter()
            .zip(supplies)
            .map(|(name, (offered, free))| Supply::new(name, *offered, *free))
            .collect();
        assert_eq!(dynamic_weights(&clusters, limit), expect, "{supplies:?}");
    };
    check(&[(100, 50), (100, 50)], 100, &[500, 500]);
    check(&[(100, 40), (100, 10)], 100, &[714, 286]);
    check(&[(0, 0)], 100, &[1000]);
    check(&[(0, 0), (400, 100), (200, 100)], 100, &[0, 600, 400]);
    check(&[(0, 0), (0, 0), (0, 0)], 100, &[333, 333, 333]);
    check(&[(0, 0), (0, 0), (3000, 3000)], 100, &[0, 0, 1000]);
    check(&[(0, 0), (7000, 7000), (3000, 3000)], 100, &[0, 700, 300]);
    check(
        &[(200, 200), (300, 300), (500, 500)],
        SUPPLY_LIMIT,
        &[200, 300, 500],
    );
    // What rounding leaves goes to the largest, the first by name.
    check(&[(1, 1), (1, 1), (1, 1)], SUPPLY_LIMIT, &[334, 333, 333]);
    check(&[], SUPPLY_LIMIT, &[]);
}

#[test]
fn divided_by_what_is_free() {
    let policy: PropagationPolicy = yaml("schedulingMode: Divide");
    let clusters = [("cluster1", 200), ("cluster2", 300), ("cluster3", 500)];
    let mut planner = planner(
        &policy,
        clusters.map(|(name, cores)| with_cores(cluster(name, ""), cores)),
    );
    planner.set(
        policy
            .workload("default/web", 10)
            .unwrap()
            .needs(resources(&[("cpu", "1")])),
    );
    planner.decide(&Facts::none(), Tick(1));
    let expect = counts([("cluster1", 2), ("cluster2", 3), ("cluster3", 5)]);
    assert_eq!(placed(&planner, "default/web"), expect);
    let weights = BTreeMap::from([
        ("cluster1".to_owned(), 200),
        ("cluster2".to_owned(), 300),
        ("cluster3".to_owned(), 500),
    ]);
    let members = ["cluster1", "cluster2", "cluster3"].map(Member::new);
    assert_eq!(policy.plan(&members, &weights, 10, "default/web"), Ok(expect));
}

/// kubewharf/kubeadmiral pkg/controllers/scheduler/framework/plugins/preferencebinpack: the cases of its own tests.
#[test]
fn packed() {
    let check = |parties: &[Party<'_>], replicas: u64, planned: &[u64], overflow: &[u64]| {
        let packed = bin_pack(parties, replicas);
        assert_eq!(
            (&packed.planned[..], &packed.overflow[..]),
            (planned, overflow),
            "{parties:?}"
        );
    };
    let [a, b, c] = ["A", "B", "C"].map(Party::new);
    let all = |a: &Party<'static>, b: &Party<'static>, c: &Party<'static>| [a.clone(), b.clone(), c.clone()];
    check(&all(&a, &b, &c), 10, &[10, 0, 0], &[0; 3]);
    let a5 = a.clone().capacity(5);
    check(&all(&a5, &b, &c), 10, &[5, 5, 0], &[5, 0, 0]);
    check(&all(&a5, &b.clone().capacity(3), &c), 10, &[5, 3, 2], &[5, 2, 0]);
    check(
        &all(&a5, &b.clone().capacity(3), &c.clone().capacity(1)),
        10,
        &[5, 3, 1],
        &[5, 2, 1],
    );
    check(&all(&a5.clone().limit(3), &b, &c), 10, &[3, 7, 0], &[0; 3]);
    check(
        &all(&a5.clone().limit(3), &b.clone().limit(2), &c.clone().limit(1)),
        10,
        &[3, 2, 1],
        &[0; 3],
    );
    check(&all(&a.clone().max(5), &b, &c), 10, &[5, 5, 0], &[0; 3]);
    check(&all(&a, &b.clone().min(5), &c), 10, &[5, 5, 0], &[0; 3]);
    check(&all(&a, &b.clone().min(5).limit(2), &c), 10, &[8, 2, 0], &[0; 3]);
    // What a minimum is asked for stays asked for, though others take the rest.
    check(
        &all(&a.clone().min(5).capacity(2), &b.clone().min(3), &c),
        5,
        &[2, 3, 0],
        &[3, 0, 0],
    );
    check(
        &all(&a.clone().max(10), &b.clone().max(21), &c),
        50,
        &[10, 21, 19],
        &[0; 3],
    );
    check(
        &all(&a.clone().max(10), &b, &c.clone().min(10)),
        50,
        &[10, 30, 10],
        &[0; 3],
    );
    check(
        &[a.max(10), b.limit(10), c, Party::new("D").min(10)],
        50,
        &[10, 10, 20, 10],
        &[0; 4],
    );
}

#[test]
fn packed_in_a_planner() {
    let policy: PropagationPolicy = yaml(
        "
schedulingMode: Divide
replicasStrategy: binpack
placement:
  - {cluster: A, preferences: {priority: 1}}
  - {cluster: B, preferences: {priority: 3, maxReplicas: 4}}
  - {cluster: C, preferences: {priority: 2, minReplicas: 1}}
",
    );
    let mut planner = planner(
        &policy,
        ["A", "B", "C"].map(|name| with_cores(cluster(name, ""), 5)),
    );
    let mut check = |replicas: u64, expect: &[(&str, u64)]| {
        planner.set(
            policy
                .workload("default/web", replicas)
                .unwrap()
                .needs(resources(&[("cpu", "1")])),
        );
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(
            placed(&planner, "default/web"),
            counts(expect.iter().copied()),
            "{replicas}"
        );
    };
    check(3, &[("B", 2), ("C", 1)]);
    check(11, &[("A", 2), ("B", 4), ("C", 5)]);
}

/// kubewharf/kubeadmiral pkg/controllers/scheduler/framework/plugins/clusterresources: the cases of its own tests.
#[test]
fn scores_by_usage() {
    let cpu_and_memory =
        |cpu: (i64, i64), memory: (i64, i64)| vec![Usage::new(cpu.0, cpu.1), Usage::new(memory.0, memory.1)];
    let with = |mut usages: Vec<Usage>, more: Usage| {
        usages.push(more);
        usages
    };
    let gpu = |requested, offered| Usage::new(requested, offered).weight(4);
    let least = |usages: Vec<Usage>, expect: i64| assert_eq!(least_allocated(&usages), expect, "{usages:?}");
    least(cpu_and_memory((0, 4000), (0, 10_000)), 100);
    least(cpu_and_memory((3000, 4000), (5000, 10_000)), 37);
    least(cpu_and_memory((3000, 6000), (5000, 10_000)), 50);
    least(
        with(cpu_and_memory((3000, 4000), (5000, 10_000)), gpu(5000, 10_000)),
        45,
    );
    least(
        with(cpu_and_memory((3000, 6000), (5000, 10_000)), gpu(5000, 10_000)),
        50,
    );
    least(
        with(cpu_and_memory((6000, 10_000), (5000, 10_000)), gpu(4000, 10_000)),
        55,
    );
    least(
        with(cpu_and_memory((6000, 15_000), (5000, 10_000)), gpu(4000, 6700)),
        45,
    );
    least(
        with(
            cpu_and_memory((6000, 10_000), (5000, 10_000)),
            Usage::new(4000, 10_000),
        ),
        50,
    );
    least(
        with(
            cpu_and_memory((6000, 15_000), (5000, 10_000)),
            Usage::new(4000, 20_000),
        ),
        63,
    );
    least(cpu_and_memory((5000, 4000), (0, 0)), 0);
    least(Vec::new(), 0);
    let most = |usages: Vec<Usage>, expect: i64| assert_eq!(most_allocated(&usages), expect, "{usages:?}");
    most(cpu_and_memory((3000, 4000), (5000, 10_000)), 62);
    most(cpu_and_memory((5000, 4000), (5000, 10_000)), 25);
    // Of two resources, the standard deviation is half of their difference.
    let balanced =
        |usages: Vec<Usage>, expect: i64| assert_eq!(balanced_allocation(&usages), expect, "{usages:?}");
    balanced(cpu_and_memory((0, 4000), (0, 10_000)), 100);
    balanced(cpu_and_memory((3000, 4000), (5000, 10_000)), 87);
    balanced(cpu_and_memory((3000, 6000), (5000, 10_000)), 100);
    balanced(cpu_and_memory((4000, 4000), (0, 10_000)), 0);
    balanced(
        with(cpu_and_memory((5000, 10_000), (5000, 10_000)), gpu(8000, 10_000)),
        85,
    );
    balanced(cpu_and_memory((1, 0), (0, 10)), 0);
}

#[test]
fn estimates() {
    let check = |desired, pods, unschedulable, expect| {
        assert_eq!(
            estimate_capacity(desired, pods, unschedulable),
            expect,
            "{desired} {pods} {unschedulable}"
        );
    };
    check(10, 10, 0, None);
    check(10, 10, 4, Some(6));
    check(10, 12, 4, Some(8));
    // Pods that are to come are taken to run.
    check(10, 3, 2, Some(8));
    check(10, 3, 0, None);
    check(10, 20, 5, None);
    check(2, 1, 5, Some(0));
}

#[test]
fn a_taint_lets_a_cluster_neither_gain_nor_lose() {
    let policy: PropagationPolicy = yaml(
        "{schedulingMode: Divide, placement: [{cluster: A, preferences: {weight: 1}}, {cluster: B, preferences: {weight: 1}}]}",
    );
    let [a, b] = ["A", "B"].map(|name| cluster(name, ""));
    let mut planner = planner(&policy, [a.clone(), b]);
    planner.set(policy.workload("w", 4).unwrap());
    planner.decide(&Facts::none(), Tick(1));
    assert_eq!(placed(&planner, "w"), counts([("A", 2), ("B", 2)]));
    let mut tainted = a;
    tainted.cluster.taints = vec![Taint::new("full", "", TaintEffect::NoSchedule)];
    planner.set_cluster(tainted).unwrap();
    planner.set(policy.workload("w", 10).unwrap());
    planner.decide(&Facts::none(), Tick(2));
    assert_eq!(placed(&planner, "w"), counts([("A", 2), ("B", 8)]));
    // Who bears it gains.
    let bears: PropagationPolicy = yaml(
        "{schedulingMode: Divide, placement: [{cluster: A, preferences: {weight: 1}}, {cluster: B, preferences: {weight: 1}}], tolerations: [{key: full, operator: Exists}]}",
    );
    planner.set(bears.workload("w", 20).unwrap());
    planner.decide(&Facts::none(), Tick(3));
    assert_eq!(placed(&planner, "w"), counts([("A", 10), ("B", 10)]));
}

#[test]
fn at_most_so_many_clusters() {
    let policy: PropagationPolicy = yaml("{schedulingMode: Divide, maxClusters: 1}");
    let clusters = [("A", 3), ("B", 8), ("C", 5)];
    let mut planner = planner(
        &policy,
        clusters.map(|(name, cores)| with_cores(cluster(name, ""), cores)),
    );
    planner.set(
        policy
            .workload("job", 2)
            .unwrap()
            .needs(resources(&[("cpu", "1")])),
    );
    planner.decide(&Facts::none(), Tick(1));
    // The one with the most left.
    assert_eq!(placed(&planner, "job"), counts([("B", 2)]));
    // Those in use count.
    let more: PropagationPolicy = yaml("{schedulingMode: Divide, maxClusters: 2}");
    planner.set(
        more.workload("job", 12)
            .unwrap()
            .needs(resources(&[("cpu", "1")])),
    );
    planner.decide(&Facts::none(), Tick(2));
    assert_eq!(placed(&planner, "job"), counts([("B", 8), ("C", 4)]));
    planner.set(
        more.workload("job", 16)
            .unwrap()
            .needs(resources(&[("cpu", "1")])),
    );
    let round = planner.decide(&Facts::none(), Tick(3));
    assert_eq!(placed(&planner, "job"), counts([("B", 8), ("C", 5)]));
    assert_eq!(round["job"].short(), 3);
}

#[test]
fn what_cannot_be_taken_over_is_an_error() {
    for text in [
        "followerScheduling: {}",
        "placement: [{name: a}]",
        "schedulingMode: Sometimes",
    ] {
        assert!(try_yaml::<PropagationPolicy>(text).is_err(), "{text}");
    }
    let policy: PropagationPolicy = yaml(
        "clusterAffinity: [{matchExpressions: [{key: a, operator: Exists}]}, {matchExpressions: [{key: b, operator: Exists}]}]",
    );
    assert!(matches!(policy.target(1), Err(PolicyError::Unsupported(_))));
}

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];

proptest! {
    #[test]
    fn weights_are_a_thousand(supplies in prop::collection::vec((1..100u64, 0..100u64), 1..6), by in 0..5usize) {
        let clusters: Vec<Supply<'_>> =
            NAMES.iter().zip(&supplies).map(|(name, (offered, free))| Supply::new(name, *offered, *free)).collect();
        let mut weights = dynamic_weights(&clusters, SUPPLY_LIMIT);
        if supplies.iter().any(|(_, free)| *free > 0) {
            prop_assert_eq!(weights.iter().sum::<u64>(), 1000);
        }
        let mut turned = clusters.clone();
        turned.rotate_left(by % clusters.len());
        weights.rotate_left(by % clusters.len());
        prop_assert_eq!(dynamic_weights(&turned, SUPPLY_LIMIT), weights);
    }

    #[test]
    fn a_planner_that_starts_plans_as_the_arithmetic(
        preferences in prop::collection::vec((0..4u64, 0..4u64, prop::option::of(1..9u64)), 1..6),
        replicas in 0..30u64,
    ) {
        let named = NAMES.iter().zip(&preferences);
        let placement: Vec<String> = named
            .map(|(name, (weight, min, max))| {
                let min = max.map_or(*min, |max| max.min(*min));
                let max = max.map_or(String::new(), |max| format!(", maxReplicas: {max}"));
                format!("{{cluster: {name}, preferences: {{weight: {weight}, minReplicas: {min}{max}}}}}")
            })
            .collect();
        let policy: PropagationPolicy =
            yaml(&format!("{{schedulingMode: Divide, placement: [{}]}}", placement.join(", ")));
        prop_assume!(preferences.iter().any(|(weight, min, _)| *weight > 0 || *min > 0));
        let members: Vec<Member<'_>> = NAMES[..preferences.len()].iter().map(|name| Member::new(name)).collect();
        let asked = policy.plan(&members, &BTreeMap::new(), replicas, "w").unwrap();
        let clusters = NAMES.map(|name| cluster(name, ""));
        let mut planner = planner(&policy, clusters);
        planner.set(policy.workload("w", replicas).unwrap());
        planner.decide(&Facts::none(), Tick(1));
        prop_assert_eq!(placed(&planner, "w"), asked);
    }

    #[test]
    fn packing_loses_nothing(rooms in prop::collection::vec((0..4u64, prop::option::of(0..9u64)), 1..6), replicas in 0..40u64) {
        let parties: Vec<Party<'_>> =
            NAMES.iter().zip(&rooms).map(|(name, (min, fits))| Party::new(name).min(*min).capacity(*fits)).collect();
        let packed = bin_pack(&parties, replicas);
        let sum: u64 = packed.planned.iter().sum();
        let room: Option<u64> = rooms.iter().map(|(_, fits)| *fits).sum();
        prop_assert_eq!(sum, room.map_or(replicas, |room| room.min(replicas)));
        // The planner of weights places as many.
        let calm = Division::KubeAdmiral { avoid_disruption: true, keep_unschedulable: false };
        prop_assert_eq!(plan(&parties, replicas, "", calm).unwrap().division.placed(), sum);
    }
}
