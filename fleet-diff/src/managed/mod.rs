//! What the field manager of an API server does with an object and its `metadata.managedFields`.

mod apply;
mod entry;
pub(crate) mod last_applied;
mod same;
mod zero;

pub(crate) use apply::{Applied, Apply, ApplyError, OtherVersion, apply};
pub(crate) use entry::{ManagerKey, Managers};
