//! What only a server can choose for new objects: addresses, ports, and labels made of the UID.

use serde_json::{Value, json};

use crate::server::Server;

/// The first of the ports that nodes open (`--service-node-port-range`).
const NODE_PORTS: u32 = 30_000;

impl Server {
    /// Addresses and ports of a new Service (`pkg/registry/core/service/storage/alloc.go`).
    pub(super) fn allocate(&mut self, service: &mut Value) {
        let spec = &mut service["spec"];
        let kind = spec["type"].as_str().unwrap_or("ClusterIP").to_owned();
        if kind == "ExternalName" {
            return;
        }
        let asked = spec["clusterIP"].as_str().unwrap_or("").to_owned();
        let address = match &*asked {
            "" => self.next_address(),
            _ => asked,
        };
        spec["clusterIP"] = address.as_str().into();
        if spec["clusterIPs"].as_array().is_none_or(Vec::is_empty) {
            spec["clusterIPs"] = json!([address]);
        }
        if spec["ipFamilies"].as_array().is_none_or(Vec::is_empty) {
            spec["ipFamilies"] = json!(["IPv4"]);
        }
        if spec["ipFamilyPolicy"].is_null() {
            spec["ipFamilyPolicy"] = "SingleStack".into();
        }
        let opens_nodes = kind == "NodePort"
            || (kind == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"].as_bool() != Some(false));
        for port in spec["ports"].as_array_mut().into_iter().flatten() {
            if opens_nodes && port["nodePort"].as_i64().unwrap_or(0) == 0 {
                self.allocated += 1;
                port["nodePort"] = (NODE_PORTS + self.allocated % 2768).into();
            }
        }
    }

    /// In 10.96.0.0/12, as most installations have it.
    fn next_address(&mut self) -> String {
        self.allocated += 1;
        let [_, high, middle, low] = self.allocated.to_be_bytes();
        format!("10.{}.{middle}.{low}", 96 + (high & 0x0f))
    }
}

/// The selector of a new Job, and the labels it selects by (`pkg/registry/batch/job/strategy.go`).
pub(super) fn select_by_uid(job: &mut Value) {
    if job["spec"]["manualSelector"].as_bool() == Some(true) {
        return;
    }
    let (uid, name) = (job["metadata"]["uid"].clone(), job["metadata"]["name"].clone());
    let labels = [
        ("controller-uid", &uid),
        ("batch.kubernetes.io/controller-uid", &uid),
        ("job-name", &name),
        ("batch.kubernetes.io/job-name", &name),
    ];
    for (label, value) in labels {
        job["spec"]["template"]["metadata"]["labels"][label] = value.clone();
    }
    if job["spec"]["selector"].is_null() {
        job["spec"]["selector"] = json!({"matchLabels": {"batch.kubernetes.io/controller-uid": uid}});
    }
}
