//! Generated objects: 250 each of Deployment, Service, ConfigMap and ServiceAccount in a thousand.

use serde_json::{Value, json};

/// `count` objects in namespace `default`, a quarter of each kind, `text` somewhere in each.
pub fn objects(count: usize, text: &str) -> Vec<Value> {
    (0..count).map(|i| object(i, text)).collect()
}

fn object(i: usize, text: &str) -> Value {
    let name = format!("bench-{i:05}");
    let meta = json!({"name": name, "namespace": "default", "labels": {"app": name, "text": text}});
    match i % 4 {
        0 => json!({
            "apiVersion": "apps/v1", "kind": "Deployment", "metadata": meta,
            "spec": {
                "replicas": 2,
                "selector": {"matchLabels": {"app": name}},
                "template": {
                    "metadata": {"labels": {"app": name}},
                    "spec": {"containers": [{
                        "name": "main", "image": format!("registry.example.com/{name}:1"),
                        "ports": [{"name": "http", "containerPort": 8080}],
                        "env": [{"name": "TEXT", "value": text}],
                        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
                    }]},
                },
            },
        }),
        1 => json!({
            "apiVersion": "v1", "kind": "Service", "metadata": meta,
            "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": 80, "targetPort": "http"}]},
        }),
        2 => json!({
            "apiVersion": "v1", "kind": "ConfigMap", "metadata": meta,
            "data": {"config.yaml": format!("name: {name}\ntext: {text}\n"), "mode": "on"},
        }),
        _ => {
            json!({"apiVersion": "v1", "kind": "ServiceAccount", "metadata": meta, "automountServiceAccountToken": false})
        }
    }
}

/// The collection's path of one of these objects.
pub fn path(object: &Value) -> String {
    let (prefix, plural) = match object["kind"].as_str().unwrap_or_default() {
        "Deployment" => ("/apis/apps/v1", "deployments"),
        "Service" => ("/api/v1", "services"),
        "ConfigMap" => ("/api/v1", "configmaps"),
        _ => ("/api/v1", "serviceaccounts"),
    };
    let name = object["metadata"]["name"].as_str().unwrap_or_default();
    format!("{prefix}/namespaces/default/{plural}/{name}")
}
