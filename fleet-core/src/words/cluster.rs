//! Clusters as a registry knows them.

use std::{collections::BTreeMap, fmt};

use serde::{Deserialize, Serialize};

use super::{Maintenance, Taint, text_newtype};

text_newtype! {
    /// A cluster's identity: the UID of its `kube-system` namespace. A name is only a label, this is not.
    ClusterId
}

/// One cluster of the fleet, as declared in a registry. What is observed (contact, capacity) is not here.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cluster {
    /// The registry's name for it; unique in the registry.
    pub name: String,
    /// The UID it must turn out to have, if the registry says so.
    pub expected_id: Option<ClusterId>,
    /// Labels for selecting and grouping.
    pub labels: BTreeMap<String, String>,
    /// Properties: facts for policies, such as `region` or a Kubernetes version.
    pub properties: BTreeMap<String, String>,
    /// Cost in the unit the fleet has agreed on (integers only), by what it buys, such as `cpu-hour`. Below 0: a gain, such
    /// as capacity that is paid for whether it is used or not.
    pub cost: BTreeMap<String, i64>,
    /// What keeps workloads away that do not tolerate it.
    #[serde(default)]
    pub taints: Vec<Taint>,
    /// Where in its life the cluster is said to be.
    pub life_cycle: LifeCycle,
    /// Why nothing is written to it for now.
    pub paused: Option<String>,
    /// When it may be written to.
    #[serde(default)]
    pub maintenance: Maintenance,
}

impl Cluster {
    /// A ready cluster with nothing but a name.
    pub fn new(name: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            expected_id: None,
            labels: BTreeMap::new(),
            properties: BTreeMap::new(),
            cost: BTreeMap::new(),
            taints: Vec::new(),
            life_cycle: LifeCycle::Ready,
            paused: None,
            maintenance: Maintenance::default(),
        }
    }

    /// Adds a label.
    #[must_use]
    pub fn label(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.labels.insert(key.into(), value.into());
        self
    }

    /// Adds a property.
    #[must_use]
    pub fn property(mut self, key: impl Into<String>, value: impl Into<String>) -> Self {
        self.properties.insert(key.into(), value.into());
        self
    }

    /// Adds a cost.
    #[must_use]
    pub fn cost(mut self, of: impl Into<String>, cost: i64) -> Self {
        self.cost.insert(of.into(), cost);
        self
    }

    /// Adds a taint.
    #[must_use]
    pub fn taint(mut self, taint: Taint) -> Self {
        self.taints.push(taint);
        self
    }

    /// Says where in its life it is.
    #[must_use]
    pub fn life_cycle(mut self, life_cycle: LifeCycle) -> Self {
        self.life_cycle = life_cycle;
        self
    }

    /// Sets the UID the cluster must have.
    #[must_use]
    pub fn expect_id(mut self, id: impl Into<Option<ClusterId>>) -> Self {
        self.expected_id = id.into();
        self
    }
}

/// The declared life-cycle of a cluster.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum LifeCycle {
    /// New: what would be done is planned and shown, and nothing is written.
    Joining,
    /// In service.
    #[default]
    Ready,
    /// What is there is kept, and nothing new is made.
    Cordoned,
    /// What runs pods is deleted; the rest is kept.
    Draining,
    /// About to be removed from the fleet: what is ours is let go of, or deleted.
    Leaving,
}

impl fmt::Display for LifeCycle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Joining => "joining",
            Self::Ready => "ready",
            Self::Cordoned => "cordoned",
            Self::Draining => "draining",
            Self::Leaving => "leaving",
        })
    }
}
