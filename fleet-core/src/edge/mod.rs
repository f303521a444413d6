//! The edges: what is asked of a cluster and answered, and the traits a user implements.

mod answer;
mod delete_policy;
mod observer;
mod registry;
mod request;
mod source;
mod status;

pub use answer::{Answer, Fault, FieldConflict, Remedy};
pub use delete_policy::{DeletePolicy, GuardsOnly};
pub use observer::{Note, Observer, Silent};
pub use registry::ClusterRegistry;
pub use request::{Exchange, Patch, Propagation, Request};
pub use source::{Changed, Changes, InventorySource, silent};
pub use status::{Observed, Restored, StatusSink, Unread, confirm_restored};
