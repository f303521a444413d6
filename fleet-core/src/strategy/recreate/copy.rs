//! The copy of an object that is about to be deleted: a Secret beside it.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use fleet_diff::{DigestBuilder, GroupKind, Gvk, Node, Object, ObjectKey, live_digest};
use serde_json::{Value, json};

use super::{Recreation, note::Note};
use crate::{
    edge::{Patch, Request},
    words::Live,
};

/// The key of a copy's data.
const FIELD: &str = "object";

/// Most bytes of an object that is copied: a Secret holds 1 MiB.
const COPY_BYTES_MAX: usize = 1024 * 1024;

/// The copy's name: the same for the same object with the same content, whoever copies it.
pub(super) fn name(live: &Live) -> String {
    let digest = DigestBuilder::new()
        .text(&live.key().to_path())
        .text(live.uid().as_str())
        .text(&digest(live.object()))
        .finish();
    format!("fleet-copy-{}", digest.short())
}

/// Digest of what is worth keeping: all but the status, and what servers count.
pub(super) fn digest(object: &Object) -> String {
    live_digest(object, "").to_string()
}

fn gvk() -> Gvk {
    GroupKind::new("", "Secret").at("v1")
}

fn namespace(work: &Recreation) -> &str {
    work.key.namespace().unwrap_or(&work.copies_namespace)
}

/// What makes the copy.
pub(super) fn make(work: &Recreation, note: &Note, live: &Live, manager: &str) -> Result<Request, String> {
    let text = live.object().to_json().to_string();
    if text.len() > COPY_BYTES_MAX {
        return Err(format!(
            "it has {} bytes, and a copy of at most {COPY_BYTES_MAX} can be kept",
            text.len()
        ));
    }
    let secret = json!({
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {
            "namespace": namespace(work),
            "name": note.copy,
            "labels": {&work.copy_label: "recreate"},
            "annotations": {&work.copy_label: work.key.to_path()},
        },
        "data": {FIELD: BASE64_STANDARD.encode(text)},
    });
    Ok(Request::Create {
        document: Object::from_json(secret).map_err(|error| error.to_string())?,
        manager: manager.to_owned(),
        dry_run: false,
    })
}

pub(super) fn read(work: &Recreation, note: &Note) -> Request {
    Request::Get {
        key: ObjectKey::new("", "Secret", Some(namespace(work)), &note.copy),
        gvk: gvk(),
    }
}

pub(super) fn discard(copy: &Live) -> Request {
    Request::Delete {
        key: copy.key().clone(),
        gvk: gvk(),
        uid: copy.uid().clone(),
        version: None,
        propagation: crate::Propagation::Background,
    }
}

/// The object in a copy. None when it is not the one that was copied.
pub(super) fn content(copy: &Live, note: &Note) -> Option<Object> {
    let text = copy.object().root().at(&["data", FIELD]).and_then(Node::as_str)?;
    let bytes = BASE64_STANDARD.decode(text).ok()?;
    let object = Object::from_json(serde_json::from_slice(&bytes).ok()?).ok()?;
    (digest(&object) == note.digest).then_some(object)
}

/// What makes the old object again.
pub(super) fn restore(old: &Object, manager: &str) -> Result<Request, String> {
    let mut value = old.to_json();
    remove(&mut value, &["status"]);
    for field in [
        "uid",
        "resourceVersion",
        "generation",
        "creationTimestamp",
        "deletionTimestamp",
        "deletionGracePeriodSeconds",
        "selfLink",
        "managedFields",
    ] {
        remove(&mut value, &["metadata", field]);
    }
    if old.key().is("batch", "Job") && value.pointer("/spec/manualSelector") != Some(&Value::Bool(true)) {
        // The server chooses these from the UID, and refuses those of another one.
        remove(&mut value, &["spec", "selector"]);
        for label in ["controller-uid", "batch.kubernetes.io/controller-uid"] {
            remove(&mut value, &["spec", "template", "metadata", "labels", label]);
        }
    }
    Ok(Request::Create {
        document: Object::from_json(value).map_err(|error| error.to_string())?,
        manager: manager.to_owned(),
        dry_run: false,
    })
}

/// What gives the restored object the owners of its fields back: as written by one create, all of them would be ours.
/// None when the copy names none.
pub(super) fn give_back(old: &Object, now: &Live, manager: &str) -> Option<Request> {
    let owners = old.metadata().get("managedFields")?.to_json();
    let patch = json!([{"op": "replace", "path": "/metadata/managedFields", "value": owners}]);
    Some(Request::Patch {
        key: now.key().clone(),
        gvk: now.object().gvk().clone(),
        patch: Patch::Json(serde_json::from_value(patch).ok()?),
        manager: manager.to_owned(),
        uid: Some(now.uid().clone()),
        version: Some(now.version().clone()),
        dry_run: false,
    })
}

fn remove(value: &mut Value, path: &[&str]) {
    let Some((last, outer)) = path.split_last() else {
        return;
    };
    let holder = outer.iter().try_fold(value, |value, key| value.get_mut(*key));
    if let Some(map) = holder.and_then(Value::as_object_mut) {
        map.remove(*last);
    }
}
