//! The default strategy: server-side apply.

use super::{ApplyStrategy, History, Next, Work};
use crate::edge::{Answer, Exchange, Remedy, Request};

/// Writes by server-side apply, one request a change.
///
/// An apply is an upsert, so a create may hit an object that somebody made a moment before: the server then answers
/// 200 instead of 201. The fields that went in are taken back by applying the bare identity as the same manager,
/// and the object is looked at anew as one that is not ours.
///
/// Updates carry the UID and the resourceVersion they were decided on: if either moved, the server answers 409 and
/// the object is judged again.
#[derive(Clone, Copy, Debug, Default)]
pub struct ServerSideApply;

impl ApplyStrategy for ServerSideApply {
    fn id(&self) -> &'static str {
        "server-side-apply"
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        match history.since {
            [] => Next::Send(first(work, history.manager)),
            [.., last] => after(work, last, history.manager, history.since.len()),
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
        Work::Create { document } => apply(document, None, None, false),
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

/// How often taking our fields back is tried before the object is left to the next look.
const TAKE_BACK_TRIES_MAX: usize = 4;

fn after(work: &Work, last: &Exchange, manager: &str, exchanges: usize) -> Next {
    if is_take_back(work, last) {
        return match &last.answer {
            Answer::Lost(_) | Answer::NotSent(_) if exchanges <= TAKE_BACK_TRIES_MAX => {
                Next::Send(last.request.clone())
            }
            _ => Next::Look,
        };
    }
    match &last.answer {
        Answer::Object(live) => match work {
            Work::Create { document } => Next::Send(Request::Apply {
                document: document.bare(),
                manager: manager.to_owned(),
                uid: Some(live.uid().clone()),
                version: None,
                force: false,
                dry_run: false,
            }),
            _ => Next::Done,
        },
        Answer::Created(_) | Answer::Deleted => Next::Done,
        Answer::Absent => {
            if matches!(work, Work::Delete { .. }) {
                Next::Done
            } else {
                Next::Look
            }
        }
        Answer::Lost(_) => Next::Look,
        Answer::Refused(fault) if fault.remedy == Remedy::Conflict => match work {
            // A create that conflicts found somebody else's object.
            Work::Create { .. } | Work::Update { .. } | Work::Delete { .. } => Next::Look,
            Work::Claim { .. } if fault.conflicts.is_empty() => Next::Look,
            Work::Claim { .. } => Next::Refused(fault.clone()),
        },
        Answer::Refused(fault) | Answer::NotSent(fault) => Next::Refused(fault.clone()),
    }
}

/// Whether an exchange of a create was the one that takes our fields back: it names a UID.
fn is_take_back(work: &Work, exchange: &Exchange) -> bool {
    matches!(work, Work::Create { .. }) && matches!(&exchange.request, Request::Apply { uid: Some(_), .. })
}
