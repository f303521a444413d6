//! Once converged, a running reconciler asks nothing.

use std::time::Duration;

use fleet_core::{Inventory, Object};
use fleet_harness::{Cluster, Kind, Options};
use fleet_suites::{Bed, Notes, Settable, clean, on_both_kinds};
use serde_json::json;

on_both_kinds! {
    no_object_request_once_converged: [Audit, Controllers];
}

/// How long nothing may be asked.
const QUIET: Duration = Duration::from_secs(60);

async fn no_object_request_once_converged(kind: Kind) {
    let cluster = Cluster::start(kind, Options::new("quiet").audit(true)).unwrap();
    let bed = Bed::new([&cluster]);
    let objects = [
        json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}}),
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "app", "namespace": "shop"}, "data": {"k": "v"}}),
        json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "key", "namespace": "shop"}, "stringData": {"k": "not-a-key"}}),
        json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "disk", "namespace": "shop"}, "spec": {
            "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1024Mi"}}}}),
        json!({"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"}, "spec": {
            "replicas": 2, "selector": {"matchLabels": {"app": "web"}},
            "template": {"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [{
                "name": "web", "image": "nginx:1", "resources": {"requests": {"cpu": "1000m", "memory": "0.5Gi"}}}]}}}}),
    ];
    let objects = objects.map(|value| Object::from_json(value).unwrap());
    let source = Settable::new(Inventory::new("1", objects.clone()).unwrap().snapshot());
    let fleet = bed
        .fleet(source.clone())
        .observer(Notes::default())
        .read_interval(Duration::from_secs(1))
        .build()
        .unwrap();
    let running = fleet.clone();
    let task = tokio::spawn(async move { running.run().await });
    clean(&fleet, &["quiet"], None).await;
    // What controllers write after a create (a Deployment's revision) is looked at once.
    tokio::time::sleep(Duration::from_secs(3)).await;
    clean(&fleet, &["quiet"], None).await;

    let mark = cluster.audit_mark().unwrap();
    fleet.kept()[0].driver.replan().await;
    clean(&fleet, &["quiet"], None).await;
    source.set(Inventory::new("2", objects).unwrap().snapshot());
    clean(&fleet, &["quiet"], Some("2")).await;
    tokio::time::sleep(QUIET).await;
    let asked: Vec<String> = cluster
        .audit_since(mark)
        .unwrap()
        .into_iter()
        .filter(|event| event.user == "fleet" && event.is_object_request())
        .map(|event| format!("{} {}", event.verb, event.uri))
        .collect();
    assert!(asked.is_empty(), "{asked:#?}");
    task.abort();
}
