//! What the field manager of an API server does with an object and its `metadata.managedFields`.

mod apply;
mod entry;
pub(crate) mod last_applied;
mod remains;
mod same;
mod target;
mod update;
mod zero;

pub(crate) use apply::{Applied, Apply, ApplyError, apply};
pub(crate) use entry::{Fields, ManagerKey, Managers, Owned};
#[cfg(feature = "typed-operations")]
pub(crate) use same::is_set_of;
pub(crate) use target::{OtherVersion, Target, VersionError};
pub(crate) use update::{Update, update};
