//! Objects the tests are about.

use fleet_core::{GroupKind, ObjectKey};
use serde_json::{Value, json};

pub fn map(name: &str, value: &str) -> Value {
    map_in("shop", name, value)
}

pub fn map_in(namespace: &str, name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name, "namespace": namespace}, "data": {"k": value}})
}

pub fn of_kind(api_version: &str, kind: &str, name: &str) -> Value {
    json!({"apiVersion": api_version, "kind": kind, "metadata": {"name": name, "namespace": "shop"}, "spec": {"size": 1}})
}

pub fn secret(name: &str, value: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name, "namespace": "shop"}, "data": {"password": value}})
}

pub fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

pub fn crd() -> Value {
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": {"name": "widgets.example.com"},
        "spec": {"group": "example.com", "scope": "Namespaced", "names": {"kind": "Widget", "plural": "widgets"}, "versions": [{"name": "v1alpha1", "served": true}, {"name": "v1", "served": true}]},
    })
}

pub fn widget(version: &str, name: &str) -> Value {
    json!({"apiVersion": format!("example.com/{version}"), "kind": "Widget", "metadata": {"name": name, "namespace": "shop"}, "spec": {"size": 1}})
}

/// Of a kind of apps/v1, with pods that mount the map `a`.
pub fn mounting(kind: &str, name: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": kind, "metadata": {"namespace": "shop", "name": name},
        "spec": {"template": {"spec": {
            "containers": [{"name": name, "image": "x"}],
            "volumes": [{"name": "v", "configMap": {"name": "a"}}],
        }}},
    })
}

pub fn key(name: &str) -> ObjectKey {
    ObjectKey::new("", "ConfigMap", Some("shop"), name)
}

pub fn namespace_key(name: &str) -> ObjectKey {
    ObjectKey::new("", "Namespace", None, name)
}

pub fn crd_key() -> ObjectKey {
    ObjectKey::of(crd_kind(), None, "widgets.example.com")
}

pub fn crd_kind() -> GroupKind {
    GroupKind::new("apiextensions.k8s.io", "CustomResourceDefinition")
}

pub fn widget_key(name: &str) -> ObjectKey {
    ObjectKey::new("example.com", "Widget", Some("shop"), name)
}
