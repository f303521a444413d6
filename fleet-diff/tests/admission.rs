//! What may be changed on its way into a cluster.

mod support;

use fleet_diff::{Admission, Apply, Doubt, Object, Prediction};
use serde_json::{Value, json};
use support::{applied, object, schemas};

fn class(group: &str, kind: &str, mark: &str) -> Object {
    object(json!({
        "apiVersion": format!("{group}/v1"), "kind": kind,
        "metadata": {"name": "usual", "annotations": {mark: "true", "note": "x"}},
    }))
}

fn claim(class: &Value) -> Value {
    json!({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"namespace": "shop", "name": "data"},
        "spec": {"storageClassName": class, "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}},
    })
}

fn ingress(class: &Value) -> Value {
    json!({
        "apiVersion": "networking.k8s.io/v1", "kind": "Ingress", "metadata": {"namespace": "shop", "name": "web"},
        "spec": {"ingressClassName": class, "defaultBackend": {"service": {"name": "web", "port": {"number": 80}}}},
    })
}

#[test]
fn a_default_class_is_written_into_what_is_new_and_names_none() {
    let storage = |mark| class("storage.k8s.io", "StorageClass", mark);
    let usual = || storage("storageclass.kubernetes.io/is-default-class");
    let cases = [
        (usual(), claim(&Value::Null), true),
        (
            storage("storageclass.beta.kubernetes.io/is-default-class"),
            claim(&Value::Null),
            true,
        ),
        (storage("is-default-class"), claim(&Value::Null), false),
        (usual(), claim(&json!("fast")), false),
        // Not named is another thing than none.
        (usual(), claim(&json!("")), false),
        (usual(), ingress(&Value::Null), false),
        (
            class(
                "networking.k8s.io",
                "IngressClass",
                "ingressclass.kubernetes.io/is-default-class",
            ),
            {
                let mut old = ingress(&Value::Null);
                old["metadata"]["annotations"] = json!({"kubernetes.io/ingress.class": "nginx"});
                old
            },
            false,
        ),
        (
            class(
                "networking.k8s.io",
                "IngressClass",
                "ingressclass.kubernetes.io/is-default-class",
            ),
            ingress(&Value::Null),
            true,
        ),
        (
            class(
                "networking.k8s.io",
                "IngressClass",
                "ingressclass.kubernetes.io/is-default-class",
            ),
            ingress(&json!("fast")),
            false,
        ),
    ];
    for (class, desired, may_change) in cases {
        let admission = Admission::from_objects([&class]);
        let definition = object(desired.clone());
        let apply = Apply::new(&definition, "fleet", schemas()).admitted_by(&admission);
        let unsure = Prediction::Unsure(Doubt::Mutates(format!(
            "{} usual, the default one,",
            class.gvk().kind()
        )));
        assert_eq!(apply.predict() == unsure, may_change, "{class:?} {desired}");
        // Later it is not looked for any more.
        let mut more = desired.clone();
        more["metadata"]["labels"] = json!({"a": "b"});
        let live = applied(None, &desired, "fleet");
        let more = object(more);
        let apply = Apply::new(&more, "fleet", schemas())
            .to(Some(&live))
            .admitted_by(&admission);
        assert!(matches!(apply.predict(), Prediction::Object(_)), "{desired}");
    }
}

#[test]
fn a_webhook_may_change_what_its_rules_and_selectors_match() {
    let hook = |rule: Value, objects: Value, namespaces: Value| {
        object(json!({
            "apiVersion": "admissionregistration.k8s.io/v1", "kind": "MutatingWebhookConfiguration",
            "metadata": {"name": "hooks"},
            "webhooks": [{"name": "a.example.com", "rules": [rule], "objectSelector": objects, "namespaceSelector": namespaces}],
        }))
    };
    let rule = |operations: &[&str], groups: &[&str], resources: &[&str], scope: &str| json!({"operations": operations, "apiGroups": groups, "apiVersions": ["*"], "resources": resources, "scope": scope});
    let (maps, none) = (rule(&["*"], &[""], &["configmaps"], "*"), Value::Null);
    let labels = |key: &str, value: &str| json!({"matchLabels": {key: value}});
    let name = "kubernetes.io/metadata.name";
    let cases = [
        (maps.clone(), none.clone(), none.clone(), true),
        (
            rule(&["CREATE"], &["*"], &["*/*"], "Namespaced"),
            none.clone(),
            none.clone(),
            true,
        ),
        (
            rule(&["CREATE"], &["*"], &["*/*"], "Cluster"),
            none.clone(),
            none.clone(),
            false,
        ),
        (
            rule(&["UPDATE", "DELETE"], &[""], &["configmaps"], "*"),
            none.clone(),
            none.clone(),
            false,
        ),
        (
            rule(&["*"], &["apps"], &["configmaps"], "*"),
            none.clone(),
            none.clone(),
            false,
        ),
        (
            rule(&["*"], &[""], &["secrets", "configmaps/status"], "*"),
            none.clone(),
            none.clone(),
            false,
        ),
        (maps.clone(), labels("app", "web"), none.clone(), true),
        (maps.clone(), labels("app", "other"), none.clone(), false),
        (maps.clone(), none.clone(), labels(name, "shop"), true),
        (maps.clone(), none.clone(), labels(name, "kube-system"), false),
        // The labels of a namespace are not known.
        (maps, none, labels("team", "a"), true),
    ];
    let desired = object(json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": "shop", "name": "a", "labels": {"app": "web"}},
    }));
    for (rule, objects, namespaces, may_change) in cases {
        let config = hook(rule, objects, namespaces);
        let admission = Admission::from_objects([&config]);
        let apply = Apply::new(&desired, "fleet", schemas()).admitted_by(&admission);
        let unsure = Prediction::Unsure(Doubt::Mutates("webhook a.example.com".to_owned()));
        assert_eq!(apply.predict() == unsure, may_change, "{:?}", config.to_json());
    }
}
