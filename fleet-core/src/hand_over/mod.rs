//! Taking an object over from whoever manages it now, in one write: no moment without an owner, and nothing deleted.
//!
//! The fields that the predecessor owns become ours, as if we had applied them: what our definition does not list then goes
//! with our next write, as it would have gone with the predecessor's. Its marks go too, so that it no longer takes the
//! object for its own.

mod tools;

use fleet_diff::{FieldPath, Node, Object, OwnersError, migrate_updates, rename_manager};

use crate::marks::Marks;

/// Somebody who manages objects, and how that shows on them.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Predecessor {
    /// What people call it.
    pub name: String,
    /// Its field managers.
    pub managers: Vec<String>,
    /// Labels by which it knows its objects; with a value, only if they have that.
    pub labels: Vec<(String, Option<String>)>,
    /// Annotations likewise.
    pub annotations: Vec<String>,
    /// Annotations that keep it from deleting an object it no longer manages. They are set, and stay.
    pub farewell: Vec<(String, String)>,
}

impl Predecessor {
    /// By its name, for people.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            managers: Vec::new(),
            labels: Vec::new(),
            annotations: Vec::new(),
            farewell: Vec::new(),
        }
    }

    /// With these field managers.
    #[must_use]
    pub fn managers<T: Into<String>>(mut self, names: impl IntoIterator<Item = T>) -> Self {
        self.managers.extend(names.into_iter().map(Into::into));
        self
    }

    /// With these labels of its own.
    #[must_use]
    pub fn labels<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.labels.extend(keys.into_iter().map(|key| (key.into(), None)));
        self
    }

    /// With these annotations of its own.
    #[must_use]
    pub fn annotations<T: Into<String>>(mut self, keys: impl IntoIterator<Item = T>) -> Self {
        self.annotations.extend(keys.into_iter().map(Into::into));
        self
    }

    /// kubectl, Helm, Argo CD and Flux, as they mark what they make.
    pub fn builtin() -> Vec<Self> {
        tools::all()
    }

    /// Another inventory of the same platform.
    pub fn inventory(id: &str) -> Self {
        Self::new(format!("inventory {id}")).managers([format!("fleet-{id}")])
    }

    /// Whether it manages the object, by what shows on it.
    pub fn manages(&self, object: &Object) -> bool {
        let entries = object.metadata().get("managedFields");
        let mut names = entries
            .into_iter()
            .flat_map(Node::items)
            .filter_map(|entry| entry.get("manager")?.as_str());
        names.any(|name| self.managers.iter().any(|manager| manager == name))
            || self.own_labels(object).next().is_some()
            || self
                .annotations
                .iter()
                .any(|key| object.annotation(key).is_some())
    }

    fn own_labels<'a>(&'a self, object: &'a Object) -> impl Iterator<Item = &'a str> {
        let found = self.labels.iter().filter(|(key, value)| {
            let label = object.label(key);
            label.is_some() && (value.is_none() || label == value.as_deref())
        });
        found.map(|(key, _)| key.as_str())
    }
}

/// The object as it is once it is ours, its owners included.
///
/// # Errors
/// When its owners cannot be read, or fields are owned at another API version than those that are ours already.
pub(crate) fn taken_over(live: &Object, from: &[&Predecessor], marks: &Marks) -> Result<Object, OwnersError> {
    let managers: Vec<&str> = from
        .iter()
        .flat_map(|from| &from.managers)
        .map(String::as_str)
        .collect();
    let mut object = migrate_updates(live, &managers, marks.manager())?.unwrap_or_else(|| live.clone());
    for manager in managers {
        if let Some(renamed) = rename_manager(&object, manager, marks.manager())? {
            object = renamed;
        }
    }
    let metadata = |part: &str, key: &str| FieldPath::keys(["metadata", part, key]);
    let mut gone = Vec::new();
    for predecessor in from {
        gone.extend(predecessor.own_labels(live).map(|key| metadata("labels", key)));
        gone.extend(
            predecessor
                .annotations
                .iter()
                .map(|key| metadata("annotations", key)),
        );
    }
    let rest = object
        .without(&gone)
        .map_err(|error| OwnersError::NoObject(error.to_string()))?;
    let farewell = from.iter().flat_map(|from| &from.farewell);
    let farewell = farewell.map(|(key, value)| (key.as_str(), value.as_str()));
    Ok(marks.mark(&rest.with_marks([], farewell)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::words::{InventoryId, Target};

    fn marks() -> Marks {
        let id = InventoryId::new("shop").expect("an id");
        Marks::new(crate::DEFAULT_DOMAIN, &Target::new("c1".into(), id))
    }

    fn made_by(metadata: serde_json::Value, manager: &str, operation: &str) -> Object {
        let mut metadata = metadata;
        metadata["name"] = "a".into();
        metadata["namespace"] = "b".into();
        metadata["managedFields"] = json!([{"manager": manager, "operation": operation, "apiVersion": "v1",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:data": {"f:k": {}}}}]);
        let value =
            json!({"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"k": "v"}});
        Object::from_json(value).expect("an object")
    }

    #[test]
    fn each_tool_is_known_by_its_manager_and_by_its_marks_and_leaves_nothing_but_its_farewell() {
        let last_applied = json!({"annotations": {"kubectl.kubernetes.io/last-applied-configuration": "{}"}});
        let helm = json!({"labels": {"app.kubernetes.io/managed-by": "Helm", "app": "x"},
            "annotations": {"meta.helm.sh/release-name": "r", "meta.helm.sh/release-namespace": "n"}});
        let argo = json!({"annotations": {"argocd.argoproj.io/tracking-id": "app:/ConfigMap:b/a"}});
        let flux = json!({"labels": {"kustomize.toolkit.fluxcd.io/name": "k", "kustomize.toolkit.fluxcd.io/namespace": "n"}});
        let cases = [
            ("kubectl", last_applied, "kubectl-client-side-apply", "Update"),
            ("kubectl", json!({}), "kubectl", "Apply"),
            ("Helm", helm, "helm", "Update"),
            ("Argo CD", argo, "argocd-controller", "Apply"),
            ("Flux", flux, "kustomize-controller", "Apply"),
        ];
        for (name, metadata, manager, operation) in cases {
            let live = made_by(metadata, manager, operation);
            let all = Predecessor::builtin();
            let from: Vec<&Predecessor> = all.iter().filter(|from| from.manages(&live)).collect();
            assert_eq!(
                from.iter().map(|from| from.name.as_str()).collect::<Vec<_>>(),
                [name]
            );
            let ours = taken_over(&live, &from, &marks()).expect("readable");
            let owner = fleet_diff::managers_of(&ours, &FieldPath::keys(["data", "k"]));
            let owner: Vec<_> = owner
                .iter()
                .map(|m| (m.name.as_str(), m.operation.as_str()))
                .collect();
            assert_eq!(owner, [("fleet-shop", "Apply")], "{name}");
            assert!(!from[0].manages(&ours), "{name}: {}", ours.to_json());
            assert_eq!(marks().read(&ours), crate::MarkState::Ours, "{name}");
            let kept = (ours.label("app"), ours.annotation("helm.sh/resource-policy"));
            assert_eq!(
                kept,
                if name == "Helm" {
                    (Some("x"), Some("keep"))
                } else {
                    (None, None)
                }
            );
        }
    }

    #[test]
    fn a_label_with_another_value_is_nobodys_mark() {
        let live = made_by(
            json!({"labels": {"app.kubernetes.io/managed-by": "people"}}),
            "people",
            "Update",
        );
        assert!(Predecessor::builtin().iter().all(|from| !from.manages(&live)));
    }
}
