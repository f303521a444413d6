//! What a server has after a definition was applied for the first time.

use fleet_diff::{Action, Apply, Object, Prediction, Schemas};
use serde_json::{Value, json};

use crate::{Decoded, Pair};

/// Who applies.
pub const MANAGER: &str = "fleet";

const TIME: &str = "2026-01-01T00:00:00Z";

/// The object as the server makes it, and as controllers complete it; none when the answer is not known.
pub(crate) fn live(desired: &Object, schemas: &Schemas, number: usize) -> Option<Value> {
    let Prediction::Object(made) = Apply::new(desired, MANAGER, schemas).at(TIME).predict() else {
        return None;
    };
    let mut live = made.to_json();
    let metadata = &mut live["metadata"];
    metadata["uid"] = json!(format!("0e984725-c51c-4bf4-9960-{number:012}"));
    metadata["resourceVersion"] = json!((1_000_000 + number).to_string());
    metadata["creationTimestamp"] = json!(TIME);
    if desired.gvk().kind() == "Deployment" {
        roll_out(&mut live);
    }
    Some(live)
}

/// What the deployment controller writes of a finished rollout.
fn roll_out(live: &mut Value) {
    let name = live["metadata"]["name"].as_str().unwrap_or("").to_owned();
    let condition = |kind: &str, reason: &str, message: String| {
        json!({"type": kind, "status": "True", "reason": reason, "message": message,
            "lastTransitionTime": TIME, "lastUpdateTime": TIME})
    };
    let replicas = live["spec"]["replicas"].clone();
    live["status"] = json!({
        "availableReplicas": replicas, "observedGeneration": 1, "readyReplicas": replicas, "replicas": replicas,
        "updatedReplicas": replicas,
        "conditions": [
            condition("Available", "MinimumReplicasAvailable", "Deployment has minimum availability.".into()),
            condition("Progressing", "NewReplicaSetAvailable",
                format!("ReplicaSet \"{name}-7d4b9c6f5d\" has successfully progressed.")),
        ],
    });
    let annotations = &mut live["metadata"]["annotations"];
    let had_annotations = annotations.is_object();
    annotations["deployment.kubernetes.io/revision"] = json!("1");
    let mut owned = json!({"f:deployment.kubernetes.io/revision": {}});
    if !had_annotations {
        owned["."] = json!({});
    }
    let of_condition = json!({
        ".": {}, "f:lastTransitionTime": {}, "f:lastUpdateTime": {}, "f:message": {}, "f:reason": {}, "f:status": {},
        "f:type": {},
    });
    let entry = json!({
        "apiVersion": "apps/v1", "fieldsType": "FieldsV1", "manager": "kube-controller-manager",
        "operation": "Update", "subresource": "status", "time": TIME,
        "fieldsV1": {
            "f:metadata": {"f:annotations": owned},
            "f:status": {
                "f:availableReplicas": {}, "f:observedGeneration": {}, "f:readyReplicas": {}, "f:replicas": {},
                "f:updatedReplicas": {},
                "f:conditions": {
                    ".": {}, "k:{\"type\":\"Available\"}": of_condition, "k:{\"type\":\"Progressing\"}": of_condition,
                },
            },
        },
    });
    if let Some(entries) = live["metadata"]["managedFields"].as_array_mut() {
        entries.push(entry);
    }
}

/// What applying one of a pair to the other would do.
pub fn action(pair: &Decoded, schemas: &Schemas) -> Action {
    Apply::new(&pair.desired, MANAGER, schemas)
        .to(Some(&pair.live))
        .decide()
        .action()
}

/// Whether applying would change nothing.
pub fn is_unchanged(pair: &Decoded, schemas: &Schemas) -> bool {
    action(pair, schemas) == Action::None
}

/// A pair that needs this action; none when it needs another one.
pub(crate) fn pair(desired: &Value, live: &Value, wanted: Action, schemas: &Schemas) -> Option<Pair> {
    let pair = Pair {
        desired: desired.to_string(),
        live: live.to_string(),
    };
    (action(&pair.decode().ok()?, schemas) == wanted).then_some(pair)
}
