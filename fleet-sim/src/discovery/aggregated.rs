//! All groups in two documents: `APIGroupDiscoveryList` of `apidiscovery.k8s.io/v2`.

use serde_json::{Value, json};

use crate::resources::{Group, Resource, Resources, Subresource, Version};

/// The type of it, as servers write it whatever order its parameters were asked for in.
pub(super) const CONTENT_TYPE: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList";

/// `/api`, which has the core alone, or `/apis`, which has the others.
pub(super) fn list(resources: &Resources, core: bool) -> Value {
    let groups = resources.groups();
    let groups = groups.iter().filter(|group| group.is_core() == core);
    let groups: Vec<Value> = groups.map(group).collect();
    json!({
        "kind": "APIGroupDiscoveryList", "apiVersion": "apidiscovery.k8s.io/v2", "metadata": {}, "items": groups,
    })
}

fn group(group: &Group<'_>) -> Value {
    let metadata = match group.name {
        "" => json!({}),
        name => json!({"name": name}),
    };
    let versions: Vec<Value> = group.versions.iter().map(version).collect();
    json!({"metadata": metadata, "versions": versions})
}

fn version(version: &Version<'_>) -> Value {
    let resources: Vec<Value> = version.resources.iter().map(|one| resource(one)).collect();
    json!({"version": version.name, "resources": resources, "freshness": "Current"})
}

fn resource(resource: &Resource) -> Value {
    let mut out = json!({
        "resource": resource.plural, "singularResource": resource.singular,
        "responseKind": kind(resource, &resource.group, &resource.version, &resource.kind),
        "scope": if resource.namespaced { "Namespaced" } else { "Cluster" },
        "verbs": resource.verbs,
    });
    super::add_names(&mut out, resource);
    let subresources: Vec<Value> = resource
        .subresources
        .iter()
        .map(|sub| subresource(resource, sub))
        .collect();
    if !subresources.is_empty() {
        out["subresources"] = subresources.into();
    }
    out
}

fn subresource(resource: &Resource, sub: &Subresource) -> Value {
    json!({
        "subresource": sub.name, "responseKind": kind(resource, &sub.group, &sub.version, &sub.kind),
        "verbs": sub.verbs,
    })
}

/// Group and version are left empty where they are those of a built-in resource's path
/// (`ConvertGroupVersionIntoToDiscovery` of `k8s.io/apiserver/pkg/endpoints`); CRDs say them always.
fn kind(resource: &Resource, group: &str, version: &str, kind: &str) -> Value {
    let is_said = resource.is_custom || (group, version) != (&*resource.group, &*resource.version);
    let (group, version) = if is_said { (group, version) } else { ("", "") };
    json!({"group": group, "version": version, "kind": kind})
}
