//! Break before make: an object that cannot be changed is deleted and made again.
//!
//! ```text
//!   prove ──▶ copy ──▶ delete, wait until it is gone ──▶ create ──▶ drop the copy
//!                                                          │ refused
//!                                                          ▼
//!                                  make the old one again from the copy ──▶ drop the copy, remember that it failed
//! ```
//!
//! Each arrow is a note in the ledger, written before the next request, and each step is decided from the note and from a
//! fresh look at the object. So it goes on from wherever a process died, and until the copy is dropped the object is in
//! the cluster, or in the copy, or in both.

mod copy;
mod note;
mod proof;
mod saga;

use fleet_diff::{Digest, Gvk, ObjectKey};

use super::{ApplyStrategy, History, Next, Work};
use crate::{
    edge::{Propagation, Request},
    words::{Live, Millis, Reason, Tick},
};

/// What is known of an object that is being made again.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub struct Recreation {
    /// The object.
    pub key: ObjectKey,
    /// The API version it is read, copied and deleted at.
    pub gvk: Gvk,
    /// Digest of its definition; none when it is not listed any more.
    pub definition: Option<Digest>,
    /// What makes the new object; none when it is not listed any more.
    pub create: Option<Request>,
    /// The object as the cluster has it; none when it was read to be absent.
    pub live: Option<Live>,
    /// That object bears our mark.
    pub is_ours: bool,
    /// Where the copy of a cluster-scoped object is kept.
    pub copies_namespace: String,
    /// The label that copies bear.
    pub copy_label: String,
    /// What the delete does to dependents.
    pub propagation: Propagation,
    /// The time.
    pub now: Tick,
}

/// Deletes an object and makes it again, where its definition cannot be reached in place. It is asked for only where that
/// is allowed.
///
/// First the server is asked, by a dry run under another name, whether it would take the new object; then the old one is
/// copied into a Secret. If the new one is refused after all, the old one is made again from the copy, its owners of
/// fields too; what is lost then is its UID, its status and what the deletion took with it. The same definition is not
/// tried again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Recreate {
    /// How long a deletion may take before it is reported as stuck. It cannot be undone, so it is waited for all the same.
    pub deletion_max: Millis,
}

impl Default for Recreate {
    /// Two minutes for a deletion.
    fn default() -> Self {
        Self {
            deletion_max: Millis::from_mins(2),
        }
    }
}

impl ApplyStrategy for Recreate {
    fn id(&self) -> &'static str {
        "recreate"
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        match work {
            Work::Recreate(recreation) => saga::next(*self, recreation, history),
            _ => Next::Declined(Reason::new(
                "recreate-only",
                "this strategy only makes objects again",
            )),
        }
    }
}

/// Of an object whose note this is: why the definition of this digest is not tried again. None when it may be.
pub(crate) fn failed(note: &str, definition: &Digest) -> Option<String> {
    note::Note::parse(note)?.failure_of(definition)
}

/// True when the old object is made again, or gets back what it had.
pub(crate) fn restores(note: &str) -> bool {
    use note::Step::{Restoring, Returning};
    note::Note::parse(note).is_some_and(|note| matches!(note.step, Restoring | Returning))
}

/// True when such a note only remembers a failure: nothing is under way.
pub(crate) fn is_over(note: &str) -> bool {
    note::Note::parse(note).is_some_and(|note| note.step == note::Step::Failed)
}
