//! A fleet of in-process clusters.
#![cfg(feature = "sim")]

use async_trait::async_trait;
use fleet_core::{Cluster, Inventory, InventoryId, InventorySource, Object, Snapshot};
use fleet_kube::{Fleet, SimFleet};
use serde_json::{Value, json};

#[derive(Clone)]
struct Always(Snapshot);

#[async_trait]
impl InventorySource for Always {
    async fn snapshot(&self, _: &Cluster) -> Snapshot {
        self.0.clone()
    }
}

fn source(objects: &[Value]) -> Always {
    let objects = objects
        .iter()
        .map(|object| Object::from_json(object.clone()).unwrap());
    Always(Inventory::with_content_revision(objects).unwrap().snapshot())
}

fn shop() -> Vec<Value> {
    let schema = json!({"type": "object", "properties": {"spec": {"type": "object", "properties": {
        "size": {"type": "integer", "default": 1}, "color": {"type": "string"}}}}});
    vec![
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop"},
            "data": {"k": "v"}}),
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web", "namespace": "shop"},
            "spec": {"selector": {"app": "web"}, "ports": [{"port": 80}]}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}}, "template": {
                "metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}}}),
        json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "once", "namespace": "shop"}, "spec": {
            "template": {"spec": {"restartPolicy": "Never", "containers": [{"name": "a", "image": "a:1"}]}}}}),
        json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": "widgets.example.com"}, "spec": {
                "group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"},
                "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}]}}),
        json!({"apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": "w", "namespace": "shop"},
            "spec": {"color": "red"}}),
    ]
}

fn fleet(clusters: &SimFleet, objects: &[Value]) -> Fleet {
    Fleet::builder(InventoryId::new("fleet").unwrap())
        .registry(clusters.clone())
        .connect(clusters.clone())
        .source(source(objects))
        .build()
        .unwrap()
}

#[tokio::test]
async fn a_fleet_converges_and_then_is_quiet() {
    let clusters = SimFleet::start(["east", "west"]);
    let first = fleet(&clusters, &shop()).apply(&[]).await.unwrap();
    for outcome in &first {
        assert!(
            outcome.is_clean(),
            "{}",
            serde_json::to_string_pretty(outcome).unwrap()
        );
    }
    let again = fleet(&clusters, &shop()).plan().await.unwrap();
    for outcome in &again {
        let plan = outcome.plan.as_ref().unwrap();
        assert!(
            plan.is_empty(),
            "{}",
            serde_json::to_string_pretty(outcome).unwrap()
        );
    }
    let fewer: Vec<Value> = shop()
        .into_iter()
        .filter(|object| object["kind"] != "ConfigMap")
        .collect();
    let third = fleet(&clusters, &fewer).apply(&[]).await.unwrap();
    assert!(third.iter().all(fleet_kube::Outcome::is_clean));
    let client = clusters.get("east").unwrap().client();
    let request = http::Request::get("/api/v1/namespaces/shop/configmaps/app")
        .body(Vec::new())
        .unwrap();
    let error = client.request::<Value>(request).await.unwrap_err();
    assert!(error.to_string().contains("not found"), "{error}");
}
