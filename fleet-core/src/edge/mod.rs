//! The edges: what is asked of a cluster and answered, and the traits a user implements.

mod delete_policy;
mod observer;
mod registry;
mod request;
mod source;

pub use delete_policy::{DeletePolicy, GuardsOnly};
pub use observer::{Note, Observer, Silent};
pub use registry::ClusterRegistry;
pub use request::{Answer, Exchange, Fault, FieldConflict, Propagation, Remedy, Request};
pub use source::{Changed, Changes, InventorySource, silent};
