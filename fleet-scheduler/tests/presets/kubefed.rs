//! kubefed: the layouts of its documents, and its preferences in a planner.

use fleet_core::Tick;
use fleet_scheduler::{
    divide::planner::Planner as Division,
    presets::rsp::{self, ClusterPreferences, Member, ReplicaSchedulingPreference},
    *,
};

use super::{cluster, counts, placed, resources, try_yaml, with_cores, yaml};

const GUIDE: &str = "kubernetes-sigs/kubefed docs/userguide.md";
const DESIGN: &str =
    "kubernetes/community contributors/design-proposals/multicluster/federated-replicasets.md";

/// Clusters that are there: name, how many fit (none: no limit is known), how many run.
type State<'a> = &'a [(&'a str, Option<u64>, u64)];

fn members<'a>(state: State<'a>) -> Vec<Member<'a>> {
    let member = |(name, fits, runs): &(&'a str, Option<u64>, u64)| {
        let member = Member::new(name).current(*runs);
        fits.map_or(member, |fits| member.estimated(fits))
    };
    state.iter().map(member).collect()
}

const ALL: State<'_> = &[("A", None, 0), ("B", None, 0), ("C", None, 0)];

#[test]
fn documents() {
    // What it can run: overflow, which is asked of clusters besides, is left out where a document leaves it out.
    let check = |source: &str, spec: &str, state: State<'_>, expect: &[(&str, u64)]| {
        let rsp: ReplicaSchedulingPreference = yaml(spec);
        let mut layout = rsp.plan(&members(state), "").unwrap();
        for (name, fits, _) in state {
            if let (Some(count), Some(fits)) = (layout.get_mut(*name), fits) {
                *count = (*count).min(*fits);
            }
        }
        layout.retain(|_, count| *count > 0);
        assert_eq!(layout, counts(expect.iter().copied()), "{source}: {spec}");
    };
    let even = [("A", 3), ("B", 3), ("C", 3)];
    check(
        GUIDE,
        "{targetKind: FederatedDeployment, totalReplicas: 9}",
        ALL,
        &even,
    );
    check(
        GUIDE,
        r#"
targetKind: FederatedDeployment
totalReplicas: 9
clusters:
  "*":
    weight: 1
"#,
        ALL,
        &even,
    );
    check(
        GUIDE,
        "{totalReplicas: 9, clusters: {A: {weight: 1}, B: {weight: 2}}}",
        ALL,
        &[("A", 3), ("B", 6)],
    );
    check(
        GUIDE,
        "
targetKind: FederatedDeployment
totalReplicas: 9
clusters:
  A:
    minReplicas: 4
    maxReplicas: 6
    weight: 1
  B:
    minReplicas: 4
    maxReplicas: 8
    weight: 2
",
        ALL,
        &[("A", 4), ("B", 5)],
    );
    let at_most_20 = r#"{totalReplicas: 50, clusters: {"*": {weight: 1}, C: {maxReplicas: 20, weight: 1}}}"#;
    let no_b: State<'_> = &[("A", None, 0), ("B", Some(0), 0), ("C", None, 0)];
    for source in [GUIDE, DESIGN] {
        check(source, at_most_20, ALL, &[("A", 16), ("B", 17), ("C", 17)]);
        check(source, at_most_20, no_b, &[("A", 30), ("C", 20)]);
        check(
            source,
            at_most_20,
            &[("A", None, 0), ("C", None, 0)],
            &[("A", 30), ("C", 20)],
        );
        check(source, at_most_20, &[("C", None, 0)], &[("C", 20)]);
    }
    // The scenarios of the design, in order.
    let even = r#"{rebalance: true, totalReplicas: 50, clusters: {"*": {weight: 1}}}"#;
    check(DESIGN, even, ALL, &[("A", 16), ("B", 17), ("C", 17)]);
    check(DESIGN, even, &[("A", None, 0)], &[("A", 50)]);
    let two_each = [("A", 2), ("B", 2), ("C", 2)];
    for two in [
        "{maxReplicas: 2, weight: 1}",
        "{minReplicas: 2, weight: 0}",
        "{minReplicas: 2, maxReplicas: 2}",
    ] {
        let spec = format!(r#"{{rebalance: true, totalReplicas: 50, clusters: {{"*": {two}}}}}"#);
        check(DESIGN, &spec, ALL, &two_each);
    }
    let first_a = "{totalReplicas: 50, clusters: {A: {weight: 1000000}, B: {weight: 1}, C: {weight: 1}}}";
    check(DESIGN, first_a, ALL, &[("A", 50)]);
    check(
        DESIGN,
        first_a,
        &[("A", Some(40), 0), ("B", None, 0), ("C", None, 0)],
        &[("A", 40), ("B", 5), ("C", 5)],
    );
    let twice = "{totalReplicas: 50, clusters: {A: {weight: 2}, B: {weight: 1}, C: {weight: 1}}}";
    check(DESIGN, twice, ALL, &[("A", 25), ("B", 12), ("C", 13)]);
    let calm = r#"{rebalance: false, totalReplicas: 50, clusters: {"*": {weight: 1}}}"#;
    check(
        DESIGN,
        calm,
        &[("A", None, 20), ("B", None, 0), ("C", None, 0)],
        &[("A", 20), ("B", 15), ("C", 15)],
    );
    let c_holds_6 = Some(6);
    check(
        DESIGN,
        even,
        &[("A", None, 0), ("B", None, 0), ("C", c_holds_6, 0)],
        &[("A", 22), ("B", 22), ("C", 6)],
    );
    // The design says 22 and 22: the planner covers what runs by rounds, and the odd one goes to whom it serves first.
    check(
        DESIGN,
        calm,
        &[("A", None, 20), ("B", None, 0), ("C", c_holds_6, 0)],
        &[("A", 21), ("B", 23), ("C", 6)],
    );
    check(
        DESIGN,
        calm,
        &[("A", None, 30), ("B", None, 0), ("C", c_holds_6, 0)],
        &[("A", 30), ("B", 14), ("C", 6)],
    );
}

/// Scenario 3 of the design: each of three is to have 20 of 50, and one of them gets 10. Which, the key decides.
#[test]
fn minimums_beyond_the_total() {
    let rsp = ReplicaSchedulingPreference::new(50).cluster("*", ClusterPreferences::default().min(20));
    for key in ["", "a", "test-ns/test-deployment"] {
        let mut layout: Vec<u64> = rsp.plan(&members(ALL), key).unwrap().into_values().collect();
        layout.sort_unstable();
        assert_eq!(layout, [10, 20, 20]);
    }
}

#[test]
fn vectors() {
    // Ten over three alike, in the order C, B, A.
    let rsp = ReplicaSchedulingPreference::new(10);
    assert_eq!(
        rsp.plan(&members(ALL), ""),
        Ok(counts([("A", 2), ("B", 4), ("C", 4)]))
    );
    // What a cluster is asked for beyond what it holds is kept only when what runs may move.
    let rsp = ReplicaSchedulingPreference::new(20)
        .cluster("A", ClusterPreferences::weight(1).max(2))
        .cluster("B", ClusterPreferences::weight(1).min(3))
        .cluster("C", ClusterPreferences::weight(5));
    let state: State<'_> = &[("A", None, 0), ("B", None, 0), ("C", Some(6), 0)];
    assert_eq!(
        rsp.plan(&members(state), ""),
        Ok(counts([("A", 2), ("B", 12), ("C", 6)]))
    );
}

#[test]
fn preferences_in_a_planner() {
    let infos = ["A", "B", "C"].map(|name| cluster(name, ""));
    let decide = |spec: &str, infos: &[ClusterInfo]| {
        let rsp: ReplicaSchedulingPreference = yaml(spec);
        let fleet = FleetView::new(infos.to_vec()).unwrap();
        let scheduler = rsp::scheduler(Division::Kubefed {
            rebalance: rsp.rebalance,
        });
        let mut planner = Planner::new(scheduler, fleet, PlannerOptions::default());
        planner.set(rsp.workload("test-ns/test-deployment"));
        let short = planner.decide(&Facts::none(), Tick(1))["test-ns/test-deployment"].short();
        (placed(&planner, "test-ns/test-deployment"), short)
    };
    let check = |spec: &str, expect: &[(&str, u64)], short: u64| {
        assert_eq!(
            decide(spec, &infos),
            (counts(expect.iter().copied()), short),
            "{spec}"
        );
        // As the arithmetic alone.
        let rsp: ReplicaSchedulingPreference = yaml(spec);
        assert_eq!(
            rsp.plan(&members(ALL), "test-ns/test-deployment"),
            Ok(counts(expect.iter().copied())),
            "{spec}"
        );
    };
    check("{totalReplicas: 9}", &[("A", 3), ("B", 3), ("C", 3)], 0);
    check(
        "{totalReplicas: 9, clusters: {A: {weight: 1}, B: {weight: 2}}}",
        &[("A", 3), ("B", 6)],
        0,
    );
    check(
        "{totalReplicas: 9, clusters: {A: {minReplicas: 4, maxReplicas: 6, weight: 1}, B: {minReplicas: 4, maxReplicas: 8, weight: 2}}}",
        &[("A", 4), ("B", 5)],
        0,
    );
    check(
        r#"{totalReplicas: 50, clusters: {"*": {maxReplicas: 2, weight: 1}}}"#,
        &[("A", 2), ("B", 2), ("C", 2)],
        44,
    );
    check(
        r#"{totalReplicas: 50, clusters: {"*": {minReplicas: 2}}}"#,
        &[("A", 2), ("B", 2), ("C", 2)],
        44,
    );
    assert!(
        try_yaml::<ReplicaSchedulingPreference>("{totalReplicas: 1, intersectWithClusterSelector: true}")
            .is_err()
    );
}

#[test]
fn what_runs_stays_in_a_planner() {
    for rebalance in [false, true] {
        let fleet = FleetView::new(["A", "B"].map(|name| with_cores(cluster(name, ""), 9))).unwrap();
        let mut planner = Planner::new(
            rsp::scheduler(Division::Kubefed { rebalance }),
            fleet,
            PlannerOptions::default(),
        );
        let needs = resources(&[("cpu", "1")]);
        let even = |replicas| {
            let rsp = ReplicaSchedulingPreference::new(replicas).rebalance(rebalance);
            rsp.workload("w").needs(needs.clone())
        };
        let first = ReplicaSchedulingPreference::new(8)
            .cluster("A", ClusterPreferences::weight(3))
            .cluster("B", ClusterPreferences::weight(1));
        planner.set(first.workload("w").needs(needs.clone()));
        planner.decide(&Facts::none(), Tick(1));
        assert_eq!(placed(&planner, "w"), counts([("A", 6), ("B", 2)]));
        planner.set(even(8));
        planner.decide(&Facts::none(), Tick(2));
        assert_eq!(placed(&planner, "w"), counts([("A", 6), ("B", 2)]));
        // Only who is to rebalance moves replicas, and only then.
        let mut moving = planner.clone();
        let healthy = Facts::none().healthy("w", "A").healthy("w", "B");
        moving.rebalance(&healthy, Tick(3_600_000));
        moving.decide(&healthy, Tick(3_600_001));
        let expect = if rebalance {
            [("A", 4), ("B", 4)]
        } else {
            [("A", 6), ("B", 2)]
        };
        assert_eq!(placed(&moving, "w"), counts(expect));
        planner.set(even(10));
        planner.decide(&Facts::none(), Tick(3));
        assert_eq!(placed(&planner, "w"), counts([("A", 6), ("B", 4)]));
        planner.set(even(99));
        planner.decide(&Facts::none(), Tick(4));
        assert_eq!(placed(&planner, "w"), counts([("A", 9), ("B", 9)]));
        planner.set(even(6));
        planner.decide(&Facts::none(), Tick(5));
        let after = placed(&planner, "w");
        assert_eq!(after.values().sum::<u64>(), 6);
    }
}
