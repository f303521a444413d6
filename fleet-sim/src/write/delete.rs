//! `DELETE` (`apiserver/pkg/registry/generic/registry/store.go`, `registry/rest/delete.go`).

use std::sync::Arc;

use fleet_diff::{Node, Object};
use serde_json::{Value, json};

use super::{namespaces::KEPT, stamp};
use crate::{
    request::{Options, Propagation},
    resources::Resource,
    server::{Ask, Asked, CLEANUP, Said, Server},
    status::{Status, deleted},
    store::{Key, Stored, Table},
};

/// Finalizers by which the server itself holds an object until those it owns are gone, or let go.
pub(crate) const FOREGROUND: &str = "foregroundDeletion";
pub(crate) const ORPHAN: &str = "orphan";

impl Server {
    pub(crate) fn delete(&mut self, ask: &Ask<'_>) -> Result<Said, Status> {
        let options = ask.options.clone().with_delete_body(ask.body)?;
        let key = ask.key(ask.place.name.as_deref().unwrap_or(""));
        let Some(live) = self.store.get(&ask.table(), &key).cloned() else {
            return Err(Status::not_found(ask.about()));
        };
        if let Some((why, in_store)) = precondition(&options, &live) {
            return Err(match ends_itself(&ask.resource) {
                Some(_) => Status::conflict(ask.about(), &in_store),
                None => Status::conflict(ask.about_kind(&key.name), &why),
            });
        }
        if ask.table() == super::namespaces::namespaces() && KEPT.contains(&&*key.name) {
            return Err(Status::forbidden(
                ask.about(),
                "this namespace may not be deleted",
            ));
        }
        self.review_delete(&ask.resource, &live.object, options.dry_run)?;
        let own = ends_itself(&ask.resource);
        let going = going(&ask.resource, own, &live.object, &options, &stamp(ask.now));
        let uid = live.object.metadata_text("uid").unwrap_or("").to_owned();
        match going {
            None if ask.options.dry_run || options.dry_run => {
                Ok(Said::Value(200, deleted(ask.about(), &uid)))
            }
            None => {
                let last = self.forget(&ask.table(), &key)?;
                if let Some(last) = last.filter(|_| returns_object(&ask.resource)) {
                    return Ok(Said::Value(200, ask.shown(&last.object)?));
                }
                Ok(Said::Value(200, deleted(ask.about(), &uid)))
            }
            Some(object) if options.dry_run => {
                let object = Object::from_json(object).map_err(Status::internal)?;
                Ok(Said::Value(200, ask.shown(&object)?))
            }
            Some(object) => {
                let stored = self.hold(&ask.table(), &key, &live, object)?;
                Ok(Said::Value(200, ask.shown(&stored.object)?))
            }
        }
    }

    fn review_delete(&mut self, resource: &Resource, live: &Object, dry_run: bool) -> Result<(), Status> {
        let asked = Asked {
            resource,
            subresource: "",
            dry_run,
        };
        self.review(&asked, Some(live), None).map(drop)
    }

    pub(crate) fn delete_collection(&mut self, ask: &Ask<'_>) -> Result<Said, Status> {
        let options = ask.options.clone().with_delete_body(ask.body)?;
        let selector = ask.selector()?;
        let rows = self.store.all(&ask.table(), ask.place.namespace.as_deref());
        let rows: Vec<(Key, Arc<Stored>)> = rows
            .filter(|(_, stored)| selector.takes(&stored.object))
            .map(|(key, stored)| (key.clone(), stored.clone()))
            .collect();
        let mut items = Vec::new();
        for (key, stored) in rows {
            self.review_delete(&ask.resource, &stored.object, options.dry_run)?;
            items.push(ask.shown_in_list(&stored.object)?);
            if !options.dry_run {
                // What a storage does of its own it does not do with a collection.
                self.end_as(None, &ask.resource, &key, &options, &stamp(ask.now))?;
            }
        }
        let metadata = ask.list_metadata(self.store.revision());
        Ok(Said::Value(
            200,
            json!({"kind": ask.resource.list_kind, "apiVersion": ask.api_version(), "metadata": metadata, "items": items}),
        ))
    }

    /// Deletes an object, or marks it for deletion where somebody holds it.
    pub(crate) fn end(
        &mut self,
        resource: &Resource,
        key: &Key,
        options: &Options,
        now: &str,
    ) -> Result<(), Status> {
        self.end_as(ends_itself(resource), resource, key, options, now)
    }

    fn end_as(
        &mut self,
        own: Option<Own>,
        resource: &Resource,
        key: &Key,
        options: &Options,
        now: &str,
    ) -> Result<(), Status> {
        let table = crate::server::table_of(resource);
        let Some(live) = self.store.get(&table, key).cloned() else {
            return Ok(());
        };
        match going(resource, own, &live.object, options, now) {
            None => self.forget(&table, key).map(drop),
            Some(object) => self.hold(&table, key, &live, object).map(drop),
        }
    }

    /// Takes an object away. What is returned is the object as it was, with the revision of its end.
    pub(crate) fn forget(&mut self, table: &Table, key: &Key) -> Result<Option<Arc<Stored>>, Status> {
        let last = self.store.remove(table, key).map_err(Status::internal)?;
        if let Some(last) = &last {
            self.round.garbage = true;
            self.noticed(table, &last.object);
        }
        Ok(last)
    }

    /// Writes an object that is marked for deletion, if that says anything new.
    fn hold(
        &mut self,
        table: &Table,
        key: &Key,
        live: &Arc<Stored>,
        object: Value,
    ) -> Result<Arc<Stored>, Status> {
        if object == live.object.to_json() {
            return Ok(live.clone());
        }
        // Also one that nobody holds stays now: only a storage that marks in its own way has such.
        let stored = self.store.put(table, key, object).map_err(Status::internal)?;
        self.round.garbage = true;
        self.noticed(table, &stored.object);
        Ok(stored)
    }
}

/// Kinds of which a delete answers with the object as it was (`ReturnDeletedObject` of their registries).
fn returns_object(resource: &Resource) -> bool {
    const KINDS: [&str; 8] = [
        "namespaces",
        "persistentvolumeclaims",
        "persistentvolumes",
        "pods",
        "podtemplates",
        "resourcequotas",
        "serviceaccounts",
        "services",
    ];
    const OF_STORAGE: [&str; 3] = ["csidrivers", "storageclasses", "volumeattachments"];
    match &*resource.group {
        "" => KINDS.contains(&&*resource.plural),
        "storage.k8s.io" => OF_STORAGE.contains(&&*resource.plural),
        _ => false,
    }
}

/// The object marked for deletion; none when nothing holds it.
fn going(
    resource: &Resource,
    own: Option<Own>,
    live: &Object,
    options: &Options,
    now: &str,
) -> Option<Value> {
    let mut object = live.to_json();
    let was_going = object["metadata"]["deletionTimestamp"].is_string();
    let is_namespace = own == Some(Own::Namespace);
    match own {
        // Until its content is gone, nothing else is asked of it.
        Some(Own::Namespace) if was_going && holds(live, &["spec", "finalizers"]) => return Some(object),
        Some(Own::Definition) if !was_going => {
            object["metadata"]["deletionTimestamp"] = now.into();
            let mut finalizers = object["metadata"]["finalizers"]
                .as_array()
                .cloned()
                .unwrap_or_default();
            finalizers.push(CLEANUP.into());
            object["metadata"]["finalizers"] = finalizers.into();
            let message =
                "CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon";
            set_condition(&mut object, "True", "InstanceDeletionPending", message, now);
            return Some(object);
        }
        _ => {}
    }
    let metadata = &mut object["metadata"];
    let mut finalizers: Vec<String> = metadata["finalizers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|one| one.as_str().map(str::to_owned))
        .collect();
    // What was asked for before stays asked for, unless something else is asked for now.
    if let Some(propagation) = options
        .propagation
        .or_else(|| default_propagation(resource, &finalizers))
    {
        finalizers.retain(|one| one != FOREGROUND && one != ORPHAN);
        match propagation {
            Propagation::Foreground => finalizers.push(FOREGROUND.to_owned()),
            Propagation::Orphan => finalizers.push(ORPHAN.to_owned()),
            Propagation::Background => {}
        }
    }
    // The first time a namespace is only marked.
    let is_held = !finalizers.is_empty() || (is_namespace && !was_going);
    if !is_held {
        return None;
    }
    if finalizers.is_empty() {
        if let Some(metadata) = metadata.as_object_mut() {
            metadata.remove("finalizers");
        }
    } else {
        metadata["finalizers"] = finalizers.into();
    }
    if !was_going {
        metadata["deletionTimestamp"] = now.into();
        metadata["deletionGracePeriodSeconds"] = 0.into();
        if let Some(generation) = metadata["generation"].as_i64() {
            metadata["generation"] = (generation + 1).into();
        }
        if is_namespace {
            object["status"]["phase"] = "Terminating".into();
            // Namespaces have no grace period.
            if let Some(metadata) = object["metadata"].as_object_mut() {
                metadata.remove("deletionGracePeriodSeconds");
            }
        }
    }
    // Asked again, it is an object like any other.
    if was_going && own.is_some() {
        object["metadata"]["deletionGracePeriodSeconds"] = 0.into();
    }
    Some(object)
}

/// Kinds whose storages end objects in their own way.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Own {
    /// `pkg/registry/core/namespace/storage/storage.go`.
    Namespace,
    /// `apiextensions-apiserver/pkg/registry/customresourcedefinition/etcd.go`.
    Definition,
}

fn ends_itself(resource: &Resource) -> Option<Own> {
    match (&*resource.group, &*resource.plural) {
        ("", "namespaces") => Some(Own::Namespace),
        ("apiextensions.k8s.io", "customresourcedefinitions") => Some(Own::Definition),
        _ => None,
    }
}

/// Says of a CRD how far its end is.
pub(crate) fn set_condition(definition: &mut Value, status: &str, reason: &str, message: &str, now: &str) {
    let conditions = &mut definition["status"]["conditions"];
    let mut all = conditions.as_array().cloned().unwrap_or_default();
    let known = all.iter().position(|one| one["type"] == "Terminating");
    let since = known
        .filter(|at| all[*at]["status"] == status)
        .map(|at| all[at]["lastTransitionTime"].clone());
    let condition = json!({"type": "Terminating", "status": status, "reason": reason, "message": message,
        "lastTransitionTime": since.unwrap_or_else(|| now.into())});
    match known {
        Some(at) => all[at] = condition,
        None => all.push(condition),
    }
    *conditions = all.into();
}

/// Some kinds of old leave their objects' objects alone when nothing is said.
fn default_propagation(resource: &Resource, finalizers: &[String]) -> Option<Propagation> {
    let orphans = matches!(
        (&*resource.group, &*resource.plural),
        ("batch", "jobs") | ("", "replicationcontrollers")
    );
    let is_said = finalizers.iter().any(|one| one == FOREGROUND || one == ORPHAN);
    (orphans && !is_said).then_some(Propagation::Orphan)
}

fn holds(object: &Object, path: &[&str]) -> bool {
    object
        .root()
        .at(path)
        .is_some_and(|list: Node<'_>| !list.is_empty())
}

/// What stands against the conditions of a delete, in the words of `BeforeDelete`
/// (`apiserver/pkg/registry/rest/delete.go`), and of storages that look for themselves.
fn precondition(options: &Options, live: &Stored) -> Option<(String, String)> {
    let uid = live.object.metadata_text("uid").unwrap_or("").to_owned();
    let cases = [
        ("UID", &options.uid, uid, "deleted and then recreated"),
        (
            "ResourceVersion",
            &options.delete_version,
            live.revision.to_string(),
            "modified",
        ),
    ];
    cases.into_iter().find_map(|(what, asked, found, perhaps)| {
        let asked = asked.as_deref().filter(|asked| *asked != found)?;
        Some((
            format!(
                "the {what} in the precondition ({asked}) does not match the {what} in record ({found}). The object \
                 might have been {perhaps}"
            ),
            format!("Precondition failed: {what} in precondition: {asked}, {what} in object meta: {found}"),
        ))
    })
}
