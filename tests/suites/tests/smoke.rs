//! One inventory on one cluster.

use std::sync::Arc;

use fleet_core::{Inventory, MemoryLedger, Object, Snapshot};
use fleet_harness::{Cluster, Kind, Options, User};
use fleet_suites::{Bed, Notes, Settable, on_both_kinds};
use serde_json::{Value, json};

on_both_kinds! {
    one_inventory_on_one_server: [Controllers];
}

fn inventory(objects: Vec<Value>) -> Snapshot {
    Inventory::with_content_revision(objects.into_iter().map(|v| Object::from_json(v).unwrap()))?.snapshot()
}

async fn one_inventory_on_one_server(kind: Kind) {
    let cluster = Cluster::start(kind, Options::new("one")).unwrap();
    let bed = Bed::new([&cluster]);
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
    // It may be somebody's cluster.
    for path in [
        "/api/v1/namespaces/shop",
        "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/widgets.example.com",
    ] {
        cluster
            .ask(User::Someone, "DELETE", path, "application/json", &Value::Null)
            .unwrap()
            .ok()
            .unwrap();
    }
}
