//! What an order of many objects costs.

use fleet_core::{Object, order::Order};
use serde_json::{Value, json};

/// Namespaces of 100 objects each: a quota, a LimitRange, an account that ten bindings give rights to, maps, Secrets, and
/// workloads that run as it and use them; webhooks over all; three waves.
fn many(count: usize) -> Vec<Object> {
    let mut found = Vec::new();
    let mut add =
        |version: &str, kind: &str, namespace: Option<usize>, name: String, wave: usize, body: Value| {
            let mut object = body;
            object["apiVersion"] = json!(version);
            object["kind"] = json!(kind);
            object["metadata"] = json!({"name": name, "annotations": {"example.com/wave": wave.to_string()}});
            if let Some(namespace) = namespace {
                object["metadata"]["namespace"] = json!(format!("ns{namespace}"));
            }
            found.push(Object::from_json(object).unwrap());
        };
    for space in 0..count / 100 {
        let inside = Some(space);
        add("v1", "Namespace", None, format!("ns{space}"), 0, json!({}));
        add("v1", "ResourceQuota", inside, "q".into(), 2, json!({}));
        add("v1", "LimitRange", inside, "l".into(), 0, json!({}));
        add("v1", "ServiceAccount", inside, "runner".into(), 0, json!({}));
        let service = json!({"namespace": format!("ns{space}"), "name": "hook"});
        let hooks = json!({"webhooks": [{"name": "a", "clientConfig": {"service": service}}]});
        add(
            "admissionregistration.k8s.io/v1",
            "ValidatingWebhookConfiguration",
            None,
            format!("h{space}"),
            2,
            hooks,
        );
        add(
            "v1",
            "Service",
            inside,
            "hook".into(),
            1,
            json!({"spec": {"selector": {"app": "all"}}}),
        );
        for i in 0..10 {
            let subjects = json!({"subjects": [{"kind": "ServiceAccount", "name": "runner"}]});
            add(
                "rbac.authorization.k8s.io/v1",
                "RoleBinding",
                inside,
                format!("b{i}"),
                0,
                subjects,
            );
        }
        for i in 0..21 {
            add("v1", "ConfigMap", inside, format!("m{i}"), 0, json!({}));
            add("v1", "Secret", inside, format!("s{i}"), 0, json!({}));
            add(
                "v1",
                "Service",
                inside,
                format!("x{i}"),
                1,
                json!({"spec": {"selector": {"app": format!("x{i}")}}}),
            );
            let spec = json!({
                "serviceAccountName": "runner",
                "containers": [{"name": "a", "envFrom": [{"secretRef": {"name": format!("s{i}")}}]}],
                "volumes": [{"name": "a", "configMap": {"name": format!("m{i}")}}],
            });
            let template =
                json!({"metadata": {"labels": {"app": "all", "name": format!("x{i}")}}, "spec": spec});
            add(
                "apps/v1",
                "Deployment",
                inside,
                format!("x{i}"),
                1,
                json!({"spec": {"template": template}}),
            );
        }
    }
    found
}

fn arrows(order: &Order) -> usize {
    let told = format!("{order:?}");
    told.rsplit_once(' ')
        .unwrap()
        .0
        .rsplit_once(' ')
        .unwrap()
        .1
        .parse()
        .unwrap()
}

#[test]
fn arrows_are_as_many_as_objects_name_things() {
    let (some, more) = (
        Order::new(&many(1000), "example.com"),
        Order::new(&many(4000), "example.com"),
    );
    assert_eq!(more.len(), 4 * some.len());
    assert!(arrows(&more) <= 4 * arrows(&some) + 10, "{more:?} {some:?}");
    assert!(arrows(&more) < 7 * more.len(), "{more:?}");
    assert!(more.cycles().is_empty());
}
