//! All that a server serves, and how it is found.

use std::{
    cmp::Reverse,
    collections::{BTreeMap, btree_map::Entry},
    fmt,
    sync::Arc,
};

use fleet_diff::Object;

use super::{
    Resource,
    builtin::{self, Builtin},
    custom,
    order::{self, Rank},
};

/// All that a server serves: the built-in part, which servers of a version share, and what its CRDs define.
#[derive(Clone)]
pub(crate) struct Resources {
    builtin: &'static Builtin,
    /// By the names of their CRDs, which are `PLURAL.GROUP`. The versions of each are in the order of preference.
    custom: BTreeMap<String, Vec<Arc<Resource>>>,
}

/// A group, with its versions in the order of preference.
#[derive(Debug)]
pub(crate) struct Group<'a> {
    /// Empty for the core.
    pub(crate) name: &'a str,
    pub(crate) versions: Vec<Version<'a>>,
}

/// A version of a group, with its resources in the order of discovery.
#[derive(Debug)]
pub(crate) struct Version<'a> {
    pub(crate) name: &'a str,
    pub(crate) resources: Vec<&'a Arc<Resource>>,
    rank: Rank,
}

impl Group<'_> {
    /// Whether it is the one without a name.
    pub(crate) fn is_core(&self) -> bool {
        self.name.is_empty()
    }

    /// Where a group is among those of `apidiscovery.k8s.io`: by priority, then by name
    /// (`calculateAPIGroupsLocked` of `k8s.io/apiserver/pkg/endpoints/discovery/aggregated`).
    fn place(&self) -> (Reverse<u32>, &str) {
        let priority = self.versions.iter().map(|version| version.rank.group).max();
        (Reverse(priority.unwrap_or(0)), self.name)
    }

    /// Where a group is in an `APIGroupList`: as the first of its `APIService`s, which are ordered by priority, then by
    /// name, and those begin with the version (`ByGroupPriorityMinimum` of kube-aggregator).
    pub(crate) fn place_in_list(&self) -> (Reverse<u32>, String) {
        let services = self.versions.iter().map(|version| {
            let name = format!("{}.{}", version.name, self.name);
            (Reverse(version.rank.group), name)
        });
        services.min().unwrap_or((Reverse(0), String::new()))
    }
}

impl Resources {
    /// What a minor version like `1.36` serves of itself, or the newest one that is known.
    pub(crate) fn of(kubernetes: &str) -> Self {
        Self {
            builtin: builtin::of(kubernetes),
            custom: BTreeMap::new(),
        }
    }

    /// The full version: `v1.36.3`.
    pub(crate) fn kubernetes(&self) -> &'static str {
        &self.builtin.kubernetes
    }

    /// A resource by the parts of its path.
    pub(crate) fn find(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        let mut versions = self.of_plural(group, plural);
        versions.find(|resource| resource.version == version)
    }

    /// A resource at its preferred version.
    pub(crate) fn of_resource(&self, group: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.of_plural(group, plural).next()
    }

    /// A resource at each of its versions, the preferred one first.
    pub(crate) fn of_plural<'a>(
        &'a self,
        group: &str,
        plural: &str,
    ) -> impl Iterator<Item = &'a Arc<Resource>> {
        let builtin = self.builtin_of(group).filter(move |one| one.plural == plural);
        // Built-in kinds are asked for far more often, and need no text.
        let custom = std::iter::once_with(move || self.custom.get(&format!("{plural}.{group}")));
        builtin.chain(
            custom
                .flatten()
                .flatten()
                .filter(move |one| one.group == group && one.plural == plural),
        )
    }

    /// A resource by its kind, at its preferred version.
    pub(crate) fn of_kind(&self, group: &str, kind: &str) -> Option<&Arc<Resource>> {
        let custom = self.custom.values().flatten();
        let custom = custom.filter(|one| one.group == group);
        self.builtin_of(group).chain(custom).find(|one| one.kind == kind)
    }

    fn builtin_of<'a>(&'a self, group: &str) -> impl Iterator<Item = &'a Arc<Resource>> {
        let versions = self
            .builtin
            .versions
            .iter()
            .filter(move |version| version.group == group);
        versions.flat_map(|version| &version.resources)
    }

    /// All groups, in the order of `apidiscovery.k8s.io`; the core is one of them.
    pub(crate) fn groups(&self) -> Vec<Group<'_>> {
        let mut versions: BTreeMap<(&str, &str), Version<'_>> = BTreeMap::new();
        for served in &self.builtin.versions {
            let version = Version {
                name: &served.version,
                resources: served.resources.iter().collect(),
                rank: served.rank,
            };
            versions.insert((&served.group, &served.version), version);
        }
        for resource in self.custom.values().flatten() {
            match versions.entry((&resource.group, &resource.version)) {
                Entry::Vacant(place) => drop(place.insert(Version {
                    name: &resource.version,
                    resources: vec![resource],
                    rank: Rank::CUSTOM,
                })),
                Entry::Occupied(mut place) => place.get_mut().resources.push(resource),
            }
        }
        let mut groups: Vec<Group<'_>> = Vec::new();
        for ((name, _), mut version) in versions {
            // Those of built-in versions are in their order.
            if version.rank == Rank::CUSTOM {
                version.resources.sort_by(|a, b| a.plural.cmp(&b.plural));
            }
            match groups.last_mut().filter(|group| group.name == name) {
                Some(group) => group.versions.push(version),
                None => groups.push(Group {
                    name,
                    versions: vec![version],
                }),
            }
        }
        for group in &mut groups {
            group
                .versions
                .sort_by(|a, b| order::versions((a.rank, a.name), (b.rank, b.name)));
        }
        groups.sort_by(|a, b| a.place().cmp(&b.place()));
        groups
    }

    /// Serves what a CRD defines now, instead of what it defined before. That is nothing until it is established.
    pub(crate) fn add_custom(&mut self, definition: &Object, established: bool) {
        let mut resources = match established {
            true => custom::resources(definition),
            false => Vec::new(),
        };
        // The paths of a built-in version are the built-in handler's, whatever a CRD says.
        resources.retain(|resource| !self.is_builtin(&resource.group, &resource.version));
        resources.sort_by(|a, b| order::by_maturity(&a.version, &b.version));
        if resources.is_empty() {
            self.forget_custom(definition.name());
        } else {
            self.custom.insert(definition.name().to_owned(), resources);
        }
    }

    /// No longer serves what the CRD of this name defines.
    pub(crate) fn forget_custom(&mut self, definition: &str) {
        self.custom.remove(definition);
    }

    /// Whether a version of a group is one that Kubernetes serves of itself.
    pub(crate) fn is_builtin(&self, group: &str, version: &str) -> bool {
        let mut versions = self.builtin.versions.iter();
        versions.any(|served| served.group == group && served.version == version)
    }
}

/// Without the built-in part, which the version says.
impl fmt::Debug for Resources {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resources")
            .field("kubernetes", &self.builtin.kubernetes)
            .field("custom", &self.custom.keys())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn definition(group: &str, kind: &str, versions: &[&str]) -> Object {
        let plural = format!("{}s", kind.to_lowercase());
        let versions: Vec<Value> = versions
            .iter()
            .map(|name| json!({"name": name, "served": true, "storage": *name == versions[0]}))
            .collect();
        Object::from_json(json!({
            "apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{plural}.{group}")},
            "spec": {"group": group, "scope": "Namespaced", "names": {"kind": kind, "plural": plural}, "versions": versions},
        }))
        .expect("an object")
    }

    fn with(definitions: &[Object]) -> Resources {
        let mut resources = Resources::of("1.36");
        for definition in definitions {
            resources.add_custom(definition, true);
        }
        resources
    }

    /// The versions of resources.
    fn names<'a>(found: impl Iterator<Item = &'a Arc<Resource>>) -> Vec<&'a str> {
        found.map(|resource| &*resource.version).collect()
    }

    #[test]
    fn built_in_kinds_are_found() {
        let resources = Resources::of("1.36");
        let found = resources.find("apps", "v1", "deployments").expect("served");
        assert_eq!(
            (&*found.kind, &*found.list_kind),
            ("Deployment", "DeploymentList")
        );
        assert_eq!((found.namespaced, found.is_custom), (true, false));
        assert!(found.has_subresource("scale") && found.has_verb("patch"));
        assert_eq!(resources.find("", "v1", "pods").expect("served").kind, "Pod");
        for (group, version, plural) in [
            ("apps", "v2", "deployments"),
            ("apps", "v1", "pods"),
            ("", "v1", "deployments"),
        ] {
            assert!(
                resources.find(group, version, plural).is_none(),
                "{group} {version} {plural}"
            );
        }
        let scalers = || resources.of_plural("autoscaling", "horizontalpodautoscalers");
        assert_eq!(names(scalers()), ["v2", "v1"]);
        let preferred = resources.of_resource("autoscaling", "horizontalpodautoscalers");
        assert_eq!(preferred.expect("served").version, "v2");
    }

    #[test]
    fn built_in_kinds_are_shared() {
        let (a, b) = (
            Resources::of("1.36"),
            with(&[definition("example.net", "Rack", &["v1"])]),
        );
        let pods = |of: &Resources| of.find("", "v1", "pods").expect("served").clone();
        assert!(Arc::ptr_eq(&pods(&a), &pods(&b)));
    }

    #[test]
    fn custom_kinds_come_change_and_go() {
        let mut resources = Resources::of("1.36");
        let served = |resources: &Resources| {
            let versions = names(resources.of_plural("example.net", "racks"));
            let in_discovery = resources.groups().iter().any(|group| group.name == "example.net");
            assert_eq!(!versions.is_empty(), in_discovery);
            versions.join(" ")
        };
        let first = definition("example.net", "Rack", &["v1beta1", "v1"]);
        resources.add_custom(&first, false);
        assert_eq!(served(&resources), "");
        resources.add_custom(&first, true);
        assert_eq!(served(&resources), "v1 v1beta1");
        assert_eq!(
            resources
                .of_resource("example.net", "racks")
                .expect("served")
                .version,
            "v1"
        );
        resources.add_custom(&definition("example.net", "Rack", &["v2"]), true);
        assert_eq!(served(&resources), "v2");
        assert!(resources.find("example.net", "v1", "racks").is_none());
        resources.forget_custom("racks.example.net");
        assert_eq!(served(&resources), "");
    }

    #[test]
    fn groups_and_versions_are_in_the_order_of_discovery() {
        let resources = with(&[
            definition("a.example.net", "Rack", &["v1alpha1"]),
            definition("b.example.net", "Zone", &["v1", "v2alpha1", "v1beta1"]),
            definition("b.example.net", "Area", &["v1"]),
        ]);
        let groups = resources.groups();
        let names: Vec<&str> = groups.iter().map(|group| group.name).collect();
        assert_eq!(names[..3], ["apiregistration.k8s.io", "", "apps"]);
        assert_eq!(names[names.len() - 2..], ["a.example.net", "b.example.net"]);
        let last = groups.last().expect("groups");
        let versions: Vec<&str> = last.versions.iter().map(|version| version.name).collect();
        assert_eq!(versions, ["v1", "v1beta1", "v2alpha1"]);
        let plurals: Vec<&str> = last.versions[0]
            .resources
            .iter()
            .map(|one| &*one.plural)
            .collect();
        assert_eq!(plurals, ["areas", "zones"]);
        // A list has v1.b.example.net before v1alpha1.a.example.net.
        let mut listed: Vec<&Group<'_>> = groups.iter().collect();
        listed.sort_by_key(|group| group.place_in_list());
        let names: Vec<&str> = listed.iter().map(|group| group.name).collect();
        assert_eq!(names[names.len() - 2..], ["b.example.net", "a.example.net"]);
    }

    #[test]
    fn a_definition_in_a_built_in_group_adds_its_versions() {
        let resources = with(&[definition("apps", "Rack", &["v1", "v1alpha1"])]);
        assert!(resources.find("apps", "v1", "racks").is_none());
        assert!(resources.find("apps", "v1alpha1", "racks").is_some());
        let groups = resources.groups();
        let apps: Vec<&Group<'_>> = groups.iter().filter(|group| group.name == "apps").collect();
        let versions: Vec<&str> = apps[0].versions.iter().map(|version| version.name).collect();
        // The priority of custom versions is higher.
        assert_eq!((apps.len(), versions), (1, vec!["v1alpha1", "v1"]));
    }
}
