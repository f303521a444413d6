//! Custom resources: what the CRDs that are stored make of the server.

use fleet_diff::{Node, Object, Schemas};
use serde_json::{Value, json};

use super::Server;
use crate::store::Table;

/// Holds a CRD until the objects of its kind are gone (`apiextensions-apiserver/pkg/controller/finalizer`).
pub(crate) const CLEANUP: &str = "customresourcecleanup.apiextensions.k8s.io";

/// Of the CRDs themselves.
pub(crate) fn definitions() -> Table {
    Table {
        group: "apiextensions.k8s.io".into(),
        resource: "customresourcedefinitions".into(),
    }
}

impl Server {
    /// Something was written or taken away that may change what is served.
    pub(crate) fn noticed(&mut self, table: &Table, object: &Object) {
        if *table != definitions() {
            return;
        }
        self.resources.forget_custom(object.name());
        let all: Vec<Object> = self
            .store
            .all(&definitions(), None)
            .map(|(_, stored)| stored.object.clone())
            .collect();
        let mut schemas =
            Schemas::for_kubernetes(self.settings.kubernetes()).unwrap_or_else(Schemas::builtin);
        for definition in &all {
            // One that says nonsense is served without a schema.
            if let Ok(more) = schemas.clone().with_crd(definition) {
                schemas = more;
            }
            if definition.name() == object.name() {
                self.resources
                    .add_custom(definition, is_true(definition, "Established"));
            }
        }
        self.schemas = schemas;
    }
}

/// Whether a condition of an object is true.
pub(crate) fn is_true(object: &Object, condition: &str) -> bool {
    let conditions = object.root().at(&["status", "conditions"]);
    conditions.into_iter().flat_map(Node::items).any(|one| {
        let is = |key: &str, wanted: &str| one.get(key).and_then(Node::as_str) == Some(wanted);
        is("type", condition) && is("status", "True")
    })
}

/// What the server itself fills in of a new CRD.
pub(crate) fn begins(object: &mut Value) {
    let kind = object["spec"]["names"]["kind"].as_str().unwrap_or("").to_owned();
    let names = &mut object["spec"]["names"];
    if names["singular"].as_str().unwrap_or("").is_empty() {
        names["singular"] = kind.to_lowercase().into();
    }
    if names["listKind"].as_str().unwrap_or("").is_empty() {
        names["listKind"] = format!("{kind}List").into();
    }
    object["spec"]["conversion"]["strategy"] = object["spec"]["conversion"]["strategy"]
        .as_str()
        .unwrap_or("None")
        .into();
    let stored = object["spec"]["versions"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|version| version["storage"] == json!(true))
        .map(|version| version["name"].clone());
    object["status"] = json!({
        "conditions": Value::Null,
        "acceptedNames": {"plural": "", "kind": ""},
        "storedVersions": stored.into_iter().collect::<Vec<_>>(),
    });
}
