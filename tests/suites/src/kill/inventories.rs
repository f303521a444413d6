//! The three inventories of a run: before the pass, of the pass, and after it.

use fleet_core::{Object, ObjectKey};
use serde_json::{Value, json};

/// Inventories that share nothing with those of another tag: namespaces, API groups and names bear it.
pub(super) struct Inventories {
    /// What is there before the pass.
    pub(super) base: Vec<Value>,
    /// What the pass makes of it: creates, updates and deletes.
    pub(super) a: Vec<Value>,
    /// `a`, from which every second new object has been dropped again.
    pub(super) b: Vec<Value>,
}

impl Inventories {
    pub(super) fn new(tag: &str) -> Self {
        let mut base = kept(tag);
        let mut a = kept(tag);
        base.extend(changed(tag, "1"));
        base.extend(dropped(tag));
        a.extend(changed(tag, "2"));
        let mut b = a.clone();
        let new = new(tag);
        b.extend(new.iter().step_by(2).cloned());
        a.extend(new);
        Self { base, a, b }
    }

    /// Objects that are listed before, in and after the pass.
    pub(super) fn throughout(&self) -> Vec<ObjectKey> {
        self.of_base(true)
    }

    /// Objects that are there before the pass, and listed neither in it nor after it.
    pub(super) fn dropped(&self) -> Vec<ObjectKey> {
        self.of_base(false)
    }

    fn of_base(&self, listed: bool) -> Vec<ObjectKey> {
        let (base, b) = (keys(&self.base), keys(&self.b));
        base.into_iter().filter(|key| b.contains(key) == listed).collect()
    }
}

/// The keys of these objects. All name their namespaces.
pub(super) fn keys(objects: &[Value]) -> Vec<ObjectKey> {
    let key = |value: &Value| Object::from_json(value.clone()).expect("an object").key().clone();
    objects.iter().map(key).collect()
}

/// Objects that are the same throughout.
fn kept(tag: &str) -> Vec<Value> {
    let shop = &format!("{tag}-shop");
    vec![
        namespace(shop),
        map(shop, "keep-1", "1"),
        map(shop, "keep-2", "1"),
        secret(shop, "keep", "1"),
        service(shop, "keep", 80),
        deployment(shop, "keep", "1"),
        account(shop, "keep"),
    ]
}

/// Objects that the pass updates.
fn changed(tag: &str, text: &str) -> Vec<Value> {
    let shop = &format!("{tag}-shop");
    let port = if text == "1" { 80 } else { 8080 };
    vec![
        map(shop, "change-1", text),
        map(shop, "change-2", text),
        secret(shop, "change", text),
        service(shop, "change", port),
        deployment(shop, "change", text),
        role(shop, "change", text),
    ]
}

/// Objects that the pass deletes.
fn dropped(tag: &str) -> Vec<Value> {
    let (shop, old) = (&format!("{tag}-shop"), &format!("{tag}-old"));
    vec![
        map(shop, "drop-1", "1"),
        map(shop, "drop-2", "1"),
        secret(shop, "drop", "1"),
        service(shop, "drop", 80),
        deployment(shop, "drop", "1"),
        account(shop, "drop"),
        role(shop, "drop", "1"),
        namespace(old),
        map(old, "inside", "1"),
    ]
}

/// Objects that the pass creates. Every second one is dropped again, with everything that depends on it.
fn new(tag: &str) -> Vec<Value> {
    let (new, gone) = (&format!("{tag}-new"), &format!("{tag}-gone"));
    let shop = &format!("{tag}-shop");
    let mut all = vec![
        namespace(new),
        namespace(gone),
        definition(tag, "Widget"),
        definition(tag, "Gadget"),
        custom(tag, "Widget", shop, "c-1"),
        custom(tag, "Gadget", shop, "c-2"),
        custom(tag, "Widget", new, "c-3"),
        custom(tag, "Gadget", gone, "c-4"),
        map(new, "inside", "1"),
        map(gone, "inside", "1"),
        cluster_role(&format!("{tag}-new-1")),
        cluster_role(&format!("{tag}-new-2")),
    ];
    for name in ["new-1", "new-2"] {
        all.push(map(shop, name, "1"));
    }
    for name in ["new-1", "new-2"] {
        all.push(secret(shop, name, "1"));
    }
    for name in ["new-1", "new-2"] {
        all.push(service(shop, name, 80));
    }
    for name in ["new-1", "new-2"] {
        all.push(deployment(shop, name, "1"));
    }
    for name in ["new-1", "new-2"] {
        all.push(account(shop, name));
    }
    for name in ["new-1", "new-2"] {
        all.push(role(shop, name, "1"));
    }
    all
}

fn namespace(name: &str) -> Value {
    json!({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
}

fn map(namespace: &str, name: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ConfigMap", "metadata": {"namespace": namespace, "name": name},
        "data": {"text": text},
    })
}

fn secret(namespace: &str, name: &str, text: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"namespace": namespace, "name": name},
        "stringData": {"text": text},
    })
}

fn service(namespace: &str, name: &str, port: u16) -> Value {
    json!({
        "apiVersion": "v1", "kind": "Service", "metadata": {"namespace": namespace, "name": name},
        "spec": {"selector": {"app": name}, "ports": [{"name": "http", "port": port}]},
    })
}

/// Without replicas: what becomes of pods is nothing to this test.
fn deployment(namespace: &str, name: &str, text: &str) -> Value {
    json!({
        "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"namespace": namespace, "name": name},
        "spec": {
            "replicas": 0,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {"containers": [{"name": "main", "image": format!("registry.example.com/{name}:{text}")}]},
            },
        },
    })
}

fn account(namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"namespace": namespace, "name": name},
        "automountServiceAccountToken": false,
    })
}

fn role(namespace: &str, name: &str, text: &str) -> Value {
    let verbs: &[&str] = if text == "1" { &["get"] } else { &["get", "list"] };
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"namespace": namespace, "name": name},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": verbs}],
    })
}

fn cluster_role(name: &str) -> Value {
    json!({
        "apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": name},
        "rules": [{"apiGroups": [""], "resources": ["nodes"], "verbs": ["list"]}],
    })
}

/// What the names of all API groups of cases end with.
pub(super) const DOMAIN: &str = ".example.com";

/// The API group of a tag's custom resources.
pub(super) fn group(tag: &str) -> String {
    format!("{tag}{DOMAIN}")
}

/// The names of a tag's definitions.
pub(super) fn definitions(tag: &str) -> [String; 2] {
    ["widgets", "gadgets"].map(|plural| format!("{plural}.{}", group(tag)))
}

fn definition(tag: &str, kind: &str) -> Value {
    let (group, singular) = (group(tag), kind.to_lowercase());
    let plural = format!("{singular}s");
    let size = json!({"type": "object", "properties": {"size": {"type": "integer"}}});
    let schema = json!({"type": "object", "properties": {"spec": size}});
    json!({
        "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
        "metadata": {"name": format!("{plural}.{group}")},
        "spec": {
            "group": group, "scope": "Namespaced",
            "names": {"kind": kind, "listKind": format!("{kind}List"), "plural": plural, "singular": singular},
            "versions": [{"name": "v1", "served": true, "storage": true, "schema": {"openAPIV3Schema": schema}}],
        },
    })
}

fn custom(tag: &str, kind: &str, namespace: &str, name: &str) -> Value {
    json!({
        "apiVersion": format!("{}/v1", group(tag)), "kind": kind,
        "metadata": {"namespace": namespace, "name": name}, "spec": {"size": 1},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_second_new_object_is_dropped_with_what_depends_on_it() {
        let all = Inventories::new("t");
        let (a, b) = (keys(&all.a), keys(&all.b));
        let (new, left) = (a.len() - 13, b.len() - 13);
        assert_eq!(new, 2 * left);
        assert_eq!((all.throughout().len(), all.dropped().len()), (13, 9));
        let has = |kind: &str, name: &str| b.iter().any(|key| key.kind() == kind && key.name() == name);
        for key in &b {
            let place = key.namespace();
            assert!(
                place.is_none_or(|name| has("Namespace", name)),
                "{key} has no namespace"
            );
            let gadget = key.kind() == "Gadget";
            assert!(!gadget, "{key} has no definition");
        }
    }
}
