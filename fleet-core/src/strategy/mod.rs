//! Which requests carry out a change?

mod read_only;
mod server_side_apply;

use fleet_diff::{Gvk, Object, ObjectKey};

pub use read_only::ReadOnly;
pub use server_side_apply::ServerSideApply;

use crate::{
    edge::{Exchange, Fault, Propagation, Request},
    words::{Reason, ResourceVersion, Uid},
};

/// What a strategy is given to carry out. Each form holds just what it needs; documents come from the judge.
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
        /// Identity and marks.
        document: Object,
        /// The object it was decided for.
        uid: Uid,
        /// The version it was decided on.
        version: ResourceVersion,
    },
    /// Write fields of an object that is ours.
    Update {
        /// What to send.
        document: Object,
        /// The object it was decided for.
        uid: Uid,
        /// The version it was decided on.
        version: ResourceVersion,
    },
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
    /// This strategy does not do that. A delete it is asked for again now and then.
    Declined(Reason),
}

/// Chooses the requests that carry out a change. Pure and total.
pub trait ApplyStrategy: Send + Sync + 'static {
    /// Its name; stored in ledgers, so never rename it.
    fn id(&self) -> &str;

    /// The next step, from the work and all exchanges so far.
    fn next(&self, work: &Work, history: History<'_>) -> Next;
}

impl<T: ApplyStrategy + ?Sized> ApplyStrategy for std::sync::Arc<T> {
    fn id(&self) -> &str {
        (**self).id()
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        (**self).next(work, history)
    }
}
