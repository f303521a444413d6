//! What is deleted before what.

use std::sync::Arc;

use fleet_core::order::Removal;

use super::{key, order};

const OPERATOR: &str = r#"
{apiVersion: v1, kind: Namespace, metadata: {name: ops}}
---
{apiVersion: v1, kind: Secret, metadata: {namespace: ops, name: cert}}
---
{apiVersion: apps/v1, kind: Deployment, metadata: {namespace: ops, name: operator}, spec: {template: {metadata: {labels: {app: operator}}, spec: {containers: [], volumes: [{name: a, secret: {secretName: cert}}]}}}}
---
{apiVersion: v1, kind: Service, metadata: {namespace: ops, name: operator}, spec: {selector: {app: operator}}}
---
{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: hooks}, webhooks: [{clientConfig: {service: {namespace: ops, name: operator}}}]}
---
{apiVersion: apiextensions.k8s.io/v1, kind: CustomResourceDefinition, metadata: {name: widgets.example.com}, spec: {group: example.com, names: {kind: Widget}}}
---
{apiVersion: example.com/v1, kind: Widget, metadata: {namespace: ops, name: a}}
---
{apiVersion: example.com/v1, kind: Widget, metadata: {namespace: ops, name: b}}
"#;

/// Deletes everything that may go, step by step.
fn steps(yaml: &str) -> Vec<Vec<String>> {
    let mut removal = Removal::new(Arc::new(order(yaml)));
    let mut free: Vec<_> = removal.free().cloned().collect();
    let mut steps = Vec::new();
    while !free.is_empty() {
        steps.push(
            free.iter()
                .map(|key| format!("{} {}", key.kind(), key.name()))
                .collect(),
        );
        let mut next = Vec::new();
        for key in &free {
            assert!(removal.may_go(key));
            next.extend(removal.gone(key));
        }
        free = next;
    }
    steps
}

#[test]
fn an_operator_goes_after_what_it_has_to_clean_up() {
    let expect: Vec<Vec<&str>> = vec![
        vec!["ValidatingWebhookConfiguration hooks", "Widget a", "Widget b"],
        vec![
            "Service operator",
            "CustomResourceDefinition widgets.example.com",
            "Deployment operator",
        ],
        vec!["Secret cert"],
        vec!["Namespace ops"],
    ];
    assert_eq!(steps(OPERATOR), expect);
}

#[test]
fn what_depends_on_a_custom_resource_goes_before_it() {
    let needs_widget = OPERATOR.replace(
        "name: operator}, spec: {template",
        "name: operator, annotations: {example.com/depends-on: example.com/Widget/ops/a}}, spec: {template",
    );
    let steps = steps(&needs_widget);
    let place = |name: &str| {
        steps
            .iter()
            .position(|step| step.iter().any(|found| found == name))
            .unwrap()
    };
    assert!(place("Deployment operator") < place("Widget a"));
    assert!(place("Widget b") < place("Deployment operator") || place("Widget b") == 0);
    assert_eq!(steps.iter().flatten().count(), 8);
}

#[test]
fn waves_go_backwards_and_circles_do_not_wait() {
    let yaml = r#"
{apiVersion: v1, kind: ConfigMap, metadata: {name: a, annotations: {example.com/wave: "1"}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: b, annotations: {example.com/wave: "2"}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: c, annotations: {example.com/depends-on: /ConfigMap//d}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: d, annotations: {example.com/depends-on: /ConfigMap//c}}}
---
{apiVersion: v1, kind: ConfigMap, metadata: {name: e}}
"#;
    let expect: Vec<Vec<&str>> = vec![
        vec!["ConfigMap b"],
        vec!["ConfigMap a"],
        vec!["ConfigMap c", "ConfigMap d", "ConfigMap e"],
    ];
    assert_eq!(steps(yaml), expect);
}

#[test]
fn what_is_not_there_may_go() {
    let mut removal = Removal::new(Arc::new(order(OPERATOR)));
    assert!(removal.may_go(&key("/ConfigMap//unknown")));
    assert!(!removal.may_go(&key("/Namespace//ops")));
    assert_eq!(removal.gone(&key("/ConfigMap//unknown")), []);
    assert_eq!(removal.gone(&key("example.com/Widget/ops/a")), []);
    assert_eq!(
        removal.gone(&key("example.com/Widget/ops/a")),
        [],
        "once is enough"
    );
}
