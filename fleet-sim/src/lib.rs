//! A Kubernetes API server as a value: requests and the time go in, answers and watch events come out.
//!
//! For tests and for trying things: a cluster that is there at once, costs kilobytes, and plays the same again for the
//! same seed. Built-in kinds and custom resources are merged, owned, defaulted and pruned by `fleet-diff`, the same code
//! that foresees what a real server does; so nothing that `fleet-diff` says of real servers is proved by this one.
//!
//! [`Server::handle`] answers a request, [`Server::step`] lets the controllers do what is next, and
//! [`Server::events`] takes what a watch has to say. There is no clock, no thread and no socket: the time is given with
//! every call.

//! # What it is compared with
//!
//! `cargo xtask alike` does the same random operations to this server and to a real one, and compares every answer and
//! every event: codes, reasons, words of refusals, warnings, bodies, versions that move or stay, order. Times, UIDs and
//! addresses are set aside. The suites of this project run on both kinds of servers, and the documents of discovery are
//! compared one by one.
//!
//! # What is otherwise than on a real server
//!
//! No test of this project relies on any of these.
//!
//! 1. Values are not checked as the Go code of built-in kinds and the CEL rules of CRDs check them: a name that is none, a
//!    number out of its range or a reference to nothing is taken. What `fleet-diff` knows to be refused is refused: types,
//!    unknown fields, immutable fields; and so is what is too large.
//! 2. Of what is invalid or cannot be read, the words differ: only code and reason are a real server's.
//! 3. Nobody is authenticated, and everybody may do everything.
//! 4. Strategic merge patches are not taken (415), tables and protobuf are not answered, and lists are selected by name and
//!    namespace only.
//! 5. `eviction`, `binding`, tokens, logs and proxies are not there.
//! 6. An apply to `scale` writes the replicas as an update does.
//! 7. A kind that is served at several versions is stored as it was written, and shown at another version by its
//!    `apiVersion` alone; only a `HorizontalPodAutoscaler` is converted.
//! 8. `deprecated.daemonset.template.generation` is an ordinary annotation.
//! 9. Webhooks and policies are objects, and do nothing; [`Server::set_admission`] does what they would do, after defaults
//!    and owners, and what it makes is not checked again. Quotas and limits do nothing either.
//! 10. A custom resource with empty labels keeps them; a real server drops them with the next write.
//! 11. Pods run, become ready or succeed at once, and go at once; there are no nodes, so a `DaemonSet` wants none. A
//!     `Deployment` changes over in one step.
//! 12. A claim is bound only to the volume that it names.
//! 13. An autoscaler has no metrics: it keeps what it scales between its limits.
//! 14. `Endpoints` are not made of Services, only `EndpointSlice`s; `CronJob`s start nothing.
//! 15. `/openapi/v3` has the documents of custom resources only, and of each only its schema: built-in kinds are known to
//!     clients. Keys that are written twice are not noticed, so neither refused nor told.
//! 16. An `APIService` is an object, and nothing is asked of its service.

mod controllers;
mod discovery;
mod request;
mod resources;
mod server;
mod status;
mod store;
mod write;

#[cfg(feature = "table-writer")]
#[doc(hidden)]
pub use resources::table_writer;
pub use server::{Admission, Answer, Events, Operation, Review, Server, Settings, WatchId};
