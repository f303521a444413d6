//! What a server gives a new object.

use fleet_diff::Digest;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{allocated::select_by_uid, generation, stamp};
use crate::{
    resources::Resource,
    server::{Server, definition_begins},
};

impl Server {
    /// Identity, time and generation of a new object, and what its kind is given.
    pub(crate) fn begin(&mut self, resource: &Resource, object: &mut Value, now: Timestamp) {
        let metadata = &mut object["metadata"];
        metadata["uid"] = self.new_uid().into();
        metadata["creationTimestamp"] = stamp(now).into();
        for field in [
            "resourceVersion",
            "selfLink",
            "deletionTimestamp",
            "deletionGracePeriodSeconds",
        ] {
            if let Some(metadata) = metadata.as_object_mut() {
                metadata.remove(field);
            }
        }
        if generation::has(resource) {
            metadata["generation"] = 1.into();
        }
        match (&*resource.group, &*resource.kind) {
            ("", "Namespace") => {
                let name = object["metadata"]["name"].clone();
                object["metadata"]["labels"]["kubernetes.io/metadata.name"] = name;
                object["spec"]["finalizers"] = json!(["kubernetes"]);
                object["status"] = json!({"phase": "Active"});
            }
            ("apiextensions.k8s.io", "CustomResourceDefinition") => definition_begins(object),
            ("", "Service") => self.allocate(object),
            ("batch", "Job") => select_by_uid(object),
            _ => {}
        }
    }

    /// A UID that this server has never given, and no server of another seed.
    pub(crate) fn new_uid(&mut self) -> String {
        self.uids += 1;
        let digest = Digest::of_bytes(format!("{} uid {}", self.settings.seed, self.uids).as_bytes());
        let hex: String = digest
            .as_bytes()
            .iter()
            .take(16)
            .map(|byte| format!("{byte:02x}"))
            .collect();
        // Of version 4, variant 1, as real ones.
        format!(
            "{}-{}-4{}-a{}-{}",
            &hex[..8],
            &hex[8..12],
            &hex[13..16],
            &hex[17..20],
            &hex[20..32]
        )
    }
}
