//! A small Deployment, and what is done to it.

use fleet_diff::Object;
use serde_json::{Value, json};

pub(crate) fn deployment() -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": "shop", "name": "web", "labels": {"app": "web"}},
        "spec": {
            "selector": {"matchLabels": {"app": "web"}},
            "template": {
                "metadata": {"labels": {"app": "web"}},
                "spec": {"containers": [{"name": "web", "image": "web:1", "ports": [{"containerPort": 80}]}]},
            },
        },
    })
}

/// With another value at a pointer.
pub(crate) fn with(mut value: Value, pointer: &str, new: Value) -> Value {
    let (outer, key) = pointer.rsplit_once('/').unwrap();
    value.pointer_mut(outer).unwrap()[key] = new;
    value
}

/// With an entry of a manager that owns these fields of the first container.
pub(crate) fn with_owner(live: &Object, containers: &Value) -> Object {
    let mut live = live.to_json();
    let entry = json!({"manager": "ghost", "operation": "Update", "apiVersion": "apps/v1", "fieldsType": "FieldsV1",
        "fieldsV1": {"f:spec": {"f:template": {"f:spec": {"f:containers": containers}}}}});
    live["metadata"]["managedFields"]
        .as_array_mut()
        .unwrap()
        .push(entry);
    Object::from_json(live).unwrap()
}
