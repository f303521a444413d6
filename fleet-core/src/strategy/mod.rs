//! Which requests carry out a change?

mod catalogue;
mod create_only;
mod first;
mod merged;
mod read_only;
pub(crate) mod recreate;
mod server_side_apply;

use fleet_diff::{Gvk, Object, ObjectKey};

pub use catalogue::Strategies;
pub use create_only::CreateOnly;
pub use merged::{JsonPatch, MergePatch, Update};
pub use read_only::ReadOnly;
pub use recreate::{Recreate, Recreation};
pub use server_side_apply::ServerSideApply;

use crate::{
    edge::{Exchange, Fault, Propagation, Request},
    words::{Live, Reason, ResourceVersion, Uid},
};

/// What a strategy is given to carry out. Each form holds just what it needs; documents come from the judge, and what
/// they are follows from the strategy's [`Manner`].
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Work {
    /// Make an object that was read to be absent.
    Create {
        /// What to send.
        document: Object,
    },
    /// Set our marks on an object that is not ours yet, and nothing else. Never forced.
    Claim {
        /// Identity and marks; where the merge is made here, the whole object with marks.
        document: Object,
        /// The object it was decided on.
        live: Live,
    },
    /// Take an object over from whoever manages it: in one write it gets our marks, their fields become ours, and their marks
    /// go.
    TakeOver {
        /// The object as it is then, owners included.
        document: Object,
        /// The object it was decided on.
        live: Live,
    },
    /// Write fields of an object that is ours.
    Update {
        /// What to apply; where the merge is made here, the whole object as it is to be.
        document: Object,
        /// The object it was decided on.
        live: Live,
    },
    /// Remove what others added to an object that is ours.
    Remove {
        /// Removes it, with tests of what it removes.
        patch: json_patch::Patch,
        /// The object it was decided on.
        live: Live,
    },
    /// Delete an object that is ours and make it again, in steps: see [`Recreate`].
    Recreate(Box<Recreation>),
    /// Delete an object that is ours.
    Delete {
        /// Which.
        key: ObjectKey,
        /// At which API version.
        gvk: Gvk,
        /// The object it was decided for.
        uid: Uid,
        /// The version it was decided on.
        version: ResourceVersion,
        /// What happens to its dependents.
        propagation: Propagation,
    },
}

/// How a strategy writes, as far as the judge must know.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Manner {
    /// It applies what a definition says, and the server merges.
    #[default]
    Applied,
    /// The merge is made here: it writes the object as it is to be, or what of it differs. Which fields were written is
    /// remembered in an annotation ([`Marks::memory_key`](crate::Marks::memory_key)).
    Merged,
    /// It makes what is missing by an apply; once it is there it counts as right, whatever it became.
    Once,
}

/// What a strategy may know: its durable note, and its exchanges since this process started the work.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct History<'a> {
    /// The field manager to write as.
    pub manager: &'a str,
    /// The note it left in the ledger.
    pub note: Option<&'a str>,
    /// Exchanges so far, oldest first.
    pub since: &'a [Exchange],
}

impl<'a> History<'a> {
    /// Of work that begins.
    pub fn new(manager: &'a str) -> Self {
        Self {
            manager,
            note: None,
            since: &[],
        }
    }
}

/// A strategy's next step.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Next {
    /// Send this.
    Send(Request),
    /// The work is done, or the world moved: either way the object is decided anew from the last answer. A delete is not
    /// done before one was sent.
    Done,
    /// The outcome is unknown or the world moved: look at the object before anything else.
    Look,
    /// The server refused, in these words.
    Refused(Fault),
    /// Note this in the ledger, or nothing any more, and ask again with a fresh look at the object. Exchanges before that
    /// are forgotten: what must be known afterwards is in the note.
    Record(Option<String>),
    /// Wait for the object to change, and ask again. What is overdue holds nothing else up.
    Wait {
        /// For what.
        reason: Reason,
        /// It takes longer than it should.
        overdue: bool,
    },
    /// It does not go on by itself: looked at less and less often.
    Stuck(Reason),
    /// This strategy does not do that. A delete it is asked for again now and then.
    Declined(Reason),
}

/// Chooses the requests that carry out a change. Pure and total.
pub trait ApplyStrategy: Send + Sync + 'static {
    /// Its name, as definitions and settings choose it. Lower case, words joined by hyphens.
    fn id(&self) -> &str;

    /// How it writes.
    fn manner(&self) -> Manner {
        Manner::Applied
    }

    /// The next step, from the work and all exchanges so far.
    fn next(&self, work: &Work, history: History<'_>) -> Next;
}

impl<T: ApplyStrategy + ?Sized> ApplyStrategy for std::sync::Arc<T> {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn manner(&self) -> Manner {
        (**self).manner()
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        (**self).next(work, history)
    }
}
