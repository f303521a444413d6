//! `DaemonSet`s: there are no nodes, so each has what it wants at once (`pkg/controller/daemon`).

use jiff::Timestamp;
use serde_json::json;

use crate::{server::Server, status::Status};

impl Server {
    pub(super) fn run_daemon_sets(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("apps", "daemonsets") {
            if stored.object.metadata_text("deletionTimestamp").is_some() {
                continue;
            }
            self.keep_revision(&stored.object.to_json(), now)?;
            self.edit_status("apps", "daemonsets", &key, now, |set| {
                set["status"] = json!({"currentNumberScheduled": 0, "desiredNumberScheduled": 0,
                    "numberMisscheduled": 0, "numberReady": 0, "observedGeneration": set["metadata"]["generation"]});
            })?;
        }
        Ok(())
    }
}
