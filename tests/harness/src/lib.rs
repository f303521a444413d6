//! Kubernetes clusters for tests, real ones and in-process ones.
//!
//! A [`Cluster`] is of one [`Kind`] or the other, and tests that are written for it run on both. In-process ones are
//! there at once, need nothing but Rust, and move with tokio's clock. Real ones come from where the environment says, in the
//! words of other test beds: `USE_EXISTING_CLUSTER=true` is the current context of the kubeconfig, `KUBEBUILDER_ASSETS` a
//! folder with `kube-apiserver` and `etcd`, `TEST_ASSET_KUBE_APISERVER` and `TEST_ASSET_ETCD` these two alone; else they are
//! the project's own. What a cluster has not, a test can [`Need`]; then it does not run, and says so.
//!
//! ```
//! use fleet_harness::{Cluster, Kind, Options, User};
//! use serde_json::Value;
//!
//! # tokio::runtime::Builder::new_current_thread().enable_all().build()?.block_on(async {
//! let east = Cluster::start(Kind::InProcess, Options::new("east"))?;
//! let said = east.ask(User::Admin, "GET", "/api/v1/namespaces/default", "", &Value::Null)?;
//! assert_eq!(said.code, 200);
//! # Ok::<(), fleet_harness::Error>(()) })?;
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The project's own control plane
//!
//! A [`ControlPlane`] is one process with etcd, kube-apiserver, kube-controller-manager and a loop that
//! makes pods run and Jobs complete. It is ready about three seconds after its start, takes about 320 MB
//! of memory, and dies with the process that started it, however that ends. The binary comes from
//! `cargo xtask control-plane`.
//!
//! # Start one and talk to it
//!
//! ```no_run
//! use fleet_harness::{ControlPlane, Options, User};
//!
//! let east = ControlPlane::start(Options::new("east"))?;
//! println!("{} {}", east.url(), east.token(User::Fleet));
//! let names = east.kubectl()?.args(["get", "namespaces", "-o", "name"]).output()?;
//! assert!(names.status.success());
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! Everything here blocks; in an async test, starting a cluster inside `spawn_blocking` keeps the runtime's
//! thread free, but calling it directly does no harm in a test.
//!
//! # Start several, as a fleet
//!
//! ```no_run
//! use fleet_harness::{ControlPlane, Options, merged_kubeconfig};
//!
//! let fleet = ControlPlane::start_many(3, &Options::new("c"))?; // c-1, c-2, c-3
//! merged_kubeconfig(&fleet.iter().collect::<Vec<_>>(), "fleet.kubeconfig".as_ref())?;
//! # Ok::<(), fleet_harness::Error>(())
//! ```
//!
//! # Share one among the tests of a file
//!
//! ```no_run
//! use fleet_harness::{ControlPlane, Options};
//! use std::sync::LazyLock;
//!
//! static SHARED: LazyLock<ControlPlane> =
//!     LazyLock::new(|| ControlPlane::start(Options::new("shared")).expect("a cluster"));
//! ```
//!
//! A static is never dropped: the cluster dies with the test process, and its directory is removed by the next
//! process that starts a cluster, as after any test process that was killed.
//!
//! # Break it
//!
//! [`kill`](ControlPlane::kill) and [`restart`](ControlPlane::restart) are a crash and what comes after it:
//! same data, same port, same certificates and tokens. [`freeze`](ControlPlane::freeze) stops every thread of
//! the cluster: connections stay open and nobody answers, until [`thaw`](ControlPlane::thaw). With
//! [`Options::separate_etcd`] the same can be done to etcd alone.
//!
//! # Count requests
//!
//! ```no_run
//! use fleet_harness::{ControlPlane, Options, User};
//!
//! let east = ControlPlane::start(Options::new("east").audit(true))?;
//! let mark = east.audit_mark()?;
//! // ... the code under test, as user `fleet` ...
//! let requests = east.audit_since(mark)?;
//! let sent = requests.iter().filter(|e| e.user == User::Fleet.as_str() && e.is_object_request()).count();
//! assert_eq!(sent, 0);
//! # Ok::<(), fleet_harness::Error>(())
//! ```
//!
//! # When a test fails
//!
//! The logs of its clusters are kept, and their directory is printed. `FLEET_KEEP_LOGS=1` keeps them always,
//! [`Options::keep_dir`] keeps all data too. `FLEET_KUBERNETES=1.37` selects the version for clusters whose
//! options name none. `TEST_ASSET_CONTROL_PLANE` and `TEST_ASSET_KUBECTL` name other binaries.

mod audit;
mod backend;
mod binaries;
mod cluster;
mod control_plane;
mod dir;
mod envtest;
mod error;
mod kind;
mod kubeconfig;
mod options;
mod ports;
mod process;
mod ready;
mod spawner;
mod user;

pub use audit::{AuditEvent, AuditMark, Stage};
pub use cluster::{Cluster, Said};
pub use control_plane::ControlPlane;
pub use error::{Error, Result};
pub use kind::{Kind, Need, not_run};
pub use kubeconfig::{Access, merged_kubeconfig, write_kubeconfig};
pub use options::{Kubernetes, Options};
pub use user::User;
