//! One cluster as the scheduler sees it.

use fleet_core::{Capacity, Cluster, ContactState, ContactStatus, LifeCycle, Tick};
use serde::{Deserialize, Serialize};

/// One cluster as the scheduler sees it: what a registry declares, and what was observed.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterInfo {
    /// What the registry declares: name, labels, properties, cost, taints, life-cycle.
    pub cluster: Cluster,
    /// What it can carry and serves. None: not known, and then nothing that needs resources fits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub capacity: Option<Capacity>,
    /// How contact stands. None: not known yet, which counts as online.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub contact: Option<ContactStatus>,
}

impl ClusterInfo {
    /// A cluster of which nothing was observed.
    pub fn new(cluster: Cluster) -> Self {
        Self {
            cluster,
            capacity: None,
            contact: None,
        }
    }

    /// With what it can carry.
    #[must_use]
    pub fn capacity(mut self, capacity: Capacity) -> Self {
        self.capacity = Some(capacity);
        self
    }

    /// With how contact stands.
    #[must_use]
    pub fn contact(mut self, contact: ContactStatus) -> Self {
        self.contact = Some(contact);
        self
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.cluster.name
    }

    /// Since when it is lost; none while it is not.
    pub fn lost_since(&self) -> Option<Tick> {
        self.contact
            .filter(|contact| contact.state == ContactState::Lost)
            .map(|contact| contact.since)
    }

    /// Whether it answers, be it badly.
    pub fn is_in_contact(&self) -> bool {
        self.contact
            .is_none_or(|contact| matches!(contact.state, ContactState::Online | ContactState::Degraded))
    }

    /// Whether what runs there is to go elsewhere.
    pub fn is_going(&self) -> bool {
        matches!(self.cluster.life_cycle, LifeCycle::Draining | LifeCycle::Leaving)
    }
}
