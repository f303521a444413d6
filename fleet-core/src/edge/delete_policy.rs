//! May this object be deleted?

use fleet_diff::ObjectKey;

use crate::words::{Reason, Uid};

/// Has a say in every delete, beside the guards and budgets that always hold: it can refuse, never permit more.
///
/// Pure: it is asked again whenever deletes are planned.
pub trait DeletePolicy: Send + Sync + 'static {
    /// Whether an object that was managed and is no longer listed may be deleted.
    ///
    /// # Errors
    /// Why not: the object stays, and the reason is reported.
    fn may_delete(&self, key: &ObjectKey, uid: &Uid) -> Result<(), Reason>;
}

/// Refuses nothing.
#[derive(Clone, Copy, Debug, Default)]
pub struct GuardsOnly;

impl DeletePolicy for GuardsOnly {
    fn may_delete(&self, _: &ObjectKey, _: &Uid) -> Result<(), Reason> {
        Ok(())
    }
}

impl<F: Fn(&ObjectKey, &Uid) -> Result<(), Reason> + Send + Sync + 'static> DeletePolicy for F {
    fn may_delete(&self, key: &ObjectKey, uid: &Uid) -> Result<(), Reason> {
        self(key, uid)
    }
}
