//! The default strategy: server-side apply.

use super::{ApplyStrategy, History, Next, Work};
use crate::edge::{Answer, Exchange, Remedy, Request};

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
        match history.since {
            [] => Next::Send(first(work, history.manager)),
            [.., last] => after(work, last),
        }
    }
}

fn first(work: &Work, manager: &str) -> Request {
    let apply = |document: &crate::Object, uid, version, force| Request::Apply {
        document: document.clone(),
        manager: manager.to_owned(),
        uid,
        version,
        force,
        dry_run: false,
    };
    match work {
        Work::Create { document } => apply(document, None, Some(OF_NO_OBJECT.into()), false),
        Work::Claim {
            document,
            uid,
            version,
        } => apply(document, Some(uid.clone()), Some(version.clone()), false),
        Work::Update {
            document,
            uid,
            version,
        } => apply(document, Some(uid.clone()), Some(version.clone()), true),
        Work::Delete {
            key,
            gvk,
            uid,
            version,
            propagation,
        } => Request::Delete {
            key: key.clone(),
            gvk: gvk.clone(),
            uid: uid.clone(),
            version: Some(version.clone()),
            propagation: *propagation,
        },
    }
}

fn after(work: &Work, last: &Exchange) -> Next {
    match &last.answer {
        // Only a server that does not heed the version: whose the object is must be looked at.
        Answer::Object(_) if matches!(work, Work::Create { .. }) => Next::Look,
        Answer::Object(_) | Answer::Created(_) | Answer::Deleted => Next::Done,
        Answer::Absent if matches!(work, Work::Delete { .. }) => Next::Done,
        Answer::Absent | Answer::Lost(_) => Next::Look,
        Answer::Refused(fault) if fault.remedy == Remedy::Conflict => match work {
            Work::Claim { .. } if !fault.conflicts.is_empty() => Next::Refused(fault.clone()),
            _ => Next::Look,
        },
        Answer::Refused(fault) | Answer::NotSent(fault) => Next::Refused(fault.clone()),
    }
}
