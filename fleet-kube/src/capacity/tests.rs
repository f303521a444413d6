//! Nodes and pods, and what they add up to.

use std::collections::BTreeSet;

use fleet_core::{Capacity, Resources, Tick};
use serde_json::{Value, json};

use super::{nodes::Node, pods::Pod, tally::Tally};

fn amounts(value: &Value) -> Resources {
    serde_json::from_value(value.clone()).unwrap()
}

fn requests(spec: Value) -> Resources {
    with_status(spec, json!({}))
}

fn with_status(spec: Value, status: Value) -> Resources {
    let pod: Pod =
        serde_json::from_value(json!({"metadata": {"name": "p"}, "spec": spec, "status": status})).unwrap();
    pod.requests()
}

/// A container that asks for so much.
fn container(name: &str, cpu: &str, memory: &str) -> Value {
    json!({"name": name, "image": "x", "resources": {
        "requests": {"cpu": cpu, "memory": memory}, "limits": {"cpu": "64", "memory": "1Ti"}}})
}

/// One that goes on running beside the others.
fn sidecar(name: &str, cpu: &str, memory: &str) -> Value {
    let mut sidecar = container(name, cpu, memory);
    sidecar["restartPolicy"] = json!("Always");
    sidecar
}

#[test]
fn a_pod_asks_for_what_kubernetes_says_it_does() {
    let check = |spec: Value, expect: Value| {
        let mut expect = amounts(&expect);
        expect.set("pods", 1).unwrap();
        assert_eq!(requests(spec.clone()), expect, "{spec}");
    };
    check(json!({"containers": []}), json!({}));
    check(
        json!({"containers": null, "initContainers": null, "overhead": null}),
        json!({}),
    );
    check(json!({"containers": [{"name": "a"}]}), json!({}));
    check(
        json!({"containers": [{"name": "a", "resources": {"limits": {"cpu": "1"}}}]}),
        json!({}),
    );
    check(
        json!({"containers": [container("a", "100m", "1Gi"), container("b", "1", "512Mi")]}),
        json!({"cpu": "1100m", "memory": "1536Mi"}),
    );
    // What is needed once, and more than all that runs after it: by resource.
    check(
        json!({"initContainers": [container("i", "2", "64Mi"), container("j", "1", "128Mi")],
            "containers": [container("a", "500m", "1Gi")]}),
        json!({"cpu": "2", "memory": "1Gi"}),
    );
    // A sidecar counts beside what runs, and beside what begins after it; not beside what began before.
    check(
        json!({"initContainers": [sidecar("s", "100m", "64Mi"), container("i", "2", "64Mi")],
            "containers": [container("a", "500m", "32Mi")]}),
        json!({"cpu": "2100m", "memory": "128Mi"}),
    );
    check(
        json!({"initContainers": [container("i", "2", "64Mi"), sidecar("s", "100m", "64Mi")],
            "containers": [container("a", "500m", "32Mi")]}),
        json!({"cpu": "2", "memory": "96Mi"}),
    );
    // Sidecars after an init container, as in KEP-753.
    let kep = json!([
        container("ic1", "3", "1Mi"),
        sidecar("ic2", "1", "1Mi"),
        sidecar("ic3", "2", "1Mi")
    ]);
    check(
        json!({"initContainers": kep, "containers": [container("c1", "1", "1Mi")]}),
        json!({"cpu": "4", "memory": "3Mi"}),
    );
    check(
        json!({"overhead": {"cpu": "250m", "memory": "120Mi"}, "containers": [container("a", "500m", "8Mi")]}),
        json!({"cpu": "750m", "memory": "128Mi"}),
    );
    // The pod as a whole says: its overhead comes on top, and only what can be said of pods counts.
    check(
        json!({"resources": {"requests": {"cpu": "1", "example.com/gpu": "9"}}, "overhead": {"cpu": "250m"},
            "containers": [container("a", "500m", "8Mi"), container("b", "4", "8Mi")]}),
        json!({"cpu": "1250m", "memory": "16Mi"}),
    );
    check(
        json!({"containers": [{"name": "a", "resources": {"requests":
            {"example.com/gpu": 2, "ephemeral-storage": "0.5", "hugepages-2Mi": "4Mi"}}}]}),
        json!({"example.com/gpu": 2, "ephemeral-storage": 1, "hugepages-2Mi": "4Mi"}),
    );
}

#[test]
fn a_container_that_is_resized_takes_the_most_of_it() {
    let spec = |cpu: &str| json!({"containers": [container("a", cpu, "8Mi")]});
    let status = |given: &str, has: &str| {
        json!({"containerStatuses": [
            {"name": "other", "resources": {"requests": {"cpu": "77"}}},
            {"name": "a", "allocatedResources": {"cpu": given}, "resources": {"requests": {"cpu": has}}}]})
    };
    let cpu = |spec: Value, status: Value| with_status(spec, status).get("cpu");
    assert_eq!(cpu(spec("1"), status("1", "1")), 1_000);
    assert_eq!(
        cpu(spec("1"), status("3", "2")),
        3_000,
        "it shrinks, and holds what it has until it has shrunk"
    );
    assert_eq!(cpu(spec("1"), status("2", "3")), 3_000);
    assert_eq!(cpu(spec("4"), status("1", "1")), 4_000, "it is to grow");
    let mut never = status("1", "1");
    never["conditions"] = json!([{"type": "PodResizePending", "status": "True", "reason": "Infeasible"}]);
    assert_eq!(cpu(spec("4"), never), 1_000, "it cannot");
    let mut later = status("1", "1");
    later["conditions"] = json!([{"type": "PodResizePending", "status": "True", "reason": "Deferred"}]);
    assert_eq!(cpu(spec("4"), later), 4_000);
    let unknown = json!({"containerStatuses": [{"name": "a", "allocatedResources": {"cpu": "9"}}]});
    assert_eq!(
        cpu(spec("1"), unknown),
        1_000,
        "without what it runs with, nothing of it is known"
    );
    let init = json!({"initContainers": [sidecar("s", "1", "8Mi"), container("i", "1", "8Mi")]});
    let status = json!({"initContainerStatuses": [
        {"name": "s", "resources": {"requests": {"cpu": "3"}}}, {"name": "i", "resources": {"requests": {"cpu": "9"}}}]});
    assert_eq!(
        cpu(init, status),
        4_000,
        "sidecars can be resized, other init containers cannot"
    );
}

fn node(name: &str, cpu: &str, memory: &str) -> Value {
    json!({"metadata": {"name": name, "uid": "u", "managedFields": [{"manager": "kubelet"}]}, "spec": {},
        "status": {
            "capacity": {"cpu": "99", "memory": "99Gi", "pods": "99"},
            "allocatable": {"cpu": cpu, "memory": memory, "pods": "10"},
            "conditions": [{"type": "MemoryPressure", "status": "False"}, {"type": "Ready", "status": "True"}]}})
}

/// A node, changed at one place.
fn changed(pointer: &str, to: Value) -> Value {
    let mut node = node("n", "4", "8Gi");
    let (parent, field) = pointer.rsplit_once('/').unwrap();
    node.pointer_mut(parent).unwrap()[field] = to;
    node
}

fn pod(node: Option<&str>, cpu: &str) -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"nodeName": node, "containers": [container("a", cpu, "1Gi")]},
        "status": {"phase": if node.is_some() { "Running" } else { "Pending" }}})
}

fn add_up(nodes: &[Value], pods: &[Value], tolerated: &[&str]) -> Capacity {
    let tolerated: BTreeSet<String> = tolerated.iter().map(|key| (*key).to_owned()).collect();
    let mut tally = Tally::new(&tolerated);
    for node in nodes {
        tally.node(serde_json::from_value::<Node>(node.clone()).unwrap());
    }
    for pod in pods {
        tally.pod(&serde_json::from_value::<Pod>(pod.clone()).unwrap());
    }
    tally.capacity(Tick(7))
}

#[test]
fn nodes_count_that_take_pods() {
    let not_ready = json!([{"type": "Ready", "status": "Unknown"}]);
    let taint = |effect: &str| json!([{"key": "example.com/gpu", "value": "x", "effect": effect}]);
    let cases = [
        (changed("/spec/unschedulable", json!(false)), true),
        (changed("/spec/unschedulable", json!(true)), false),
        (changed("/status/conditions", not_ready), false),
        (changed("/status/conditions", json!([])), false),
        (changed("/status/conditions", Value::Null), false),
        (
            changed("/metadata/deletionTimestamp", json!("2026-01-01T00:00:00Z")),
            false,
        ),
        (changed("/metadata/deletionTimestamp", Value::Null), true),
        (changed("/spec/taints", Value::Null), true),
        (changed("/spec/taints", taint("PreferNoSchedule")), true),
        (changed("/spec/taints", taint("NoSchedule")), false),
        (changed("/spec/taints", taint("NoExecute")), false),
        (json!({"metadata": {"name": "new"}}), false),
    ];
    for (node, counts) in cases {
        // What runs on a node that does not count takes nothing of what others offer.
        let pods = [pod(Some("n"), "1")];
        let capacity = add_up(std::slice::from_ref(&node), &pods, &[]);
        let expect = if counts {
            (1, 0, 4_000, 1_000, 3_000)
        } else {
            (0, 1, 0, 0, 0)
        };
        let (nodes, left_out) = (capacity.nodes, capacity.nodes_left_out);
        let cpu = [&capacity.allocatable, &capacity.requested, &capacity.largest_gap].map(|r| r.get("cpu"));
        assert_eq!((nodes, left_out, cpu[0], cpu[1], cpu[2]), expect, "{node}");
    }
    let tainted = changed("/spec/taints", taint("NoSchedule"));
    assert_eq!(add_up(&[tainted], &[], &["example.com/gpu"]).nodes, 1);
}

#[test]
fn pods_count_while_they_hold_room_or_wait_for_it() {
    let change = |mut pod: Value, pointer: &str, to: Value| {
        let (parent, field) = pointer.rsplit_once('/').unwrap();
        pod.pointer_mut(parent).unwrap()[field] = to;
        pod
    };
    let (here, waits) = (|| pod(Some("n"), "1"), || pod(None, "1"));
    let going = json!("2026-01-01T00:00:00Z");
    let gates = json!([{"name": "queue"}]);
    // The CPU that is asked for, and the gap: what has no node leaves every gap as it is.
    for (pod, requested, gap) in [
        (here(), 1_000, 3_000),
        (waits(), 1_000, 4_000),
        (change(here(), "/status/phase", json!("Pending")), 1_000, 3_000),
        (change(here(), "/status/phase", json!("Unknown")), 1_000, 3_000),
        (change(here(), "/status/phase", json!("Succeeded")), 0, 4_000),
        (change(here(), "/status/phase", json!("Failed")), 0, 4_000),
        (
            change(here(), "/metadata/deletionTimestamp", going.clone()),
            1_000,
            3_000,
        ),
        (change(waits(), "/metadata/deletionTimestamp", going), 0, 4_000),
        (change(waits(), "/spec/schedulingGates", gates), 0, 4_000),
        (change(waits(), "/spec/schedulingGates", json!([])), 1_000, 4_000),
        (change(waits(), "/spec/nodeName", json!("")), 1_000, 4_000),
        (change(here(), "/spec/nodeName", json!("unknown")), 0, 4_000),
        (change(here(), "/status", json!({})), 1_000, 3_000),
    ] {
        let capacity = add_up(&[node("n", "4", "8Gi")], std::slice::from_ref(&pod), &[]);
        let found = (capacity.requested.get("cpu"), capacity.largest_gap.get("cpu"));
        assert_eq!(found, (requested, gap), "{pod}");
        assert_eq!(capacity.requested.get("pods"), requested / 1_000, "{pod}");
    }
}

#[test]
fn sums_are_over_all_and_gaps_of_one_node_by_resource() {
    let nodes = [
        node("a", "4", "8Gi"),
        node("b", "8", "4Gi"),
        changed("/spec/unschedulable", json!(true)),
    ];
    let pods = [
        pod(Some("a"), "500m"),
        pod(Some("a"), "1"),
        pod(Some("b"), "6"),
        pod(None, "32"),
        pod(Some("n"), "1"),
    ];
    let capacity = add_up(&nodes, &pods, &[]);
    assert_eq!(capacity.allocatable.to_string(), "cpu 12, memory 12Gi, pods 20");
    // More may be asked for than there is.
    assert_eq!(capacity.requested.to_string(), "cpu 39500m, memory 4Gi, pods 4");
    assert_eq!(capacity.largest_gap.to_string(), "cpu 2500m, memory 6Gi, pods 9");
    assert_eq!((capacity.nodes, capacity.nodes_left_out), (2, 1));
    assert_eq!(capacity.observed_at, Tick(7));
    assert!(add_up(&[], &[], &[]).allocatable.is_empty());
}

#[test]
fn no_object_spoils_the_sum() {
    // One node more than full, one that reserves more than it has, and a pod that asks for everything there can be.
    let nodes = [node("a", "1", "1Gi"), node("b", "-1", "2Gi")];
    let pods = [
        pod(Some("a"), "3"),
        pod(None, "9223372036854775807"),
        pod(None, "9223372036854775807"),
    ];
    let capacity = add_up(&nodes, &pods, &[]);
    assert_eq!(capacity.allocatable.to_string(), "cpu 1, memory 3Gi, pods 20");
    assert_eq!(capacity.requested.get("cpu"), i64::MAX);
    assert_eq!(capacity.largest_gap.to_string(), "cpu 0, memory 2Gi, pods 10");
    // Servers cut down what is larger than they can keep; whoever sends more is no reason to know nothing.
    for memory in ["9999999999Ei", "9e40", "9223372036854775807"] {
        let capacity = add_up(&[node("a", "1", memory), node("b", "1", "1Gi")], &[], &[]);
        assert_eq!(capacity.allocatable.get("memory"), i64::MAX, "{memory}");
    }
    let wrong = json!({"metadata": {"name": "n"}, "status": {"allocatable": {"cpu": "many"}}});
    assert!(
        serde_json::from_value::<Node>(wrong).is_err(),
        "what is no quantity is no list of a server"
    );
}
