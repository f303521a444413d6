//! The default strategy: server-side apply.

use super::{ApplyStrategy, History, Next, Work, first};
use crate::{
    Object,
    edge::Request,
    words::{Live, ResourceVersion, Uid},
};

/// Writes by server-side apply, one request a change.
///
/// An apply is an upsert: sent plainly, a create would merge our fields and marks into an object that somebody made a
/// moment before. So a create asks for a resourceVersion that no object has. Where nothing is, the server ignores it
/// and creates (201); where something is, it answers 409 and changes nothing (measured on 1.36, for built-in kinds and
/// custom resources).
///
/// Updates carry the UID and the resourceVersion they were decided on: if either moved, the server answers 409 and
/// the object is judged again.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerSideApply;

/// A resourceVersion no object has: the store's revision before its first write.
const OF_NO_OBJECT: &str = "1";

impl ApplyStrategy for ServerSideApply {
    fn id(&self) -> &'static str {
        "server-side-apply"
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        first::next(work, history, || {
            let apply = |document: &Object, (uid, version), force| Request::Apply {
                document: document.clone(),
                manager: history.manager.to_owned(),
                uid,
                version,
                force,
                dry_run: false,
            };
            match work {
                Work::Create { document } => Some(apply(document, (None, Some(OF_NO_OBJECT.into())), false)),
                Work::Claim { document, live } => Some(apply(document, decided_on(live), false)),
                Work::Update { document, live } => Some(apply(document, decided_on(live), true)),
                Work::TakeOver { .. } | Work::Remove { .. } | Work::Recreate(_) | Work::Delete { .. } => None,
            }
        })
    }
}

/// Only the object that was decided on, as it was.
pub(super) fn decided_on(live: &Live) -> (Option<Uid>, Option<ResourceVersion>) {
    (Some(live.uid().clone()), Some(live.version().clone()))
}
