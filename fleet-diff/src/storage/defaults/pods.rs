//! Of Pods.

use serde_json::Value;

use super::{
    super::tree::{Draft, View},
    is_unset,
};

pub(super) fn pod(map: &mut Draft<'_>) {
    let Some(spec) = map.existing("spec") else { return };
    let host_network = spec.get("hostNetwork").and_then(View::as_bool) == Some(true);
    for list in ["containers", "initContainers"] {
        if !spec.contains(list) {
            continue;
        }
        for container in spec.list(list).into_iter().flatten() {
            let limits = container
                .view()
                .get("resources")
                .and_then(|resources| resources.get("limits"));
            let limits = limits.map(View::to_json).unwrap_or_default();
            let Some(container) = container.as_draft() else {
                continue;
            };
            if let Value::Object(limits) = limits
                && let Some(requests) = container.existing("resources").and_then(|r| r.inner("requests"))
            {
                for (name, limit) in limits {
                    if !requests.contains(&name) {
                        requests.set(&name, limit);
                    }
                }
            }
            if host_network && container.contains("ports") {
                for port in container.list("ports").into_iter().flatten() {
                    let number = port
                        .view()
                        .get("containerPort")
                        .map(View::to_json)
                        .unwrap_or_default();
                    if let Some(port) = port.as_draft()
                        && is_unset(port, "hostPort")
                    {
                        port.set("hostPort", number);
                    }
                }
            }
        }
    }
    if is_unset(spec, "enableServiceLinks") {
        spec.set("enableServiceLinks", true);
    }
}
