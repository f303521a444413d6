//! `/openapi/v3`: the schemas of custom resources (`apiextensions-apiserver/pkg/controller/openapiv3`). Clients have those
//! of built-in kinds.

use fleet_diff::{Digest, Node, Object};
use serde_json::{Map, Value, json};

use super::{Server, definitions, is_true};
use crate::resources::Resource;

const ROOT: &str = "/openapi/v3";

impl Server {
    /// The index, or the document of a version of a group; none where there is none.
    pub(super) fn openapi(&self, path: &str) -> Option<Value> {
        let documents = self.documents();
        match path.strip_prefix(ROOT)? {
            "" => {
                let paths = documents.iter().map(|(version, schemas)| {
                    let hash = Digest::of_bytes(Value::from(schemas.clone()).to_string().as_bytes());
                    let url = format!("{ROOT}/apis/{version}?hash={hash}");
                    (format!("apis/{version}"), json!({"serverRelativeURL": url}))
                });
                Some(json!({"paths": paths.collect::<Map<_, _>>()}))
            }
            rest => {
                let wanted = rest.strip_prefix("/apis/")?;
                let (version, schemas) = documents.into_iter().find(|(version, _)| version == wanted)?;
                Some(self.document(&version, schemas))
            }
        }
    }

    /// The schemas of each version of a group that CRDs define.
    fn documents(&self) -> Vec<(String, Map<String, Value>)> {
        let mut documents: Vec<(String, Map<String, Value>)> = Vec::new();
        for (_, definition) in self.store.all(&definitions(), None) {
            for (api_version, name, schema) in schemas(&definition.object) {
                match documents.iter_mut().find(|(version, _)| *version == api_version) {
                    Some((_, schemas)) => drop(schemas.insert(name, schema)),
                    None => documents.push((api_version, Map::from_iter([(name, schema)]))),
                }
            }
        }
        documents
    }

    fn document(&self, version: &str, schemas: Map<String, Value>) -> Value {
        let (group, version_name) = version.split_once('/').unwrap_or(("", version));
        let resources = self.resources.groups();
        let resources = resources
            .iter()
            .filter(|found| found.name == group)
            .flat_map(|found| &found.versions)
            .filter(|found| found.name == version_name)
            .flat_map(|found| &found.resources);
        let paths = resources.flat_map(|resource| paths(resource));
        json!({
            "openapi": "3.0.0", "info": {"title": "Kubernetes", "version": self.resources.kubernetes()},
            "paths": paths.collect::<Map<_, _>>(), "components": {"schemas": schemas},
        })
    }
}

/// The paths of an object and of its status, as far as they say what is there.
fn paths(resource: &Resource) -> Vec<(String, Value)> {
    let kind = json!({"group": resource.group, "version": resource.version, "kind": resource.kind});
    let inside = if resource.namespaced {
        "namespaces/{namespace}/"
    } else {
        ""
    };
    let path = format!(
        "/apis/{}/{inside}{}/{{name}}",
        resource.api_version(),
        resource.plural
    );
    let get = json!({"get": {"x-kubernetes-group-version-kind": kind}});
    let mut paths = vec![(path.clone(), get.clone())];
    if resource.has_subresource("status") {
        paths.push((format!("{path}/status"), get));
    }
    paths
}

/// Of each served version: its `apiVersion`, the name of the schema (`net.example.v1.Rack`), and the schema.
fn schemas(definition: &Object) -> Vec<(String, String, Value)> {
    let spec = |path: &[&str]| definition.root().get("spec").and_then(|spec| spec.at(path));
    let text = |path: &[&str]| spec(path).and_then(Node::as_str).unwrap_or("");
    let (group, kind) = (text(&["group"]), text(&["names", "kind"]));
    let versions = spec(&["versions"]).filter(|_| is_true(definition, "Established"));
    let served = versions
        .into_iter()
        .flat_map(Node::items)
        .filter(|version| version.get("served").and_then(Node::as_bool) == Some(true));
    let mut reversed: Vec<&str> = group.split('.').collect();
    reversed.reverse();
    let schema = |version: Node<'_>| {
        let name = version.get("name")?.as_str()?;
        let mut schema = version.at(&["schema", "openAPIV3Schema"])?.to_json();
        for (field, schema_of_field) in [
            ("apiVersion", json!({"type": "string"})),
            ("kind", json!({"type": "string"})),
            (
                "metadata",
                json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            ),
        ] {
            schema["properties"][field] = schema_of_field;
        }
        schema["x-kubernetes-group-version-kind"] = json!([{"group": group, "version": name, "kind": kind}]);
        let full = format!("{}.{name}.{kind}", reversed.join("."));
        Some((format!("{group}/{name}"), full, schema))
    };
    served.filter_map(schema).collect()
}
