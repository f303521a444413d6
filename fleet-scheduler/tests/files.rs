//! Files as people write them: what is read, and what every mistake is told as.

use fleet_core::{ContactState, LifeCycle, Millis, Tick};
use fleet_scheduler::*;
use serde_json::{Value, json};

/// A workload with these fields in the place of its own.
fn workload(fields: Value) -> Result<Workload, String> {
    let mut written = json!({"name": "shop/web", "targets": [{"replicas": 1}]});
    let Value::Object(fields) = fields else {
        unreachable!()
    };
    written.as_object_mut().unwrap().extend(fields);
    serde_json::from_value(written).map_err(|error| error.to_string())
}

fn clusters(file: Value) -> Result<ClusterFile, String> {
    serde_json::from_value(file).map_err(|error| error.to_string())
}

fn fleet(file: Value) -> Result<(FleetView, PlannerOptions), String> {
    clusters(file)?.build().map_err(|error| error.to_string())
}

#[test]
fn policies_are_words_or_words_with_more() {
    let ten = Millis::from_mins(10);
    for (written, expect) in [
        (json!("hold"), LostPolicy::Hold),
        (json!("shrink"), LostPolicy::Shrink),
        (
            json!({"respin": {"after": "10m"}}),
            LostPolicy::Respin { after: ten },
        ),
        (
            json!({"respin": {"after": 600_000}}),
            LostPolicy::Respin { after: ten },
        ),
        (json!({"follow": "shop/db"}), LostPolicy::Follow("shop/db".into())),
    ] {
        let read = workload(json!({"lost": written})).unwrap();
        assert_eq!(read.lost, expect, "{written}");
        let again = workload(json!({"lost": serde_json::to_value(&expect).unwrap()})).unwrap();
        assert_eq!(again.lost, expect, "{written}");
    }
    for (written, expect) in [
        (json!("nothing"), Survives::Nothing),
        (json!("any-cluster"), Survives::AnyCluster),
        (json!({"any-domain": "zone"}), Survives::AnyDomain("zone".into())),
    ] {
        let read = workload(json!({"survives": written})).unwrap();
        assert_eq!(read.survives, expect, "{written}");
        let again = workload(json!({"survives": serde_json::to_value(&expect).unwrap()})).unwrap();
        assert_eq!(again.survives, expect, "{written}");
    }
}

#[test]
fn what_files_say_can_be_built() {
    let written = workload(json!({
        "uid": "u-1", "preempts": true, "kinds": ["Pod.v1"], "completes": true, "survives": "any-cluster",
        "expires": 5, "beside": [{"workload": "a", "over": "zone"}],
        "apart": [{"workload": "b", "preferred": true}], "data": [{"name": "d", "preferred": true}],
    }));
    let built = Workload::new("shop/web", [Target::replicas(1)])
        .uid("u-1")
        .preempts()
        .kinds(["Pod.v1"])
        .completes()
        .survives(Survives::AnyCluster)
        .expires(Tick(5))
        .beside_as(Relation::required("a").over("zone"))
        .apart_as(Relation::required("b").preferred())
        .data(Data::required("d").preferred());
    assert_eq!(written.unwrap(), built);
}

#[test]
fn spans_and_times_are_read_as_people_write_them() {
    let read =
        workload(json!({"moves": {"limit": 5, "per": "1h30m"}, "expires": "2026-11-27T19:04:00Z"})).unwrap();
    assert_eq!(read.moves.per, Millis::from_mins(90));
    assert_eq!(read.expires, Some(Tick(1_795_806_240_000)));
    let again: Workload = serde_json::from_value(serde_json::to_value(&read).unwrap()).unwrap();
    assert_eq!(again, read);
    assert_eq!(workload(json!({"expires": null})).unwrap().expires, None);
}

#[test]
fn every_mistake_in_a_workload_is_told() {
    for (fields, expect) in [
        (json!({"replicas": 3}), "unknown field `replicas`"),
        (json!({"targets": null}), "invalid type: null"),
        (json!({"targets": [{}]}), "a target needs either `each`"),
        (
            json!({"targets": [{"each": 1, "replicas": 2}]}),
            "a target needs either `each`",
        ),
        (
            json!({"targets": [{"each": 1, "divideBy": "cost"}]}),
            "go with `replicas`, not with `each`",
        ),
        (
            json!({"targets": [{"replicas": 1, "elseWhere": [{}]}]}),
            "`elseWhere` needs `where`",
        ),
        (
            json!({"targets": [{"replicas": -1}]}),
            "invalid value: integer `-1`",
        ),
        (
            json!({"targets": [{"replicas": 1.5}]}),
            "invalid type: floating point `1.5`",
        ),
        (
            json!({"targets": [{"replicas": 1, "spread": [{"over": "zone", "min": 4_294_967_296_u64}]}]}),
            "4294967296",
        ),
        (
            json!({"targets": [{"replicas": 1, "where": {"labels": {}}}]}),
            "unknown field `labels`",
        ),
        (
            json!({"targets": [{"replicas": 1, "where": {"matchExpressions": [{"key": "a", "operator": "In"}]}}]}),
            "a: In needs at least one value",
        ),
        (
            json!({"targets": [{"replicas": 1, "where":
                {"matchProperties": [{"key": "a", "operator": "Gt", "values": ["much"]}]}}]}),
            "a: Gt needs one whole number",
        ),
        (json!({"needs": {"cpu": "-1"}}), "cpu: -1 is negative"),
        (json!({"needs": {"cpu": -1}}), "cpu: -1 is negative"),
        (
            json!({"needs": {"cpu": "1e18"}}),
            "cpu: 1e18 is too large to be counted",
        ),
        (
            json!({"needs": {"memory": "9999999999Ei"}}),
            "memory: 9999999999Ei is too large to be counted: 9223372036854775807 is the most",
        ),
        (
            json!({"needs": {"memory": "1 GB"}}),
            "memory: \"1 GB\" is not a quantity",
        ),
        (
            json!({"lost": "respin"}),
            "`respin` needs a time: write {respin: {after: 10m}}",
        ),
        (json!({"lost": "follow"}), "`follow` needs a workload"),
        (json!({"lost": "wait"}), "unknown variant `wait`"),
        (json!({"lost": {"respin": {}}}), "missing field `after`"),
        (
            json!({"lost": {"respin": {"after": "10"}}}),
            "`10` is not a span of time",
        ),
        (
            json!({"lost": {"respin": {"after": -5}}}),
            "expected a span of time such as 10m",
        ),
        (
            json!({"lost": {"respin": {"afer": "10m"}}}),
            "unknown field `afer`",
        ),
        (
            json!({"lost": {"respin": {"after": "1m"}, "follow": "a"}}),
            "exclude each other",
        ),
        (json!({"lost": {"hold": {}}}), "`hold` stands alone"),
        (
            json!({"lost": {}}),
            "one of respin, hold, shrink, follow is missing",
        ),
        (json!({"lost": 5}), "expected hold, shrink"),
        (json!({"survives": "any-domain"}), "`any-domain` needs a label"),
        (
            json!({"survives": {"any-cluster": 1}}),
            "`any-cluster` stands alone",
        ),
        (
            json!({"survives": {"any-zone": "a"}}),
            "unknown variant `any-zone`",
        ),
        (json!({"expires": "2026-11-27"}), ""),
        (json!({"expires": "2026-11-27T19:04:00"}), "end it with Z for UTC"),
        (
            json!({"expires": -1}),
            "expected a time like 2026-11-27T19:04:00Z",
        ),
        (
            json!({"moves": {"per": "999999999999d"}}),
            "is not a span of time that can be counted",
        ),
        (
            json!({"tolerations": [{"effect": "NoSelect"}]}),
            "unknown variant `NoSelect`",
        ),
        (json!({"priority": 99_999_999_999_u64}), "99999999999"),
    ] {
        match workload(fields.clone()) {
            Ok(_) => assert_eq!(expect, "", "{fields} was read"),
            Err(error) => assert!(!expect.is_empty() && error.contains(expect), "{fields}: {error}"),
        }
    }
}

#[test]
fn clusters_are_a_list_or_a_mapping() {
    let list = json!({"clusters": [{"name": "a", "labels": {"x": "1"}}, {"name": "b"}]});
    let map = json!({"clusters": {"b": null, "a": {"labels": {"x": "1"}}}});
    let (listed, mapped) = (clusters(list).unwrap(), clusters(map).unwrap());
    assert_eq!(listed, mapped);
    // As a registry file has it.
    let registry = json!({"clusters": {"eu-1": {
        "uid": "8e1f1f0c", "labels": {"region": "eu"}, "properties": {"provider": "example"}, "cost": {"cpu-hour": 31},
        "lifeCycle": "cordoned", "paused": "upgrade",
        "maintenance": {"windows": [{"days": ["sat"], "from": "08:00", "until": "18:00"}]},
    }}});
    let (fleet, _) = fleet(registry).unwrap();
    let cluster = &fleet.get("eu-1").unwrap().cluster;
    assert_eq!(cluster.life_cycle, LifeCycle::Cordoned);
    assert_eq!(cluster.expected_id.as_ref().unwrap().as_str(), "8e1f1f0c");
    assert_eq!(cluster.maintenance.windows.len(), 1);
}

#[test]
fn what_is_not_said_is_not_known() {
    let file = json!({"clusters": [
        {"name": "a"},
        {"name": "b", "kinds": ["Pod.v1"]},
        {"name": "c", "allocatable": {"cpu": "4"}, "contact": "lost"},
        {"name": "d", "contact": {"state": "lost", "since": "1970-01-01T00:00:09Z"}},
    ]});
    let (fleet, options) = fleet(file).unwrap();
    let cluster = |name: &str| fleet.get(name).unwrap();
    assert_eq!(
        (cluster("a").capacity.as_ref(), cluster("a").contact),
        (None, None)
    );
    assert_eq!(
        cluster("b")
            .capacity
            .as_ref()
            .unwrap()
            .kinds
            .as_ref()
            .unwrap()
            .len(),
        1
    );
    assert_eq!(cluster("c").capacity.as_ref().unwrap().observed_at, Tick(0));
    assert_eq!(cluster("c").contact.unwrap().state, ContactState::Lost);
    assert_eq!(cluster("c").lost_since(), Some(Tick(0)));
    assert_eq!(cluster("d").lost_since(), Some(Tick(9_000)));
    assert_eq!(options, PlannerOptions::default());
}

#[test]
fn what_is_said_of_clusters_counts() {
    let file = json!({
        "clusters": [{"name": "a"}, {"name": "b"}],
        "data": [
            {"name": "orders", "clusters": ["a"]},
            {"name": "orders", "clusters": ["b"], "until": "1970-01-01T00:00:01Z"},
        ],
        "scores": [{"name": "latency", "clusters": {"b": -5}, "until": 1000}],
        "budgets": {"cluster": {"limit": 7, "per": "2h"}},
        "storm": {"atLeast": 1, "percent": 100},
        "calm": {"rest": "5m"},
    });
    let (fleet, options) = fleet(file).unwrap();
    assert_eq!(
        fleet.data_on("orders", "a", Tick(5_000)),
        Some(Some(Tick(u64::MAX)))
    );
    assert_eq!(fleet.data_on("orders", "b", Tick(500)), Some(Some(Tick(1_000))));
    assert_eq!(fleet.data_on("orders", "b", Tick(5_000)), Some(None));
    assert_eq!(fleet.external_score("latency", "b", Tick(999)), Some(-5));
    assert_eq!(fleet.external_score("latency", "b", Tick(1_000)), None);
    assert_eq!(options.budgets.cluster, Rate::new(7, Millis::from_mins(120)));
    assert_eq!(options.budgets.fleet, Budgets::default().fleet);
    assert_eq!((options.storm.at_least, options.storm.percent), (1, 100));
    assert_eq!(options.storm.domain, StormBreaker::default().domain);
    assert_eq!(
        (options.calm.rest, options.calm.tolerance),
        (Millis::from_mins(5), Calm::default().tolerance)
    );
}

#[test]
fn every_mistake_in_clusters_is_told() {
    let one = |fields: Value| {
        let mut cluster = json!({"name": "a"});
        let Value::Object(fields) = fields else {
            unreachable!()
        };
        cluster.as_object_mut().unwrap().extend(fields);
        json!({"clusters": [cluster]})
    };
    for (file, expect) in [
        (one(json!({"label": {}})), "unknown field `label`"),
        (
            one(json!({"labels": {"a": 1}})),
            "invalid type: integer `1`, expected a string",
        ),
        (one(json!({"lifeCycle": "redy"})), "unknown variant `redy`"),
        (one(json!({"allocatable": {"cpu": "-4"}})), "cpu: -4 is negative"),
        (
            one(json!({"requested": {"memory": "lots"}})),
            "memory: \"lots\" is not a quantity",
        ),
        (
            one(json!({"allocatable": {"cpu": "1e18"}})),
            "cpu: 1e18 is too large to be counted",
        ),
        (one(json!({"cost": {"cpu": "cheap"}})), "expected i64"),
        (one(json!({"taints": [{"key": "a"}]})), "missing field `effect`"),
        (
            one(json!({"taints": [{"effect": "NoSchedule"}]})),
            "missing field `key`",
        ),
        (one(json!({"contact": "gone"})), "unknown variant `gone`"),
        (one(json!({"contact": {"since": 0}})), "missing field `state`"),
        (
            one(json!({"observedAt": "yesterday"})),
            "`yesterday` is not a time",
        ),
        (json!({"clusters": [{}]}), "missing field `name`"),
        (json!({"clusters": [{"name": ""}]}), "missing field `name`"),
        (json!({"clusters": {"a": {"name": "b"}}}), "it is called a and b"),
        (json!({"clusters": {"": {}}}), "a cluster has no name"),
        (
            json!({"clusters": 5}),
            "a list of clusters, or a mapping of clusters by name",
        ),
        (
            json!({"clusters": [{"name": "a"}, {"name": "a"}]}),
            "cluster a is listed twice",
        ),
        (
            json!({"data": [{"name": "d", "clusters": ["a"]}]}),
            "data d names cluster a, which is not listed",
        ),
        (
            json!({"scores": [{"name": "s", "clusters": {"a": 1}}]}),
            "score s names cluster a, which is not listed",
        ),
        (
            json!({"scores": [{"name": "s", "clusters": {}}, {"name": "s", "clusters": {}}]}),
            "`scores s` is said twice",
        ),
        (
            json!({"budgets": {"fleet": {"limit": -1, "per": "1h"}}}),
            "integer `-1`",
        ),
        (json!({"budgets": {"fleet": {"limit": 1}}}), "missing field `per`"),
        (
            json!({"storm": {"percent": 101}}),
            "integer `101`, expected a percentage, a whole number from 0 to 100",
        ),
        (json!({"storm": {"percent": -1}}), "expected a percentage"),
        (
            json!({"storm": {"atLeast": 0}}),
            "integer `0`, expected a whole number, at least 1",
        ),
        (
            json!({"calm": {"tolerance": 200}}),
            "integer `200`, expected a percentage",
        ),
        (
            json!({"budgets": {"cluster": {"limit": 1, "per": "0s"}}}),
            "a limit for no time limits nothing",
        ),
        (json!({"cluster": []}), "unknown field `cluster`"),
    ] {
        let error = fleet(file.clone()).map(|_| ()).unwrap_err();
        assert!(error.contains(expect), "{file}: {error}");
    }
    let said = || clusters(json!({"storm": {"percent": 50}})).unwrap();
    let twice = said().join(said()).unwrap_err().to_string();
    assert!(twice.contains("`storm` is said twice"), "{twice}");
}

#[test]
fn what_nobody_can_have_decided_is_refused() {
    let placement = |counts: &[u64]| {
        let clusters = counts
            .iter()
            .enumerate()
            .map(|(at, count)| (format!("c-{at}"), json!({"replicas": count})));
        let clusters: serde_json::Map<String, Value> = clusters.collect();
        serde_json::from_value::<Placement>(json!({"targets": {"1": clusters}}))
            .map_err(|error| error.to_string())
    };
    let most = divide::MAX_REPLICAS;
    assert_eq!(
        placement(&[most - 1, 1]).unwrap().active().values().sum::<u64>(),
        most
    );
    for counts in [&[most + 1][..], &[most, 1], &[u64::MAX, u64::MAX]] {
        let error = placement(counts).unwrap_err();
        assert!(
            error.contains("more replicas than 4294967295"),
            "{counts:?}: {error}"
        );
    }
}

#[test]
fn no_clusters_are_a_fleet_of_none() {
    let (fleet, options) = fleet(json!({})).unwrap();
    let mut planner = Planner::new(Scheduler::default(), fleet, options);
    planner.set(workload(json!({})).unwrap());
    let round = planner.decide(&Facts::none(), Tick(1));
    assert_eq!(round["shop/web"].outcome, Outcome::Unschedulable);
}

#[test]
fn an_empty_list_of_clusters_is_not_any_cluster() {
    let target = |text: &str| serde_json::from_str::<Target>(text).map_err(|error| error.to_string());
    assert!(target(r#"{"each": 1}"#).is_ok());
    let error = target(r#"{"each": 1, "clusters": []}"#).unwrap_err();
    assert!(
        error.contains("`clusters` is an empty list: leave it out where any cluster will do"),
        "{error}"
    );
}

#[test]
fn placements_with_more_that_go_than_there_are_cannot_have_been_decided() {
    let placement = |assignment: &str| {
        let text = format!(r#"{{"targets": {{"1": {{"a": {assignment}}}}}}}"#);
        serde_json::from_str::<Placement>(&text).map_err(|error| error.to_string())
    };
    assert!(placement(r#"{"replicas": 8, "going": 5, "held": 3}"#).is_ok());
    for (wrong, expect) in [
        (
            r#"{"replicas": 8, "going": 50}"#,
            "50 going and 0 held of 8 replicas on cluster a",
        ),
        (
            r#"{"replicas": 8, "going": 5, "held": 4}"#,
            "5 going and 4 held of 8",
        ),
        (r#"{"replicas": 8, "seen": 9}"#, "9 of them seen"),
    ] {
        let error = placement(wrong).unwrap_err();
        assert!(error.contains(expect), "{error}");
    }
}
