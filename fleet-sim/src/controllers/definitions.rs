//! CRDs: served a moment after they are made, and gone only after the objects of their kinds.

use std::sync::Arc;

use fleet_diff::Node;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::edit::{API_SERVER, drop_finalizer};
use crate::{
    request::Options,
    server::{CLEANUP, Server, definitions, is_true},
    status::Status,
    store::{Key, Stored, Table},
    write,
};

impl Server {
    pub(super) fn establish(&mut self, now: Timestamp) -> Result<(), Status> {
        let all = self.store.all(&definitions(), None);
        let all: Vec<(Key, Arc<Stored>)> = all.map(|(key, stored)| (key.clone(), stored.clone())).collect();
        for (key, stored) in all {
            let object = &stored.object;
            if object.metadata_text("deletionTimestamp").is_some() {
                self.clean_up(&key, &stored, now)?;
            } else if !is_true(object, "Established") {
                let Some(resource) = self.resource_of_definitions() else {
                    return Ok(());
                };
                let time = write::stamp(now);
                self.edit(&resource, &key, API_SERVER, now, |crd| {
                    crd["status"]["acceptedNames"] = crd["spec"]["names"].clone();
                    crd["status"]["conditions"] = json!([
                        condition("NamesAccepted", "NoConflicts", "no conflicts found", &time),
                        condition(
                            "Established",
                            "InitialNamesAccepted",
                            "the initial names have been accepted",
                            &time
                        ),
                    ]);
                })?;
            }
        }
        Ok(())
    }

    /// The objects of its kinds go first.
    fn clean_up(&mut self, key: &Key, stored: &Stored, now: Timestamp) -> Result<(), Status> {
        let text = |path: &[&str]| {
            stored
                .object
                .root()
                .at(path)
                .and_then(Node::as_str)
                .unwrap_or("")
                .to_owned()
        };
        let (group, plural) = (text(&["spec", "group"]), text(&["spec", "names", "plural"]));
        let table = Table {
            group: group.as_str().into(),
            resource: plural.as_str().into(),
        };
        let mut left: Vec<Key> = self.store.all(&table, None).map(|(key, _)| key.clone()).collect();
        if let Some(resource) = self.resources.of_resource(&group, &plural).cloned() {
            for key in &left {
                self.end(&resource, key, &Options::default(), &write::stamp(now))?;
            }
            left.retain(|key| self.store.get(&table, key).is_some());
        }
        let finalizers = stored.object.metadata().get("finalizers");
        let mut finalizers = finalizers.into_iter().flat_map(Node::items);
        let is_clean = !finalizers.any(|one| one.as_str() == Some(CLEANUP));
        let resource = self.resource_of_definitions();
        let Some(resource) = resource.filter(|_| left.is_empty() && !is_clean) else {
            return Ok(());
        };
        let time = write::stamp(now);
        self.edit(&resource, key, API_SERVER, now, |crd| {
            write::set_condition(
                crd,
                "False",
                "InstanceDeletionCompleted",
                "removed all instances",
                &time,
            );
            drop_finalizer(crd, CLEANUP);
        })
    }

    fn resource_of_definitions(&self) -> Option<Arc<crate::resources::Resource>> {
        self.resources
            .find("apiextensions.k8s.io", "v1", "customresourcedefinitions")
            .cloned()
    }
}

fn condition(kind: &str, reason: &str, message: &str, time: &str) -> Value {
    json!({"type": kind, "status": "True", "lastTransitionTime": time, "reason": reason, "message": message})
}
