//! What a change would do to a Kubernetes object.
//!
//! This crate stands alone: it knows JSON and Kubernetes' conventions, and neither a client, nor an async
//! runtime, nor a clock.
//!
//! Start with [`Object`]: one Kubernetes object, immutable and cheap to clone. Its identity is an
//! [`ObjectKey`] (group, kind, namespace, name; never a version), its content a [`Digest`].
#![warn(missing_docs)]

mod compare;
mod digest;
mod managed_fields;
mod object;
mod ownership;
mod path;
mod render;
mod server_answer;
#[cfg(feature = "yaml")]
mod yaml;

pub use compare::{FieldChange, changes};
pub use digest::{Digest, DigestBuilder};
pub use object::{GroupKind, Gvk, Object, ObjectError, ObjectKey, ParseKeyError};
pub use ownership::{FieldManager, managers_of, managers_within};
pub use path::{FieldPath, Float, PathElement, Scalar};
pub use render::{RenderOptions, Style, masked, masked_value, render};
pub use server_answer::{Differences, LEFT_OUT, differences, live_digest};
#[cfg(feature = "yaml")]
pub use yaml::{Located, LocatedValue, ReadError, ReadLimits, ReadProblem, read_objects, read_values};
