//! What a cluster serves, as its discovery says.

use std::collections::{BTreeMap, BTreeSet};

use fleet_diff::{GroupKind, Gvk};

/// One kind as served by a cluster.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct KindInfo {
    /// The resource's plural name in URLs.
    pub plural: String,
    /// What people call it for short, such as `deploy`.
    pub short_names: Vec<String>,
    /// Whether its objects live in namespaces.
    pub namespaced: bool,
    /// Served versions, the preferred one first.
    pub versions: Vec<String>,
    /// Whether it can be listed and watched.
    pub listable: bool,
}

impl KindInfo {
    /// A listable kind.
    pub fn new(
        plural: impl Into<String>,
        namespaced: bool,
        versions: impl IntoIterator<Item = String>,
    ) -> Self {
        Self {
            plural: plural.into(),
            short_names: Vec::new(),
            namespaced,
            versions: versions.into_iter().collect(),
            listable: true,
        }
    }

    /// True when `version` is served.
    pub fn serves(&self, version: &str) -> bool {
        self.versions.iter().any(|v| v == version)
    }
}

/// All kinds a cluster serves, and the groups for which discovery could not say.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
#[non_exhaustive]
pub struct KindMap {
    /// Known kinds.
    pub kinds: BTreeMap<GroupKind, KindInfo>,
    /// Groups whose discovery failed (a dead aggregated API): their kinds may be missing above.
    pub incomplete: BTreeSet<String>,
}

impl KindMap {
    /// The kind, if served.
    pub fn get(&self, kind: &GroupKind) -> Option<&KindInfo> {
        self.kinds.get(kind)
    }

    /// True when discovery could say everything about the kind's group.
    pub fn is_complete(&self, group: &str) -> bool {
        !self.incomplete.contains(group)
    }

    /// The version to read a kind at: `wanted` if served, else the preferred one.
    pub fn version_for(&self, kind: &GroupKind, wanted: Option<&str>) -> Option<Gvk> {
        let info = self.get(kind)?;
        let version = wanted
            .filter(|v| info.serves(v))
            .or(info.versions.first().map(String::as_str))?;
        Some(kind.at(version))
    }
}
