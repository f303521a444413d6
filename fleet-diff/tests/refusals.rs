//! What a server would not take.

#[path = "support/deployment.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod deployment;
mod support;

use deployment::{deployment, with};
use fleet_diff::{Action, Apply, Prediction, Schemas, Verdict};
use serde_json::{Value, json};
use support::{applied, decide, object, path};

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
