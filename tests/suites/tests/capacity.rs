//! What clusters can carry: read of real servers and of in-process ones, at no cost where nobody asked for it.

use std::time::Duration;

use fleet_core::{Identity, Inventory, MemoryStatus, Object, Remedy, StatusSink, Tick};
use fleet_harness::{Cluster, ControlPlane, Kind, Options, User, merged_kubeconfig};
use fleet_kube::{CapacityOptions, Connection, ConnectionOptions};
use fleet_suites::{Bed, Desk, Settable, clean, on_both_kinds, on_runtime};
use k8s_openapi::api::core::v1::{Namespace, Node, Pod, ServiceAccount};
use kube::{
    Api, Client,
    api::{Patch, PatchParams, PostParams},
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

on_both_kinds! {
    nodes_and_pods_are_added_up: [Own];
    it_is_off_unless_asked_for_and_kept_up_to_date_then: [Audit, Own];
}

/// A cluster in which nobody else makes anything.
fn alone(name: &str) -> Options {
    Options::new(name).controllers(false).pods(false)
}

async fn create<T>(api: &Api<T>, object: Value)
where
    T: Clone + std::fmt::Debug + Serialize + DeserializeOwned,
{
    let object: T = serde_json::from_value(object).unwrap();
    match api.create(&PostParams::default(), &object).await {
        Ok(_) => {}
        // In-process clusters make service accounts themselves.
        Err(kube::Error::Api(status)) if status.code == 409 => {}
        Err(error) => panic!("{error}"),
    }
}

/// A node that is ready; servers taint new ones until somebody says that.
async fn add_node(client: &Client, name: &str, cpu: &str, memory: &str) {
    let nodes: Api<Node> = Api::all(client.clone());
    let node = json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}});
    create(&nodes, node).await;
    let params = PatchParams::default();
    let untainted = json!({"spec": {"taints": null}});
    nodes
        .patch(name, &params, &Patch::Merge(&untainted))
        .await
        .unwrap();
    let status = json!({"status": {
        "capacity": {"cpu": cpu, "memory": memory, "pods": "10"},
        "allocatable": {"cpu": cpu, "memory": memory, "pods": "10"},
        "conditions": [{"type": "Ready", "status": "True", "reason": "KubeletReady", "message": "ready",
            "lastHeartbeatTime": "2026-01-01T00:00:00Z", "lastTransitionTime": "2026-01-01T00:00:00Z"}]}});
    nodes
        .patch_status(name, &params, &Patch::Merge(&status))
        .await
        .unwrap();
}

fn pod(name: &str, node: Option<&str>, cpu: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "shop"}, "spec": {
        "nodeName": node, "automountServiceAccountToken": false, "containers": [{
            "name": "a", "image": "registry.example.com/a:1", "resources": {"requests": {"cpu": cpu, "memory": "1Gi"}}}]}})
}

/// Two nodes that count, one that does not, and pods of all sorts.
async fn furnish(client: &Client) {
    for (name, cpu, memory) in [
        ("a", "4", "8Gi"),
        ("b", "7900m", "15730532Ki"),
        ("c", "64", "1Ti"),
    ] {
        add_node(client, name, cpu, memory).await;
    }
    let cordon = json!({"spec": {"unschedulable": true}});
    let nodes: Api<Node> = Api::all(client.clone());
    nodes
        .patch("c", &PatchParams::default(), &Patch::Merge(&cordon))
        .await
        .unwrap();
    let namespace = json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "shop"}});
    create::<Namespace>(&Api::all(client.clone()), namespace).await;
    let metadata = json!({"name": "default", "namespace": "shop"});
    let account = json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": metadata});
    create::<ServiceAccount>(&Api::namespaced(client.clone(), "shop"), account).await;

    let pods: Api<Pod> = Api::namespaced(client.clone(), "shop");
    for (name, node, cpu) in [
        ("one", Some("a"), "500m"),
        ("two", Some("a"), "0.25"),
        ("three", Some("b"), "2"),
        ("cordoned", Some("c"), "32"),
        ("waits", None, "100m"),
        ("over", Some("a"), "3"),
    ] {
        create(&pods, pod(name, node, cpu)).await;
    }
    // 1100m while its init container runs, and then 600m.
    let mut begins = pod("begins", Some("b"), "500m");
    begins["spec"]["initContainers"] = json!([
        {"name": "sidecar", "image": "s", "restartPolicy": "Always", "resources": {"requests": {"cpu": "100m"}}},
        {"name": "init", "image": "i", "resources": {"requests": {"cpu": "1"}}}]);
    create(&pods, begins).await;
    let mut gated = pod("gated", None, "64");
    gated["spec"]["schedulingGates"] = json!([{"name": "example.com/queue"}]);
    create(&pods, gated).await;
    let over = json!({"status": {"phase": "Succeeded"}});
    pods.patch_status("over", &PatchParams::default(), &Patch::Merge(&over))
        .await
        .unwrap();
}

async fn nodes_and_pods_are_added_up(kind: Kind) {
    let cluster = Cluster::start(kind, alone("c")).unwrap();
    let client = cluster.client(User::Someone).await.unwrap();
    furnish(&client).await;
    let connection: Connection = cluster
        .connect(User::Fleet, ConnectionOptions::default())
        .await
        .unwrap();
    connection.discover().await.unwrap();
    // In pages of two, and at once.
    for page_size in [2, 250] {
        let options = CapacityOptions::default().page_size(page_size);
        let capacity = connection.capacity(&options, Tick(7)).await.unwrap();
        assert_eq!(
            capacity.allocatable.to_string(),
            "cpu 11900m, memory 24119140Ki, pods 20"
        );
        assert_eq!(capacity.requested.to_string(), "cpu 3950m, memory 5Gi, pods 5");
        assert_eq!(
            capacity.largest_gap.to_string(),
            "cpu 4800m, memory 13633380Ki, pods 8"
        );
        assert_eq!((capacity.nodes, capacity.nodes_left_out), (2, 1));
        let kinds = capacity.kinds.unwrap();
        for served in [
            "Pod.v1",
            "Deployment.v1.apps",
            "CustomResourceDefinition.v1.apiextensions.k8s.io",
        ] {
            assert!(kinds.contains(served), "{served}: {kinds:?}");
        }
        assert!(
            !kinds.iter().any(|kind| kind.starts_with("TokenReview")),
            "{kinds:?}"
        );
        assert!(capacity.version.unwrap().starts_with("1."));
    }
    let fault = connection
        .capacity(&CapacityOptions::default().pods_max(5), Tick(7))
        .await
        .unwrap_err();
    assert!(
        fault.remedy == Remedy::Policy && fault.message.contains("more than 5 pods"),
        "{fault}"
    );
    if kind == Kind::Real {
        // Somebody without any rights.
        let nobody = connection.as_identity(&Identity::new("nobody")).unwrap();
        let fault = nobody
            .capacity(&CapacityOptions::default(), Tick(7))
            .await
            .unwrap_err();
        assert!(
            fault.remedy == Remedy::Forbidden && fault.message.contains("cannot list"),
            "{fault}"
        );
    }
}

async fn it_is_off_unless_asked_for_and_kept_up_to_date_then(kind: Kind) {
    let cluster = Cluster::start(kind, alone("c").audit(true)).unwrap();
    let client = cluster.client(User::Someone).await.unwrap();
    add_node(&client, "a", "4", "8Gi").await;
    let bed = Bed::new([&cluster]);
    let map =
        json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "namespace": "default"}});
    let inventory = Inventory::new("1", [Object::from_json(map).unwrap()]).unwrap();
    let source = Settable::new(inventory.snapshot());
    let status = MemoryStatus::default();
    let fleet = || bed.fleet(source.clone()).status(status.clone());
    // Lists of nodes and pods since the beginning, but for those of what bears the fleet's mark.
    let start = cluster.audit_mark().unwrap();
    let lists = |resource: &str| {
        let events = cluster.audit_since(start).unwrap().into_iter();
        let ours = events.filter(|event| event.user == "fleet" && event.resource == resource);
        ours.filter(|event| event.is_object_request() && event.query("labelSelector").next().is_none())
            .count()
    };

    let off = fleet().build().unwrap();
    let task = tokio::spawn({
        let off = off.clone();
        async move { off.run().await }
    });
    clean(&off, &["c"], None).await;
    sleep(Duration::from_secs(5)).await;
    task.abort();
    assert_eq!((lists("nodes"), lists("pods")), (0, 0));
    assert_eq!(off.observed()["c"].capacity, None);

    let options = CapacityOptions::default().interval(Duration::from_secs(2));
    let on = fleet().capacity(options).build().unwrap();
    let began = Instant::now();
    let task = tokio::spawn({
        let on = on.clone();
        async move { on.run().await }
    });
    let known = |expect: u32| {
        let on = on.clone();
        async move {
            let deadline = Instant::now() + Duration::from_secs(30);
            loop {
                let capacity = on.observed().remove("c").and_then(|observed| observed.capacity);
                if let Some(capacity) = capacity.filter(|capacity| capacity.nodes == expect) {
                    return capacity;
                }
                assert!(Instant::now() < deadline, "{:?}", on.observed());
                sleep(Duration::from_millis(100)).await;
            }
        }
    };
    let first = known(1).await;
    assert_eq!(first.allocatable.to_string(), "cpu 4, memory 8Gi, pods 10");
    add_node(&client, "b", "1", "1Gi").await;
    let second = known(2).await;
    assert_eq!(second.allocatable.to_string(), "cpu 5, memory 9Gi, pods 20");
    assert!(second.observed_at > first.observed_at);
    sleep(Duration::from_secs(4)).await;
    let readings = u64::try_from(lists("nodes")).unwrap();
    let most = began.elapsed().as_secs() / 2 + 2;
    assert!(
        (2..=most).contains(&readings),
        "{readings} in {:?}",
        began.elapsed()
    );
    let stored = status
        .load()
        .await
        .unwrap()
        .remove("c")
        .unwrap()
        .capacity
        .unwrap();
    assert!(stored.nodes >= 1 && stored.observed_at >= first.observed_at);
    task.abort();
}

#[test]
fn fleetctl_shows_what_clusters_can_carry() {
    let plane = ControlPlane::start(alone("c")).unwrap();
    let fleetctl = Desk::new();
    merged_kubeconfig(&[&plane], &fleetctl.path("kubeconfig")).unwrap();
    fleetctl.write(
        "c/all.yaml",
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ours}\ndata: {k: v}\n",
    );
    assert_eq!(fleetctl.run(&["apply"]).0, 0);
    let cluster = Cluster::from(std::sync::Arc::new(plane));
    on_runtime(async {
        furnish(&cluster.client(User::Someone).await.unwrap()).await;
    });
    let status = |words: &[&str]| {
        let words = [&["status"], words].concat();
        let (code, text, errors) = fleetctl.run(&words);
        assert_eq!(code, 0, "{text}{errors}");
        text
    };
    let text = status(&[]);
    assert!(
        !text.contains("free on one node"),
        "nobody has asked for it: {text}"
    );
    let text = status(&["--capacity"]);
    for expect in [
        "2 nodes, and 1 that take no pods",
        "cpu: 3950m of 11900m asked for; 4800m free on one node",
        "memory: 5Gi of 23Gi asked for; 13Gi free on one node",
        "pods: 5 of 20 asked for; 8 free on one node",
    ] {
        assert!(text.contains(expect), "{expect}: {text}");
    }
    // It is kept, and shown to whoever does not read it anew.
    assert!(status(&[]).contains("cpu: 3950m of 11900m"));
    let all: Value = serde_json::from_str(&status(&["--output", "json"])).unwrap();
    assert_eq!(all[0]["cluster"], "c");
    assert_eq!(all[0]["capacity"]["allocatable"]["cpu"], "11900m");
    assert!(all[0]["capacity"]["kinds"].as_array().unwrap().len() > 40);
    let (_, text, _) = fleetctl.run(&["plan", "--output", "json"]);
    assert!(!text.contains("allocatable"), "a plan is about objects: {text}");
}
