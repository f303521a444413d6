//! What others do to our objects, and what we then do.

#[path = "support/deployment.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod deployment;
mod support;

use deployment::{deployment, with, with_owner};
use fleet_diff::{Action, Apply, Prediction, RuleSet, Rules, Verdict, managers_of, migrate_updates};
use serde_json::{Value, json};
use support::{applied, decide, decide_by, object, path, updated, verdict};

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
