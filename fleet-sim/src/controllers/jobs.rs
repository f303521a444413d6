//! Jobs: their pods end well, and then they are complete.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::{
    edit::{MANAGER, Writer},
    own,
    replica_sets::pod,
};
use crate::{
    server::{Server, is_true},
    status::Status,
    store::{Key, Stored},
    write,
};

impl Server {
    pub(super) fn run_jobs(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("batch", "jobs") {
            let is_idle = stored
                .object
                .root()
                .at(&["spec", "suspend"])
                .and_then(fleet_diff::Node::as_bool)
                == Some(true)
                || stored.object.metadata_text("deletionTimestamp").is_some()
                || is_true(&stored.object, "Complete");
            if !is_idle {
                self.run_job(&key, &stored, now)?;
            }
        }
        Ok(())
    }

    fn run_job(&mut self, key: &Key, stored: &Stored, now: Timestamp) -> Result<(), Status> {
        let (Some(of_pods), Some(of_jobs)) = (self.resource("", "pods"), self.resource("batch", "jobs"))
        else {
            return Ok(());
        };
        let job = stored.object.to_json();
        let wanted = job["spec"]["completions"]
            .as_i64()
            .or(job["spec"]["parallelism"].as_i64())
            .unwrap_or(1);
        let pods = self.owned("", "pods", &stored.object);
        for _ in i64::try_from(pods.len()).unwrap_or(i64::MAX)..wanted {
            let name = self.generated(&format!("{}-", key.name));
            self.make(&of_pods, MANAGER, now, pod(&job, &name))?;
        }
        let has_succeeded = |pod: &&fleet_diff::Object| {
            pod.root()
                .at(&["status", "phase"])
                .and_then(fleet_diff::Node::as_str)
                == Some("Succeeded")
        };
        let succeeded = i64::try_from(pods.iter().filter(has_succeeded).count()).unwrap_or(i64::MAX);
        let writer = Writer {
            subresource: "status",
            ..MANAGER
        };
        let time = write::stamp(now);
        self.edit(&of_jobs, key, writer, now, |job| {
            let started = match &job["status"]["startTime"] {
                Value::Null => time.as_str().into(),
                started => started.clone(),
            };
            let mut status = json!({"startTime": started});
            let counts = [
                ("active", wanted - succeeded),
                ("succeeded", succeeded),
                ("ready", 0),
            ];
            own::count(&mut status, &counts);
            if succeeded >= wanted {
                let message = "Reached expected number of succeeded pods";
                let condition = |kind: &str| {
                    json!({"type": kind, "status": "True", "reason": "CompletionsReached", "message": message,
                        "lastProbeTime": time, "lastTransitionTime": time})
                };
                status["completionTime"] = time.as_str().into();
                status["conditions"] = json!([condition("SuccessCriteriaMet"), condition("Complete")]);
            }
            job["status"] = status;
        })
    }
}
