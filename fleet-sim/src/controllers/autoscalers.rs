//! `HorizontalPodAutoscaler`s: they keep what they scale between their limits, through `scale`. There are no metrics, so
//! they ask for nothing else (`pkg/controller/podautoscaler`).

use fleet_diff::Node;
use jiff::Timestamp;

use super::{edit::Writer, own};
use crate::{
    server::Server,
    status::Status,
    store::{Key, Stored},
};

/// kube-controller-manager, writing through `scale`.
const SCALER: Writer = Writer {
    manager: "kube-controller-manager",
    subresource: "scale",
};

impl Server {
    pub(super) fn run_autoscalers(&mut self, now: Timestamp) -> Result<(), Status> {
        for (key, stored) in self.each("autoscaling", "horizontalpodautoscalers") {
            if stored.object.metadata_text("deletionTimestamp").is_none() {
                self.run_autoscaler(&key, &stored, now)?;
            }
        }
        Ok(())
    }

    fn run_autoscaler(&mut self, key: &Key, scaler: &Stored, now: Timestamp) -> Result<(), Status> {
        let spec = |path: &[&str]| scaler.object.root().get("spec").and_then(|spec| spec.at(path));
        let text = |field: &str| {
            spec(&["scaleTargetRef", field])
                .and_then(Node::as_str)
                .unwrap_or("")
        };
        let number = |field: &str| spec(&[field]).and_then(Node::as_i64);
        let group = text("apiVersion").rsplit_once('/').map_or("", |(group, _)| group);
        let Some(resource) = self.resources.of_kind(group, text("kind")).cloned() else {
            return Ok(());
        };
        let target = Key {
            name: text("name").into(),
            ..key.clone()
        };
        let Some(scale) = self.scale_paths(&resource) else {
            return Ok(());
        };
        let Some(live) = self
            .store
            .get(&crate::server::table_of(&resource), &target)
            .cloned()
        else {
            return Ok(());
        };
        let current = scale.replicas_of(&live.object);
        let (Some(current), Some(max)) = (current, number("maxReplicas")) else {
            return Ok(());
        };
        // Nothing at all is somebody's wish.
        if current == 0 {
            return Ok(());
        }
        let wanted = current.clamp(number("minReplicas").unwrap_or(1).min(max), max);
        self.edit(&resource, &target, SCALER, now, |object| {
            scale.set_replicas(object, wanted);
        })?;
        self.edit_status("autoscaling", "horizontalpodautoscalers", key, now, |scaler| {
            let status = &mut scaler["status"];
            own::count(status, &[("currentReplicas", current)]);
            status["desiredReplicas"] = wanted.into();
        })
    }
}
