//! A status for an object of any kind.

use serde_json::{Map, Value, json};

use super::{
    schema::{ListSort, Schema, Sort},
    server::is_built_in,
};
use crate::served::Served;

const TIME: &str = "2026-01-02T03:04:05Z";

/// Fields of a status that are filled in, where nothing is known of the kind.
const FIELDS: usize = 4;

/// What a controller might write, if the kind has a status.
pub(super) fn example(resource: &Served, schema: Schema<'_>) -> Option<Value> {
    if !resource.has_subresource("status") {
        return None;
    }
    if is_built_in(resource)
        && let Some(known) = known(resource)
    {
        return Some(known);
    }
    filled(schema.field("status")?, FIELDS).filter(|status| *status != json!({}))
}

fn condition(kind: &str, status: &str) -> Value {
    json!({"type": kind, "status": status, "reason": "Because", "message": "", "lastTransitionTime": TIME})
}

fn known(resource: &Served) -> Option<Value> {
    let conditions = json!([condition("Ready", "True"), condition("Synced", "False")]);
    Some(match resource.kind.as_str() {
        "Deployment" | "ReplicaSet" | "ReplicationController" | "StatefulSet" => json!({
            "replicas": 2, "readyReplicas": 1, "observedGeneration": 1,
            "conditions": [condition("Available", "True"), condition("Progressing", "False")],
        }),
        "DaemonSet" => json!({
            "currentNumberScheduled": 1, "numberMisscheduled": 0, "desiredNumberScheduled": 2, "numberReady": 1,
        }),
        "Job" => json!({"active": 1, "startTime": TIME}),
        "CronJob" => json!({"lastScheduleTime": TIME}),
        "Ingress" => json!({"loadBalancer": {"ingress": [{"ip": "192.0.2.7"}]}}),
        "HorizontalPodAutoscaler" if resource.api_version.ends_with("v1") => {
            json!({"currentReplicas": 2, "desiredReplicas": 3})
        }
        "HorizontalPodAutoscaler" => {
            json!({"currentReplicas": 2, "desiredReplicas": 3, "conditions": conditions})
        }
        "Node" => {
            json!({"conditions": [condition("Ready", "True")], "capacity": {"cpu": "4", "memory": "8Gi"}})
        }
        "Pod" => json!({
            "phase": "Running", "podIP": "10.8.0.9", "podIPs": [{"ip": "10.8.0.9"}], "conditions": conditions,
        }),
        "PersistentVolume" => json!({"phase": "Available", "message": "said"}),
        "PersistentVolumeClaim" => json!({"phase": "Pending", "conditions": [condition("Resizing", "True")]}),
        "ResourceQuota" => json!({"used": {"pods": "3"}, "hard": {"pods": "50"}}),
        "PodDisruptionBudget" => json!({
            "currentHealthy": 1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": 1,
            "conditions": conditions,
        }),
        "Namespace"
        | "Service"
        | "FlowSchema"
        | "PriorityLevelConfiguration"
        | "CustomResourceDefinition"
        | "ValidatingAdmissionPolicy" => json!({"conditions": conditions}),
        _ => return None,
    })
}

/// A mapping with what it needs, and some fields more.
fn filled(schema: Schema<'_>, more: usize) -> Option<Value> {
    let mut map = Map::new();
    let mut left = more;
    for name in schema.known_fields() {
        let Some(below) = schema.field(name) else { continue };
        let is_needed = schema.requires(name);
        if !is_needed && left == 0 {
            continue;
        }
        if let Some(value) = value(name, below) {
            map.insert(name.to_owned(), value);
            left = left.saturating_sub(usize::from(!is_needed));
        } else if is_needed {
            return None;
        }
    }
    Some(Value::Object(map))
}

fn value(name: &str, schema: Schema<'_>) -> Option<Value> {
    if let Some(first) = schema.enumerated().first() {
        return Some(first.clone());
    }
    Some(match schema.sort() {
        Sort::Text => json!(if name == "status" { "True" } else { "Ready" }),
        Sort::Time => json!(TIME),
        Sort::Integer | Sort::Number | Sort::IntOrString => json!(1),
        Sort::Quantity => json!("1"),
        Sort::Truth => json!(true),
        Sort::List(ListSort::Keyed(_)) => json!([filled(schema.items()?, 1)?]),
        Sort::List(_) => json!([value(name, schema.items()?)?]),
        Sort::Mapping { free: false, .. } => filled(schema, 1)?,
        Sort::Mapping { free: true, .. } | Sort::Bytes | Sort::Unknown => return None,
    })
}
