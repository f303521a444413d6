//! The words, the edges and the reconcile engine of Fleet: everything that decides, nothing that does.
//!
//! This crate does no I/O, reads no clock and draws no random numbers; `fleet-kube` carries out what it says. A team
//! that builds its own delivery system implements the traits here, and keeps the mechanics.
//!
//! # Say what should be in a cluster
//!
//! An [`InventorySource`] answers one question: what should be in this cluster? The answer is complete, known to be
//! empty, or [`Unknown`]; any error becomes `Unknown` with `?`, and unknown changes nothing.
//!
//! ```
//! use fleet_core::{Cluster, Inventory, InventorySource, Object, Snapshot, async_trait};
//! use serde_json::json;
//!
//! struct Banner(Option<String>);
//!
//! #[async_trait]
//! impl InventorySource for Banner {
//!     async fn snapshot(&self, cluster: &Cluster) -> Snapshot {
//!         let text = self.0.as_ref().ok_or(std::io::Error::other("the database does not answer"))?;
//!         let object = Object::from_json(json!({
//!             "apiVersion": "v1", "kind": "ConfigMap",
//!             "metadata": {"namespace": "default", "name": "banner"},
//!             "data": {"text": text, "cluster": cluster.name},
//!         }))?;
//!         Inventory::with_content_revision([object])?.snapshot()
//!     }
//! }
//! ```
//!
//! [`MemorySource`] is an implementation for tests, [`Faulty`] wraps one and injects faults, and the feature
//! `conformance` has the suite that every implementation should pass.
//!
//! # Have a say in deletes
//!
//! Guards and budgets always hold; a [`DeletePolicy`] can refuse more. A closure will do.
//!
//! ```
//! use fleet_core::{ObjectKey, Parts, Reason, Uid};
//!
//! let parts = Parts::default().deletes(|key: &ObjectKey, _: &Uid| match key.namespace() {
//!     Some("payments") => Err(Reason::new("payments", "deleted by hand only")),
//!     _ => Ok(()),
//! });
//! # drop(parts);
//! ```
//!
//! # Choose limits, budgets and permissions
//!
//! ```
//! use fleet_core::{Adoption, DeleteBudget, EngineOptions, GroupKind};
//!
//! let mut options = EngineOptions::default();
//! options.domain = "delivery.example.com".into();
//! options.adoption = Adoption::AdoptEqual;
//! options.budget = DeleteBudget::new(50, 10, 5);
//! options.permitted_kinds.insert(GroupKind::new("", "Namespace"));
//! ```
//!
//! # Drive an engine
//!
//! [`Engine::step`] takes one [`Event`] and says what to do as [`Command`]s. This is all there is to it; a driver
//! carries the commands out and brings the results back as events.
//!
//! ```
//! use fleet_core::{Command, Engine, EngineOptions, Event, InventoryId, Parts, Target, Tick};
//!
//! let target = Target::new("0c8b…".into(), InventoryId::new("fleet")?);
//! let mut engine = Engine::new(target, Parts::default(), EngineOptions::default());
//! let mut commands = Vec::new();
//! engine.step(Event::Time, Tick(1_750_000_000_000), &mut commands);
//! assert!(matches!(commands[..], [Command::Discover, Command::LoadLedger]));
//! # Ok::<(), fleet_core::InvalidInventoryId>(())
//! ```
//!
//! # Write changes another way
//!
//! An [`ApplyStrategy`] turns one object's [`Work`] into requests, one at a time; [`ServerSideApply`] is the default
//! and [`ReadOnly`] writes nothing. A [`Judge`] says what applying would change; [`ServerJudge`] asks the server by a
//! dry run.
//!
//! # Features
//!
//! - `conformance`: suites for implementations of [`InventorySource`], [`Ledger`] and [`StatusSink`].
//! - `yaml`: [`HealthRules`](health::HealthRules) from YAML texts.
//! - `testing`: lets tests switch single guards off ([`Switches`]). Enabling it changes nothing by itself.
#![warn(clippy::unwrap_used)]

mod budget;
#[cfg(feature = "conformance")]
pub mod conformance;
mod edge;
mod engine;
mod hand_over;
pub mod health;
mod judge;
mod ledger;
mod marks;
mod memory;
pub mod order;
mod plan;
mod strategy;
mod switches;
mod words;

pub use async_trait::async_trait;
pub use budget::{FleetBudget, GRANT_LIFE};
pub use edge::*;
pub use engine::*;
pub use fleet_diff::{
    self, Digest, DigestBuilder, Document, FieldChange, FieldPath, GroupKind, Gvk, Node, Object, ObjectError,
    ObjectKey, Quantity,
};
pub use hand_over::Predecessor;
pub use judge::*;
pub use ledger::*;
pub use marks::{DEFAULT_DOMAIN, MarkState, Marks};
pub use memory::{
    Call, FaultMoment, Faulty, Hints, Injection, MemoryLedger, MemoryRegistry, MemorySource, MemoryStatus,
};
pub use plan::*;
pub use strategy::*;
pub use switches::Switches;
pub use words::*;
