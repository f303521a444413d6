//! What a change would do to a Kubernetes object.
//!
//! This crate stands alone: it knows JSON and Kubernetes' conventions, and neither a client, nor an async
//! runtime, nor a clock.
//!
//! Start with [`Object`]: one Kubernetes object, immutable and cheap to clone. Its identity is an
//! [`ObjectKey`] (group, kind, namespace, name; never a version), its content a [`Digest`].
#![warn(missing_docs)]

mod digest;
mod object;

pub use digest::{Digest, DigestBuilder};
pub use object::{GroupKind, Gvk, Object, ObjectError, ObjectKey, ParseKeyError};
