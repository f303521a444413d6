//! Volumes: claims are bound to the volume that they name, and neither goes while it is in use
//! (`pkg/controller/volume/{persistentvolume,pvcprotection,pvprotection}`).

use std::collections::BTreeSet;

use fleet_diff::{Node, Object};
use jiff::Timestamp;
use serde_json::json;

use super::{
    edit::{MANAGER, Writer},
    own::has_ended,
};
use crate::{
    server::Server,
    status::Status,
    store::{Key, Stored},
};

const CLAIM: &str = "kubernetes.io/pvc-protection";
const VOLUME: &str = "kubernetes.io/pv-protection";

/// The annotation of a claim that a controller has bound.
const BOUND: &str = "pv.kubernetes.io/bind-completed";

impl Server {
    pub(super) fn run_volumes(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, claim) in self.each("", "persistentvolumeclaims") {
            if claim.object.metadata_text("deletionTimestamp").is_some() {
                if !self.is_mounted(&key) {
                    self.unprotect("persistentvolumeclaims", &key, CLAIM, now)?;
                }
            } else {
                self.bind(&key, &claim, now)?;
            }
        }
        let claims: BTreeSet<String> = self
            .each("", "persistentvolumeclaims")
            .iter()
            .filter_map(|(_, claim)| claim.object.metadata_text("uid").map(str::to_owned))
            .collect();
        for (key, volume) in self.each("", "persistentvolumes") {
            let claimed_by = text(&volume.object, &["spec", "claimRef", "uid"]);
            let is_bound = claimed_by.is_some_and(|uid| claims.contains(uid));
            if volume.object.metadata_text("deletionTimestamp").is_some() {
                if !is_bound {
                    self.unprotect("persistentvolumes", &key, VOLUME, now)?;
                }
                continue;
            }
            let phase = match claimed_by {
                _ if is_bound => "Bound",
                Some(_) => "Released",
                None => "Available",
            };
            self.edit_status("", "persistentvolumes", &key, now, |volume| {
                volume["status"]["phase"] = phase.into();
            })?;
        }
        Ok(())
    }

    /// Whether a pod that is not at its end uses a claim.
    fn is_mounted(&self, claim: &Key) -> bool {
        let pods = self.each("", "pods");
        let mut inside = pods
            .iter()
            .filter(|(key, pod)| key.namespace == claim.namespace && !has_ended(&pod.object));
        inside.any(|(_, pod)| {
            let volumes = pod.object.root().at(&["spec", "volumes"]);
            volumes.into_iter().flat_map(Node::items).any(|volume| {
                let name = volume.at(&["persistentVolumeClaim", "claimName"]);
                name.and_then(Node::as_str) == Some(&*claim.name)
            })
        })
    }

    fn bind(&mut self, key: &Key, claim: &Stored, now: Timestamp) -> Result<(), Status> {
        let Some(name) = text(&claim.object, &["spec", "volumeName"]) else {
            return self.edit_status("", "persistentvolumeclaims", key, now, |claim| {
                claim["status"]["phase"] = "Pending".into();
            });
        };
        let volumes = self.each("", "persistentvolumes");
        let Some((volume_key, volume)) = volumes.iter().find(|(key, _)| &*key.name == name) else {
            return Ok(());
        };
        let uid = claim.object.metadata_text("uid").unwrap_or("").to_owned();
        let holder = volume.object.root().at(&["spec", "claimRef"]);
        let held_by = |field: &str| holder.and_then(|holder| holder.get(field)?.as_str());
        let is_ours = match held_by("uid") {
            Some(found) => found == uid,
            // Kept for a claim of this name, or for nobody.
            None => held_by("name")
                .is_none_or(|name| name == &*key.name && held_by("namespace") == Some(&*key.namespace)),
        };
        let (Some(of_volumes), Some(of_claims)) = (
            self.resource("", "persistentvolumes"),
            self.resource("", "persistentvolumeclaims"),
        ) else {
            return Ok(());
        };
        if !is_ours {
            return Ok(());
        }
        let version = claim
            .object
            .metadata_text("resourceVersion")
            .unwrap_or("")
            .to_owned();
        self.edit(&of_volumes, volume_key, MANAGER, now, |volume| {
            let holder = &mut volume["spec"]["claimRef"];
            if holder["uid"] != *uid {
                *holder = json!({"apiVersion": "v1", "kind": "PersistentVolumeClaim", "name": &*key.name,
                    "namespace": &*key.namespace, "uid": uid, "resourceVersion": version});
            }
        })?;
        self.edit(&of_claims, key, MANAGER, now, |claim| {
            claim["metadata"]["annotations"][BOUND] = "yes".into();
        })?;
        let spec = volume.object.root().get("spec");
        let part = |name: &str| spec.and_then(|spec| spec.get(name)).map(Node::to_json);
        let (modes, capacity) = (part("accessModes"), part("capacity"));
        self.edit_status("", "persistentvolumeclaims", key, now, |claim| {
            let mut status = json!({"phase": "Bound"});
            for (name, value) in [("accessModes", modes), ("capacity", capacity)] {
                if let Some(value) = value {
                    status[name] = value;
                }
            }
            claim["status"] = status;
        })
    }

    fn unprotect(&mut self, plural: &str, key: &Key, finalizer: &str, now: Timestamp) -> Result<(), Status> {
        let Some(resource) = self.resource("", plural) else {
            return Ok(());
        };
        let writer = Writer {
            subresource: "",
            ..MANAGER
        };
        self.edit(&resource, key, writer, now, |object| {
            super::edit::drop_finalizer(object, finalizer);
        })
    }
}

fn text<'o>(object: &'o Object, path: &[&str]) -> Option<&'o str> {
    object.root().at(path)?.as_str().filter(|text| !text.is_empty())
}
