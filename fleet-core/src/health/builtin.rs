//! The usual rules.

use fleet_diff::Object;

use super::{
    Health, HealthState,
    pods::pod,
    sight::{Sight, waiting},
    workloads::{daemon_set, deployment, job, replica_set, stateful_set},
};
use crate::words::Reason;

/// The rules of kstatus, as [the module](super) says. By kind:
///
/// | kind | current when |
/// |---|---|
/// | Deployment | all replicas are of the present template, available and ready, none is left over, and the conditions say so; failed when its progress deadline is exceeded |
/// | ReplicaSet, ReplicationController | all replicas are labelled, available and ready, and none is left over |
/// | StatefulSet | the same, with the update complete as far as its partition says; updated by hand: always |
/// | DaemonSet | its status is about the present generation, and a pod is on every node it is meant for, of the present template, available and ready |
/// | Job | complete, or suspended; failed when it says so |
/// | Pod | ready, or succeeded; failed when it says so, or a container crashes again and again |
/// | PersistentVolumeClaim | bound |
/// | Service | it has an address, if it is of type LoadBalancer; else always. Whether a load balancer is there for it is not asked: in many clusters nobody makes one |
/// | CustomResourceDefinition | established; failed when its names are not accepted |
/// | APIService | available |
/// | all others | their condition `Ready` is true, or they have none |
#[derive(Clone, Copy, Debug, Default)]
pub struct BuiltinHealth;

impl Health for BuiltinHealth {
    fn health(&self, object: &Object) -> HealthState {
        let sight = Sight::of(object);
        sight
            .whatever_the_kind()
            .unwrap_or_else(|| match (object.key().group(), object.key().kind()) {
                ("apps", "Deployment") => deployment(sight),
                ("apps", "ReplicaSet") | ("", "ReplicationController") => replica_set(sight),
                ("apps", "StatefulSet") => stateful_set(sight),
                ("apps", "DaemonSet") => daemon_set(sight),
                ("batch", "Job") => job(sight),
                ("", "Pod") => pod(sight),
                ("", "PersistentVolumeClaim") => claim(sight),
                ("", "Service") => service(sight),
                ("apiextensions.k8s.io", "CustomResourceDefinition") => definition(sight),
                ("apiregistration.k8s.io", "APIService") => by_condition(sight, "Available", false),
                _ => by_condition(sight, "Ready", true),
            })
    }
}

/// By one condition; without it as is said.
fn by_condition(sight: Sight<'_>, kind: &str, without: bool) -> HealthState {
    match sight.condition(kind) {
        Some(condition) if condition.is_true() => HealthState::Current,
        Some(condition) => HealthState::InProgress(condition.tells()),
        None if without => HealthState::Current,
        None => waiting("condition", format!("it has no condition {kind} yet")),
    }
}

fn claim(sight: Sight<'_>) -> HealthState {
    match sight.text(&["status", "phase"]) {
        Some("Bound") => HealthState::Current,
        Some("Lost") => HealthState::Failed(Reason::new("phase", "its volume is lost")),
        Some("Pending") => waiting("phase", "its phase is Pending, not yet Bound"),
        _ => waiting("phase", "it has no phase yet"),
    }
}

fn service(sight: Sight<'_>) -> HealthState {
    let address = sight.text(&["spec", "clusterIP"]).unwrap_or("");
    if sight.text(&["spec", "type"]) == Some("LoadBalancer") && address.is_empty() {
        return waiting("address", "it has no cluster address yet");
    }
    HealthState::Current
}

fn definition(sight: Sight<'_>) -> HealthState {
    if let Some(names) = sight.condition("NamesAccepted").filter(|names| names.is_false()) {
        return HealthState::Failed(names.tells());
    }
    match sight.condition("Established") {
        Some(established) if established.is_true() => HealthState::Current,
        Some(established) if established.is_false() && !established.is_because("Installing") => {
            HealthState::Failed(established.tells())
        }
        Some(established) => HealthState::InProgress(established.tells()),
        None => waiting("condition", "it has no condition Established yet"),
    }
}
