//! Deployments: one `ReplicaSet` for each template, the newest one scaled up and the others down.

use fleet_diff::{Digest, Object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    edit::{MANAGER, Writer},
    own::{self, letters},
};
use crate::{
    server::Server,
    status::Status,
    store::{Key, Stored},
    write,
};

/// The annotation that counts the templates of a Deployment.
const REVISION: &str = "deployment.kubernetes.io/revision";

/// The label that tells the pods of one template from those of others.
const HASH: &str = "pod-template-hash";

impl Server {
    pub(super) fn run_deployments(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("apps", "deployments") {
            if stored.object.metadata_text("deletionTimestamp").is_none() {
                self.run_deployment(&key, &stored, now)?;
            }
        }
        Ok(())
    }

    fn run_deployment(&mut self, key: &Key, stored: &Stored, now: Timestamp) -> Result<(), Status> {
        let deployment = stored.object.to_json();
        let template = &deployment["spec"]["template"];
        let hash = letters(&Digest::of_bytes(template.to_string().as_bytes()), 10);
        let name = format!("{}-{hash}", key.name);
        let wanted = deployment["spec"]["replicas"].as_i64().unwrap_or(1);
        let mut sets: Vec<Object> = self.owned("apps", "replicasets", &stored.object);
        let (Some(of_sets), Some(of_deployments)) = (
            self.resource("apps", "replicasets"),
            self.resource("apps", "deployments"),
        ) else {
            return Ok(());
        };
        if !sets.iter().any(|set| set.name() == name) {
            let revision = 1 + sets.iter().map(revision).max().unwrap_or(0);
            let set = replica_set(&deployment, &name, &hash, revision, wanted);
            self.make(&of_sets, MANAGER, now, set)?;
            return Ok(());
        }
        let newest_is_ready = sets
            .iter()
            .filter(|set| set.name() == name)
            .any(|set| own::number(set, &["status", "readyReplicas"]) >= wanted);
        for set in &sets {
            let replicas = match set.name() == name {
                true => wanted,
                false if newest_is_ready => 0,
                false => continue,
            };
            let key = Key {
                name: set.name().into(),
                ..key.clone()
            };
            self.edit(&of_sets, &key, MANAGER, now, |set| {
                set["spec"]["replicas"] = replicas.into();
            })?;
        }
        sets.retain(|set| own::number(set, &["status", "replicas"]) > 0 || set.name() == name);
        let sum = |field: &str| -> i64 { sets.iter().map(|set| own::number(set, &["status", field])).sum() };
        let updated: i64 = sets
            .iter()
            .filter(|set| set.name() == name)
            .map(|set| own::number(set, &["status", "replicas"]))
            .sum();
        let (replicas, ready) = (sum("replicas"), sum("readyReplicas"));
        let is_available = ready >= wanted;
        let is_complete = is_available && updated == wanted && replicas == wanted;
        let latest = sets.iter().map(revision).max().unwrap_or(1).to_string();
        let time = write::stamp(now);
        // Also the annotation is written through the status, which counts nothing.
        let writer = Writer {
            subresource: "status",
            ..MANAGER
        };
        self.edit(&of_deployments, key, writer, now, |deployment| {
            deployment["metadata"]["annotations"][REVISION] = latest.into();
            let generation = deployment["metadata"]["generation"].clone();
            let mut status = json!({"observedGeneration": generation});
            let counts = [
                ("replicas", replicas),
                ("updatedReplicas", updated),
                ("readyReplicas", ready),
                ("availableReplicas", ready),
                ("unavailableReplicas", (wanted - ready).max(0)),
            ];
            own::count(&mut status, &counts);
            let available = match is_available {
                true => (
                    "Available",
                    "True",
                    "MinimumReplicasAvailable",
                    "Deployment has minimum availability.",
                ),
                false => (
                    "Available",
                    "False",
                    "MinimumReplicasUnavailable",
                    "Deployment does not have minimum availability.",
                ),
            };
            let progressed = format!("ReplicaSet {name:?} has successfully progressed.");
            let progressing = format!("ReplicaSet {name:?} is progressing.");
            let progress = match is_complete {
                true => ("Progressing", "True", "NewReplicaSetAvailable", &*progressed),
                false => ("Progressing", "True", "ReplicaSetUpdated", &*progressing),
            };
            let before = &deployment["status"]["conditions"];
            status["conditions"] = [available, progress]
                .map(|condition| own::condition(before, condition, &time))
                .to_vec()
                .into();
            deployment["status"] = status;
        })
    }
}

fn revision(set: &Object) -> u64 {
    set.annotation(REVISION)
        .and_then(|text| text.parse().ok())
        .unwrap_or(0)
}

fn replica_set(deployment: &Value, name: &str, hash: &str, revision: u64, replicas: i64) -> Value {
    let mut template = deployment["spec"]["template"].clone();
    template["metadata"]["labels"][HASH] = hash.into();
    let mut selector = deployment["spec"]["selector"].clone();
    selector["matchLabels"][HASH] = hash.into();
    let labels = template["metadata"]["labels"].clone();
    json!({
        "apiVersion": "apps/v1", "kind": "ReplicaSet",
        "metadata": {"namespace": deployment["metadata"]["namespace"], "name": name, "labels": labels,
            "annotations": {REVISION: revision.to_string()},
            "ownerReferences": [own::reference(deployment)]},
        "spec": {"replicas": replicas, "selector": selector, "template": template},
    })
}
