//! `spec` of kubefed's `ReplicaSchedulingPreference`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Member, plan::asked};
use crate::{
    divide::{DivideError, Party, planner::Planner},
    model::{Bound, ClusterSelector, DivideBy, Target, Workload, WorkloadId},
};

/// How replicas are divided over clusters: `spec` of a `ReplicaSchedulingPreference`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplicaSchedulingPreference {
    /// Of what; it changes nothing.
    pub target_kind: String,
    /// How many in all.
    pub total_replicas: u64,
    /// Moves what runs towards the layout that is wished for.
    pub rebalance: bool,
    /// Preferences by cluster; `*` is for those that are not named. None at all: all weigh the same.
    pub clusters: BTreeMap<String, ClusterPreferences>,
}

/// What is wished for one cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterPreferences {
    /// At least so many, if there are enough.
    pub min_replicas: u64,
    /// At most so many.
    pub max_replicas: Option<u64>,
    /// Its part of the rest, compared with others'. 0: none.
    pub weight: u64,
}

impl ClusterPreferences {
    /// With this weight.
    pub fn weight(weight: u64) -> Self {
        Self {
            weight,
            ..Self::default()
        }
    }

    /// At least so many.
    #[must_use]
    pub fn min(mut self, replicas: u64) -> Self {
        self.min_replicas = replicas;
        self
    }

    /// At most so many.
    #[must_use]
    pub fn max(mut self, replicas: u64) -> Self {
        self.max_replicas = Some(replicas);
        self
    }

    fn of(self, bound: Bound) -> Bound {
        let bound = bound.weight(self.weight).min(self.min_replicas);
        match self.max_replicas {
            Some(max) => bound.max(max),
            None => bound,
        }
    }
}

impl ReplicaSchedulingPreference {
    /// So many over all clusters alike.
    pub fn new(total_replicas: u64) -> Self {
        Self {
            total_replicas,
            ..Self::default()
        }
    }

    /// With this preference for a cluster, or for `*`.
    #[must_use]
    pub fn cluster(mut self, name: impl Into<String>, preferences: ClusterPreferences) -> Self {
        self.clusters.insert(name.into(), preferences);
        self
    }

    /// Moves what runs towards the layout that is wished for.
    #[must_use]
    pub fn rebalance(mut self, rebalance: bool) -> Self {
        self.rebalance = rebalance;
        self
    }

    /// What is wished for a cluster. None: nothing, and it gets nothing.
    pub fn preference(&self, cluster: &str) -> Option<ClusterPreferences> {
        if self.clusters.is_empty() {
            return Some(ClusterPreferences::weight(1));
        }
        let wished = self.clusters.get(cluster).or_else(|| self.clusters.get("*"));
        wished.copied()
    }

    /// What kubefed asks of each healthy cluster, overflow too; clusters that are asked for nothing are left out. The
    /// key, `namespace/name` of the workload, varies who is served first.
    ///
    /// # Errors
    /// Clusters that are named twice, minimums above maximums, and counts beyond all measure.
    pub fn plan(&self, clusters: &[Member<'_>], key: &str) -> Result<BTreeMap<String, u64>, DivideError> {
        let parties = clusters.iter().filter_map(|member| {
            let wished = self.preference(member.name)?;
            let party = member.party().weight(wished.weight);
            Some(party.min(wished.min_replicas).max(wished.max_replicas))
        });
        let parties: Vec<Party<'_>> = parties.collect();
        let planner = Planner::Kubefed {
            rebalance: self.rebalance,
        };
        asked(&parties, self.total_replicas, key, planner)
    }

    /// The same as a target.
    pub fn target(&self) -> Target {
        let target = Target::replicas(self.total_replicas).divided_by(DivideBy::Weight);
        let (rest, named): (Vec<_>, Vec<_>) = self.clusters.iter().partition(|(name, _)| *name == "*");
        let mut target = named.iter().fold(target, |target, (name, wished)| {
            target.bound(wished.of(Bound::cluster(name.as_str())))
        });
        let everything = Bound::of(ClusterSelector::everything());
        match rest.first() {
            Some((_, wished)) => target = target.bound(wished.of(everything)),
            None if named.is_empty() => {}
            None => {
                let names = named.iter().map(|(name, _)| name.as_str());
                target = target.within(ClusterSelector::named(names));
            }
        }
        target
    }

    /// A workload that is divided so; what it needs is to be added.
    pub fn workload(&self, name: impl Into<WorkloadId>) -> Workload {
        let mut workload = Workload::new(name, [self.target()]);
        workload.moves.pinned = !self.rebalance;
        workload
    }
}
