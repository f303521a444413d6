//! The table of what a version of Kubernetes serves of itself: text, a line for each version of a group, each resource
//! and each subresource, in the order of discovery.
//!
//! ```text
//! kubernetes: v1.36.3
//! version apps/v1: 17800 15
//! apps/v1/deployments: Deployment deployment namespaced all short=deploy categories=all stored=apps/v1
//! apps/v1/deployments/scale: autoscaling/v1/Scale get,patch,update
//! apps/v1/deployments/status: Deployment get,patch,update
//! ```
//!
//! A version has two numbers: the priority of its group, and its own in the group. A resource has its kind, its singular,
//! its scope and its verbs, of which `all` are [`ALL`]; a subresource its kind (with group and version if they are others
//! than those of its resource) and its verbs. `stored` is the version that objects are stored at.

pub(super) mod read;
#[cfg(feature = "table-writer")]
pub mod write;

/// The verbs of nearly all resources.
const ALL: &str = "create,delete,deletecollection,get,list,patch,update,watch";
