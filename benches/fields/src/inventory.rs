//! An inventory of small objects: a quarter each of Deployments, Services, ConfigMaps and ServiceAccounts.

use fleet_diff::{Action, Object, Schemas};
use serde_json::{Value, json};

use crate::{INVENTORY, Pair, Result, live};

/// Pairs without a change.
///
/// # Errors
/// When `fleet-diff` judges one otherwise than it was made.
pub fn inventory(schemas: &Schemas) -> Result<Vec<Pair>> {
    (0..INVENTORY)
        .map(|i| {
            let desired = object(i);
            let live = live::live(&Object::from_json(desired.clone())?, schemas, i)
                .ok_or("a create that is not known")?;
            live::pair(&desired, &live, Action::None, schemas)
                .ok_or_else(|| format!("object {i} is judged otherwise").into())
        })
        .collect()
}

fn object(i: usize) -> Value {
    let (api_version, kind) = [
        ("apps/v1", "Deployment"),
        ("v1", "Service"),
        ("v1", "ConfigMap"),
        ("v1", "ServiceAccount"),
    ][i % 4];
    let name = format!("app-{}", i / 4);
    let mut object = json!({
        "apiVersion": api_version, "kind": kind,
        "metadata": {"namespace": format!("team-{}", i % 100), "name": name, "labels": {"app": name}},
    });
    match kind {
        "Deployment" => {
            object["spec"] = json!({
                "replicas": 0,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{"name": "main", "image": format!("registry.example.net/app:1.{i}")}]},
                },
            });
        }
        "Service" => {
            object["spec"] = json!({"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": 8080}]});
        }
        "ConfigMap" => {
            object["data"] = json!({"mode": format!("mode-{i}"), "settings": "level: info\nworkers: 4\n"});
        }
        _ => {}
    }
    object
}
