//! Creating, updating, patching and deleting.

mod allocated;
mod body;
mod create;
mod delete;
mod finalize;
mod generation;
mod namespaces;
mod new;
mod patch;
mod refusal;
mod scale;
mod scale_owners;
mod sizes;
mod unknown;
mod update;

pub(crate) use create::LETTERS;
pub(crate) use delete::{FOREGROUND, ORPHAN, set_condition};
pub(crate) use generation::count as count_generation;

use sizes::check as check_sizes;
use std::sync::Arc;

use fleet_diff::{Node, Object};
use serde_json::Value;

use crate::{
    server::{Ask, Said, Server},
    status::Status,
    store::{Key, Stored, Table},
};

impl Server {
    /// Writes what a request made of an object, unless it is a dry run or changes nothing, and answers with it.
    pub(crate) fn finish(
        &mut self,
        ask: &Ask<'_>,
        key: &Key,
        live: Option<&Arc<Stored>>,
        object: Value,
    ) -> Result<Said, Status> {
        let code = if live.is_some() { 200 } else { 201 };
        let object = self.admit(ask, live.map(|live| &live.object), object)?;
        check_sizes(ask, &object)?;
        if live.is_none()
            && let Some(there) = self.store.get(&ask.table(), key)
        {
            let mut about = ask.about();
            about.name = &key.name;
            return Err(Status::already_exists(
                about,
                there.object.metadata_text("deletionTimestamp").is_some(),
            ));
        }
        if let Some(live) = live {
            let mut same = object.clone();
            same["metadata"]["resourceVersion"] = live.revision.to_string().into();
            let before = Server::at_version(&live.object, &ask.api_version())?.to_json();
            if without_times(same) == without_times(before) {
                return Ok(Said::Value(code, ask.shown(&live.object)?));
            }
        }
        if ask.options.dry_run {
            let mut object = object;
            // Nothing was written: what is there keeps its version, and what is not there has none.
            if let Some(live) = live {
                object["metadata"]["resourceVersion"] = live.revision.to_string().into();
            }
            let object = Object::from_json(object).map_err(Status::internal)?;
            return Ok(Said::Value(code, ask.shown(&object)?));
        }
        let mut object = object;
        if let Some(live) = live {
            no_new_finalizers(ask, &live.object, &object)?;
            object["metadata"]["resourceVersion"] = live.revision.to_string().into();
        }
        let stored = self.rewrite(&ask.table(), key, object)?;
        Ok(Said::Value(code, ask.shown(&stored.object)?))
    }

    /// Writes an object. One that is deleted and that nobody holds any more goes instead: nobody sees it written.
    pub(crate) fn rewrite(&mut self, table: &Table, key: &Key, object: Value) -> Result<Arc<Stored>, Status> {
        let written = Object::from_json(object).map_err(Status::internal)?;
        if is_let_go(&written) {
            let revision = self.store.get(table, key).map_or(0, |live| live.revision);
            self.forget(table, key)?;
            return Ok(Arc::new(Stored {
                object: written,
                revision,
            }));
        }
        let stored = self
            .store
            .put(table, key, written.to_json())
            .map_err(Status::internal)?;
        self.round.garbage |= stored.object.metadata_text("deletionTimestamp").is_some();
        self.noticed(table, &stored.object);
        Ok(stored)
    }
}

/// When owners wrote is no change (`IgnoreManagedFieldsTimestampsTransformer` of the API server).
fn without_times(mut object: Value) -> Value {
    let entries = object["metadata"]["managedFields"].as_array_mut();
    for entry in entries.into_iter().flatten() {
        if let Some(entry) = entry.as_object_mut() {
            entry.remove("time");
        }
    }
    object
}

/// What is being deleted is not held by anybody else (`ValidateObjectMetaAccessorUpdate` of apimachinery).
fn no_new_finalizers(ask: &Ask<'_>, before: &Object, after: &Value) -> Result<(), Status> {
    let is_going = before.metadata_text("deletionTimestamp").is_some();
    let known: Vec<&str> = before
        .metadata()
        .get("finalizers")
        .into_iter()
        .flat_map(Node::items)
        .filter_map(Node::as_str)
        .collect();
    let all = after["metadata"]["finalizers"].as_array().into_iter().flatten();
    let new: Vec<&str> = all
        .filter_map(Value::as_str)
        .filter(|one| !known.contains(one))
        .collect();
    if !is_going || new.is_empty() {
        return Ok(());
    }
    let quoted: Vec<String> = new.iter().map(|one| format!("{one:?}")).collect();
    let problem = format!(
        "Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{{{}}}",
        quoted.join(", ")
    );
    Err(Status::invalid(
        ask.about_kind(before.name()),
        &[("metadata.finalizers".to_owned(), problem)],
    ))
}

/// Deleted, and nobody holds it any more.
fn is_let_go(object: &Object) -> bool {
    let metadata = object.metadata();
    let is_empty = |node: Option<Node<'_>>| node.is_none_or(Node::is_empty);
    metadata.get("deletionTimestamp").is_some_and(|at| !at.is_null())
        && is_empty(metadata.get("finalizers"))
        && is_empty(
            object
                .root()
                .at(&["spec", "finalizers"])
                .filter(|_| object.gvk().kind() == "Namespace"),
        )
}

/// Time as objects have it.
pub(crate) fn stamp(now: jiff::Timestamp) -> String {
    now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string()
}
