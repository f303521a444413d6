//! The vocabulary: clusters, targets, inventories, live objects, kinds, reasons, time.

mod capacity;
mod cluster;
mod contact;
mod drift;
mod inventory;
mod kinds;
mod last_good;
mod live;
mod maintenance;
mod reason;
mod resources;
mod taint;
mod target;
mod tick;
mod types;

pub use capacity::Capacity;
pub use cluster::{Cluster, ClusterId, LifeCycle};
pub use contact::{ContactLimits, ContactState, ContactStatus, Heard};
pub use drift::{DriftPolicy, DriftRule};
pub use inventory::{Inventory, InventoryError, Known, Revision, Snapshot, Unknown};
pub use kinds::{KindInfo, KindMap};
pub use last_good::LastGood;
pub use live::{Live, LiveError, LiveMeta, ResourceVersion, Uid};
pub use maintenance::{Maintenance, Window};
pub use reason::Reason;
pub use resources::{InvalidAmount, Resources, amount};
pub use taint::{InvalidTaint, Taint, TaintEffect};
pub use target::{Identity, InvalidInventoryId, InventoryId, Scope, Target};
pub use tick::{Millis, Tick};
pub use types::ClusterTypes;

/// A small text newtype: cheap to clone, printed and serialised as the text.
macro_rules! text_newtype {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize, serde::Deserialize)]
        #[serde(transparent)]
        pub struct $name(std::sync::Arc<str>);

        impl $name {
            /// Takes the text as it is.
            pub fn new(text: impl Into<std::sync::Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(&self.0)
            }
        }

        impl std::fmt::Debug for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self::new(text)
            }
        }
    };
}
pub(crate) use text_newtype;
