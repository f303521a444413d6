//! Who owns what after updates, creations and patches that a server does not store as it decodes them. The truth test asks
//! real servers the same.

mod support;

use fleet_diff::{Doubt, Object, Prediction, Schemas, Write, json_patch};
use serde_json::{Value, json};
use support::object;

fn of_kubernetes(version: &str) -> Schemas {
    Schemas::for_kubernetes(version).unwrap()
}

fn stored(prediction: Prediction) -> Object {
    match prediction {
        Prediction::Object(object) => object,
        other => panic!("{other:?}"),
    }
}

fn created(document: &Value, manager: &str, schemas: &Schemas) -> Object {
    stored(Write::update(&object(document.clone()), manager, schemas).predict())
}

fn merged(live: &Object, patch: &Value, manager: &str, schemas: &Schemas) -> Object {
    stored(
        Write::merge_patch(patch, manager, schemas)
            .to(Some(live))
            .predict(),
    )
}

/// What is at a pointer of the fields of a manager.
fn owned(object: &Object, manager: &str, pointer: &str) -> Option<Value> {
    let owners = support::owners(object).into_iter();
    let mut own = owners.filter(|(who, _)| who.starts_with(&format!("{manager} ")));
    own.find_map(|(_, fields)| fields.pointer(pointer).cloned())
}

fn role(rules: Value) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"namespace": "shop", "name": "nothing"}, "rules": rules,
    })
}

#[test]
fn an_empty_list_is_owned_where_the_type_writes_it() {
    let schemas = of_kubernetes("1.37");
    for (rules, expect) in [(json!([]), Some(json!({}))), (json!(null), None)] {
        let role = created(&role(rules.clone()), "editor", &schemas);
        assert_eq!(role.root().get("rules").unwrap().to_json(), json!(null));
        assert_eq!(owned(&role, "editor", "/f:rules"), expect, "{rules}");
    }
}

#[test]
fn a_patch_that_empties_what_is_left_out_when_empty_changes_nothing() {
    let set = json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet", "metadata": {"namespace": "shop", "name": "old"},
        "spec": {"selector": {"matchLabels": {"app": "old"}}, "template": {
            "metadata": {"labels": {"app": "old"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}},
    });
    let schemas = of_kubernetes("1.37");
    let live = created(&set, "editor", &schemas);
    let patch = json!({"spec": {"replicas": 2, "selector": {"matchExpressions": []}}});
    let after = merged(&live, &patch, "patcher", &schemas);
    assert_eq!(
        owned(&after, "patcher", "/f:spec"),
        Some(json!({"f:replicas": {}}))
    );
    assert_eq!(owned(&after, "editor", "/f:spec/f:selector"), Some(json!({})));
}

/// Devices are one value to those who merge, and Go compares those structure by structure.
#[test]
fn a_list_that_is_one_value_changes_hands_by_how_go_holds_its_quantities() {
    let slice = json!({
        "apiVersion": "resource.k8s.io/v1", "kind": "ResourceSlice", "metadata": {"name": "a"},
        "spec": {"driver": "a.example.net", "allNodes": true,
            "pool": {"name": "a", "generation": 1, "resourceSliceCount": 1},
            "devices": [{"name": "one", "capacity": {
                "even": {"value": "40Gi"}, "odd": {"value": "1Gi"}, "count": {"value": "2"}}}]},
    });
    let schemas = of_kubernetes("1.37");
    let live = created(&slice, "editor", &schemas);
    let cases = [
        ("even", json!("40960Mi"), false),
        ("odd", json!("1024Mi"), true),
        ("count", json!(2), false),
        ("count", json!("2000m"), true),
        ("even", json!("41Gi"), true),
    ];
    for (capacity, value, changes) in cases {
        let mut devices = slice["spec"]["devices"].clone();
        devices[0]["capacity"][capacity]["value"] = value.clone();
        let patch = json!({"spec": {"devices": devices}});
        let after = merged(&live, &patch, "patcher", &schemas);
        let is_taken = owned(&after, "patcher", "/f:spec/f:devices").is_some();
        assert_eq!(is_taken, changes, "{capacity} {value}");
        assert_eq!(owned(&after, "editor", "/f:spec/f:devices").is_none(), changes);
    }
}

/// Strategies come after those who look at owners.
#[test]
fn what_a_strategy_drops_is_owned_and_what_it_fills_in_is_not() {
    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"namespace": "shop", "name": "a"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}},
            "dataSource": {"apiGroup": "snapshot.storage.k8s.io", "kind": "VolumeSnapshot", "name": "b"}},
    });
    let lease = json!({
        "apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": {"namespace": "shop", "name": "a"},
        "spec": {"holderIdentity": "a", "preferredHolder": "b"},
    });
    let with_template = |template: Value| {
        json!({
            "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"namespace": "shop", "name": "a"},
            "template": template,
        })
    };
    let signal = with_template(
        json!({"spec": {"containers": [{"name": "a", "image": "a:1", "lifecycle": {"stopSignal": "SIGHUP"}}]}}),
    );
    let old = with_template(json!({
        "metadata": {"annotations": {"pod.beta.kubernetes.io/init-containers": "[]"}},
        "spec": {"containers": [{"name": "a", "image": "a:1"}]},
    }));
    let cases = [
        // What is asked about, and whether it is there and owned.
        (
            &claim,
            "1.37",
            "/spec/dataSource",
            "/f:spec/f:dataSource",
            true,
            true,
        ),
        (
            &claim,
            "1.37",
            "/spec/dataSourceRef",
            "/f:spec/f:dataSourceRef",
            true,
            false,
        ),
        (
            &lease,
            "1.37",
            "/spec/preferredHolder",
            "/f:spec/f:preferredHolder",
            false,
            true,
        ),
        (
            &signal,
            "1.37",
            "/template/spec/containers/0/lifecycle",
            "/f:template/f:spec/f:containers/k:{\"name\":\"a\"}/f:lifecycle/f:stopSignal",
            false,
            true,
        ),
        // Until then a conversion dropped it.
        (
            &old,
            "1.36",
            "/template/metadata/annotations",
            "/f:template/f:metadata/f:annotations",
            false,
            false,
        ),
        (
            &old,
            "1.37",
            "/template/metadata/annotations",
            "/f:template/f:metadata/f:annotations",
            false,
            true,
        ),
    ];
    for (document, version, at, owner_of, is_there, is_owned) in cases {
        let object = created(document, "editor", &of_kubernetes(version));
        let value = object.to_json().pointer(at).cloned();
        assert_eq!(value.is_some(), is_there, "{version} {at}: {value:?}");
        let fields = owned(&object, "editor", owner_of);
        assert_eq!(fields.is_some(), is_owned, "{version} {owner_of}: {fields:?}");
    }
}

#[test]
fn a_daemon_set_counts_its_templates_in_an_annotation() {
    let schemas = of_kubernetes("1.37");
    let annotation = "deprecated.daemonset.template.generation";
    let with = |said: Option<&str>| {
        object(json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet",
            "metadata": {"namespace": "shop", "name": "a", "annotations": said.map(|said| json!({annotation: said}))},
            "spec": {"selector": {"matchLabels": {"app": "a"}}, "template": {
                "metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}},
        }))
    };
    // What is said of a new one, and what comes of it.
    let cases = [
        (None, Some("1")),
        (Some("-3"), Some("1")),
        (Some("1"), Some("1")),
        (Some("0050"), Some("50")),
        (Some("one"), None),
    ];
    for (said, expect) in cases {
        match Write::update(&with(said), "editor", &schemas).predict() {
            Prediction::Object(object) => {
                assert_eq!(
                    object.to_json()["metadata"]["annotations"][annotation],
                    json!(expect),
                    "{said:?}"
                );
            }
            Prediction::Refused(refusal) => assert!(expect.is_none(), "{said:?}: {refusal}"),
            other => panic!("{other:?}"),
        }
    }
    let live = created(&with(Some("50")).to_json(), "editor", &schemas);
    for (image, expect) in [("a:1", "50"), ("a:2", "51")] {
        let containers = json!([{"name": "a", "image": image}]);
        let patch = json!({"metadata": {"annotations": {annotation: "7"}}, "spec": {"template": {"spec": {"containers": containers}}}});
        let after = merged(&live, &patch, "patcher", &schemas).to_json();
        assert_eq!(after["metadata"]["annotations"][annotation], expect, "{image}");
    }
}

#[test]
fn what_a_daemon_set_does_not_use_is_stored_as_numbers() {
    let schemas = of_kubernetes("1.37");
    let cases = [
        (json!({"type": "OnDelete"}), json!({"type": "OnDelete"})),
        (
            json!({"type": "OnDelete", "rollingUpdate": {"maxUnavailable": 2}}),
            json!({"type": "OnDelete", "rollingUpdate": {"maxUnavailable": 2, "maxSurge": 0}}),
        ),
        (
            json!({"rollingUpdate": {"maxSurge": 1}}),
            json!({"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 1}}),
        ),
    ];
    for (strategy, expect) in cases {
        let set = json!({
            "apiVersion": "apps/v1", "kind": "DaemonSet", "metadata": {"namespace": "shop", "name": "a"},
            "spec": {"updateStrategy": strategy, "selector": {"matchLabels": {"app": "a"}}, "template": {
                "metadata": {"labels": {"app": "a"}}, "spec": {"containers": [{"name": "a", "image": "a:1"}]}}},
        });
        let set = created(&set, "editor", &schemas).to_json();
        assert_eq!(set["spec"]["updateStrategy"], expect);
    }
}

#[test]
fn a_status_of_a_job_takes_nothing_back() {
    let schemas = of_kubernetes("1.37");
    let job = |suspend: bool| {
        let job = json!({
            "apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "shop", "name": "a"},
            "spec": {"suspend": suspend, "completions": 3, "parallelism": 3, "template": {
                "spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}},
        });
        let mut job = created(&job, "editor", &schemas).to_json();
        job["status"] = json!({"startTime": "2026-01-02T03:04:05Z", "succeeded": 2, "failed": 1});
        if suspend {
            job["status"]["conditions"] = json!([{"type": "Suspended", "status": "True"}]);
        }
        object(job)
    };
    let resumed = json!([{"type": "Suspended", "status": "False"}]);
    let cases = [
        (false, json!({"active": 1}), true),
        (false, json!({"startTime": null}), false),
        (false, json!({"startTime": "2027-01-02T03:04:05Z"}), false),
        (true, json!({"startTime": null}), true),
        (true, json!({"startTime": null, "conditions": resumed}), true),
        (false, json!({"succeeded": 1}), false),
        (false, json!({"failed": 0}), false),
        (false, json!({"failed": 2, "succeeded": 3}), true),
        (false, json!(null), false),
    ];
    for (suspend, status, is_taken) in cases {
        let (live, patch) = (job(suspend), json!({"status": status}));
        let write = Write::merge_patch(&patch, "controller", &schemas)
            .to(Some(&live))
            .through("status");
        let prediction = write.predict();
        assert_eq!(
            matches!(prediction, Prediction::Object(_)),
            is_taken,
            "{suspend} {status}: {prediction:?}"
        );
    }
}

#[test]
fn what_validation_refuses_is_refused() {
    let pod = |resources: Value| {
        json!({
            "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"namespace": "shop", "name": "a"},
            "template": {"spec": {"containers": [{"name": "a", "image": "a:1", "resources": resources}]}},
        })
    };
    let level = |response: Value| {
        json!({
            "apiVersion": "flowcontrol.apiserver.k8s.io/v1", "kind": "PriorityLevelConfiguration",
            "metadata": {"name": "a"},
            "spec": {"type": "Limited", "limited": {"limitResponse": response}},
        })
    };
    let cases = [
        (
            pod(json!({"limits": {"memory": "1Gi"}, "requests": {"memory": "1024Mi"}})),
            true,
        ),
        (
            pod(json!({"limits": {"memory": "1Gi"}, "requests": {"memory": "2Gi"}})),
            false,
        ),
        (
            pod(json!({"limits": {"memory": "1Gi"}, "requests": {"cpu": "2", "memory": "1Mi"}})),
            true,
        ),
        (
            pod(json!({"limits": {"a.net/gpu": "2"}, "requests": {"a.net/gpu": "1"}})),
            false,
        ),
        (pod(json!({"limits": {"a.net/gpu": "2"}})), true),
        (level(json!({"type": "Queue", "queuing": {"queues": 16}})), true),
        (level(json!({"type": "Queue"})), false),
        (level(json!({"type": "Reject"})), true),
        (level(json!({"type": "Reject", "queuing": {}})), false),
    ];
    let schemas = of_kubernetes("1.37");
    for (document, is_taken) in cases {
        let prediction = Write::update(&object(document.clone()), "editor", &schemas).predict();
        let is_as_expected = match prediction {
            Prediction::Object(_) => is_taken,
            Prediction::Refused(_) => !is_taken,
            _ => false,
        };
        assert!(is_as_expected, "{document}: {prediction:?}");
    }
}

#[test]
fn a_new_binding_has_each_action_once() {
    let binding = |actions: Value| {
        object(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingAdmissionPolicyBinding",
            "metadata": {"name": "a"}, "spec": {"policyName": "a", "validationActions": actions},
        }))
    };
    let schemas = of_kubernetes("1.37");
    for (actions, is_taken) in [
        (json!(["Warn", "Audit"]), true),
        (json!(["Warn", "Warn"]), false),
        (json!(["Deny", "Warn"]), false),
    ] {
        let prediction = Write::update(&binding(actions.clone()), "editor", &schemas).predict();
        assert_eq!(
            matches!(prediction, Prediction::Object(_)),
            is_taken,
            "{actions}: {prediction:?}"
        );
        assert!(
            is_taken || matches!(prediction, Prediction::Refused(_)),
            "{prediction:?}"
        );
    }
}

/// A server compares texts with such characters in two spellings: a test of them would never pass.
#[test]
fn a_patch_of_ours_passes_its_own_tests() {
    let settings = |text: &str| {
        json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a"},
            "data": {"rule": text, "other": "a"},
        })
    };
    let schemas = of_kubernetes("1.37");
    for text in ["a", "a < b", "a > b", "a & b", "a\u{2028}b"] {
        let live = created(&settings(text), "editor", &schemas);
        let before = live.to_json();
        let mut after = before.clone();
        after["data"] = json!({"rule": "b"});
        let patch = json_patch(&before, &after);
        let after = stored(
            Write::json_patch(&patch, "patcher", &schemas)
                .to(Some(&live))
                .predict(),
        );
        assert_eq!(after.to_json()["data"], json!({"rule": "b"}), "{text}");
    }
}

#[test]
fn nobody_knows_how_json_of_others_is_spelled() {
    let claim = |note: &str| {
        json!({
            "apiVersion": "resource.k8s.io/v1", "kind": "ResourceClaim", "metadata": {"namespace": "shop", "name": "a"},
            "spec": {"devices": {
                "requests": [{"name": "a", "exactly": {"deviceClassName": "a"}}],
                "config": [{"opaque": {"driver": "a", "parameters": {"note": note}}}]}},
        })
    };
    let schemas = of_kubernetes("1.37");
    let (patch, labels) = (json!({"metadata": {"labels": {"a": "b"}}}), "/metadata/labels");
    let live = created(&claim("a"), "editor", &schemas);
    assert!(
        merged(&live, &patch, "patcher", &schemas)
            .to_json()
            .pointer(labels)
            .is_some()
    );
    let live = created(&claim("a < b"), "editor", &schemas);
    let prediction = Write::merge_patch(&patch, "patcher", &schemas)
        .to(Some(&live))
        .predict();
    let doubt = Doubt::Spelling(".spec.devices.config[*].opaque.parameters".to_owned());
    assert_eq!(prediction, Prediction::Unsure(doubt));
    let prediction = Write::merge_patch(&patch, "patcher", &schemas)
        .to(Some(&live))
        .regardless_of_doubt(true)
        .predict();
    assert!(stored(prediction).to_json().pointer(labels).is_some());
}

/// As without `fieldValidation=Strict`: what a type does not have is dropped, wherever it is, and nothing else.
#[test]
fn unknown_fields_are_dropped_in_maps_and_in_items_of_lists() {
    let schemas = of_kubernetes("1.36");
    let deployment = |unknown: bool| {
        let mut made = json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
            "spec": {
                "selector": {"matchLabels": {"app": "web"}},
                "template": {
                    "metadata": {"labels": {"app": "web"}},
                    "spec": {"containers": [
                        {"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]},
                        {"name": "side", "image": "side:1", "args": ["a", "b"]},
                    ]},
                },
            },
        });
        if unknown {
            made["spec"]["unknown"] = json!({"a": [1]});
            made["spec"]["template"]["spec"]["containers"][0]["imagePullpolicy"] = "Always".into();
            made["spec"]["template"]["spec"]["containers"][0]["ports"][0]["containerport"] = 81.into();
        }
        created(&made, "fleet", &schemas)
    };
    let (with, without) = (deployment(true), deployment(false));
    assert_eq!(with.root().to_json(), without.root().to_json());
    let containers = with
        .root()
        .at(&["spec", "template", "spec", "containers"])
        .unwrap();
    assert_eq!(containers.items().count(), 2);
    assert!(
        containers
            .items()
            .all(|container| container.get("imagePullPolicy").is_some())
    );
}

/// A value of another shape than its type's is refused, not emptied along with what is unknown in it.
#[test]
fn a_list_in_the_place_of_a_mapping_is_refused_and_the_other_way_round() {
    let schemas = of_kubernetes("1.36");
    let template = |labels: Value, containers: Value| {
        json!({
            "apiVersion": "v1", "kind": "PodTemplate", "metadata": {"namespace": "shop", "name": "web"},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"affinity": labels, "containers": containers}},
        })
    };
    let web = json!([{"name": "web", "image": "web:1"}]);
    for (affinity, containers) in [
        (json!([{"nodeAffinity": {}}]), web.clone()),
        (json!(["nodeAffinity"]), web),
        (json!({}), json!({"name": "web", "image": "web:1"})),
    ] {
        let sent = object(template(affinity.clone(), containers.clone()));
        let prediction = Write::update(&sent, "fleet", &schemas).predict();
        assert!(
            matches!(prediction, Prediction::Refused(_)),
            "{affinity} {containers}: {prediction:?}"
        );
    }
}
