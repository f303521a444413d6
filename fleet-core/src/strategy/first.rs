//! What all strategies of one request have in common.

use super::{History, Next, Work};
use fleet_diff::json_patch;

use crate::edge::{Answer, Exchange, Patch, Remedy, Request};

/// One request a work: `write` says which creates, claims or updates; deletes are all alike.
pub(super) fn next(work: &Work, history: History<'_>, write: impl FnOnce() -> Option<Request>) -> Next {
    match history.since {
        [] => match delete(work).or_else(|| patch(work, history)).or_else(write) {
            Some(request) => Next::Send(request),
            // Nothing of it differs but what no write can change.
            None => Next::Done,
        },
        [.., last] => after(work, last),
    }
}

fn delete(work: &Work) -> Option<Request> {
    match work {
        Work::Delete {
            key,
            gvk,
            uid,
            version,
            propagation,
        } => Some(Request::Delete {
            key: key.clone(),
            gvk: gvk.clone(),
            uid: uid.clone(),
            version: Some(version.clone()),
            propagation: *propagation,
        }),
        _ => None,
    }
}

/// What only a patch can say: who owns what, and that something goes that we do not own.
fn patch(work: &Work, history: History<'_>) -> Option<Request> {
    let (patch, live) = match work {
        Work::TakeOver { document, live } => {
            (json_patch(&live.object().to_json(), &document.to_json()), live)
        }
        Work::Remove { patch, live } => (patch.clone(), live),
        _ => return None,
    };
    Some(Request::Patch {
        key: live.key().clone(),
        gvk: live.object().gvk().clone(),
        patch: Patch::Json(patch),
        manager: history.manager.to_owned(),
        uid: Some(live.uid().clone()),
        version: Some(live.version().clone()),
        dry_run: false,
    })
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
