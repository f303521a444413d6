//! `StatefulSet`s: pods with numbers, one after the other, and claims that stay with them
//! (`pkg/controller/statefulset`).

use fleet_diff::{Digest, Object};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::{edit::MANAGER, own, pods::is_ready, replica_sets::pod};
use crate::{
    request::Options,
    server::Server,
    status::Status,
    store::{Key, Stored},
    write,
};

/// The label of a pod that names its template.
const REVISION: &str = "controller-revision-hash";

impl Server {
    pub(super) fn run_stateful_sets(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("apps", "statefulsets") {
            if stored.object.metadata_text("deletionTimestamp").is_none() {
                self.run_stateful_set(&key, &stored, now)?;
            }
        }
        Ok(())
    }

    fn run_stateful_set(&mut self, key: &Key, stored: &Stored, now: Timestamp) -> Result<(), Status> {
        let Some(of_pods) = self.resource("", "pods") else {
            return Ok(());
        };
        let set = stored.object.to_json();
        let revision = self.keep_revision(&set, now)?;
        let wanted = set["spec"]["replicas"].as_i64().unwrap_or(1).max(0);
        let pods: Vec<Object> = self.owned("", "pods", &stored.object);
        let named = |number: i64| {
            let name = format!("{}-{number}", key.name);
            pods.iter().find(move |pod| pod.name() == name)
        };
        let is_new = |pod: &Object| pod.label(REVISION) == Some(&*revision);
        let end = |server: &mut Self, pod: &Object| {
            let key = Key {
                name: pod.name().into(),
                ..key.clone()
            };
            server.end(&of_pods, &key, &Options::default(), &write::stamp(now))
        };
        // One step in a round: the first that is missing is made, or the last that is too many or old goes.
        let is_parallel = set["spec"]["podManagementPolicy"] == "Parallel";
        let mut waits = false;
        for number in 0..wanted {
            match named(number) {
                None => {
                    self.make_member(&set, number, &revision, now)?;
                    waits = true;
                }
                Some(pod) => waits |= !is_ready(pod),
            }
            if waits && !is_parallel {
                break;
            }
        }
        let first = format!("{}-", key.name);
        let number = |pod: &Object| pod.name().strip_prefix(&*first)?.parse::<i64>().ok();
        let mut extra: Vec<&Object> = pods.iter().filter(|pod| number(pod) >= Some(wanted)).collect();
        extra.sort_by_key(|pod| number(pod));
        let on_delete = set["spec"]["updateStrategy"]["type"] == "OnDelete";
        let old = (0..wanted).rev().filter_map(named).find(|pod| !is_new(pod));
        if let Some(last) = extra.last() {
            end(self, last)?;
        } else if let Some(old) = old.filter(|_| !waits && !on_delete) {
            end(self, old)?;
        }
        let left = self.owned("", "pods", &stored.object);
        let count = |wanted: &dyn Fn(&Object) -> bool| {
            i64::try_from(left.iter().filter(|pod| wanted(pod)).count()).unwrap_or(i64::MAX)
        };
        let (ready, updated) = (count(&is_ready), count(&is_new));
        let counts = [
            ("readyReplicas", ready),
            ("currentReplicas", updated),
            ("updatedReplicas", updated),
        ];
        let replicas = count(&|_| true);
        self.edit_status("apps", "statefulsets", key, now, |set| {
            let current = match (&set["status"]["currentRevision"], updated == replicas) {
                (Value::String(before), false) => before.clone(),
                _ => revision.clone(),
            };
            let mut status = json!({"observedGeneration": set["metadata"]["generation"], "replicas": replicas,
                "availableReplicas": ready, "currentRevision": current, "updateRevision": revision, "collisionCount": 0});
            own::count(&mut status, &counts);
            set["status"] = status;
        })
    }

    /// The name of the object that keeps the template, which is made where there is none.
    pub(super) fn keep_revision(&mut self, owner: &Value, now: Timestamp) -> Result<String, Status> {
        let template = &owner["spec"]["template"];
        let hash = own::letters(&Digest::of_bytes(template.to_string().as_bytes()), 10);
        let name = format!("{}-{hash}", owner["metadata"]["name"].as_str().unwrap_or(""));
        let Some(resource) = self.resource("apps", "controllerrevisions") else {
            return Ok(name);
        };
        let owner_object = Object::from_json(owner.clone()).map_err(Status::internal)?;
        let known = self.owned("apps", "controllerrevisions", &owner_object);
        let last = known
            .iter()
            .map(|one| own::number(one, &["revision"]))
            .max()
            .unwrap_or(0);
        let mut labels = template["metadata"]["labels"].clone();
        labels["controller.kubernetes.io/hash"] = hash.into();
        let object = json!({
            "apiVersion": "apps/v1", "kind": "ControllerRevision",
            "metadata": {"namespace": owner["metadata"]["namespace"], "name": name, "labels": labels,
                "ownerReferences": [own::reference(owner)]},
            "data": {"spec": {"template": template}}, "revision": last + 1,
        });
        self.make(&resource, MANAGER, now, object)?;
        Ok(name)
    }

    /// A pod with a number, after the claims that it mounts.
    fn make_member(
        &mut self,
        set: &Value,
        number: i64,
        revision: &str,
        now: Timestamp,
    ) -> Result<(), Status> {
        let (Some(of_pods), Some(of_claims)) = (
            self.resource("", "pods"),
            self.resource("", "persistentvolumeclaims"),
        ) else {
            return Ok(());
        };
        let text = |field: &str| set["metadata"][field].as_str().unwrap_or("").to_owned();
        let name = format!("{}-{number}", text("name"));
        let mut pod = pod(set, &name);
        let labels = &mut pod["metadata"]["labels"];
        labels["apps.kubernetes.io/pod-index"] = number.to_string().into();
        labels["statefulset.kubernetes.io/pod-name"] = name.as_str().into();
        labels[REVISION] = revision.into();
        pod["spec"]["hostname"] = name.as_str().into();
        pod["spec"]["subdomain"] = set["spec"]["serviceName"].clone();
        let mut volumes = pod["spec"]["volumes"].as_array().cloned().unwrap_or_default();
        for template in set["spec"]["volumeClaimTemplates"]
            .as_array()
            .into_iter()
            .flatten()
        {
            let volume = template["metadata"]["name"].clone();
            let claim_name = format!("{}-{name}", volume.as_str().unwrap_or(""));
            let mut claim = template.clone();
            claim["apiVersion"] = "v1".into();
            claim["kind"] = "PersistentVolumeClaim".into();
            claim["metadata"]["name"] = claim_name.as_str().into();
            claim["metadata"]["namespace"] = text("namespace").into();
            claim["metadata"]["labels"] = set["spec"]["selector"]["matchLabels"].clone();
            claim["metadata"]["finalizers"] = json!(["kubernetes.io/pvc-protection"]);
            self.make(&of_claims, MANAGER, now, claim)?;
            volumes.retain(|one| one["name"] != volume);
            volumes.push(json!({"name": volume, "persistentVolumeClaim": {"claimName": claim_name}}));
        }
        if !volumes.is_empty() {
            pod["spec"]["volumes"] = volumes.into();
        }
        self.make(&of_pods, MANAGER, now, pod)
    }
}
