//! Suites that show whether an implementation of a trait keeps its promises. For tests of implementations; not
//! covered by the promise of stable versions.
//!
//! Each suite takes a fixture, because a trait alone can neither change nor break what is behind it, and returns
//! the promises that were broken:
//!
//! ```
//! use fleet_core::{Cluster, InventorySource, Known, MemorySource, async_trait};
//! use fleet_core::conformance::{InventoryFixture, inventory_source};
//!
//! struct Fixture(MemorySource);
//!
//! #[async_trait]
//! impl InventoryFixture for Fixture {
//!     fn source(&self) -> &dyn InventorySource {
//!         &self.0
//!     }
//!     async fn publish(&self, cluster: &Cluster, known: Known) {
//!         self.0.set(&cluster.name, Ok(known));
//!     }
//!     async fn break_source(&self, cluster: &Cluster) {
//!         self.0.set_unknown(&cluster.name, "broken");
//!     }
//! }
//!
//! # async fn test() {
//! let violations = inventory_source(&Fixture(MemorySource::new()), &Cluster::new("eu-1")).await;
//! assert!(violations.is_empty(), "{violations:#?}");
//! # }
//! ```

mod inventory;
mod ledger;
mod status;
#[cfg(test)]
mod tests;

use std::fmt;

pub use inventory::{InventoryFixture, inventory_source};
pub use ledger::{LedgerFixture, ledger};
pub use status::{StatusFixture, status_sink};

/// A promise that was broken.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Violation {
    /// Which promise, in kebab-case.
    pub promise: &'static str,
    /// What was seen instead.
    pub seen: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.promise, self.seen)
    }
}

/// Collects violations.
#[derive(Default)]
struct Findings(Vec<Violation>);

impl Findings {
    fn check(&mut self, kept: bool, promise: &'static str, seen: impl FnOnce() -> String) {
        if !kept {
            self.0.push(Violation {
                promise,
                seen: seen(),
            });
        }
    }
}
