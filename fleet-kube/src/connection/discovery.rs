//! Which kinds the cluster serves.

use std::sync::{Arc, PoisonError};

use fleet_core::{Fault, GroupKind, KindInfo, KindMap, Remedy};
use serde::Deserialize;

use super::{Call, Connection, Verb};

/// Aggregated discovery; a server that cannot do it answers in the older form, which is then noticed.
const ACCEPT: &str = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json";

#[derive(Deserialize)]
struct List {
    kind: String,
    #[serde(default)]
    items: Vec<Group>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Group {
    metadata: GroupName,
    versions: Option<Vec<Served>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct GroupName {
    name: Option<String>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Served {
    version: String,
    freshness: Option<String>,
    resources: Option<Vec<Resource>>,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Resource {
    #[serde(rename = "resource")]
    plural: String,
    response_kind: Option<ResponseKind>,
    short_names: Option<Vec<String>>,
    scope: String,
    verbs: Option<Vec<String>>,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct ResponseKind {
    kind: String,
}

impl Connection {
    /// Reads which kinds the cluster serves, in two requests, and keeps the answer for the requests that follow.
    ///
    /// Groups the cluster cannot speak for at the moment (the server behind an aggregated API is down) are named in
    /// [`KindMap::incomplete`].
    ///
    /// # Errors
    /// When it cannot be read in whole. The answer before stays in use.
    pub async fn discover(&self) -> Result<KindMap, Fault> {
        let mut map = KindMap::default();
        for root in ["/api", "/apis"] {
            let body = self
                .fetch(&Call::get(Verb::Discovery, root).accept(ACCEPT))
                .await?;
            let list: List =
                serde_json::from_slice(&body).map_err(|error| unusable(root, &error.to_string()))?;
            if list.kind != "APIGroupDiscoveryList" {
                return Err(unusable(root, &format!("it is a {}", list.kind)));
            }
            list.items.into_iter().for_each(|group| take(&mut map, group));
        }
        *self.shared.kinds.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(map.clone());
        Ok(map)
    }

    /// Whether [`discover`](Self::discover) has succeeded once, by any identity.
    pub(crate) fn has_discovered(&self) -> bool {
        *self.kinds() != well_known()
    }
}

fn unusable(root: &str, why: &str) -> Fault {
    Fault::new(
        Remedy::Unreachable,
        format!("the answer to {root} is not aggregated discovery: {why}"),
    )
}

fn take(map: &mut KindMap, group: Group) {
    let name = group.metadata.name.unwrap_or_default();
    for version in group.versions.unwrap_or_default() {
        if version.freshness.as_deref() == Some("Stale") {
            map.incomplete.insert(name.clone());
        }
        // Of two resources of one kind in one version, the one that can be listed is the objects' own.
        let mut resources = version.resources.unwrap_or_default();
        resources.sort_by_key(|resource| !is_listable(resource));
        for resource in resources {
            let listable = is_listable(&resource);
            let Some(ResponseKind { kind }) = resource.response_kind.filter(|k| !k.kind.is_empty()) else {
                continue;
            };
            let versions = [version.version.clone()];
            let mut info = KindInfo::new(resource.plural, resource.scope == "Namespaced", versions);
            info.listable = listable;
            info.short_names = resource.short_names.unwrap_or_default();
            match map.kinds.entry(GroupKind::new(name.as_str(), kind)) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(info);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    let known = entry.get_mut();
                    if known.plural == info.plural && !known.serves(&version.version) {
                        known.versions.push(version.version.clone());
                        known.listable |= listable;
                    }
                }
            }
        }
    }
}

fn is_listable(resource: &Resource) -> bool {
    let has = |verb: &str| resource.verbs.iter().flatten().any(|v| v == verb);
    has("list") && has("watch")
}

/// What this crate itself asks for, whatever else is served.
pub(crate) fn well_known() -> KindMap {
    let mut map = KindMap::default();
    for (group, kind, plural, namespaced) in [
        ("", "ConfigMap", "configmaps", true),
        ("", "Namespace", "namespaces", false),
        ("", "Secret", "secrets", true),
        ("coordination.k8s.io", "Lease", "leases", true),
        (
            "apiextensions.k8s.io",
            "CustomResourceDefinition",
            "customresourcedefinitions",
            false,
        ),
        ("apiregistration.k8s.io", "APIService", "apiservices", false),
    ] {
        map.kinds.insert(
            GroupKind::new(group, kind),
            KindInfo::new(plural, namespaced, ["v1".to_owned()]),
        );
    }
    map
}
