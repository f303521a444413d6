//! Deployments of 3 to 4 kB.

use fleet_diff::{Action, Object, Schemas};
use serde_json::{Value, json};

use crate::{PAIRS, Pair, Result, live};

/// Pairs of Deployments; every second one has a change.
///
/// # Errors
/// When `fleet-diff` judges one otherwise than it was made.
pub fn deployments(schemas: &Schemas) -> Result<Vec<Pair>> {
    (0..PAIRS)
        .map(|i| {
            let desired = deployment(i);
            let object = Object::from_json(desired.clone())?;
            let live = live::live(&object, schemas, i).ok_or("a create that is not known")?;
            let (desired, action) = if i % 2 == 0 {
                (desired, Action::None)
            } else {
                (change(desired, i / 2), Action::Update)
            };
            live::pair(&desired, &live, action, schemas)
                .ok_or_else(|| format!("pair {i} is judged otherwise").into())
        })
        .collect()
}

pub(crate) fn deployment(i: usize) -> Value {
    let name = format!("service-{i}");
    let labels =
        json!({"app.kubernetes.io/name": name, "app.kubernetes.io/part-of": format!("shop-{}", i % 20)});
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment",
        "metadata": {"namespace": format!("team-{}", i % 50), "name": name, "labels": labels},
        "spec": {
            "replicas": 1 + i % 7,
            "selector": {"matchLabels": {"app.kubernetes.io/name": name}},
            "template": {
                "metadata": {"labels": labels},
                "spec": {
                    "serviceAccountName": name,
                    "containers": [{
                        "name": "main",
                        "image": format!("registry.example.net/shop/service-{}:1.{}.{}", i % 90, i % 30, i % 11),
                        "args": ["serve", format!("--workers={}", 1 + i % 16)],
                        "env": [
                            {"name": "LOG_LEVEL", "value": if i.is_multiple_of(3) { "debug" } else { "info" }},
                            {"name": "SHARD", "value": i.to_string()},
                        ],
                        "ports": [{"name": "http", "containerPort": 8000 + i % 100}],
                        "resources": {
                            "requests": {"cpu": format!("{}m", 50 + i % 200), "memory": "128Mi"},
                            "limits": {"memory": "256Mi"},
                        },
                        "readinessProbe": {"httpGet": {"path": "/ready", "port": "http"}},
                    }],
                },
            },
        },
    })
}

/// What people change in Deployments.
fn change(mut desired: Value, number: usize) -> Value {
    let spec = &mut desired["spec"];
    let replicas = spec["replicas"].as_u64().unwrap_or(0);
    let container = &mut spec["template"]["spec"]["containers"][0];
    match number % 6 {
        0 => container["image"] = json!(format!("registry.example.net/shop/service:2.0.{number}")),
        1 => container["env"][0]["value"] = json!(format!("level-{number}")),
        2 => container["env"]
            .as_array_mut()
            .into_iter()
            .for_each(|env| env.push(json!({"name": "NEW", "value": "1"}))),
        3 => container["resources"]["requests"]["memory"] = json!("192Mi"),
        4 => container["env"]
            .as_array_mut()
            .into_iter()
            .for_each(|env| drop(env.pop())),
        _ => spec["replicas"] = json!(replicas + 1),
    }
    desired
}
