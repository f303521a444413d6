//! Who waits for whom: tables of what is found in objects, a slow model of what follows from it, and sets of manifests.
#![allow(missing_docs, clippy::unwrap_used, clippy::pedantic)]

#[path = "order/mod.rs"]
mod order;
