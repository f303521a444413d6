//! The words, the edges and the reconcile engine of Fleet.
#![warn(clippy::unwrap_used)]

mod budget;
#[cfg(feature = "conformance")]
pub mod conformance;
mod edge;
mod engine;
mod judge;
mod ledger;
mod marks;
mod memory;
mod plan;
mod strategy;
mod switches;
mod words;

pub use async_trait::async_trait;
pub use budget::{FleetBudget, GRANT_LIFE};
pub use edge::*;
pub use engine::*;
pub use fleet_diff::{
    self, Digest, DigestBuilder, FieldChange, FieldPath, GroupKind, Gvk, Object, ObjectError, ObjectKey,
};
pub use judge::*;
pub use ledger::*;
pub use marks::{DEFAULT_DOMAIN, MarkState, Marks};
pub use memory::{Call, FaultMoment, Faulty, Hints, Injection, MemoryLedger, MemoryRegistry, MemorySource};
pub use plan::*;
pub use strategy::*;
pub use switches::Switches;
pub use words::*;
