//! Pods: what admission plugins of the server fill in, and what of them may change.

use serde_json::json;

use super::super::Prediction;
use crate::{
    FieldPath,
    document::Node,
    rules::{Broken, Fact, loses_node_selector},
    storage::{Draft, Tree, View},
};

/// It takes more keys only as long as the Pod may not be scheduled (`core/validation`, `ValidatePodUpdate`).
pub(super) fn check_node_selector(merged: Node<'_>, live: Node<'_>) -> Result<(), Prediction> {
    let of = |pod: Node<'_>| {
        pod.at(&["spec", "nodeSelector"])
            .filter(|selector| !selector.is_empty())
            .map(Node::to_json)
    };
    let gated = live
        .at(&["spec", "schedulingGates"])
        .is_some_and(|gates| !gates.is_empty());
    if of(merged) == of(live) || gated && !loses_node_selector(live, merged) {
        return Ok(());
    }
    let broken = Broken {
        rule: "pod/node-selector",
        fact: Fact::Immutable,
        path: FieldPath::keys(["spec", "nodeSelector"]),
    };
    Err(Prediction::blocked(vec![broken]))
}

/// What admission plugins fill in of a new Pod where nothing in the cluster says otherwise (`ServiceAccount`, `Priority`,
/// `DefaultTolerationSeconds`); the volume with a token of a random name is left out.
pub(super) fn admit(object: &mut Draft<'_>) {
    let Some(spec) = object.inner("spec") else { return };
    for (field, value) in [
        ("serviceAccount", json!("default")),
        ("serviceAccountName", json!("default")),
        ("priority", json!(0)),
        ("preemptionPolicy", json!("PreemptLowerPriority")),
    ] {
        if spec.get(field).is_none_or(View::is_null) {
            spec.set(field, value);
        }
    }
    tolerate_lost_nodes(object);
}

/// The admission plugin `Priority` fills in again what it filled in.
pub(super) fn keep_priority<'n>(object: &mut Draft<'n>, before: Node<'n>) {
    let Some(was) = before.get("spec") else { return };
    for field in ["priority", "preemptionPolicy"] {
        if object.at(&["spec", field]).is_none()
            && let Some(value) = was.get(field)
            && let Some(spec) = object.existing("spec")
        {
            spec.put(field, Tree::Node(value));
        }
    }
}

/// The admission plugin `DefaultTolerationSeconds`, with its own defaults.
pub(super) fn tolerate_lost_nodes(object: &mut Draft<'_>) {
    const LOST: [&str; 2] = ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"];
    let known = object
        .at(&["spec", "tolerations"])
        .map(View::items)
        .unwrap_or_default();
    let tolerates = |key: &str, toleration: &View<'_, '_>| {
        let text = |field: &str| {
            toleration
                .get(field)
                .and_then(View::as_str)
                .unwrap_or("")
                .to_owned()
        };
        (text("key") == key || text("key").is_empty()) && matches!(&*text("effect"), "" | "NoExecute")
    };
    let missing: Vec<&str> = LOST
        .into_iter()
        .filter(|key| !known.iter().any(|toleration| tolerates(key, toleration)))
        .collect();
    if missing.is_empty() {
        return;
    }
    if let Some(list) = object.existing("spec").and_then(|spec| spec.list("tolerations")) {
        for key in missing {
            let toleration =
                json!({"effect": "NoExecute", "key": key, "operator": "Exists", "tolerationSeconds": 300});
            list.push(Tree::Json(toleration));
        }
    }
}
