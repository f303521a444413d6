//! What others do to our objects, and what we then do.

mod support;

use fleet_diff::{
    Action, Apply, Doubt, Prediction, RuleSet, Rules, Schemas, Verdict, managers_of, migrate_updates,
};
use serde_json::{Value, json};
use support::{applied, decide, decide_by, forced, object, path, updated, verdict};

fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
}

fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (outer, key) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(outer).unwrap()[key] = new;
    value
}

/// Nothing happens, and the field is somebody else's.
fn assert_left_alone(desired: &Value, live: &fleet_diff::Object, field: &str, expect: Verdict) {
    decide(desired, live, |decision| {
        assert_eq!(decision.action(), Action::None, "{:?}", decision.changes());
        assert_eq!(verdict(&decision, field), expect, "{field}");
    });
}

#[test]
fn an_autoscaler_keeps_its_replicas() {
    let scale = |live: &fleet_diff::Object| {
        updated(live, "kube-controller-manager", "scale", |live| {
            live["spec"]["replicas"] = json!(7);
        })
    };
    let live = scale(&applied(None, &deployment(), "fleet"));
    assert_left_alone(&deployment(), &live, ".spec.replicas", Verdict::Foreign);

    // Also where the definition says something else: it is given up once, and then left alone.
    let two = with(deployment(), "/spec/replicas", json!(2));
    let live = scale(&applied(None, &two, "fleet"));
    decide(&two, &live, |decision| {
        assert_eq!(decision.action(), Action::None, "{:?}", decision.changes());
        assert_eq!(verdict(&decision, ".spec.replicas"), Verdict::Foreign);
        let rule = decision
            .fields()
            .into_iter()
            .find(|field| field.path == path(".spec.replicas"))
            .unwrap()
            .rule;
        assert_eq!(rule.as_deref(), Some("workload/autoscaled"));
    });
    // A person's scaling is drift.
    let live = applied(None, &two, "fleet");
    let live = updated(&live, "kubectl", "scale", |live| {
        live["spec"]["replicas"] = json!(7);
    });
    decide(&two, &live, |decision| {
        assert_eq!(decision.action(), Action::Update);
        assert_eq!(verdict(&decision, ".spec.replicas"), Verdict::OursToChange);
    });
}

#[test]
fn a_field_is_handed_over_to_an_autoscaler_without_a_reset() {
    let before = applied(None, &with(deployment(), "/spec/replicas", json!(5)), "fleet");
    // Dropped without a rule it falls back to the default.
    decide(&deployment(), &before, |decision| {
        assert_eq!(verdict(&decision, ".spec.replicas"), Verdict::OursToRemove);
        assert_eq!(
            decision.predicted().unwrap().to_json()["spec"]["replicas"],
            json!(1)
        );
    });
    // Kept in the definition under a rule it stays what it is now, whatever the definition says.
    let rules = r#"[{"id": "hand-over", "path": ".spec.replicas", "do": "keep-live"}]"#;
    let rules = Rules::builtin().with(RuleSet::from_json(&serde_json::from_str(rules).unwrap()).unwrap());
    decide_by(
        &rules,
        &with(deployment(), "/spec/replicas", json!(1)),
        &before,
        |decision| {
            assert_eq!(decision.action(), Action::None);
            assert_eq!(verdict(&decision, ".spec.replicas"), Verdict::KeptWriteOnce);
        },
    );
}

#[test]
fn what_others_add_stays() {
    let live = applied(None, &deployment(), "fleet");
    let sidecar = updated(&live, "injector", "", |live| {
        let proxy = json!({"name": "proxy", "image": "proxy:1", "imagePullPolicy": "IfNotPresent",
            "resources": {}, "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"});
        live["spec"]["template"]["spec"]["containers"]
            .as_array_mut()
            .unwrap()
            .push(proxy);
    });
    let field = r#".spec.template.spec.containers[name="proxy"].image"#;
    assert_left_alone(&deployment(), &sidecar, field, Verdict::Foreign);

    let restarted = updated(&live, "kubectl-rollout", "", |live| {
        live["spec"]["template"]["metadata"]["annotations"] =
            json!({"kubectl.kubernetes.io/restartedAt": "2020-01-01"});
    });
    let field = ".spec.template.metadata.annotations.kubectl.kubernetes.io/restartedAt";
    assert_left_alone(&deployment(), &restarted, field, Verdict::Foreign);
}

#[test]
fn injected_certificates_stay() {
    let webhook = |bundle: Option<&str>| {
        let mut config = json!({"service": {"namespace": "shop", "name": "web"}});
        if let Some(bundle) = bundle {
            config["caBundle"] = json!(bundle);
        }
        json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "ValidatingWebhookConfiguration",
            "metadata": {"name": "web"},
            "webhooks": [{"name": "web.example.com", "clientConfig": config, "sideEffects": "None",
                "admissionReviewVersions": ["v1"]}],
        })
    };
    for ours in [None, Some("Cg==")] {
        let live = applied(None, &webhook(ours), "fleet");
        let live = updated(&live, "cert-manager-cainjector", "", |live| {
            live["webhooks"][0]["clientConfig"]["caBundle"] = json!("c2VjcmV0");
        });
        let field = r#".webhooks[name="web.example.com"].clientConfig.caBundle"#;
        assert_left_alone(&webhook(ours), &live, field, Verdict::Foreign);
    }
}

#[test]
fn what_the_server_chose_stays() {
    let service = json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"type": "NodePort", "selector": {"app": "web"}, "ports": [{"port": 80}]},
    });
    let mut live = applied(None, &service, "fleet").to_json();
    live["spec"]["clusterIP"] = json!("10.0.0.7");
    live["spec"]["clusterIPs"] = json!(["10.0.0.7"]);
    live["spec"]["ports"][0]["nodePort"] = json!(30_080);
    let live = object(live);
    for field in [
        ".spec.clusterIP",
        r#".spec.ports[port=80,protocol="TCP"].nodePort"#,
    ] {
        assert_left_alone(&service, &live, field, Verdict::ChosenByServer);
    }

    let claim = json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"namespace": "shop", "name": "data"},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    });
    let live = applied(None, &claim, "fleet");
    let live = updated(&live, "kube-controller-manager", "", |live| {
        live["spec"]["volumeName"] = json!("pv-1");
    });
    assert_left_alone(&claim, &live, ".spec.volumeName", Verdict::SetByServer);
}

#[test]
fn a_foreign_addition_is_found_and_removed_where_a_rule_says_so() {
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"},
        "data": {"mode": "a"},
    });
    let live = applied(None, &settings, "fleet");
    let owned = updated(&live, "kubectl-edit", "", |live| {
        live["data"]["extra"] = json!("x");
    });
    assert_left_alone(&settings, &owned, ".data.extra", Verdict::Foreign);
    // Written by something that keeps no managedFields.
    let mut ownerless = live.to_json();
    ownerless["data"]["extra"] = json!("x");
    let ownerless = object(ownerless);
    assert_left_alone(
        &settings,
        &ownerless,
        ".data.extra",
        Verdict::ForeignUnknownWriter,
    );

    let rules = json!([{"id": "only-ours", "kinds": {"kinds": ["ConfigMap"]}, "path": ".data", "do": "remove-foreign"}]);
    let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
    for live in [&owned, &ownerless] {
        decide_by(&rules, &settings, live, |decision| {
            assert_eq!(decision.action(), Action::Update);
            let changes = decision.changes();
            assert_eq!(
                changes
                    .iter()
                    .map(|field| field.path.to_string())
                    .collect::<Vec<_>>(),
                [".data.extra"]
            );
            assert_eq!(changes[0].rule.as_deref(), Some("only-ours"));
            // An apply cannot remove it; a patch can.
            assert_eq!(decision.applying(), Action::None);
            let patch = serde_json::to_value(decision.removal_patch().unwrap()).unwrap();
            let expected = json!([
                {"op": "test", "path": "/data/extra", "value": "x"}, {"op": "remove", "path": "/data/extra"},
            ]);
            assert_eq!(patch, expected);
            let after = decision.predicted().unwrap();
            assert!(managers_of(after, &path(".data.extra")).is_empty());
            decide_by(&rules, &settings, after, |again| {
                assert_eq!(again.action(), Action::None);
            });
        });
    }
}

#[test]
fn a_dropped_field_goes_also_after_a_migration() {
    let settings = |data: Value| {
        json!({"apiVersion": "v1", "kind": "ConfigMap",
            "metadata": {"namespace": "shop", "name": "settings"}, "data": data})
    };
    let live = applied(None, &settings(json!({"a": "1", "b": "2"})), "fleet");
    let assert_goes = |live: &fleet_diff::Object| {
        decide(&settings(json!({"a": "1"})), live, |decision| {
            assert_eq!(decision.action(), Action::Update);
            assert_eq!(verdict(&decision, ".data.b"), Verdict::OursToRemove);
            assert_eq!(decision.predicted().unwrap().to_json()["data"], json!({"a": "1"}));
        });
    };
    assert_goes(&live);

    // kubectl wrote it, and its ownership passes to us: then what it set and we do not define goes.
    let bare = object(settings(json!({"a": "1", "b": "2"})));
    let manager = "kubectl-client-side-apply";
    let live = fleet_diff::Update::new(&bare, manager, support::schemas())
        .owners()
        .unwrap();
    decide(&settings(json!({"a": "1"})), &live, |decision| {
        assert_eq!(decision.action(), Action::Adopt);
        assert_eq!(verdict(&decision, ".data.b"), Verdict::Foreign);
    });
    let migrated = migrate_updates(&live, &[manager], "fleet").unwrap().unwrap();
    assert_goes(&migrated);
    let after = applied(Some(&migrated), &settings(json!({"a": "1"})), "fleet");
    let owners = managers_of(&after, &path(".data.a"));
    assert_eq!(
        owners.iter().map(|owner| &*owner.name).collect::<Vec<_>>(),
        ["fleet"]
    );
    // Nobody's any more: nothing to migrate again.
    assert_eq!(migrate_updates(&after, &[manager], "fleet").unwrap(), None);
}

#[test]
fn a_field_that_others_own_too_stays_when_we_drop_it() {
    let live = applied(None, &with(deployment(), "/spec/paused", json!(true)), "fleet");
    let theirs = json!({"apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web"}, "spec": {"paused": true}});
    let live = applied(Some(&live), &theirs, "them");
    decide(&deployment(), &live, |decision| {
        assert_eq!(decision.action(), Action::Adopt);
        assert_eq!(
            decision.predicted().unwrap().to_json()["spec"]["paused"],
            json!(true)
        );
    });
}

#[test]
fn an_immutable_field_says_so() {
    let live = applied(None, &deployment(), "fleet");
    let moved = with(
        deployment(),
        "/spec/selector/matchLabels",
        json!({"app": "other"}),
    );
    let moved = with(moved, "/spec/template/metadata/labels", json!({"app": "other"}));
    decide(&moved, &live, |decision| {
        assert_eq!(decision.action(), Action::Recreate);
        assert!(
            decision
                .blocked()
                .iter()
                .all(|blocked| blocked.path.starts_with(&path(".spec.selector")))
        );
        assert!(
            decision
                .fields()
                .iter()
                .any(|field| field.verdict == Verdict::Immutable && field.rule.is_some())
        );
    });
}

/// A server takes it when the object is made, and never again.
#[test]
fn an_empty_mapping_in_an_immutable_object_is_no_change() {
    let settings = |binary: Value| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"},
            "immutable": true, "data": {"a": "b"}, "binaryData": binary})
    };
    let desired = settings(json!({}));
    let live = applied(None, &desired, "fleet");
    let Prediction::Blocked(_) = support::forced(Some(&live), &desired, "fleet") else {
        panic!("a server refuses it");
    };
    let mut after = None;
    decide(&desired, &live, |decision| {
        assert_eq!(
            decision.action(),
            Action::Adopt,
            "only we no longer own what is not there"
        );
        after = decision.predicted().cloned();
    });
    decide(&desired, &after.unwrap(), |decision| {
        assert_eq!(decision.action(), Action::None);
    });
    decide(&settings(json!({"k": "YQ=="})), &live, |decision| {
        assert_eq!(decision.action(), Action::Recreate);
    });
}

/// Each as a real server answered it.
#[test]
fn what_a_server_would_not_take_is_refused() {
    let secret = |kind: &str, data: Value| {
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": "shop", "name": "s"},
            "type": kind, "data": data})
    };
    let recreate = json!({"type": "Recreate", "rollingUpdate": {"maxSurge": 1}});
    let cases = [
        (secret("Opaque", json!({"k": "no base64!"})), ".data.k"),
        (
            secret("kubernetes.io/tls", json!({"tls.crt": "YQ=="})),
            ".data.tls.key",
        ),
        (
            with(deployment(), "/spec/strategy", recreate),
            ".spec.strategy.rollingUpdate",
        ),
        (
            with(
                deployment(),
                "/spec/template/spec/containers",
                json!([{"name": "web"}]),
            ),
            ".spec.template.spec.containers[0].image",
        ),
        (
            with(
                deployment(),
                "/spec/template/metadata/labels",
                json!({"app": "other"}),
            ),
            ".spec.template.metadata.labels",
        ),
        (
            with(
                deployment(),
                "/spec/selector/matchExpressions",
                json!([{"key": "tier", "operator": "In", "values": ["front"]}]),
            ),
            ".spec.template.metadata.labels",
        ),
    ];
    for (desired, field) in cases {
        let desired = object(desired);
        let decision = fleet_diff::Apply::new(&desired, "fleet", support::schemas()).decide();
        let refusal = decision.refusal().unwrap_or_else(|| panic!("{field} is taken"));
        assert!(
            refusal.to_string().starts_with(field),
            "{refusal} is not about {field}"
        );
    }
}

/// A Rack of the truth suite in short: every key of a stop has a default, and what it holds says what it is.
fn racks() -> Schemas {
    let stop = json!({"type": "object", "properties": {"name": {"type": "string"},
        "number": {"type": "integer", "default": 1}}});
    let spec = json!({"type": "object", "properties": {
        "held": {"type": "object", "x-kubernetes-embedded-resource": true,
            "x-kubernetes-preserve-unknown-fields": true},
        "stops": {"type": "array", "items": stop, "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["number"]}}});
    let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.example.net"},
        "spec": {"group": "example.net", "scope": "Namespaced", "names": {"kind": "Rack", "plural": "racks"},
            "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}}]}});
    Schemas::builtin().with_crd(&object(crd)).unwrap()
}

/// A volume of ours whose source others share a part of: a server asks for the rest of it.
#[test]
fn what_removal_leaves_undefined_is_not_foreseen() {
    let volume = |source: Value| {
        let mut volume = json!({"name": "keys"});
        volume
            .as_object_mut()
            .unwrap()
            .extend(source.as_object().unwrap().clone());
        with(deployment(), "/spec/template/spec/volumes", json!([volume]))
    };
    let secret = volume(json!({"secret": {"secretName": "keys", "optional": true}}));
    let live = applied(None, &secret, "fleet");
    let shared = json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"template": {"spec": {"volumes": [{"name": "keys", "secret": {"optional": true}}]}}}});
    let live = applied(Some(&live), &shared, "them");
    decide(&volume(json!({})), &live, |decision| {
        assert_eq!(decision.action(), Action::Unsure);
        let doubt = decision.doubt().unwrap().to_string();
        assert!(
            doubt.contains(r#".spec.template.spec.volumes[name="keys"].secret"#),
            "{doubt}"
        );
    });
    // What is still defined, in part, the definition answers for.
    decide(
        &volume(json!({"secret": {"secretName": "keys"}})),
        &live,
        |decision| {
            assert_eq!(decision.action(), Action::Adopt);
        },
    );
    decide(
        &volume(json!({"secret": {"optional": true, "secretName": "others"}})),
        &live,
        |decision| {
            assert_eq!(decision.action(), Action::Update);
        },
    );
}

/// Each as a real server answered it.
#[test]
fn what_removal_leaves_behind_is_refused() {
    let rack = |spec: Value| {
        object(json!({"apiVersion": "example.net/v1", "kind": "Rack",
            "metadata": {"namespace": "shop", "name": "one"}, "spec": spec}))
    };
    let schemas = racks();
    let apply = |live: Option<&fleet_diff::Object>, desired: &fleet_diff::Object, manager: &str| {
        Apply::new(desired, manager, &schemas)
            .to(live)
            .force(true)
            .predict()
    };
    let one = |desired: &fleet_diff::Object, live: Option<&fleet_diff::Object>, manager: &str| match apply(
        live, desired, manager,
    ) {
        Prediction::Object(object) => object,
        other => panic!("{desired:?} ends with {other:?}"),
    };
    let refused =
        |live: &fleet_diff::Object, desired: &fleet_diff::Object| match apply(Some(live), desired, "fleet") {
            Prediction::Refused(refusal) => refusal.to_string(),
            other => panic!("{desired:?} ends with {other:?}"),
        };

    let live = one(&rack(json!({"stops": [{"name": "first"}]})), None, "fleet");
    let refusal = refused(&live, &rack(json!({"stops": [{}]})));
    assert!(refusal.starts_with(".spec.stops"), "{refusal}");

    let held = json!({"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "b"}});
    let live = one(&rack(json!({"held": held})), None, "fleet");
    let note = rack(json!({"held": {"apiVersion": "v1", "kind": "ConfigMap", "note": "theirs"}}));
    let live = one(&note, Some(&live), "them");
    let mut owners = live.to_json();
    let theirs = &mut owners["metadata"]["managedFields"][1];
    assert_eq!(theirs["manager"], json!("them"));
    // They let go of what we own too.
    theirs["fieldsV1"] = json!({"f:spec": {"f:held": {"f:note": {}}}});
    let refusal = refused(&object(owners), &rack(json!({})));
    assert!(refusal.starts_with(".spec.held"), "{refusal}");
}

#[test]
fn what_a_webhook_converts_is_not_foreseen() {
    let version = |name: &str, storage: bool| {
        json!({"name": name, "served": true, "storage": storage, "schema": {"openAPIV3Schema": {"type": "object",
            "properties": {"size": {"type": "integer"}}}}})
    };
    let schemas = |strategy: &str| {
        let crd = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "racks.example.net"},
            "spec": {"group": "example.net", "scope": "Cluster", "names": {"kind": "Rack", "plural": "racks"},
                "conversion": {"strategy": strategy},
                "versions": [version("v1", true), version("v1beta1", false)]}});
        Schemas::builtin().with_crd(&object(crd)).unwrap()
    };
    let rack = |version: &str, size: i64| {
        object(
            json!({"apiVersion": format!("example.net/{version}"), "kind": "Rack", "metadata": {"name": "a"},
            "size": size}),
        )
    };
    let (renamed, webhook) = (schemas("None"), schemas("Webhook"));
    for version in ["v1", "v1beta1"] {
        let desired = rack(version, 1);
        let Prediction::Object(live) = Apply::new(&desired, "fleet", &renamed).predict() else {
            panic!("versions that differ in name only are known");
        };
        let says = |size: i64, manager: &str| {
            let desired = rack(version, size);
            let apply = Apply::new(&desired, manager, &webhook)
                .to(Some(&live))
                .force(true);
            matches!(apply.predict(), Prediction::Object(_))
        };
        assert!(says(1, "fleet"), "nothing is written at {version}");
        assert_eq!(says(2, "fleet"), version == "v1", "a change at {version}");
        // Somebody owns fields at the other version: only the webhook can tell which those are here.
        let mut owned = live.to_json();
        let other = if version == "v1" { "v1beta1" } else { "v1" };
        owned["metadata"]["managedFields"][0]["apiVersion"] = json!(format!("example.net/{other}"));
        let owned = object(owned);
        let desired = rack(version, 2);
        for (schemas, known) in [(&renamed, true), (&webhook, false)] {
            let apply = Apply::new(&desired, "them", schemas).to(Some(&owned)).force(true);
            assert_eq!(
                matches!(apply.predict(), Prediction::Object(_)),
                known,
                "owners at {other}"
            );
        }
    }
}

#[test]
fn what_configured_kubelets_is_dropped_from_a_node() {
    let node = |source: Value| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"},
            "spec": {"podCIDR": "10.4.0.0/24", "configSource": source}})
    };
    let live = applied(None, &node(json!({})), "fleet");
    assert_eq!(live.to_json()["spec"].get("configSource"), None);
    let after = applied(Some(&live), &node(json!({})), "fleet");
    assert_eq!(after.to_json()["spec"], live.to_json()["spec"]);
}

#[test]
fn an_element_may_not_be_in_a_list_twice_however_long_it_is() {
    for count in [1, 2, 16, 17, 40] {
        let mut env: Vec<Value> = (0..count)
            .map(|i| json!({"name": format!("V{i}"), "value": "a"}))
            .collect();
        let with_env = |env: &[Value]| {
            let containers = json!([{"name": "web", "image": "web:1", "env": env}]);
            with(deployment(), "/spec/template/spec/containers", containers)
        };
        assert!(
            matches!(
                support::forced(None, &with_env(&env), "fleet"),
                Prediction::Object(_)
            ),
            "{count}"
        );
        env.push(json!({"name": "V0", "value": "b"}));
        match support::forced(None, &with_env(&env), "fleet") {
            Prediction::Refused(refusal) => {
                assert!(refusal.path.ends_with(r#".env[name="V0"]"#), "{refusal}");
            }
            other => panic!("{count} and one twice end with {other:?}"),
        }
    }
}

/// `1` and `1.0` are one quantity, and two texts.
#[test]
fn an_immutable_text_that_looks_like_a_quantity_is_a_text() {
    let settings = |version: &str| {
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "settings"},
            "immutable": true, "data": {"version": version}})
    };
    let live = applied(None, &settings("1"), "fleet");
    decide(&settings("1.0"), &live, |decision| {
        assert_eq!(decision.action(), Action::Recreate);
    });
    let claim = |size: &str| {
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"namespace": "shop", "name": "a"},
            "spec": {"accessModes": ["ReadWriteOnce"], "storageClassName": "fast",
                "resources": {"requests": {"storage": size}}}})
    };
    let live = applied(None, &claim("1Gi"), "fleet");
    decide(&claim("1073741824"), &live, |decision| {
        assert_ne!(decision.action(), Action::Recreate);
    });
}

#[test]
fn templates_of_claims_are_claims() {
    let set = |kind: &str| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"namespace": "shop", "name": "db"},
            "spec": {"serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
                "template": {"metadata": {"labels": {"app": "db"}},
                    "spec": {"containers": [{"name": "db", "image": "db:1"}]}},
                "volumeClaimTemplates": [{"kind": kind, "metadata": {"name": "data"}, "spec": {
                    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}})
    };
    let live = applied(None, &set("PersistentVolumeClaim"), "fleet");
    decide(&set("Claim"), &live, |decision| {
        assert_eq!(decision.action(), Action::None);
    });
}

#[test]
fn a_service_drops_what_its_new_type_does_not_have() {
    let service = |kind: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"type": kind, "ports": [{"port": 80}]}})
    };
    let mut live = applied(None, &service("LoadBalancer"), "fleet").to_json();
    live["spec"]["ports"][0]["nodePort"] = json!(30_080);
    let after = applied(Some(&object(live)), &service("ClusterIP"), "fleet").to_json();
    for field in [
        "allocateLoadBalancerNodePorts",
        "externalTrafficPolicy",
        "healthCheckNodePort",
    ] {
        assert_eq!(after["spec"][field], Value::Null, "{field}");
    }
    assert_eq!(after["spec"]["ports"][0]["nodePort"], Value::Null);
    assert_eq!(after["spec"]["internalTrafficPolicy"], json!("Cluster"));
}

#[test]
fn a_job_without_labels_has_those_of_its_template() {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "shop", "name": "once"},
        "spec": {"template": {"metadata": {"labels": {"app": "once"}}, "spec": {"restartPolicy": "Never",
            "containers": [{"name": "a", "image": "a:1"}]}}}});
    let labels = applied(None, &job, "fleet").to_json()["metadata"]["labels"].clone();
    let expected = json!({"app": "once", "job-name": "once", "batch.kubernetes.io/job-name": "once"});
    assert_eq!(labels, expected, "and two with the UID that it will have");
}

#[test]
fn a_rule_on_a_field_that_is_defined_empty_counts() {
    let settings = json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "web"}, "data": {},
    });
    let live = applied(None, &settings, "fleet");
    let rules = json!([{"id": "theirs", "path": ".data", "do": "ignore"}]);
    let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
    decide_by(&rules, &settings, &live, |decision| {
        assert_eq!(verdict(&decision, ".data"), Verdict::Ignored);
    });
}

/// An apply makes its manager the owner of an element and its key; somebody may have edited that.
#[test]
fn an_element_of_which_we_own_only_a_part_stays() {
    let with_env = |name: &str| {
        let env = json!([{"name": name, "value": "on"}]);
        with(deployment(), "/spec/template/spec/containers/0/env", env)
    };
    let live = applied(None, &with_env("MODE"), "fleet");
    let mut live = applied(Some(&live), &with_env("OTHER"), "someone").to_json();
    let containers = "/metadata/managedFields/0/fieldsV1/f:spec/f:template/f:spec/f:containers";
    let fields = live.pointer_mut(containers).unwrap();
    fields["k:{\"name\":\"web\"}"]["f:env"]["k:{\"name\":\"MODE\"}"] = json!({"f:value": {}});
    let Prediction::Unsure(Doubt::Remains(at)) = forced(Some(&object(live)), &deployment(), "fleet") else {
        panic!("an element with nothing but its name is left, which only the server's types know");
    };
    assert!(at.ends_with("env[name=\"MODE\"]"), "{at}");
}

/// A default is for what is not there; what is empty is something else, and mostly refused.
#[test]
fn an_empty_text_is_not_taken_for_a_default() {
    let class = |policy: Value| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"},
            "provisioner": "disks.example.net", "reclaimPolicy": policy})
    };
    let live = applied(None, &class(Value::Null), "fleet");
    assert_eq!(live.to_json()["reclaimPolicy"], "Delete");
    let unsure = |field: &str| Prediction::Unsure(Doubt::Required(field.to_owned()));
    for live in [None, Some(&live)] {
        assert_eq!(
            forced(live, &class(json!("")), "fleet"),
            unsure("StorageClass.reclaimPolicy")
        );
    }
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"internalTrafficPolicy": "", "ports": [{"port": 80}]}});
    assert_eq!(
        forced(None, &service, "fleet"),
        unsure("ServiceSpec.internalTrafficPolicy")
    );
    // Its default is the empty text.
    let pod = with(
        deployment(),
        "/spec/template/spec/volumes",
        json!([{"name": "logs", "hostPath": {"path": "/var/log", "type": ""}}]),
    );
    assert!(matches!(forced(None, &pod, "fleet"), Prediction::Object(_)));
}

#[test]
fn a_definition_whose_rules_cannot_be_read_is_blocked() {
    let rules = Rules::builtin().from_annotation("example.com/rules");
    let annotated = |text: &str| {
        let annotations = json!({"example.com/rules": text});
        with(deployment(), "/metadata/annotations", annotations)
    };
    let live = applied(None, &deployment(), "fleet");
    let rule = r#"[{"id": "mine", "path": ".spec.replicas", "do": "never-touch"}]"#;
    decide_by(&rules, &annotated(rule), &live, |decision| {
        assert_eq!(decision.action(), Action::Update);
    });
    for broken in [
        "",
        "[{",
        r#"[{"id": "mine", "path": ".spec.replicas", "do": "never"}]"#,
    ] {
        decide_by(&rules, &annotated(broken), &live, |decision| {
            assert_eq!(decision.action(), Action::Blocked);
            let refusal = decision.refusal().unwrap().to_string();
            let expected =
                "the object has rules that cannot be used: annotation `example.com/rules`: not rules: ";
            assert!(refusal.starts_with(expected), "{refusal}");
        });
    }
}

/// With an entry of a manager that owns these fields of the first container.
fn with_owner(live: &fleet_diff::Object, containers: &Value) -> fleet_diff::Object {
    let mut live = live.to_json();
    let entry = json!({"manager": "ghost", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}}});
    live["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    object(live)
}

#[test]
fn an_element_conflicts_only_in_what_others_own_of_it() {
    let live = applied(None, &deployment(), "fleet");
    let live = with_owner(&live, &json!({"k:{\"name\":\"side\"}": {"f:image": {}}}));
    let mut desired = deployment();
    let containers = desired.pointer_mut("/spec/template/spec/containers").unwrap();
    containers
        .as_array_mut()
        .unwrap()
        .push(json!({"name": "side", "image": "side:1"}));
    let desired = object(desired);
    let Prediction::Conflicts(conflicts) = Apply::new(&desired, "fleet", support::schemas())
        .to(Some(&live))
        .predict()
    else {
        panic!("somebody owns the image");
    };
    let paths: Vec<String> = conflicts
        .iter()
        .map(|conflict| conflict.path.to_string())
        .collect();
    assert_eq!(paths, [r#".spec.template.spec.containers[name="side"].image"#]);
}

/// Somebody who owns a field inside it that is not there keeps it from going.
#[test]
fn a_struct_of_which_nothing_is_left_is_no_leftover() {
    let limits = json!({"limits": {"cpu": "1"}});
    let limited = with(deployment(), "/spec/template/spec/containers/0/resources", limits);
    let live = applied(None, &limited, "fleet");
    let live = with_owner(
        &live,
        &json!({"k:{\"name\":\"web\"}": {"f:resources": {"f:claims": {}}}}),
    );
    let left = applied(Some(&live), &deployment(), "fleet").to_json();
    assert_eq!(
        left["spec"]["template"]["spec"]["containers"][0]["resources"],
        json!({})
    );
}

#[test]
fn a_rule_inside_of_what_is_one_field_means_nothing() {
    let arguments = |value: &str| {
        let list = json!([value, "-v"]);
        with(deployment(), "/spec/template/spec/containers/0/args", list)
    };
    let live = applied(None, &arguments("old"), "fleet");
    let rules = json!([{"id": "inside", "path": ".spec.template.spec.containers[name=\"web\"].args[0]", "do": "ignore"}]);
    let rules = Rules::builtin().with(RuleSet::from_json(&rules).unwrap());
    decide_by(&rules, &arguments("new"), &live, |decision| {
        assert_eq!(decision.action(), Action::Update);
        let changes = decision.changes();
        assert_eq!(changes.len(), 1);
        assert_eq!(
            changes[0].path,
            path(".spec.template.spec.containers[name=\"web\"].args")
        );
    });
}
