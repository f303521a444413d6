//! `ReplicaSet`s: as many pods as they ask for.

use fleet_diff::Object;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    edit::{MANAGER, Writer},
    own,
};
use crate::{
    request::Options,
    server::Server,
    status::Status,
    store::{Key, Stored},
    write,
};

impl Server {
    pub(super) fn run_replica_sets(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("apps", "replicasets") {
            if stored.object.metadata_text("deletionTimestamp").is_none() {
                self.run_replica_set(&key, &stored, now)?;
            }
        }
        Ok(())
    }

    fn run_replica_set(&mut self, key: &Key, stored: &Stored, now: Timestamp) -> Result<(), Status> {
        let (Some(of_pods), Some(of_sets)) =
            (self.resource("", "pods"), self.resource("apps", "replicasets"))
        else {
            return Ok(());
        };
        let set = stored.object.to_json();
        let wanted = set["spec"]["replicas"].as_i64().unwrap_or(1);
        let mut pods: Vec<Object> = self.owned("", "pods", &stored.object);
        pods.retain(|pod| pod.metadata_text("deletionTimestamp").is_none());
        let there = i64::try_from(pods.len()).unwrap_or(i64::MAX);
        for _ in there..wanted {
            let name = self.generated(&format!("{}-", key.name));
            self.make(&of_pods, MANAGER, now, pod(&set, &name))?;
        }
        let extra = usize::try_from(there - wanted).unwrap_or(0);
        for pod in pods.iter().rev().take(extra) {
            let key = Key {
                name: pod.name().into(),
                ..key.clone()
            };
            self.end(&of_pods, &key, &Options::default(), &write::stamp(now))?;
        }
        let left = self.owned("", "pods", &stored.object);
        let ready = left.iter().filter(|pod| super::pods::is_ready(pod)).count();
        let (replicas, ready) = (left.len().min(usize::try_from(wanted).unwrap_or(0)), ready);
        let number = |count: usize| i64::try_from(count).unwrap_or(i64::MAX);
        let writer = Writer {
            subresource: "status",
            ..MANAGER
        };
        self.edit(&of_sets, key, writer, now, |set| {
            let mut status =
                json!({"replicas": replicas, "observedGeneration": set["metadata"]["generation"]});
            let counts = [
                ("fullyLabeledReplicas", number(replicas)),
                ("readyReplicas", number(ready)),
                ("availableReplicas", number(ready)),
            ];
            own::count(&mut status, &counts);
            set["status"] = status;
        })
    }
}

/// A pod of a template, controlled by an object.
pub(super) fn pod(owner: &Value, name: &str) -> Value {
    let mut pod = owner["spec"]["template"].clone();
    pod["apiVersion"] = "v1".into();
    pod["kind"] = "Pod".into();
    pod["metadata"]["name"] = name.into();
    pod["metadata"]["namespace"] = owner["metadata"]["namespace"].clone();
    pod["metadata"]["ownerReferences"] = json!([own::reference(owner)]);
    pod
}
