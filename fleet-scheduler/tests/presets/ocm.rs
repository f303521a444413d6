//! Open Cluster Management: what its documents say is decided, in one step.

use std::collections::BTreeMap;

use fleet_core::{Capacity, Millis, Resources, Taint, TaintEffect, Tick};
use fleet_scheduler::{
    presets::ocm::{
        CLUSTER_SET, ClusterDecision, DecisionStrategy, Mode, PerGroup, Placement, Prioritizer, SortBy,
        decision_groups, score_name, to_score,
    },
    *,
};
use proptest::prelude::*;

use super::{cluster, resources, try_yaml, yaml};

pub(super) const DOC: &str = "open-cluster-management.io docs/concepts/content-placement/placement";

fn fleet(clusters: impl IntoIterator<Item = ClusterInfo>) -> FleetView {
    FleetView::new(clusters).unwrap()
}

/// Placements and the clusters they have decided on.
fn table(fleet: &FleetView, decided: &[(&str, &[&str])]) -> PlacementTable {
    let placements: Placements = decided
        .iter()
        .map(|(name, clusters)| {
            let placement = clusters.iter().fold(Placement_::nowhere(), |placement, cluster| {
                placement.with("1", cluster, Assignment::new(1, Tick(0)))
            });
            (WorkloadId::from(*name), placement)
        })
        .collect();
    PlacementTable::of(fleet, &placements)
}

use fleet_scheduler::Placement as Placement_;

fn decide(placement: &Placement, fleet: &FleetView, decided: &[(&str, &[&str])], now: Tick) -> Vec<String> {
    let decisions = placement.decide(fleet, &table(fleet, decided), &"test/test".into(), now);
    decisions.names().into_iter().map(str::to_owned).collect()
}

fn scores(placement: &Placement, fleet: &FleetView, decided: &[(&str, &[&str])]) -> Vec<i64> {
    let decisions = placement.decide(fleet, &table(fleet, decided), &"test/test".into(), Tick(1));
    decisions.clusters.into_iter().map(|one| one.score).collect()
}

fn only(prioritizer: Prioritizer) -> Placement {
    Placement::new().mode(Mode::Exact).prioritizer(prioritizer, 1)
}

/// open-cluster-management-io/ocm pkg/placement/plugins/balance and /steady: the cases of their own tests.
#[test]
fn balance_and_steady() {
    let three = fleet(["cluster1", "cluster2", "cluster3"].map(|name| cluster(name, "")));
    let check = |prioritizer: Prioritizer, decided: &[(&str, &[&str])], expect: [i64; 3]| {
        assert_eq!(scores(&only(prioritizer), &three, decided), expect, "{decided:?}");
    };
    check(Prioritizer::Balance, &[], [100, 100, 100]);
    check(
        Prioritizer::Balance,
        &[("test/test", &["cluster1"])],
        [100, 100, 100],
    );
    check(
        Prioritizer::Balance,
        &[("test/test1", &["cluster1"])],
        [-100, 100, 100],
    );
    let two: &[(&str, &[&str])] = &[
        ("test/test1", &["cluster1", "cluster2"]),
        ("test/test2", &["cluster1", "cluster3"]),
    ];
    check(Prioritizer::Balance, two, [-100, 0, 0]);
    // A half is rounded towards zero before it is doubled: 50 - 100/3 is 16.
    let three_to_one: &[(&str, &[&str])] = &[
        ("a", &["cluster1", "cluster2"]),
        ("b", &["cluster1", "cluster3"]),
        ("c", &["cluster1", "cluster3"]),
    ];
    check(Prioritizer::Balance, three_to_one, [-100, 32, -32]);
    check(Prioritizer::Steady, &[], [0, 0, 0]);
    check(
        Prioritizer::Steady,
        &[("test/test", &["cluster1"]), ("test/test1", &["cluster2"])],
        [100, 0, 0],
    );
}

/// The cluster with the most others counts even where the placement cannot be.
#[test]
fn balance_looks_at_all_clusters() {
    let clusters = fleet([
        cluster("a", "tier=prod"),
        cluster("b", "tier=prod"),
        cluster("c", ""),
    ]);
    let placement = only(Prioritizer::Balance).predicate(ClusterSelector::label("tier", "prod"));
    let decided: &[(&str, &[&str])] = &[("x", &["a", "c"]), ("y", &["c"])];
    assert_eq!(scores(&placement, &clusters, decided), [0, 100]);
}

fn offering(name: &str, resource: &str, amount: Option<&str>) -> ClusterInfo {
    match amount {
        Some(amount) => {
            let offered = resources(&[(resource, amount)]);
            cluster(name, "").capacity(Capacity::new(offered, Resources::new(), Tick(1)))
        }
        None => cluster(name, ""),
    }
}

/// open-cluster-management-io/ocm pkg/placement/plugins/resource: the cases of its own tests.
#[test]
fn allocatable_resources() {
    let check = |prioritizer: Prioritizer, resource: &str, amounts: [Option<&str>; 3], expect: [i64; 3]| {
        let names = ["cluster1", "cluster2", "cluster3"];
        let clusters = names
            .into_iter()
            .zip(amounts)
            .map(|(name, amount)| offering(name, resource, amount));
        assert_eq!(
            scores(&only(prioritizer), &fleet(clusters), &[]),
            expect,
            "{amounts:?}"
        );
    };
    for (prioritizer, resource) in [
        (Prioritizer::ResourceAllocatableMemory, "memory"),
        (Prioritizer::ResourceAllocatableCpu, "cpu"),
    ] {
        check(
            prioritizer.clone(),
            resource,
            [Some("20"), Some("60"), Some("100")],
            [-100, 0, 100],
        );
        check(prioritizer.clone(), resource, [Some("50"); 3], [100, 100, 100]);
        check(prioritizer.clone(), resource, [Some("0"); 3], [100, 100, 100]);
        check(prioritizer.clone(), resource, [None; 3], [0, 0, 0]);
        check(
            prioritizer.clone(),
            resource,
            [Some("10"), Some("6"), Some("2")],
            [100, 0, -100],
        );
        // Who says nothing scores 0, and counts for nobody's part.
        check(
            prioritizer.clone(),
            resource,
            [Some("10"), None, Some("2")],
            [100, 0, -100],
        );
        // A third: 200/3 - 100 is rounded towards zero.
        check(
            prioritizer,
            resource,
            [Some("1"), Some("2"), Some("4")],
            [-100, -33, 100],
        );
    }
}

#[test]
fn weights() {
    let check = |policy: &str, expect: &[(Prioritizer, i32)]| {
        let placement: Placement = yaml(policy);
        let expect: BTreeMap<Prioritizer, i32> = expect.iter().cloned().collect();
        assert_eq!(placement.prioritizer_policy.effective(), expect, "{policy}");
    };
    use Prioritizer::{Balance, ResourceAllocatableCpu as Cpu, ResourceAllocatableMemory as Memory, Steady};
    check("{}", &[(Balance, 1), (Steady, 1)]);
    // The three examples of the document, section Prioritizers.
    check(
        "
numberOfClusters: 1
prioritizerPolicy:
  configurations:
    - scoreCoordinate:
        builtIn: ResourceAllocatableMemory
",
        &[(Balance, 1), (Steady, 1), (Memory, 1)],
    );
    check(
        "
numberOfClusters: 1
prioritizerPolicy:
  configurations:
    - scoreCoordinate:
        builtIn: ResourceAllocatableCPU
      weight: 2
    - scoreCoordinate:
        builtIn: ResourceAllocatableMemory
      weight: 2
",
        &[(Balance, 1), (Steady, 1), (Cpu, 2), (Memory, 2)],
    );
    check(
        "
numberOfClusters: 2
prioritizerPolicy:
  mode: Exact
  configurations:
    - scoreCoordinate:
        builtIn: Steady
      weight: 3
    - scoreCoordinate:
        type: AddOn
        addOn:
          resourceName: default
          scoreName: cpuratio
",
        &[(Steady, 3), (Prioritizer::add_on("default", "cpuratio"), 1)],
    );
    // 0 disables; below 0 the last ones are wanted.
    check(
        "prioritizerPolicy: {configurations: [{scoreCoordinate: {builtIn: Balance}, weight: 0}, {scoreCoordinate: {builtIn: Steady}, weight: -10}]}",
        &[(Steady, -10)],
    );
    for wrong in [
        "prioritizerPolicy: {configurations: [{scoreCoordinate: {builtIn: Balance}, weight: 11}]}",
        "prioritizerPolicy: {configurations: [{scoreCoordinate: {builtIn: Luck}}]}",
        "prioritizerPolicy: {configurations: [{scoreCoordinate: {type: AddOn}}]}",
        "spreadPolicy: {spreadConstraints: []}",
        "predicates: [{requiredClusterSelector: {celSelector: {celExpressions: []}}}]",
        "tolerations: [{key: a, operator: Exists, value: b}]",
        "decisionStrategy: {groupStrategy: {clustersPerDecisionGroup: many}}",
    ] {
        assert!(try_yaml::<Placement>(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn predicates() {
    let mut claims = cluster("claims", "purpose=test");
    claims
        .cluster
        .properties
        .insert("platform.open-cluster-management.io".to_owned(), "aws".to_owned());
    let clusters = fleet([
        claims,
        cluster("label", "purpose=test"),
        cluster("set", &format!("{CLUSTER_SET}=prod")),
        cluster("none", ""),
    ]);
    let check = |source: &str, placement: &str, expect: &[&str]| {
        assert_eq!(
            decide(&yaml(placement), &clusters, &[], Tick(1)),
            expect,
            "{source}: {placement}"
        );
    };
    check(
        DOC,
        "
numberOfClusters: 3
predicates:
  - requiredClusterSelector:
      labelSelector:
        matchLabels:
          purpose: test
      claimSelector:
        matchExpressions:
          - key: platform.open-cluster-management.io
            operator: In
            values:
              - aws
",
        &["claims"],
    );
    check(DOC, "clusterSets: [prod]", &["set"]);
    let either = "
predicates:
  - requiredClusterSelector: {claimSelector: {matchExpressions: [{key: platform.open-cluster-management.io, operator: In, values: [aws]}]}}
  - requiredClusterSelector: {labelSelector: {matchExpressions: [{key: purpose, operator: DoesNotExist}]}}
";
    let enhancement = "open-cluster-management-io/enhancements 6-placements: predicates are ORed";
    check(enhancement, either, &["claims", "none", "set"]);
    check(enhancement, "{}", &["claims", "label", "none", "set"]);
}

#[test]
fn taints() {
    let added = Tick(1_000_000);
    let tainted = |effect: TaintEffect, key: &str, value: &str| {
        let mut cluster = cluster("cluster1", "");
        cluster.cluster.taints = vec![Taint::new(key, value, effect).since(added)];
        fleet([cluster])
    };
    let (select, if_new, prefer) = (
        TaintEffect::NoExecute,
        TaintEffect::NoSchedule,
        TaintEffect::PreferNoSchedule,
    );
    let check = |placement: &str, fleet: &FleetView, is_decided: bool, now: Tick, expect: bool| {
        let decided: &[(&str, &[&str])] = if is_decided {
            &[("test/test", &["cluster1"])]
        } else {
            &[]
        };
        let selected = decide(&yaml(placement), fleet, decided, now);
        assert_eq!(
            selected == ["cluster1"],
            expect,
            "{placement} {is_decided} {now:?}"
        );
    };
    // DOC, section Taints/Tolerations: a cluster with GPUs.
    let gpu = tainted(select, "gpu", "true");
    check("{}", &gpu, false, added, false);
    check("{}", &gpu, true, added, false);
    let bears = "
tolerations:
  - key: gpu
    value: \"true\"
    operator: Equal
";
    check(bears, &gpu, false, added, true);
    check(
        "tolerations: [{key: gpu, value: \"false\"}]",
        &gpu,
        false,
        added,
        false,
    );
    check(
        "tolerations: [{key: gpu, operator: Exists, effect: NoSelectIfNew}]",
        &gpu,
        false,
        added,
        false,
    );
    check(
        "tolerations: [{key: gpu, operator: Exists, effect: NoSelect}]",
        &gpu,
        false,
        added,
        true,
    );
    check("tolerations: [{operator: Exists}]", &gpu, false, added, true);
    // For five minutes.
    let unreachable = tainted(select, "cluster.open-cluster-management.io/unreachable", "");
    let five_minutes = "
tolerations:
  - key: cluster.open-cluster-management.io/unreachable
    operator: Exists
    tolerationSeconds: 300
";
    let end = added + Millis::from_mins(5);
    check(five_minutes, &unreachable, true, added, true);
    check(five_minutes, &unreachable, true, Tick(end.0 - 1), true);
    check(five_minutes, &unreachable, true, end, false);
    let placement: Placement = yaml(five_minutes);
    let decisions = placement.decide(
        &unreachable,
        &table(&unreachable, &[]),
        &"test/test".into(),
        added,
    );
    assert_eq!(decisions.requeue_at, Some(end));
    // Only what is new is kept away; and rather not is no reason.
    let maintained = tainted(if_new, "maintenance", "");
    check("{}", &maintained, false, added, false);
    check("{}", &maintained, true, added, true);
    check("{}", &tainted(prefer, "slow", ""), false, added, true);
}

/// DOC, section Decision strategy: 310 clusters, ten of them canaries in the west and ten in the east.
#[test]
fn groups_of_the_document() {
    let placement: Placement = yaml(
        "
clusterSets:
  - global
decisionStrategy:
  groupStrategy:
    clustersPerDecisionGroup: 150
    decisionGroups:
    - groupName: prod-canary-west
      groupClusterSelector:
        labelSelector:
          matchExpressions:
            - key: prod-canary-west
              operator: Exists
    - groupName: prod-canary-east
      groupClusterSelector:
        labelSelector:
          matchExpressions:
            - key: prod-canary-east
              operator: Exists
",
    );
    let clusters = (0..310).map(|at| {
        let canary = match at {
            0..10 => "prod-canary-west=true",
            10..20 => "prod-canary-east=true",
            _ => "",
        };
        cluster(&format!("cls{at:03}"), &format!("{CLUSTER_SET}=global {canary}"))
    });
    let clusters = fleet(clusters);
    let decisions = placement.decide(
        &clusters,
        &PlacementTable::empty(&clusters),
        &"default/placement1".into(),
        Tick(1),
    );
    let groups: Vec<(&str, usize, usize)> = decisions
        .groups
        .iter()
        .map(|group| (group.name.as_str(), group.cluster_count(), group.pages.len()))
        .collect();
    assert_eq!(
        groups,
        [
            ("prod-canary-west", 10, 1),
            ("prod-canary-east", 10, 1),
            ("", 150, 2),
            ("", 140, 2)
        ]
    );
    assert_eq!((decisions.clusters.len(), decisions.unscheduled), (310, 0));
    assert_eq!(decisions.groups[2].pages[0].len(), 100);
}

#[test]
fn sizes_of_groups() {
    let infos: Vec<ClusterInfo> = (0..10).map(|at| cluster(&format!("c{at}"), "")).collect();
    let all: Vec<&ClusterInfo> = infos.iter().collect();
    let check = |per_group: &str, clusters: usize, expect: &[usize]| {
        let strategy: DecisionStrategy = yaml(&format!(
            "groupStrategy: {{clustersPerDecisionGroup: {per_group}}}"
        ));
        let groups = decision_groups(&strategy, &all[..clusters]);
        let sizes: Vec<usize> = groups
            .iter()
            .map(presets::ocm::DecisionGroup::cluster_count)
            .collect();
        assert_eq!(sizes, expect, "{per_group}");
    };
    check("4", 10, &[4, 4, 2]);
    check("25%", 10, &[3, 3, 3, 1]);
    check("100%", 10, &[10]);
    check("0", 10, &[10]);
    check("99", 10, &[10]);
    check("3", 0, &[0]);
    assert_eq!(PerGroup::default(), PerGroup::Percent(100));
    // The first that is met has a cluster.
    let placement = Placement::new()
        .group("first", ClusterSelector::named(["c1", "c2"]))
        .group("second", ClusterSelector::named(["c2", "c3"]))
        .clusters_per_group(PerGroup::Count(8));
    let groups = decision_groups(&placement.decision_strategy, &all);
    let named: Vec<(&str, usize)> = groups
        .iter()
        .map(|group| (group.name.as_str(), group.cluster_count()))
        .collect();
    assert_eq!(named, [("first", 2), ("second", 1), ("", 7)]);
}

#[test]
fn scores_that_are_given() {
    let add_on = |name: &str| score_name("resource-usage-score", name);
    let until = Tick(10_000);
    let given = |fleet: FleetView, scores: &[(&str, &str, i64)]| {
        scores.iter().fold(fleet, |fleet, (name, cluster, score)| {
            fleet.score(add_on(name), *cluster, *score, until)
        })
    };
    // open-cluster-management.io docs/scenarios/extend-multicluster-scheduling-capabilities: both score 12.
    let two = given(
        fleet(["cluster1", "cluster2"].map(|name| cluster(name, ""))),
        &[("cpuAvailable", "cluster1", 12), ("cpuAvailable", "cluster2", 12)],
    );
    let placement: Placement = yaml(
        "
numberOfClusters: 1
prioritizerPolicy:
  mode: Exact
  configurations:
    - scoreCoordinate:
        type: AddOn
        addOn:
          resourceName: resource-usage-score
          scoreName: cpuAvailable
      weight: 1
",
    );
    let decisions = placement.decide(
        &two,
        &PlacementTable::empty(&two),
        &"default/placement1".into(),
        Tick(1),
    );
    let scores: Vec<i64> = decisions.scores[0].scores.values().copied().collect();
    assert_eq!((decisions.names(), scores), (vec!["cluster1"], vec![12, 12]));
    // open-cluster-management-io/enhancements 32-extensiblescheduling: the primary, and the backup once it is tainted.
    let recovery = Placement::new().clusters(1).mode(Mode::Exact).prioritizer(
        Prioritizer::add_on("resource-usage-score", "CustomizeDisasterRecovery"),
        1,
    );
    let [mut primary, backup] = ["primary", "backup"].map(|name| cluster(name, ""));
    let clusters = |primary: &ClusterInfo| {
        let fleet = fleet([primary.clone(), backup.clone()]);
        given(
            fleet,
            &[
                ("CustomizeDisasterRecovery", "primary", 100),
                ("CustomizeDisasterRecovery", "backup", 0),
            ],
        )
    };
    assert_eq!(decide(&recovery, &clusters(&primary), &[], Tick(1)), ["primary"]);
    // A score that is out of date counts 0, and the name decides.
    assert_eq!(decide(&recovery, &clusters(&primary), &[], until), ["backup"]);
    primary.cluster.taints = vec![Taint::new("unreachable", "", TaintEffect::NoExecute)];
    assert_eq!(
        decide(
            &recovery,
            &clusters(&primary),
            &[("test/test", &["primary"])],
            Tick(1)
        ),
        ["backup"]
    );
    // open-cluster-management-io/enhancements 225-placement-score-visibility: sorted by score, then by name.
    let h100: &[(&str, &str, i64)] = &[
        ("h100", "cluster-1", 65),
        ("h100", "cluster-2", 80),
        ("h100", "cluster-5", 10),
        ("h100", "cluster-6", 10),
    ];
    let names = ["cluster-1", "cluster-2", "cluster-5", "cluster-6"];
    let four = given(fleet(names.map(|name| cluster(name, ""))), h100);
    let mut by_score = only(Prioritizer::add_on("resource-usage-score", "h100"));
    by_score.sort_by = SortBy::Score;
    let decisions = by_score.decide(
        &four,
        &PlacementTable::empty(&four),
        &"example/h100".into(),
        Tick(1),
    );
    assert_eq!(
        decisions.groups[0].pages,
        [["cluster-2", "cluster-1", "cluster-5", "cluster-6"]]
    );
    let scores: Vec<(&str, i64)> = decisions
        .clusters
        .iter()
        .map(|ClusterDecision { cluster, score, .. }| (cluster.as_str(), *score))
        .collect();
    assert_eq!(
        scores,
        [
            ("cluster-1", 65),
            ("cluster-2", 80),
            ("cluster-5", 10),
            ("cluster-6", 10)
        ]
    );
    // A score beyond 100 counts 100.
    let more = fleet([cluster("a", "")]).score(score_name("r", "s"), "a", 1_000, until);
    assert_eq!(
        super::ocm::scores(&only(Prioritizer::add_on("r", "s")), &more, &[]),
        [100]
    );
}

/// open-cluster-management.io docs/scenarios/extend-multicluster-scheduling-capabilities, how to calculate the score:
/// 200 · (x - min) / (max - min) - 100.
#[test]
fn values_become_scores() {
    let check =
        |value, min, max, expect| assert_eq!(to_score(value, min, max), expect, "{value} {min} {max}");
    check(66, 0, 100, 32);
    check(50, 0, 100, 0);
    check(0, 0, 100, -100);
    check(-9, 0, 100, -100);
    check(100, 0, 100, 100);
    check(999, 0, 100, 100);
    check(1, 0, 3, -33);
    check(2, 0, 3, 33);
    check(5, 7, 7, -100);
    check(7, 7, 7, 100);
    check(0, i64::MIN, i64::MAX, 0);
}

/// DOC, section Debug: two clusters that are decided on score 100 by `Balance` and 100 by `Steady`.
#[test]
fn scores_of_the_debug_endpoint() {
    let two = fleet(["cluster1", "cluster2"].map(|name| cluster(name, "")));
    let decided = table(&two, &[("default/placement1", &["cluster1", "cluster2"])]);
    let decisions = Placement::new().decide(&two, &decided, &"default/placement1".into(), Tick(1));
    let expect: BTreeMap<String, i64> = [("cluster1".to_owned(), 100), ("cluster2".to_owned(), 100)].into();
    let scores: Vec<_> = decisions
        .scores
        .into_iter()
        .map(|one| (one.prioritizer, one.weight, one.scores))
        .collect();
    assert_eq!(
        scores,
        [
            (Prioritizer::Balance, 1, expect.clone()),
            (Prioritizer::Steady, 1, expect)
        ]
    );
}

#[test]
fn too_few_clusters() {
    let two = fleet(["a", "b"].map(|name| cluster(name, "")));
    let decisions =
        Placement::new()
            .clusters(5)
            .decide(&two, &PlacementTable::empty(&two), &"p".into(), Tick(1));
    assert_eq!((decisions.names(), decisions.unscheduled), (vec!["a", "b"], 3));
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

proptest! {
    #[test]
    fn decisions_are_stable(
        others in prop::collection::vec(prop::collection::vec(0..6usize, 0..5), 0..6),
        wanted in 0..7u32,
        cores in prop::collection::vec(0..9u64, 6),
        by in 0..6usize,
    ) {
        let mut infos: Vec<ClusterInfo> = NAMES
            .iter()
            .zip(&cores)
            .map(|(name, cores)| offering(name, "cpu", Some(&cores.to_string())))
            .collect();
        let clusters = fleet(infos.clone());
        let names: Vec<String> = (0..others.len()).map(|at| format!("other-{at}")).collect();
        let on: Vec<Vec<&str>> = others.iter().map(|slots| slots.iter().map(|slot| NAMES[*slot]).collect()).collect();
        let mut decided: Vec<(&str, &[&str])> =
            names.iter().zip(&on).map(|(name, on)| (name.as_str(), &on[..])).collect();
        let placement = Placement::new().clusters(wanted).prioritizer(Prioritizer::ResourceAllocatableCpu, 1);
        let first = decide(&placement, &clusters, &decided, Tick(1));
        prop_assert_eq!(first.len(), wanted.min(6) as usize);
        infos.rotate_left(by);
        prop_assert_eq!(&decide(&placement, &fleet(infos), &decided, Tick(1)), &first);
        // With `Steady`, what was decided is decided again.
        let own: Vec<&str> = first.iter().map(String::as_str).collect();
        decided.push(("test/test", &own));
        prop_assert_eq!(decide(&placement, &clusters, &decided, Tick(1)), first);
    }

    #[test]
    fn the_most_of_others_is_counted(others in prop::collection::vec(prop::collection::vec(0..6usize, 0..5), 0..6)) {
        let clusters = fleet(NAMES.map(|name| cluster(name, "")));
        let names: Vec<String> = (0..others.len()).map(|at| format!("w{at}")).collect();
        let on: Vec<Vec<&str>> = others.iter().map(|slots| slots.iter().map(|slot| NAMES[*slot]).collect()).collect();
        let decided: Vec<(&str, &[&str])> = names.iter().zip(&on).map(|(name, on)| (name.as_str(), &on[..])).collect();
        let mut table = table(&clusters, &decided);
        for name in names.iter().map(|name| WorkloadId::from(name.as_str())).chain(["nobody".into()]) {
            let most = (0..6).map(|slot| table.others_on(&name, slot)).max();
            prop_assert_eq!(Some(table.most_others(&name)), most);
        }
        // Also once something has left.
        if let Some(first) = names.first() {
            table.remove(&first.as_str().into());
        }
        let most = (0..6).map(|slot| table.count_on(slot)).max();
        prop_assert_eq!(Some(table.most_others(&"nobody".into())), most);
    }
}
