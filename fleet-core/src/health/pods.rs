//! Pods.

use fleet_diff::Node;

use super::{
    HealthState,
    sight::{Sight, waiting},
};
use crate::words::Reason;

pub(super) fn pod(sight: Sight<'_>) -> HealthState {
    match sight.text(&["status", "phase"]) {
        Some("Succeeded") => HealthState::Current,
        Some("Failed") => HealthState::Failed(Reason::new("phase", "its phase is Failed")),
        Some("Running") if sight.is_true("Ready") => HealthState::Current,
        Some("Running" | "Pending") if is_crashing(sight) => {
            HealthState::Failed(Reason::new("crashing", "a container crashes again and again"))
        }
        Some("Running") => waiting("phase", "it runs, and is not ready yet"),
        Some("Pending") => match sight.condition("PodScheduled") {
            Some(scheduled) if scheduled.is_false() => HealthState::InProgress(scheduled.tells()),
            _ => waiting("phase", "its phase is Pending"),
        },
        Some(_) => HealthState::Unknown(Reason::new("phase", "its phase is unknown")),
        None => waiting("phase", "it has no phase yet"),
    }
}

fn is_crashing(sight: Sight<'_>) -> bool {
    let mut containers = ["initContainerStatuses", "containerStatuses"]
        .into_iter()
        .flat_map(|field| sight.list(field));
    containers.any(|status: Node<'_>| {
        let reason = status.at(&["state", "waiting", "reason"]);
        reason.and_then(Node::as_str) == Some("CrashLoopBackOff")
    })
}
