//! Pods: what a scheduler and a kubelet make of them, at once.

use fleet_diff::{Node, Object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::edit::Writer;
use crate::{
    server::{Server, is_true},
    status::Status,
    write,
};

/// The annotation of a pod that names the phase it comes to, if that is not the usual one: `Pending`, `Running`,
/// `Succeeded` or `Failed`. The real control planes of this project's tests know it too.
const PHASE: &str = "fleet.test/phase";

const KUBELET: Writer = Writer {
    manager: "kubelet",
    subresource: "status",
};

impl Server {
    pub(super) fn run_pods(&mut self, now: Timestamp) -> Result<(), Status> {
        let Some(resource) = self.resource("", "pods") else {
            return Ok(());
        };
        for (key, stored) in self.each("", "pods") {
            let object = &stored.object;
            let phase = object.root().at(&["status", "phase"]).and_then(Node::as_str);
            if matches!(phase, Some("Running" | "Succeeded" | "Failed")) {
                continue;
            }
            let restarts = object
                .root()
                .at(&["spec", "restartPolicy"])
                .and_then(Node::as_str);
            let ends = matches!(restarts, Some("Never" | "OnFailure"));
            let usual = if ends { "Succeeded" } else { "Running" };
            let phase = object.annotation(PHASE).unwrap_or(usual).to_owned();
            if phase == "Pending" {
                continue;
            }
            let (time, address) = (write::stamp(now), self.next_pod_address());
            self.edit(&resource, &key, KUBELET, now, |pod| {
                run(pod, &phase, &address, &time);
            })?;
        }
        Ok(())
    }

    /// In 10.244.0.0/16, as most installations have it.
    fn next_pod_address(&mut self) -> String {
        self.allocated += 1;
        let [_, _, middle, low] = self.allocated.to_be_bytes();
        format!("10.244.{middle}.{low}")
    }
}

/// Whether a pod takes part.
pub(super) fn is_ready(pod: &Object) -> bool {
    is_true(pod, "Ready") && pod.metadata_text("deletionTimestamp").is_none()
}

fn run(pod: &mut Value, phase: &str, address: &str, time: &str) {
    let runs = phase == "Running";
    let ready = if runs { "True" } else { "False" };
    let condition =
        |kind: &str, status: &str| json!({"type": kind, "status": status, "lastTransitionTime": time});
    let containers: Vec<Value> = pod["spec"]["containers"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|container| {
            let ended = |code: u8, reason: &str| {
                json!({"terminated": {"exitCode": code, "reason": reason, "startedAt": time, "finishedAt": time}})
            };
            let state = match phase {
                "Running" => json!({"running": {"startedAt": time}}),
                "Failed" => ended(1, "Error"),
                _ => ended(0, "Completed"),
            };
            json!({"name": container["name"], "image": container["image"], "imageID": "", "ready": runs,
                "started": runs, "restartCount": 0, "lastState": {}, "state": state})
        })
        .collect();
    pod["status"] = json!({
        "phase": phase, "hostIP": "127.0.0.1", "podIP": address, "podIPs": [{"ip": address}],
        "conditions": [condition("Initialized", "True"), condition("Ready", ready),
            condition("ContainersReady", ready), condition("PodScheduled", "True")],
        "containerStatuses": containers, "startTime": time, "qosClass": pod["status"]["qosClass"],
    });
    if let Some(status) = pod["status"].as_object_mut() {
        status.retain(|_, value| !value.is_null());
    }
}
