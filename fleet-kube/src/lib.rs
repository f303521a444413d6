//! Keeps many Kubernetes clusters equal to an inventory: the only crate of Fleet that speaks to Kubernetes.
//!
//! What should happen is decided in [`fleet_core`]; here it is carried out. [`Fleet`] is the whole of it, over all
//! clusters of a registry. [`Connection`] is one cluster, and useful alone.
//!
//! # Keep a fleet equal to a folder
//!
//! ```no_run
//! use fleet_core::InventoryId;
//! use fleet_kube::{ConnectionOptions, DirectorySource, Fleet, KubeconfigConnect, KubeconfigRegistry};
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let registry = KubeconfigRegistry::new("fleet.kubeconfig");
//! let fleet = Fleet::builder(InventoryId::new("shop")?)
//!     .connect(KubeconfigConnect::new(registry.clone(), ConnectionOptions::default()))
//!     .registry(registry)
//!     .source(DirectorySource::new("inventory"))
//!     .build()?;
//! fleet.run().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Connect to one cluster and ask it something
//!
//! Every answer is one of few, and an outcome nobody knows is an answer of its own.
//!
//! ```no_run
//! use fleet_core::{Answer, Object, Request};
//! use fleet_kube::{Connection, ConnectionOptions};
//! use serde_json::json;
//!
//! # async fn example() -> Result<(), Box<dyn std::error::Error>> {
//! let config = kube::Config::infer().await?;
//! let cluster = Connection::connect(config, ConnectionOptions::default()).await?;
//! cluster.discover().await?;
//! let document = Object::from_json(json!({
//!     "apiVersion": "v1", "kind": "ConfigMap",
//!     "metadata": {"namespace": "default", "name": "greeting"}, "data": {"text": "hello"},
//! }))?;
//! let manager = "example".to_owned();
//! let ask = Request::Apply { document, manager, uid: None, version: None, force: false, dry_run: true };
//! match cluster.execute(&ask).await {
//!     Answer::Created(_) => println!("it would be created"),
//!     Answer::Object(live) => println!("it would then be {:?}", live.object()),
//!     Answer::Refused(fault) if !fault.conflicts.is_empty() => println!("others hold: {:?}", fault.conflicts),
//!     Answer::Refused(fault) | Answer::NotSent(fault) | Answer::Lost(fault) => println!("{fault}"),
//!     _ => {}
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Follow a kind
//!
//! ```no_run
//! use fleet_core::Gvk;
//! use fleet_kube::{Connection, WatchEvent};
//! use futures_util::StreamExt;
//!
//! # async fn example(cluster: Connection) -> Option<()> {
//! let deployments = Gvk::from_api_version("apps/v1", "Deployment")?;
//! let mut events = std::pin::pin!(cluster.watch(&deployments, Some("shop"), Some("tier=web")));
//! while let Some(event) = events.next().await {
//!     match event {
//!         WatchEvent::Seen(live) => println!("{} is at {}", live.key(), live.version()),
//!         WatchEvent::Gone { key, .. } => println!("{key} left"),
//!         WatchEvent::Lost(fault) => println!("interrupted, goes on by itself: {fault}"),
//!         _ => {}
//!     }
//! }
//! # Some(())
//! # }
//! ```
//!
//! # Act in somebody's name
//!
//! ```no_run
//! # use fleet_core::{Fault, Identity};
//! # use fleet_kube::Connection;
//! # fn example(cluster: Connection) -> Result<(), Fault> {
//! let shop = cluster.as_identity(&Identity::new("system:serviceaccount:shop:deployer"))?;
//! // Reads and writes of `shop` are both made in that name. Limits are still those of the cluster.
//! # Ok(())
//! # }
//! ```
//!
//! # Know what it costs a cluster
//!
//! [`ConnectionOptions`] holds every limit: requests at once and per second, waits, sizes, retries.
//! [`Connection::contact`] counts what was sent and says since when a cluster is silent.
//!
//! # Know what clusters can carry
//!
//! Off unless asked for: then nodes and pods of each cluster are read now and then, and added up.
//!
//! ```no_run
//! # use fleet_kube::{CapacityOptions, FleetBuilder};
//! # async fn example(builder: FleetBuilder) -> Result<(), Box<dyn std::error::Error>> {
//! let fleet = builder.capacity(CapacityOptions::default()).build()?;
//! // While it runs, or after a plan:
//! for (name, observed) in fleet.observed() {
//!     match (observed.capacity, observed.capacity_unread) {
//!         (Some(capacity), _) => println!("{name}: {} of {}", capacity.requested, capacity.allocatable),
//!         (None, Some(unread)) => println!("{name}: {}", unread.why),
//!         (None, None) => println!("{name}: not read yet"),
//!     }
//! }
//! # Ok(())
//! # }
//! ```
//!
//! # Choose TLS and a Kubernetes version
//!
//! A library must not choose these, so this one leaves both to the program: turn on this crate's feature `rustls-tls`,
//! and depend on `kube` with `ring` or `aws-lc-rs` and on `k8s-openapi` with a version feature. With several rustls
//! providers in one program, call `CryptoProvider::install_default()` first in `main`.
//!
//! A program that turns on a TLS feature of `kube` instead (`openssl-tls`, too) works, but slower: kube's own client
//! leaves Nagle's algorithm on, and first requests of a connection then wait some 40 ms each. That client is also used
//! for clusters behind a proxy or with a credential plugin.
#![warn(clippy::unwrap_used)]

mod capacity;
mod connection;
mod driver;
mod files;
mod fleet;
mod inventory;
mod ledger;
mod registry;
#[cfg(feature = "sim")]
mod sim;
mod status;
mod times;
mod windows;

pub use capacity::CapacityOptions;
pub use connection::{
    Connection, ConnectionOptions, Contact, FieldValidation, OLDEST_MINOR, Verb, WatchEvent,
};
pub use driver::{Clock, DriverHandle, DriverParts, Progress, RESTORED, spawn};
pub use files::{FileError, read_text};
pub use fleet::{
    ChooseOptions, Connect, Explanation, FLEET_ITSELF, Fleet, FleetBuilder, FleetError, Kept,
    KubeconfigConnect, Leftovers, MakeLedger, Named, Outcome, Record, Standing, Unmanaged, Wave,
};
pub use inventory::{
    Budgets, DirectorySource, FLEET_FILE, FleetFile, INVENTORY_BYTES_MAX, Leaving, MANIFEST_BYTES_MAX,
    MANIFEST_FILES_MAX, Waiting,
};
#[cfg(feature = "http")]
pub use inventory::{HttpLimits, HttpSource, HttpSourceError};
pub use ledger::{ConfigMapLedger, LEDGER_NAMESPACE};
pub use registry::{
    ClusterEntry, CredentialPlugins, KubeconfigRegistry, REGISTRY_BYTES_MAX, REGISTRY_FILE_SUFFIX,
    RegistryFile, SECRETS_BYTES_MAX, SECRETS_MAX, SecretRegistry,
};
#[cfg(feature = "sim")]
pub use sim::{SimCluster, SimFleet};
pub use status::{FileStatus, STATUS_BYTES_MAX, STATUS_FILE_SUFFIX};
pub use times::utc;
