//! Which resources a server serves: the built-in ones of its version, and those of its CRDs.
//!
//! The built-in ones are read once from a table that `cargo xtask resources` makes of a real server (`table/`), and
//! shared by all servers of a process; those of CRDs (`custom`) come and go with them. [`Resources`] finds both.

mod builtin;
mod custom;
mod order;
mod registry;
mod sha256;
mod storage;
mod table;

#[cfg(feature = "table-writer")]
pub use table::write as table_writer;

pub(crate) use registry::{Group, Resources, Version};

/// A resource at one version: `APIResource` of `k8s.io/apimachinery/pkg/apis/meta/v1`, with its subresources.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Resource {
    /// Empty for the core.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    /// What a list of it is called; also where no list is served.
    pub(crate) list_kind: String,
    /// Its name in paths.
    pub(crate) plural: String,
    pub(crate) singular: String,
    pub(crate) short_names: Vec<String>,
    pub(crate) categories: Vec<String>,
    pub(crate) namespaced: bool,
    /// In the order in which discovery says them.
    pub(crate) verbs: Vec<String>,
    pub(crate) subresources: Vec<Subresource>,
    /// The `apiVersion` that objects are stored at, which may be one that is not served; none where none are stored.
    pub(crate) storage_version: Option<String>,
    /// What discovery says of the version that objects are stored at; empty where it says nothing.
    pub(crate) storage_hash: String,
    /// Whether it is of a CRD.
    pub(crate) is_custom: bool,
}

/// What stands behind an object's name in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Subresource {
    pub(crate) name: String,
    /// Of what is sent and answered, which need not be the resource itself: an `autoscaling/v1` `Scale`.
    pub(crate) group: String,
    pub(crate) version: String,
    pub(crate) kind: String,
    /// In the order in which discovery says them.
    pub(crate) verbs: Vec<String>,
}

impl Resource {
    /// As objects say it: `v1`, `apps/v1`.
    pub(crate) fn api_version(&self) -> String {
        api_version(&self.group, &self.version)
    }

    /// A subresource by its name.
    pub(crate) fn subresource(&self, name: &str) -> Option<&Subresource> {
        self.subresources.iter().find(|sub| sub.name == name)
    }

    pub(crate) fn has_subresource(&self, name: &str) -> bool {
        self.subresource(name).is_some()
    }

    pub(crate) fn has_verb(&self, verb: &str) -> bool {
        self.verbs.iter().any(|has| has == verb)
    }
}

/// A group and a version as objects say them: `v1`, `apps/v1`.
pub(crate) fn api_version(group: &str, version: &str) -> String {
    if group.is_empty() {
        version.to_owned()
    } else {
        format!("{group}/{version}")
    }
}

/// The group and the version of an `apiVersion`.
fn group_version(api_version: &str) -> (&str, &str) {
    api_version.rsplit_once('/').unwrap_or(("", api_version))
}
