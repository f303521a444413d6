//! What controllers make of objects.

mod support;

use serde_json::{Value, json};
use support::Client;

const NAMESPACE: &str = "/api/v1/namespaces/default";
const APPS: &str = "/apis/apps/v1/namespaces/default";
const SCALERS: &str = "/apis/autoscaling/v2/namespaces/default/horizontalpodautoscalers";
const SLICES: &str = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices";

fn template(image: &str) -> Value {
    json!({"metadata": {"labels": {"app": "web"}}, "spec": {"containers": [
        {"name": "main", "image": image, "ports": [{"name": "http", "containerPort": 8080}]}]}})
}

fn workload(kind: &str, replicas: i64) -> Value {
    json!({"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": "web"}, "spec": {"replicas": replicas,
        "selector": {"matchLabels": {"app": "web"}}, "template": template("web:1")}})
}

fn names(list: &Value) -> Vec<&str> {
    let items = list["items"].as_array().expect("a list");
    items
        .iter()
        .map(|one| one["metadata"]["name"].as_str().expect("a name"))
        .collect()
}

fn make(client: &mut Client, path: &str, object: &Value) {
    let (code, said) = client.send("POST", path, object);
    assert_eq!(code, 201, "{said}");
    client.settle();
}

#[test]
fn members_of_a_stateful_set_have_numbers_and_claims() {
    let mut client = Client::new();
    let mut set = workload("StatefulSet", 2);
    set["spec"]["serviceName"] = "web".into();
    set["spec"]["volumeClaimTemplates"] = json!([{"metadata": {"name": "disk"}, "spec": {
        "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]);
    make(&mut client, &format!("{APPS}/statefulsets"), &set);
    assert_eq!(
        names(&client.get(&format!("{NAMESPACE}/pods")).1),
        ["web-0", "web-1"]
    );
    let claims = format!("{NAMESPACE}/persistentvolumeclaims");
    assert_eq!(names(&client.get(&claims).1), ["disk-web-0", "disk-web-1"]);
    let path = format!("{APPS}/statefulsets/web");
    let (_, live) = client.get(&path);
    for field in [
        "replicas",
        "readyReplicas",
        "updatedReplicas",
        "availableReplicas",
    ] {
        assert_eq!(live["status"][field], 2, "{field}");
    }
    // Another template is taken over from the last one on, one by one.
    let patch = json!([{"op": "replace", "path": "/spec/template/spec/containers/0/image", "value": "web:2"},
        {"op": "replace", "path": "/spec/replicas", "value": 1}]);
    let (code, _) = client.send_text("PATCH", &path, "application/json-patch+json", patch.to_string());
    assert_eq!(code, 200);
    client.settle();
    let (_, pods) = client.get(&format!("{NAMESPACE}/pods"));
    assert_eq!(names(&pods), ["web-0"]);
    assert_eq!(pods["items"][0]["spec"]["containers"][0]["image"], "web:2");
    let (_, live) = client.get(&path);
    assert_eq!(
        live["status"]["currentRevision"],
        live["status"]["updateRevision"]
    );
    // Claims stay, and one that is used stays even when it is deleted.
    assert_eq!(names(&client.get(&claims).1), ["disk-web-0", "disk-web-1"]);
    for claim in ["disk-web-0", "disk-web-1"] {
        client.send("DELETE", &format!("{claims}/{claim}"), &Value::Null);
    }
    client.settle();
    assert_eq!(names(&client.get(&claims).1), ["disk-web-0"]);
    client.send("DELETE", &path, &Value::Null);
    client.settle();
    assert!(names(&client.get(&claims).1).is_empty());
}

#[test]
fn a_service_has_the_endpoints_that_are_ready() {
    let mut client = Client::new();
    make(
        &mut client,
        &format!("{APPS}/deployments"),
        &workload("Deployment", 2),
    );
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"}, "spec": {
        "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]}});
    make(&mut client, &format!("{NAMESPACE}/services"), &service);
    let (_, slices) = client.get(&format!(
        "{SLICES}?labelSelector=kubernetes.io%2Fservice-name%3Dweb"
    ));
    let slice = &slices["items"][0];
    assert_eq!(
        slice["ports"],
        json!([{"name": "http", "port": 8080, "protocol": "TCP"}])
    );
    let ready = |slice: &Value| {
        let endpoints = slice["endpoints"].as_array().cloned().unwrap_or_default();
        endpoints
            .iter()
            .filter(|one| one["conditions"]["ready"] == true)
            .count()
    };
    assert_eq!(ready(slice), 2);
    let broken = json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "odd", "labels": {"app": "web"},
        "annotations": {"fleet.test/phase": "Failed"}}, "spec": {"containers": [{"name": "a", "image": "a"}]}});
    make(&mut client, &format!("{NAMESPACE}/pods"), &broken);
    assert_eq!(
        client.get(&format!("{NAMESPACE}/pods/odd")).1["status"]["phase"],
        "Failed"
    );
    assert_eq!(
        ready(&client.get(SLICES).1["items"][0]),
        2,
        "a pod at its end is no endpoint"
    );
    client.send("DELETE", &format!("{NAMESPACE}/services/web"), &Value::Null);
    client.settle();
    assert!(names(&client.get(SLICES).1).is_empty());
}

#[test]
fn an_autoscaler_keeps_replicas_between_its_limits_through_scale() {
    let mut client = Client::new();
    make(
        &mut client,
        &format!("{APPS}/deployments"),
        &workload("Deployment", 1),
    );
    let scaler = json!({"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "web"},
        "spec": {"scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": 3, "maxReplicas": 5}});
    make(&mut client, SCALERS, &scaler);
    let path = format!("{APPS}/deployments/web");
    let (_, live) = client.get(&path);
    assert_eq!(
        (&live["spec"]["replicas"], &live["status"]["readyReplicas"]),
        (&json!(3), &json!(3))
    );
    let entries = live["metadata"]["managedFields"].as_array().expect("owners");
    let owner = entries
        .iter()
        .find(|entry| entry["subresource"] == "scale")
        .expect("a scaler");
    assert_eq!(owner["manager"], "kube-controller-manager");
    assert_eq!(owner["fieldsV1"], json!({"f:spec": {"f:replicas": {}}}));
    // By hand, and within the limits; then beyond them.
    for (asked, kept) in [(4, 4), (9, 5), (1, 3)] {
        let (_, mut scale) = client.get(&format!("{path}/scale"));
        assert_eq!(
            (&scale["kind"], &scale["status"]["selector"]),
            (&json!("Scale"), &json!("app=web"))
        );
        scale["spec"]["replicas"] = asked.into();
        let (code, said) = client.send("PUT", &format!("{path}/scale"), &scale);
        assert_eq!((code, &said["spec"]["replicas"]), (200, &json!(asked)));
        client.settle();
        assert_eq!(client.get(&path).1["spec"]["replicas"], kept, "{asked}");
    }
    // Nothing at all is left alone.
    let none = json!({"spec": {"replicas": 0}}).to_string();
    let patched = client.send_text(
        "PATCH",
        &format!("{path}/scale"),
        "application/merge-patch+json",
        none,
    );
    assert_eq!((patched.0, &patched.1["spec"]), (200, &json!({})));
    client.settle();
    assert_eq!(client.get(&path).1["spec"]["replicas"], 0);
}

#[test]
fn scale_is_where_a_definition_says() {
    let mut client = Client::new();
    let schema = json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true});
    let definition = json!({"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": "racks.example.net"}, "spec": {"group": "example.net", "scope": "Namespaced",
            "names": {"kind": "Rack", "plural": "racks"}, "versions": [{"name": "v1", "served": true, "storage": true,
                "schema": {"openAPIV3Schema": schema}, "subresources": {"scale": {
                    "specReplicasPath": ".spec.size.wanted", "statusReplicasPath": ".status.size",
                    "labelSelectorPath": ".status.selector"}}}]}});
    let definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions";
    make(&mut client, definitions, &definition);
    let racks = "/apis/example.net/v1/namespaces/default/racks";
    let rack = json!({"apiVersion": "example.net/v1", "kind": "Rack", "metadata": {"name": "a"},
        "spec": {"size": {"wanted": 2}}, "status": {"size": 1, "selector": "rack=a"}});
    make(&mut client, racks, &rack);
    let (_, scale) = client.get(&format!("{racks}/a/scale"));
    let expected = json!({"replicas": 1, "selector": "rack=a"});
    assert_eq!(
        (&scale["spec"]["replicas"], &scale["status"]),
        (&json!(2), &expected)
    );
    let patch = json!({"spec": {"replicas": -1}}).to_string();
    let (code, said) = client.send_text(
        "PATCH",
        &format!("{racks}/a/scale"),
        "application/merge-patch+json",
        patch,
    );
    assert_eq!((code, &said["reason"]), (422, &json!("Invalid")));
    let patch = json!({"spec": {"replicas": 7}}).to_string();
    client.send_text(
        "PATCH",
        &format!("{racks}/a/scale"),
        "application/merge-patch+json",
        patch,
    );
    assert_eq!(client.get(&format!("{racks}/a")).1["spec"]["size"]["wanted"], 7);
}

#[test]
fn a_claim_is_bound_to_the_volume_that_it_names_and_holds_it() {
    let mut client = Client::new();
    let volumes = "/api/v1/persistentvolumes";
    let volume = json!({"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": "disk"}, "spec": {
        "capacity": {"storage": "5Gi"}, "accessModes": ["ReadWriteOnce"], "hostPath": {"path": "/disk"}}});
    make(&mut client, volumes, &volume);
    assert_eq!(
        client.get(&format!("{volumes}/disk")).1["status"]["phase"],
        "Available"
    );
    let claims = format!("{NAMESPACE}/persistentvolumeclaims");
    let claim = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}, "spec": {
        "volumeName": "disk", "storageClassName": "", "accessModes": ["ReadWriteOnce"],
        "resources": {"requests": {"storage": "1Gi"}}}});
    make(&mut client, &claims, &claim);
    let (_, live) = client.get(&format!("{claims}/c"));
    assert_eq!(
        (&live["status"]["phase"], &live["status"]["capacity"]["storage"]),
        (&json!("Bound"), &json!("5Gi"))
    );
    client.send("DELETE", &format!("{volumes}/disk"), &Value::Null);
    client.settle();
    assert_eq!(
        client.get(&format!("{volumes}/disk")).1["status"]["phase"],
        "Bound",
        "it is held"
    );
    client.send("DELETE", &format!("{claims}/c"), &Value::Null);
    client.settle();
    assert_eq!(client.get(&format!("{claims}/c")).0, 404);
    assert_eq!(client.get(&format!("{volumes}/disk")).0, 404);
}

#[test]
fn a_daemon_set_without_nodes_is_complete() {
    let mut client = Client::new();
    let mut set = workload("DaemonSet", 0);
    if let Some(spec) = set["spec"].as_object_mut() {
        spec.remove("replicas");
    }
    make(&mut client, &format!("{APPS}/daemonsets"), &set);
    let (_, live) = client.get(&format!("{APPS}/daemonsets/web"));
    assert_eq!(
        live["status"]["observedGeneration"],
        live["metadata"]["generation"]
    );
    assert_eq!(
        (
            &live["status"]["desiredNumberScheduled"],
            &live["status"]["numberReady"]
        ),
        (&json!(0), &json!(0))
    );
}
