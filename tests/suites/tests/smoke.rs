//! One folder on one server.

use std::sync::Arc;

use fleet_core::{Inventory, MemoryLedger, Object, Snapshot};
use fleet_harness::{ControlPlane, Options};
use fleet_suites::{Bed, Notes, Settable, on_runtime};
use serde_json::{Value, json};

fn inventory(objects: Vec<Value>) -> Snapshot {
    Inventory::with_content_revision(objects.into_iter().map(|v| Object::from_json(v).unwrap()))?.snapshot()
}

#[test]
fn one_inventory_on_one_server() {
    let plane = ControlPlane::start(Options::new("one").audit(true)).unwrap();
    let bed = Bed::new([&plane]);
    let objects = vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop"}, "data": {"k": "v"}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"}, "spec": {
            "group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets", "singular": "widget", "listKind": "WidgetList"},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": {"type": "object", "properties": {"size": {"type": "integer"}}}}}}}]}}),
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"}, "spec": {"size": 3}}),
    ];
    on_runtime(async {
        let source = Settable::new(inventory(objects.clone()));
        let ledger = MemoryLedger::default();
        let fleet = bed
            .fleet(source.clone())
            .observer(Notes::default())
            .ledger(move |_, _| Arc::new(ledger.clone()))
            .build()
            .unwrap();
        let outcomes = fleet.plan().await.unwrap();
        println!("{}", serde_json::to_string_pretty(&outcomes).unwrap());
        let outcomes = fleet.apply(&[]).await.unwrap();
        assert!(
            outcomes[0].is_clean(),
            "{}",
            serde_json::to_string_pretty(&outcomes).unwrap()
        );
        let outcomes = fleet.plan().await.unwrap();
        assert!(
            outcomes[0].plan.as_ref().unwrap().is_empty(),
            "{}",
            serde_json::to_string_pretty(&outcomes).unwrap()
        );
    });
}
