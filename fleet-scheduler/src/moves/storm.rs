//! Stops moves when too much looks lost at once.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::{FleetView, Slot};

/// Stops starting replicas of lost clusters elsewhere when too many clusters look lost at once: then it is more likely
/// that the observer is cut off than that they are gone, and what is left could not carry everything anyhow.
///
/// Clusters that are not in the fleet any more although something is placed there count as lost, too: a list that is cut
/// short is no reason to move everything.
///
/// It counts within each failure domain (the values of a label) and over the whole fleet, as the zones of Kubernetes' node
/// life-cycle controller do. The clusters of a domain where it trips are left as they are; others go on.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct StormBreaker {
    /// The label whose values are the failure domains. None: only the whole fleet counts.
    pub domain: Option<String>,
    /// It trips when at least so many clusters of a domain, or of the fleet, are lost, and
    pub at_least: usize,
    /// more than so many of a hundred of them.
    pub percent: u8,
}

impl Default for StormBreaker {
    fn default() -> Self {
        Self {
            domain: Some("topology.kubernetes.io/region".to_owned()),
            at_least: 3,
            percent: 33,
        }
    }
}

impl StormBreaker {
    /// Never trips.
    pub fn off() -> Self {
        Self {
            domain: None,
            at_least: usize::MAX,
            percent: 100,
        }
    }

    /// In domains of this label.
    #[must_use]
    pub fn domain(mut self, label: impl Into<String>) -> Self {
        self.domain = Some(label.into());
        self
    }

    /// At so many, and more than so many of a hundred.
    #[must_use]
    pub fn trips(mut self, at_least: usize, percent: u8) -> Self {
        (self.at_least, self.percent) = (at_least, percent);
        self
    }

    /// Whether so many of so many clusters are too much at once.
    pub(crate) fn is_storm(&self, lost: usize, all: usize) -> bool {
        lost >= self.at_least && lost.saturating_mul(100) > all.saturating_mul(self.percent.into())
    }

    /// Where it trips. So many clusters with something on them are not in the fleet any more: of them it is not known in
    /// which domain they were. Of those that are lost and have nothing on them any more, nothing more moves: they do not count.
    pub(crate) fn look(&self, fleet: &FleetView, left: usize, is_empty: impl Fn(Slot) -> bool) -> Storm {
        let mut domains: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
        let (mut lost, mut all) = (left, left);
        let mut silent = Vec::new();
        for (slot, cluster) in fleet.clusters().enumerate() {
            let is_lost = cluster.lost_since().is_some();
            if is_lost {
                let is_empty = is_empty(slot);
                silent.push((slot, is_empty));
                if is_empty {
                    continue;
                }
            }
            let is_lost = usize::from(is_lost);
            (lost, all) = (lost + is_lost, all + 1);
            let value = self
                .domain
                .as_ref()
                .and_then(|label| cluster.cluster.labels.get(label));
            if let Some(value) = value {
                let (lost, all) = domains.entry(value).or_default();
                (*lost, *all) = (*lost + is_lost, *all + 1);
            }
        }
        let trips = |lost: usize, all: usize| self.is_storm(lost, all);
        let tripped = domains.into_iter().filter(|(_, (lost, all))| trips(*lost, *all));
        Storm {
            fleet: trips(lost, all).then_some((lost, all)),
            domains: tripped
                .map(|(value, counts)| (value.to_owned(), counts))
                .collect(),
            label: self.domain.clone(),
            silent,
        }
    }
}

/// Where too much looks lost.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(crate) struct Storm {
    fleet: Option<(usize, usize)>,
    domains: BTreeMap<String, (usize, usize)>,
    label: Option<String>,
    /// All clusters that are lost, and whether nothing is on them any more.
    silent: Vec<(Slot, bool)>,
}

impl Storm {
    /// Whether what is on lost clusters is as it was.
    pub(crate) fn is_as_it_was(&self, is_empty: impl Fn(Slot) -> bool) -> bool {
        self.silent
            .iter()
            .all(|(slot, was_empty)| is_empty(*slot) == *was_empty)
    }

    /// Why nothing is started elsewhere for clusters that are not in the fleet any more: words for people.
    pub(crate) fn holds_left(&self) -> Option<String> {
        let (lost, all) = self.fleet?;
        Some(format!("{lost} of {all} clusters are lost or have left at once"))
    }

    /// Why nothing is started elsewhere for this cluster: words for people.
    pub(crate) fn holds(&self, cluster: &crate::model::ClusterInfo) -> Option<String> {
        if let Some((lost, all)) = self.fleet {
            return Some(format!("{lost} of {all} clusters look lost at once"));
        }
        let label = self.label.as_ref()?;
        let value = cluster.cluster.labels.get(label)?;
        let (lost, all) = self.domains.get(value)?;
        Some(format!(
            "{lost} of {all} clusters with {label} {value} look lost at once"
        ))
    }
}
