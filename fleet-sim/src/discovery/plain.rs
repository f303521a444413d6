//! A document for each path: `APIVersions`, `APIGroupList`, `APIGroup` and `APIResourceList`.

use serde_json::{Value, json};

use crate::resources::{self, Group, Resource, Subresource};

/// Where clients of a network are told to go. A server that is a value has no address of its own.
const ADDRESS: &str = "127.0.0.1:6443";

/// `/api`, of the core.
pub(super) fn versions(core: &Group<'_>) -> Value {
    let names: Vec<&str> = core.versions.iter().map(|version| version.name).collect();
    json!({
        // Without an apiVersion: those that read the answers of Kubernetes 1.1 expect none.
        "kind": "APIVersions", "versions": names,
        "serverAddressByClientCIDRs": [{"clientCIDR": "0.0.0.0/0", "serverAddress": ADDRESS}],
    })
}

/// `/apis`.
pub(super) fn groups(groups: &[Group<'_>]) -> Value {
    let mut groups: Vec<&Group<'_>> = groups.iter().filter(|group| !group.is_core()).collect();
    groups.sort_by_cached_key(|group| group.place_in_list());
    let groups: Vec<Value> = groups.into_iter().map(summary).collect();
    json!({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})
}

/// `/apis/GROUP`.
pub(super) fn group(group: &Group<'_>) -> Value {
    let mut out = summary(group);
    out["kind"] = "APIGroup".into();
    out["apiVersion"] = "v1".into();
    out
}

fn summary(group: &Group<'_>) -> Value {
    let versions = group.versions.iter().map(|version| {
        json!({"groupVersion": resources::api_version(group.name, version.name), "version": version.name})
    });
    let versions: Vec<Value> = versions.collect();
    json!({"name": group.name, "versions": versions, "preferredVersion": versions.first()})
}

/// `/api/VERSION` and `/apis/GROUP/VERSION`, if it is served.
pub(super) fn resources(group: &Group<'_>, version: &str) -> Option<Value> {
    let version = group.versions.iter().find(|served| served.name == version)?;
    let mut all = Vec::new();
    for one in &version.resources {
        all.push(resource(one));
        all.extend(one.subresources.iter().map(|sub| subresource(one, sub)));
    }
    let of = resources::api_version(group.name, version.name);
    let mut out = json!({"kind": "APIResourceList", "groupVersion": of, "resources": all});
    // `keepUnversioned` of `k8s.io/apiserver/pkg/endpoints/discovery`.
    if !group.is_core() {
        out["apiVersion"] = "v1".into();
    }
    Some(out)
}

fn resource(resource: &Resource) -> Value {
    let mut out = json!({
        "name": resource.plural, "singularName": resource.singular, "namespaced": resource.namespaced,
        "kind": resource.kind, "verbs": resource.verbs,
    });
    super::add_names(&mut out, resource);
    if !resource.storage_hash.is_empty() {
        out["storageVersionHash"] = resource.storage_hash.as_str().into();
    }
    out
}

fn subresource(resource: &Resource, sub: &Subresource) -> Value {
    let mut out = json!({
        "name": format!("{}/{}", resource.plural, sub.name), "singularName": "",
        "namespaced": resource.namespaced, "kind": sub.kind, "verbs": sub.verbs,
    });
    // Only what is not as the path says.
    if (&sub.group, &sub.version) != (&resource.group, &resource.version) {
        if !sub.group.is_empty() {
            out["group"] = sub.group.as_str().into();
        }
        out["version"] = sub.version.as_str().into();
    }
    out
}
