//! Services: what they were given, and what goes with their type.

use super::super::Prediction;
use crate::{
    document::Node,
    storage::{Draft, Tree, View},
};

/// Ports need names as soon as there are two.
pub(super) fn check_ports(merged: Node<'_>) -> Result<(), Prediction> {
    let ports = merged.get("spec").and_then(|spec| spec.get("ports"));
    let named = |port: Node<'_>| {
        port.get("name")
            .and_then(Node::as_str)
            .is_some_and(|name| !name.is_empty())
    };
    match ports {
        Some(ports) if ports.len() > 1 && !ports.items().all(named) => Err(Prediction::refused(
            ".spec.ports[*].name".to_owned(),
            "is required where there are several ports",
        )),
        _ => Ok(()),
    }
}

/// What only some types of Services have goes with the type, unless it was changed in the same breath
/// (`core/service`, `dropTypeDependentFields`).
pub(super) fn drop_by_type(object: &mut Draft<'_>, before: Node<'_>) {
    let text = |of: Option<View<'_, '_>>| of.and_then(View::as_str).unwrap_or("").to_owned();
    let is = |field: &str| object.at(&["spec", field]);
    let was = |field: &str| before.at(&["spec", field]).map(View::Node);
    let type_is = text(is("type"));
    let type_was = text(was("type"));
    // Also where a balancer was told not to allocate any: what is allocated stays.
    let ports = |kind: &str| matches!(kind, "NodePort" | "LoadBalancer");
    let checks = |kind: &str, policy: String| kind == "LoadBalancer" && policy == "Local";
    let json = |of: Option<View<'_, '_>>| of.map(View::to_json);
    let same = |field: &str| json(is(field)) == json(was(field));
    let has_external = |ips: Option<View<'_, '_>>| ips.is_some_and(|ips| ips.len() > 0);
    let policy = |kind: &str, ips: Option<View<'_, '_>>| {
        matches!(kind, "NodePort" | "LoadBalancer") || kind == "ClusterIP" && has_external(ips)
    };
    let node_ports = |of: Option<View<'_, '_>>| -> Vec<i64> {
        let ports = of.map(View::items).unwrap_or_default();
        ports
            .iter()
            .filter_map(|port| port.get("nodePort").and_then(View::as_i64))
            .collect()
    };
    let lost = |before: bool, after: bool| before && !after;
    let no_node_ports = lost(ports(&type_was), ports(&type_is)) && {
        let known = node_ports(was("ports"));
        node_ports(is("ports")).iter().all(|port| known.contains(port))
    };
    let no_check = lost(
        checks(&type_was, text(was("externalTrafficPolicy"))),
        checks(&type_is, text(is("externalTrafficPolicy"))),
    ) && same("healthCheckNodePort");
    let no_balancer = lost(type_was == "LoadBalancer", type_is == "LoadBalancer");
    let no_class = no_balancer && same("loadBalancerClass");
    let no_policy = lost(
        policy(&type_was, was("externalIPs")),
        policy(&type_is, is("externalIPs")),
    ) && same("externalTrafficPolicy");
    let has_address = |kind: &str| kind != "ExternalName";
    let no_address = lost(has_address(&type_was), has_address(&type_is));
    let no_ip = no_address && same("clusterIP") && same("clusterIPs");
    let gone = [
        (no_ip, "clusterIP"),
        (no_ip, "clusterIPs"),
        (no_address && same("ipFamilies"), "ipFamilies"),
        (no_address && same("ipFamilyPolicy"), "ipFamilyPolicy"),
        (no_check, "healthCheckNodePort"),
        (no_balancer, "allocateLoadBalancerNodePorts"),
        (no_class, "loadBalancerClass"),
        (no_policy, "externalTrafficPolicy"),
    ];
    let Some(spec) = object.existing("spec") else {
        return;
    };
    for (gone, field) in gone {
        if gone && spec.contains(field) {
            spec.remove(field);
        }
    }
    if no_node_ports {
        for port in spec.list("ports").into_iter().flatten() {
            if let Some(port) = port.as_draft() {
                port.remove("nodePort");
            }
        }
    }
}

/// A Service keeps the addresses and ports it was given while it needs them
/// (`pkg/registry/core/service/storage/storage.go`, `patchAllocatedValues`).
pub(super) fn keep_allocated<'n>(object: &mut Draft<'n>, before: Node<'n>) {
    let Some(was) = before.get("spec") else { return };
    let kind = |of: Option<&str>| of.unwrap_or("ClusterIP").to_owned();
    let kind_was = kind(was.get("type").and_then(Node::as_str));
    let kind_is = kind(object.at(&["spec", "type"]).and_then(View::as_str));
    let absent = |object: &Draft<'_>, field: &str| object.at(&["spec", field]).is_none_or(View::is_null);
    if kind_was != "ExternalName" && kind_is != "ExternalName" {
        for field in ["clusterIP", "clusterIPs", "ipFamilies", "ipFamilyPolicy"] {
            if absent(object, field)
                && let Some(value) = was.get(field)
                && let Some(spec) = object.existing("spec")
            {
                spec.put(field, Tree::Node(value));
            }
        }
    }
    let needs_ports = |kind: &str, allocate: Option<bool>| {
        kind == "NodePort" || kind == "LoadBalancer" && allocate != Some(false)
    };
    let allocates = "allocateLoadBalancerNodePorts";
    if needs_ports(&kind_was, was.get(allocates).and_then(Node::as_bool))
        && needs_ports(&kind_is, object.at(&["spec", allocates]).and_then(View::as_bool))
    {
        keep_node_ports(object, was);
    }
    if absent(object, "healthCheckNodePort")
        && kind_is == "LoadBalancer"
        && object
            .at(&["spec", "externalTrafficPolicy"])
            .and_then(View::as_str)
            == Some("Local")
        && let Some(port) = was.get("healthCheckNodePort")
        && let Some(spec) = object.existing("spec")
    {
        spec.put("healthCheckNodePort", Tree::Node(port));
    }
}

/// A port without a number on the nodes keeps the one that its name had, unless another port says that one is its own.
fn keep_node_ports<'n>(object: &mut Draft<'n>, was: Node<'n>) {
    const NUMBER: &str = "nodePort";
    let is_unset = |number: Option<i64>| number.is_none_or(|number| number == 0);
    let numbers = |port: View<'_, '_>| port.get(NUMBER).and_then(View::as_i64);
    let ports = object.at(&["spec", "ports"]).map(View::items).unwrap_or_default();
    let said: Vec<i64> = ports.iter().filter_map(|port| numbers(*port)).collect();
    if said.len() == ports.len() {
        return;
    }
    let Some(ports) = object.existing("spec").and_then(|spec| spec.list("ports")) else {
        return;
    };
    let name = |port: View<'_, '_>| port.get("name").and_then(View::as_str).unwrap_or("").to_owned();
    for port in ports.iter_mut().filter(|port| is_unset(numbers(port.view()))) {
        let wanted = name(port.view());
        let known = was.get("ports").into_iter().flat_map(Node::items);
        let known = known.filter(|old| name(View::Node(*old)) == wanted).last();
        if let Some(number) = known.and_then(|old| old.get(NUMBER))
            && number.as_i64().is_none_or(|number| !said.contains(&number))
            && let Some(port) = port.as_draft()
        {
            port.put(NUMBER, Tree::Node(number));
        }
    }
}
