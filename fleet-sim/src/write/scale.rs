//! `scale`: how objects with replicas are seen and written as an `autoscaling/v1` `Scale`
//! (`pkg/registry/apps/deployment/storage/storage.go`, `apiextensions-apiserver/pkg/registry/customresource/etcd.go`).

use std::sync::Arc;

use fleet_diff::{Node, Object};
use serde_json::{Value, json};

use super::{generation::count, patch::check_preconditions, scale_owners};
use crate::{
    request::PatchType,
    resources::Resource,
    server::{Ask, Said, Server, definitions},
    status::{About, Status},
    store::{Key, Stored},
};

/// Where an object has what a `Scale` says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScalePaths {
    replicas: Vec<String>,
    status: Vec<String>,
    /// Labels that are selected by, or a text that is a selector.
    selector: Vec<String>,
}

impl ScalePaths {
    fn of(replicas: &str, status: &str, selector: &str) -> Self {
        let path = |text: &str| -> Vec<String> {
            let parts = text.split('.').filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        Self {
            replicas: path(replicas),
            status: path(status),
            selector: path(selector),
        }
    }

    /// The replicas that are asked for, if the object says.
    pub(crate) fn replicas_of(&self, object: &Object) -> Option<i64> {
        at(object, &self.replicas)?.as_i64()
    }

    /// Asks for this many.
    pub(crate) fn set_replicas(&self, object: &mut Value, replicas: i64) {
        let mut place = object;
        for part in &self.replicas {
            place = &mut place[part.as_str()];
        }
        *place = replicas.into();
    }

    /// The replicas in sets of fields.
    pub(super) fn owned_as(&self) -> String {
        self.replicas.iter().map(|part| format!("/f:{part}")).collect()
    }

    /// The set of the replicas alone.
    pub(super) fn owned_alone(&self) -> Value {
        let inside = json!({});
        self.replicas.iter().rev().fold(inside, |inside, part| {
            let mut outside = json!({});
            outside[format!("f:{part}")] = inside;
            outside
        })
    }

    /// Takes the replicas out of a set, and what is empty then.
    pub(super) fn disown(&self, set: &mut Value) {
        fn take(set: &mut Value, path: &[String]) {
            let Some((first, rest)) = path.split_first() else {
                return;
            };
            let key = format!("f:{first}");
            let inner = set.get_mut(&key);
            if let Some(inner) = inner.filter(|_| !rest.is_empty()) {
                take(inner, rest);
                if inner.as_object().is_some_and(|inner| !inner.is_empty()) {
                    return;
                }
            }
            if let Some(set) = set.as_object_mut() {
                set.remove(&key);
            }
        }
        take(set, &self.replicas);
    }

    /// As a `Scale`.
    fn read(&self, object: &Object) -> Value {
        let metadata = object.metadata();
        let mut kept = json!({});
        for field in ["name", "namespace", "uid", "resourceVersion", "creationTimestamp"] {
            if let Some(value) = metadata.get(field) {
                kept[field] = value.to_json();
            }
        }
        let number = |path: &[String]| at(object, path).and_then(Node::as_i64).unwrap_or(0);
        let mut spec = json!({});
        if number(&self.replicas) != 0 {
            spec["replicas"] = number(&self.replicas).into();
        }
        let mut status = json!({"replicas": number(&self.status)});
        let selector = at(object, &self.selector).filter(|selector| !selector.is_null());
        if let Some(selector) = selector.map(text_of).filter(|text| !text.is_empty()) {
            status["selector"] = selector.into();
        }
        json!({"kind": "Scale", "apiVersion": "autoscaling/v1", "metadata": kept, "spec": spec, "status": status})
    }
}

fn at<'o>(object: &'o Object, path: &[String]) -> Option<Node<'o>> {
    if path.is_empty() {
        return None;
    }
    path.iter().try_fold(object.root(), |node, part| node.get(part))
}

/// A selector as text: requirements of labels, and what expressions say.
fn text_of(selector: Node<'_>) -> String {
    if let Some(text) = selector.as_str() {
        return text.to_owned();
    }
    let labels = selector.get("matchLabels");
    let expressions = selector.get("matchExpressions");
    let plain = labels.is_none() && expressions.is_none();
    let labels = if plain { Some(selector) } else { labels };
    let mut parts: Vec<String> = labels
        .into_iter()
        .flat_map(Node::entries)
        .map(|(key, value)| format!("{key}={}", value.as_str().unwrap_or("")))
        .collect();
    for one in expressions.into_iter().flat_map(Node::items) {
        let text = |key: &str| one.get(key).and_then(Node::as_str).unwrap_or("");
        let values: Vec<&str> = one
            .get("values")
            .into_iter()
            .flat_map(Node::items)
            .filter_map(Node::as_str)
            .collect();
        let (key, values) = (text("key"), values.join(","));
        parts.push(match text("operator") {
            "In" => format!("{key} in ({values})"),
            "NotIn" => format!("{key} notin ({values})"),
            "Exists" => key.to_owned(),
            _ => format!("!{key}"),
        });
    }
    parts.sort();
    parts.join(",")
}

impl Server {
    /// Where objects of a resource have their replicas; none when they have no `scale`.
    pub(crate) fn scale_paths(&self, resource: &Resource) -> Option<ScalePaths> {
        if !resource.has_subresource("scale") {
            return None;
        }
        if !resource.is_custom {
            return Some(ScalePaths::of(
                ".spec.replicas",
                ".status.replicas",
                ".spec.selector",
            ));
        }
        let name: Arc<str> = format!("{}.{}", resource.plural, resource.group).into();
        let key = Key {
            namespace: "".into(),
            name,
        };
        let definition = self.store.get(&definitions(), &key)?;
        let versions = definition.object.root().at(&["spec", "versions"])?;
        let mut versions = versions.items();
        let version =
            versions.find(|one| one.get("name").and_then(Node::as_str) == Some(&resource.version))?;
        let scale = version.at(&["subresources", "scale"])?;
        let text = |key: &str| scale.get(key).and_then(Node::as_str).unwrap_or("");
        Some(ScalePaths::of(
            text("specReplicasPath"),
            text("statusReplicasPath"),
            text("labelSelectorPath"),
        ))
    }

    /// An object as its `scale` shows it.
    pub(crate) fn read_scale(&self, ask: &Ask<'_>, stored: &Stored) -> Result<Said, Status> {
        let paths = self.scale_paths(&ask.resource).ok_or_else(Status::no_such_path)?;
        let shown = Server::at_version(&stored.object, &ask.api_version())?;
        Ok(Said::Value(200, paths.read(&shown)))
    }

    /// `PUT` of a `Scale`.
    pub(super) fn update_scale(&mut self, ask: &Ask<'_>) -> Result<Said, Status> {
        let value = ask.json()?;
        self.write_scale(ask, |_| Ok(value))
    }

    /// `PATCH` of a `Scale`.
    pub(super) fn patch_scale(&mut self, ask: &Ask<'_>, patch: PatchType) -> Result<Said, Status> {
        if patch == PatchType::Apply {
            // An apply of nothing but the number: it is owned as an update owns it.
            let value = ask.yaml()?;
            return self.write_scale(ask, |mut scale| {
                json_patch::merge(&mut scale, &value);
                Ok(scale)
            });
        }
        self.write_scale(ask, |scale| super::patch::patched(ask, patch, scale))
    }

    fn write_scale(
        &mut self,
        ask: &Ask<'_>,
        change: impl FnOnce(Value) -> Result<Value, Status>,
    ) -> Result<Said, Status> {
        let paths = self.scale_paths(&ask.resource).ok_or_else(Status::no_such_path)?;
        let key = ask.key(ask.place.name.as_deref().unwrap_or(""));
        let Some(live) = self.store.get(&ask.table(), &key).cloned() else {
            return Err(Status::not_found(ask.about()));
        };
        let before = Server::at_version(&live.object, &ask.api_version())?;
        let scale = change(paths.read(&before))?;
        for (field, expected) in [("kind", "Scale"), ("apiVersion", "autoscaling/v1")] {
            if scale[field] != expected {
                let found = &scale[field];
                return Err(Status::bad_request(format!(
                    "the {field} in the data ({found}) does not match the expected {expected}"
                )));
            }
        }
        if scale["metadata"]["name"] != *key.name {
            return Err(Status::bad_request(
                "the name of the object does not match the name on the URL",
            ));
        }
        check_preconditions(ask, &scale, Some(&live))?;
        let replicas = scale["spec"]["replicas"].as_i64().unwrap_or(0);
        if replicas < 0 {
            let about = About {
                group: "autoscaling",
                resource: "Scale",
                name: &key.name,
            };
            let problem = format!("Invalid value: {replicas}: must be greater than or equal to 0");
            return Err(Status::invalid(about, &[("spec.replicas".to_owned(), problem)]));
        }
        let old = before.to_json();
        let mut after = old.clone();
        paths.set_replicas(&mut after, replicas);
        count(&ask.resource, &old, &mut after);
        let changed = paths.replicas_of(&before) != Some(replicas);
        let owners = &old["metadata"]["managedFields"];
        let owners = scale_owners::after(&paths, &ask.api_version(), owners, &ask.manager(), changed);
        after["metadata"]["managedFields"] = owners.into();
        match self.finish(ask, &key, Some(&live), after)? {
            Said::Value(code, written) => {
                let written = Object::from_json(written).map_err(Status::internal)?;
                Ok(Said::Value(code, paths.read(&written)))
            }
            watch @ Said::Watch(_) => Ok(watch),
        }
    }
}
