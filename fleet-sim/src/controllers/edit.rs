//! How controllers write.

use fleet_diff::{Object, Update};
use jiff::Timestamp;
use serde_json::Value;

use crate::{
    resources::Resource,
    server::{Asked, Server, table_of},
    status::Status,
    store::Key,
    write,
};

/// Who writes, and through which endpoint.
#[derive(Clone, Copy, Debug)]
pub(super) struct Writer {
    pub(super) manager: &'static str,
    pub(super) subresource: &'static str,
}

/// The API server itself, on the status of what it serves.
pub(super) const API_SERVER: Writer = Writer {
    manager: "kube-apiserver",
    subresource: "status",
};

/// kube-controller-manager.
pub(super) const MANAGER: Writer = Writer {
    manager: "kube-controller-manager",
    subresource: "",
};

impl Server {
    /// Changes an object as a controller does. Nothing is written when nothing changes.
    pub(super) fn edit(
        &mut self,
        resource: &Resource,
        key: &Key,
        writer: Writer,
        now: Timestamp,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), Status> {
        let table = table_of(resource);
        let Some(live) = self.store.get(&table, key).cloned() else {
            return Ok(());
        };
        let before = live.object.to_json();
        let mut after = before.clone();
        change(&mut after);
        if after == before {
            return Ok(());
        }
        if writer.subresource != "status" {
            write::count_generation(resource, &before, &mut after);
        }
        let after = Object::from_json(after).map_err(Status::internal)?;
        let time = write::stamp(now);
        let owned = Update::new(&after, writer.manager, &self.schemas)
            .of(Some(&live.object))
            .through(writer.subresource)
            .at(&time)
            .owners();
        let owned = owned.map_err(Status::internal)?.to_json();
        let owned = self.review_own(resource, writer, Some(&live.object), owned)?;
        self.rewrite(&table, key, owned).map(drop)
    }

    /// Changes the status of an object as a controller does.
    pub(super) fn edit_status(
        &mut self,
        group: &str,
        plural: &str,
        key: &Key,
        now: Timestamp,
        change: impl FnOnce(&mut Value),
    ) -> Result<(), Status> {
        let Some(resource) = self.resource(group, plural) else {
            return Ok(());
        };
        let writer = Writer {
            subresource: "status",
            ..MANAGER
        };
        self.edit(&resource, key, writer, now, change)
    }

    /// What admission makes of a controller's write. The API server does not ask it about its own.
    fn review_own(
        &mut self,
        resource: &Resource,
        writer: Writer,
        before: Option<&Object>,
        object: Value,
    ) -> Result<Value, Status> {
        if writer.manager == API_SERVER.manager {
            return Ok(object);
        }
        let asked = Asked {
            resource,
            subresource: writer.subresource,
            dry_run: false,
        };
        self.review(&asked, before, Some(object))
            .map(Option::unwrap_or_default)
    }

    /// Makes an object as a controller does, unless there is one of that name.
    pub(super) fn make(
        &mut self,
        resource: &Resource,
        writer: Writer,
        now: Timestamp,
        object: Value,
    ) -> Result<(), Status> {
        let text = |field: &str| object["metadata"][field].as_str().unwrap_or("").to_owned();
        let key = Key {
            namespace: text("namespace").into(),
            name: text("name").into(),
        };
        let table = table_of(resource);
        if self.store.get(&table, &key).is_some() {
            return Ok(());
        }
        let mut object = object;
        self.begin(resource, &mut object, now);
        let object = Object::from_json(object).map_err(Status::internal)?;
        let time = write::stamp(now);
        let owned = Update::new(&object, writer.manager, &self.schemas)
            .at(&time)
            .owners();
        let owned = owned.map_err(Status::internal)?.to_json();
        let owned = self.review_own(resource, writer, None, owned)?;
        let stored = self.store.put(&table, &key, owned).map_err(Status::internal)?;
        self.noticed(&table, &stored.object);
        Ok(())
    }
}

/// Takes a finalizer from an object.
pub(super) fn drop_finalizer(object: &mut Value, finalizer: &str) {
    let Some(metadata) = object["metadata"].as_object_mut() else {
        return;
    };
    let Some(list) = metadata
        .get_mut("finalizers")
        .and_then(|list| list.as_array_mut())
    else {
        return;
    };
    list.retain(|one| one != finalizer);
    if list.is_empty() {
        metadata.remove("finalizers");
    }
}
