//! What of a Pod may still change (`pkg/apis/core/validation`, `ValidatePodUpdate`).

use serde_json::Value;

use super::is_same;
use crate::document::Node;

/// A deadline only gets nearer.
pub(super) fn is_put_off(live: Node<'_>, new: Node<'_>) -> bool {
    let deadline = |of: Node<'_>| of.at(&["spec", "activeDeadlineSeconds"]).and_then(Node::as_i64);
    match (deadline(live), deadline(new)) {
        (Some(was), Some(is)) => is > was,
        (Some(_), None) => true,
        (None, _) => false,
    }
}

/// Tolerations may come, and get other times.
pub(super) fn loses_toleration(live: Node<'_>, new: Node<'_>) -> bool {
    let known = |of| {
        let mut all = list(of, &["spec", "tolerations"]);
        for toleration in all.iter_mut().filter_map(Value::as_object_mut) {
            toleration.remove("tolerationSeconds");
        }
        all
    };
    let after = known(new);
    !known(live).iter().all(|toleration| after.contains(toleration))
}

/// Gates may only go.
pub(super) fn gains_gate(live: Node<'_>, new: Node<'_>) -> bool {
    let before = list(live, &["spec", "schedulingGates"]);
    !list(new, &["spec", "schedulingGates"])
        .iter()
        .all(|gate| before.contains(gate))
}

/// A negative grace period may become one second, and nothing else may change.
pub(super) fn is_no_repair_of_grace(live: Node<'_>, new: Node<'_>) -> bool {
    let grace = |of: Node<'_>| {
        of.at(&["spec", "terminationGracePeriodSeconds"])
            .and_then(Node::as_i64)
    };
    !(grace(live).is_some_and(|grace| grace < 0) && grace(new) == Some(1))
}

/// As long as a Pod has gates, what it asks of nodes may get narrower.
pub(super) fn is_no_narrower_affinity(live: Node<'_>, new: Node<'_>) -> bool {
    if list(live, &["spec", "schedulingGates"]).is_empty() {
        return true;
    }
    let of_pods = |of: Node<'_>, field| of.at(&["spec", "affinity", field]).map(Node::to_json);
    if ["podAffinity", "podAntiAffinity"]
        .iter()
        .any(|field| of_pods(live, field) != of_pods(new, field))
    {
        return true;
    }
    const TERMS: [&str; 5] = [
        "spec",
        "affinity",
        "nodeAffinity",
        "requiredDuringSchedulingIgnoredDuringExecution",
        "nodeSelectorTerms",
    ];
    let (before, after) = (list(live, &TERMS), list(new, &TERMS));
    if before.is_empty() {
        return false;
    }
    before.len() != after.len() || !before.iter().zip(&after).all(|(was, is)| has_only_more(was, is))
}

/// Expressions only come at the end, and to none come none.
fn has_only_more(was: &Value, is: &Value) -> bool {
    let part = |of: &Value, field: &str| of[field].as_array().cloned().unwrap_or_default();
    let fields = ["matchExpressions", "matchFields"];
    if fields.iter().all(|field| part(was, field).is_empty()) {
        return fields.iter().all(|field| part(is, field).is_empty());
    }
    fields.iter().all(|field| {
        let (was, is) = (part(was, field), part(is, field));
        is.len() >= was.len() && was.iter().zip(&is).all(|(was, is)| is_same(was, is))
    })
}

/// As long as a Pod has gates, its node selector may get more keys.
pub(crate) fn loses_node_selector(live: Node<'_>, new: Node<'_>) -> bool {
    let was = live.at(&["spec", "nodeSelector"]);
    let is = new.at(&["spec", "nodeSelector"]);
    was.into_iter()
        .flat_map(Node::entries)
        .any(|(key, value)| is.and_then(|is| is.get(key)) != Some(value))
}

fn list(of: Node<'_>, path: &[&str]) -> Vec<Value> {
    of.at(path)
        .into_iter()
        .flat_map(Node::items)
        .map(Node::to_json)
        .collect()
}
