//! What a server does to objects of some kinds.

#[path = "support/deployment.rs"]
#[allow(dead_code, reason = "each test uses its part")]
mod deployment;
mod support;

use deployment::{deployment, with};
use fleet_diff::{Action, Doubt, Prediction};
use serde_json::{Value, json};
use support::{applied, decide, forced, object};

#[test]
fn what_configured_kubelets_is_dropped_from_a_node() {
    let node = |source: Value| {
        json!({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "a"},
            "spec": {"podCIDR": "10.4.0.0/24", "configSource": source}})
    };
    let live = applied(None, &node(json!({})), "fleet");
    assert_eq!(live.to_json()["spec"].get("configSource"), None);
    let after = applied(Some(&live), &node(json!({})), "fleet");
    assert_eq!(after.to_json()["spec"], live.to_json()["spec"]);
}

#[test]
fn templates_of_claims_are_claims() {
    let set = |kind: &str| {
        json!({"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"namespace": "shop", "name": "db"},
            "spec": {"serviceName": "db", "selector": {"matchLabels": {"app": "db"}},
                "template": {"metadata": {"labels": {"app": "db"}},
                    "spec": {"containers": [{"name": "db", "image": "db:1"}]}},
                "volumeClaimTemplates": [{"kind": kind, "metadata": {"name": "data"}, "spec": {
                    "accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}}]}})
    };
    let live = applied(None, &set("PersistentVolumeClaim"), "fleet");
    decide(&set("Claim"), &live, |decision| {
        assert_eq!(decision.action(), Action::None);
    });
}

#[test]
fn a_service_drops_what_its_new_type_does_not_have() {
    let service = |kind: &str| {
        json!({"apiVersion": "v1", "kind": "Service", "metadata": {"namespace": "shop", "name": "web"},
            "spec": {"type": kind, "ports": [{"port": 80}]}})
    };
    let mut live = applied(None, &service("LoadBalancer"), "fleet").to_json();
    live["spec"]["ports"][0]["nodePort"] = json!(30_080);
    let after = applied(Some(&object(live)), &service("ClusterIP"), "fleet").to_json();
    for field in [
        "allocateLoadBalancerNodePorts",
        "externalTrafficPolicy",
        "healthCheckNodePort",
    ] {
        assert_eq!(after["spec"][field], Value::Null, "{field}");
    }
    assert_eq!(after["spec"]["ports"][0]["nodePort"], Value::Null);
    assert_eq!(after["spec"]["internalTrafficPolicy"], json!("Cluster"));
}

#[test]
fn a_job_without_labels_has_those_of_its_template() {
    let job = json!({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"namespace": "shop", "name": "once"},
        "spec": {"template": {"metadata": {"labels": {"app": "once"}}, "spec": {"restartPolicy": "Never",
            "containers": [{"name": "a", "image": "a:1"}]}}}});
    let labels = applied(None, &job, "fleet").to_json()["metadata"]["labels"].clone();
    let expected = json!({"app": "once", "job-name": "once", "batch.kubernetes.io/job-name": "once"});
    assert_eq!(labels, expected, "and two with the UID that it will have");
}

/// A default is for what is not there; what is empty is something else, and mostly refused.
#[test]
fn an_empty_text_is_not_taken_for_a_default() {
    let class = |policy: Value| {
        json!({"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": "fast"},
            "provisioner": "disks.example.net", "reclaimPolicy": policy})
    };
    let live = applied(None, &class(Value::Null), "fleet");
    assert_eq!(live.to_json()["reclaimPolicy"], "Delete");
    let unsure = |field: &str| Prediction::Unsure(Doubt::Required(field.to_owned()));
    for live in [None, Some(&live)] {
        assert_eq!(
            forced(live, &class(json!("")), "fleet"),
            unsure("StorageClass.reclaimPolicy")
        );
    }
    let service = json!({"apiVersion": "v1", "kind": "Service", "metadata": {"name": "web"},
        "spec": {"internalTrafficPolicy": "", "ports": [{"port": 80}]}});
    assert_eq!(
        forced(None, &service, "fleet"),
        unsure("ServiceSpec.internalTrafficPolicy")
    );
    // Its default is the empty text.
    let pod = with(
        deployment(),
        "/spec/template/spec/volumes",
        json!([{"name": "logs", "hostPath": {"path": "/var/log", "type": ""}}]),
    );
    assert!(matches!(forced(None, &pod, "fleet"), Prediction::Object(_)));
}
