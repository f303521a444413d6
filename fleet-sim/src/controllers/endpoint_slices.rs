//! `EndpointSlice`s of Services: the pods that they select (`pkg/controller/endpointslice`).

use std::collections::BTreeMap;

use fleet_diff::{Node, Object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{edit::MANAGER, own, pods::is_ready};
use crate::{
    server::Server,
    status::Status,
    store::{Key, Stored},
};

/// The label of a slice that names its Service.
const SERVICE: &str = "kubernetes.io/service-name";

impl Server {
    pub(super) fn run_endpoint_slices(&mut self, now: Timestamp) -> Result<(), Status> {
        let pods = self.each("", "pods");
        for (key, stored) in self.each("", "services") {
            let selector = stored.object.root().at(&["spec", "selector"]);
            let has_selector = selector.is_some_and(|selector| !selector.is_empty());
            if has_selector && stored.object.metadata_text("deletionTimestamp").is_none() {
                self.keep_slice(&key, &stored, &pods, now)?;
            }
        }
        Ok(())
    }

    fn keep_slice(
        &mut self,
        key: &Key,
        service: &Stored,
        pods: &[(Key, std::sync::Arc<Stored>)],
        now: Timestamp,
    ) -> Result<(), Status> {
        let Some(resource) = self.resource("discovery.k8s.io", "endpointslices") else {
            return Ok(());
        };
        let selector: BTreeMap<&str, &str> = service
            .object
            .root()
            .at(&["spec", "selector"])
            .into_iter()
            .flat_map(Node::entries)
            .filter_map(|(name, value)| Some((name, value.as_str()?)))
            .collect();
        let selects = |pod: &Object| {
            selector
                .iter()
                .all(|(name, value)| pod.label(name) == Some(value))
        };
        let selected: Vec<Value> = pods
            .iter()
            .filter(|(pod_key, pod)| pod_key.namespace == key.namespace && selects(&pod.object))
            .filter(|(_, pod)| !own::has_ended(&pod.object))
            .filter_map(|(_, pod)| endpoint(&pod.object))
            .collect();
        let value = service.object.to_json();
        let ports: Vec<Value> = value["spec"]["ports"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|one| port(one, &selector, pods, key))
            .collect();
        let slices = self.owned("discovery.k8s.io", "endpointslices", &service.object);
        if let Some(slice) = slices.first() {
            let slice_key = Key {
                name: slice.name().into(),
                ..key.clone()
            };
            return self.edit(&resource, &slice_key, MANAGER, now, |slice| {
                slice["endpoints"] = selected.into();
                slice["ports"] = ports.into();
            });
        }
        let name = self.generated(&format!("{}-", key.name));
        let mut labels = value["metadata"]["labels"].clone();
        labels[SERVICE] = value["metadata"]["name"].clone();
        labels["endpointslice.kubernetes.io/managed-by"] = "endpointslice-controller.k8s.io".into();
        if value["spec"]["clusterIP"] == "None" {
            labels["service.kubernetes.io/headless"] = "".into();
        }
        let slice = json!({
            "apiVersion": "discovery.k8s.io/v1", "kind": "EndpointSlice", "addressType": "IPv4",
            "metadata": {"namespace": &*key.namespace, "name": name, "generateName": format!("{}-", key.name),
                "labels": labels, "ownerReferences": [own::reference(&value)]},
            "endpoints": selected, "ports": ports,
        });
        self.make(&resource, MANAGER, now, slice)
    }
}

/// A port as pods have it: its number, or that of the container port of its name.
fn port(
    of_service: &Value,
    selector: &BTreeMap<&str, &str>,
    pods: &[(Key, std::sync::Arc<Stored>)],
    key: &Key,
) -> Option<Value> {
    let number = match &of_service["targetPort"] {
        Value::String(name) => pods
            .iter()
            .filter(|(pod_key, pod)| {
                let selects = |(name, value): (&&str, &&str)| pod.object.label(name) == Some(value);
                pod_key.namespace == key.namespace && selector.iter().all(selects)
            })
            .find_map(|(_, pod)| named_port(&pod.object, name))?,
        Value::Number(number) if number.as_i64() != Some(0) => number.as_i64()?,
        _ => of_service["port"].as_i64()?,
    };
    let mut found =
        json!({"name": of_service["name"].as_str().unwrap_or(""), "port": number, "protocol": "TCP"});
    for field in ["protocol", "appProtocol"] {
        if let Some(text) = of_service[field].as_str() {
            found[field] = text.into();
        }
    }
    Some(found)
}

fn named_port(pod: &Object, name: &str) -> Option<i64> {
    let containers = pod.root().at(&["spec", "containers"])?;
    let mut ports = containers
        .items()
        .filter_map(|container| container.get("ports"))
        .flat_map(Node::items);
    let port = ports.find(|port| port.get("name").and_then(Node::as_str) == Some(name))?;
    port.get("containerPort")?.as_i64()
}

fn endpoint(pod: &Object) -> Option<Value> {
    let address = pod.root().at(&["status", "podIP"])?.as_str()?;
    let is_going = pod.metadata_text("deletionTimestamp").is_some();
    let ready = is_ready(pod);
    Some(json!({
        "addresses": [address],
        "conditions": {"ready": ready, "serving": ready || is_going, "terminating": is_going},
        "targetRef": {"kind": "Pod", "namespace": pod.namespace(), "name": pod.name(), "uid": pod.metadata_text("uid")},
    }))
}
