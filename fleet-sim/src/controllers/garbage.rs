//! Objects whose owners are gone, and owners that wait for theirs (`pkg/controller/garbagecollector`).

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use fleet_diff::{Node, Object};
use jiff::Timestamp;

use super::edit::{MANAGER, drop_finalizer};
use crate::{
    request::{Options, Propagation},
    resources::Resource,
    server::Server,
    status::Status,
    store::{Key, Stored},
    write::{self, FOREGROUND, ORPHAN},
};

struct Found {
    resource: Arc<Resource>,
    key: Key,
    stored: Arc<Stored>,
}

impl Server {
    pub(super) fn collect_garbage(&mut self, now: Timestamp) -> Result<(), Status> {
        if !std::mem::take(&mut self.round.garbage) {
            return Ok(());
        }
        let all = self.everything();
        let uids: BTreeSet<&str> = all.iter().filter_map(|found| uid(&found.stored.object)).collect();
        let mut owned: BTreeMap<&str, Vec<&Found>> = BTreeMap::new();
        for found in &all {
            for (owner, _) in owners(&found.stored.object) {
                owned.entry(owner).or_default().push(found);
            }
        }
        for found in &all {
            let all_gone = |object: &Object| {
                let mut owners = owners(object).peekable();
                owners.peek().is_some() && owners.all(|(owner, _)| !uids.contains(owner))
            };
            if all_gone(&found.stored.object) {
                self.end(
                    &found.resource,
                    &found.key,
                    &Options::default(),
                    &write::stamp(now),
                )?;
            }
        }
        for owner in &all {
            let own = uid(&owner.stored.object)
                .and_then(|uid| owned.get(uid))
                .map_or(&[][..], Vec::as_slice);
            if has_finalizer(&owner.stored.object, FOREGROUND) {
                self.end_owned(owner, own, now)?;
            } else if has_finalizer(&owner.stored.object, ORPHAN) {
                self.let_go(owner, own, now)?;
            }
        }
        Ok(())
    }

    /// What it owns goes before it, as far as it says that it waits.
    fn end_owned(&mut self, owner: &Found, own: &[&Found], now: Timestamp) -> Result<(), Status> {
        let options = Options {
            propagation: Some(Propagation::Foreground),
            ..Options::default()
        };
        let mut waits = false;
        for found in own {
            let is_going = found.stored.object.metadata_text("deletionTimestamp").is_some();
            if !is_going {
                self.end(&found.resource, &found.key, &options, &write::stamp(now))?;
            }
            let blocks = owners(&found.stored.object)
                .any(|(owned_by, blocks)| blocks && Some(owned_by) == uid(&owner.stored.object));
            let is_there = self
                .store
                .get(&crate::server::table_of(&found.resource), &found.key)
                .is_some();
            waits |= blocks && is_there;
        }
        if waits {
            Ok(())
        } else {
            self.drop_finalizer(owner, FOREGROUND, now)
        }
    }

    /// What it owns stays, and no longer says that it is owned.
    fn let_go(&mut self, owner: &Found, own: &[&Found], now: Timestamp) -> Result<(), Status> {
        let uid = uid(&owner.stored.object).unwrap_or("");
        for found in own {
            self.edit(&found.resource, &found.key, MANAGER, now, |object| {
                let Some(metadata) = object["metadata"].as_object_mut() else {
                    return;
                };
                let Some(list) = metadata
                    .get_mut("ownerReferences")
                    .and_then(|list| list.as_array_mut())
                else {
                    return;
                };
                list.retain(|one| one["uid"] != uid);
                if list.is_empty() {
                    metadata.remove("ownerReferences");
                }
            })?;
        }
        self.drop_finalizer(owner, ORPHAN, now)
    }

    fn drop_finalizer(&mut self, of: &Found, finalizer: &str, now: Timestamp) -> Result<(), Status> {
        self.edit(&of.resource, &of.key, MANAGER, now, |object| {
            drop_finalizer(object, finalizer);
        })
    }

    fn everything(&self) -> Vec<Found> {
        let mut all = Vec::new();
        for table in self.store.tables() {
            if let Some(resource) = self.resources.of_resource(&table.group, &table.resource) {
                all.extend(self.store.all(table, None).map(|(key, stored)| Found {
                    resource: resource.clone(),
                    key: key.clone(),
                    stored: stored.clone(),
                }));
            }
        }
        all
    }
}

fn uid(object: &Object) -> Option<&str> {
    object.metadata_text("uid")
}

/// UIDs of its owners, and whether each waits for it.
fn owners(object: &Object) -> impl Iterator<Item = (&str, bool)> {
    let list = object.metadata().get("ownerReferences");
    list.into_iter().flat_map(Node::items).filter_map(|one| {
        let blocks = one
            .get("blockOwnerDeletion")
            .and_then(Node::as_bool)
            .unwrap_or(false);
        Some((one.get("uid")?.as_str()?, blocks))
    })
}

fn has_finalizer(object: &Object, wanted: &str) -> bool {
    let is_going = object.metadata_text("deletionTimestamp").is_some();
    let list = object.metadata().get("finalizers");
    is_going
        && list
            .into_iter()
            .flat_map(Node::items)
            .any(|one| one.as_str() == Some(wanted))
}
