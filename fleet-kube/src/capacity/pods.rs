//! Pods, as far as they matter here, and what one of them asks for.
//!
//! By the rules of Kubernetes' own scheduler: `PodRequests` in `k8s.io/component-helpers/resource` 0.36, and for init
//! containers KEP-753. What a pod claims of devices by resource claims is not in it.

use fleet_core::Resources;
use serde::{Deserialize, de::IgnoredAny};

use super::amounts::{Amounts, or_default};

#[derive(Deserialize)]
pub(super) struct Pod {
    metadata: Meta,
    spec: Spec,
    #[serde(default)]
    status: Status,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Meta {
    deletion_timestamp: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Spec {
    #[serde(default, deserialize_with = "or_default")]
    node_name: String,
    #[serde(default, deserialize_with = "or_default")]
    scheduling_gates: Vec<IgnoredAny>,
    #[serde(default, deserialize_with = "or_default")]
    containers: Vec<Container>,
    #[serde(default, deserialize_with = "or_default")]
    init_containers: Vec<Container>,
    #[serde(default, deserialize_with = "or_default")]
    overhead: Amounts,
    #[serde(default, deserialize_with = "or_default")]
    resources: Needs,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Container {
    name: String,
    #[serde(default, deserialize_with = "or_default")]
    resources: Needs,
    #[serde(default, deserialize_with = "or_default")]
    restart_policy: String,
}

#[derive(Deserialize, Default)]
#[serde(default)]
struct Needs {
    #[serde(deserialize_with = "or_default")]
    requests: Amounts,
}

#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Status {
    #[serde(deserialize_with = "or_default")]
    phase: String,
    #[serde(deserialize_with = "or_default")]
    conditions: Vec<Condition>,
    #[serde(deserialize_with = "or_default")]
    container_statuses: Vec<ContainerStatus>,
    #[serde(deserialize_with = "or_default")]
    init_container_statuses: Vec<ContainerStatus>,
}

#[derive(Deserialize)]
struct Condition {
    r#type: String,
    #[serde(default, deserialize_with = "or_default")]
    reason: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ContainerStatus {
    name: String,
    /// What it runs with.
    resources: Option<Needs>,
    /// What the node has set aside for it.
    #[serde(default, deserialize_with = "or_default")]
    allocated_resources: Amounts,
}

/// Where a pod's requests count.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place<'a> {
    /// On this node.
    Node(&'a str),
    /// On none yet; it takes room as soon as there is some.
    Waiting,
    /// Nowhere: it is finished, or going without ever having had a node, or kept from being scheduled by a gate, so that
    /// nobody has promised it room.
    Nowhere,
}

impl Pod {
    pub(super) fn place(&self) -> Place<'_> {
        if matches!(self.status.phase.as_str(), "Succeeded" | "Failed") {
            return Place::Nowhere;
        }
        // One that is going holds its room until it is gone.
        if !self.spec.node_name.is_empty() {
            return Place::Node(&self.spec.node_name);
        }
        if self.metadata.deletion_timestamp.is_some() || !self.spec.scheduling_gates.is_empty() {
            return Place::Nowhere;
        }
        Place::Waiting
    }

    /// What it asks for: the sum over what runs all the time, or what is needed at once while it begins, where that is
    /// more; then what the pod as a whole says, and its overhead. And one of `pods`.
    pub(super) fn requests(&self) -> Resources {
        let mut running = Resources::new();
        for container in &self.spec.containers {
            running.grow(&self.of(container));
        }
        let (mut sidecars, mut beginning) = (Resources::new(), Resources::new());
        for container in &self.spec.init_containers {
            if container.restart_policy == "Always" {
                let needs = self.of(container);
                running.grow(&needs);
                sidecars.grow(&needs);
                beginning.raise_to(&sidecars);
            } else {
                let mut at_once = sidecars.clone();
                at_once.grow(&container.resources.requests.0);
                beginning.raise_to(&at_once);
            }
        }
        let mut requests = running;
        requests.raise_to(&beginning);
        for (name, amount) in self.spec.resources.requests.0.iter() {
            if is_of_pods(name) {
                // Never negative.
                drop(requests.set(name, amount));
            }
        }
        requests.grow(&self.spec.overhead.0);
        drop(requests.set("pods", 1));
        requests
    }

    /// Of a container that can be resized while it runs: until that is done, the most of what it wants, has and is given. A
    /// wish that the node can never grant does not count.
    fn of(&self, container: &Container) -> Resources {
        let wanted = &container.resources.requests.0;
        let statuses = self.status.container_statuses.iter();
        let found = statuses
            .chain(&self.status.init_container_statuses)
            .find(|status| status.name == container.name);
        let Some((status, actual)) = found.and_then(|status| Some((status, status.resources.as_ref()?)))
        else {
            return wanted.clone();
        };
        let is_infeasible = |condition: &Condition| {
            condition.r#type == "PodResizePending" && condition.reason == "Infeasible"
        };
        let mut needs = actual.requests.0.clone();
        needs.raise_to(&status.allocated_resources.0);
        if !self.status.conditions.iter().any(is_infeasible) {
            needs.raise_to(wanted);
        }
        needs
    }
}

/// Resources that a pod as a whole can ask for.
fn is_of_pods(resource: &str) -> bool {
    matches!(resource, "cpu" | "memory") || resource.starts_with("hugepages-")
}
