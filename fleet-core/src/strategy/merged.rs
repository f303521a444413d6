//! Strategies that write what was merged here.

use fleet_diff::{FieldPath, Object, json_changes, json_patch, merge_patch};
use serde_json::Value;

use super::{ApplyStrategy, History, Manner, Next, Work, first, server_side_apply::decided_on};
use crate::{
    edge::{Patch, Request},
    words::{Live, Reason},
};

/// Writes whole objects: creates by `POST`, changes by `PUT`, both with the UID and resourceVersion they were decided on.
#[derive(Clone, Copy, Debug, Default)]
pub struct Update;

/// Changes what differs by a JSON patch, with a test of every value that it replaces or removes. Creates by `POST`.
#[derive(Clone, Copy, Debug, Default)]
pub struct JsonPatch;

/// Changes what differs by a merge patch; lists are replaced as a whole. Creates by `POST`. What no merge patch can say, a
/// value of null, is declined.
#[derive(Clone, Copy, Debug, Default)]
pub struct MergePatch;

impl ApplyStrategy for Update {
    fn id(&self) -> &'static str {
        "update"
    }

    fn manner(&self) -> Manner {
        Manner::Merged
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        write(work, history, |document, live| {
            let (uid, version) = decided_on(live);
            Some(Request::Update {
                document: document.clone(),
                manager: history.manager.to_owned(),
                uid,
                version,
                dry_run: false,
            })
        })
    }
}

impl ApplyStrategy for JsonPatch {
    fn id(&self) -> &'static str {
        "json-patch"
    }

    fn manner(&self) -> Manner {
        Manner::Merged
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        write(work, history, |document, live| {
            let patch = json_patch(&content(live.object()), &content(document));
            (!patch.is_empty()).then(|| patching(live, Patch::Json(patch), history.manager))
        })
    }
}

impl ApplyStrategy for MergePatch {
    fn id(&self) -> &'static str {
        "merge-patch"
    }

    fn manner(&self) -> Manner {
        Manner::Merged
    }

    fn next(&self, work: &Work, history: History<'_>) -> Next {
        if let (Work::Update { document, live }, []) = (work, history.since) {
            let (mut before, after) = (content(live.object()), content(document));
            let patch = merge_patch(&before, &after);
            ::json_patch::merge(&mut before, &patch);
            if let Some(change) = json_changes(&before, &after).first() {
                let message = format!("a merge patch cannot write {}, which is to be null", change.path);
                return Next::Declined(Reason::new("merge-patch", message));
            }
        }
        write(work, history, |document, live| {
            let patch = merge_patch(&content(live.object()), &content(document));
            let is_empty = patch.as_object().is_some_and(serde_json::Map::is_empty);
            (!is_empty).then(|| patching(live, Patch::Merge(patch), history.manager))
        })
    }
}

/// Creates by `POST`; what is there is written by `change`.
fn write(work: &Work, history: History<'_>, change: impl FnOnce(&Object, &Live) -> Option<Request>) -> Next {
    first::next(work, history, || match work {
        Work::Create { document } => Some(Request::Create {
            document: document.clone(),
            manager: history.manager.to_owned(),
            dry_run: false,
        }),
        Work::Claim { document, live } | Work::Update { document, live } => change(document, live),
        Work::TakeOver { .. } | Work::Remove { .. } | Work::Recreate(_) | Work::Delete { .. } => None,
    })
}

/// An object without its owners, which the server writes itself.
fn content(object: &Object) -> Value {
    let owners = FieldPath::keys(["metadata", "managedFields"]);
    let rest = object.without([&owners]);
    rest.map_or_else(|_| object.to_json(), |rest| rest.to_json())
}

fn patching(live: &Live, patch: Patch, manager: &str) -> Request {
    let (uid, version) = decided_on(live);
    Request::Patch {
        key: live.key().clone(),
        gvk: live.object().gvk().clone(),
        patch,
        manager: manager.to_owned(),
        uid,
        version,
        dry_run: false,
    }
}
