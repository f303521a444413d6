//! `spec` of `KubeAdmiral`'s `PropagationPolicy`.

use std::collections::BTreeMap;

use serde::Deserialize;

use super::{Member, plan::asked};
use crate::{
    divide::{DivideError, Party, planner::Planner},
    model::{
        Bound, ClusterSelector, DivideBy, Fact, Operator, Requirement, Target, Toleration, Workload,
        WorkloadId,
    },
    presets::PolicyError,
};

/// Where resources go: `spec` of a `PropagationPolicy`.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[derive(Default)]
#[non_exhaustive]
pub struct PropagationPolicy {
    /// Whether replicas are divided.
    pub scheduling_mode: SchedulingMode,
    /// Only these clusters, with preferences. Empty: any.
    pub placement: Vec<ClusterReference>,
    /// Only clusters with these labels.
    pub cluster_selector: BTreeMap<String, String>,
    /// Only clusters that meet one of these; more than one cannot be taken over.
    pub cluster_affinity: Vec<ClusterSelector>,
    /// The taints it bears.
    #[serde(deserialize_with = "crate::presets::tolerations::read")]
    pub tolerations: Vec<Toleration>,
    /// On at most so many clusters.
    pub max_clusters: Option<u32>,
    /// What runs stays where it is, whatever changes.
    pub sticky_cluster: bool,
    /// How replicas are divided without weights.
    pub replicas_strategy: ReplicasStrategy,
    /// What happens with what runs when it is scheduled again.
    pub reschedule_policy: ReschedulePolicy,
    /// Whether replicas that cannot run move. None: they do not.
    pub auto_migration: Option<AutoMigration>,
}

/// Whether replicas are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum SchedulingMode {
    /// Each cluster has all of them.
    #[default]
    Duplicate,
    /// They are divided.
    Divide,
}

/// How replicas are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReplicasStrategy {
    /// By weights, or by what is free where none are given.
    #[default]
    Spread,
    /// Clusters are filled one after the other, those of the highest priority first.
    Binpack,
}

/// A cluster, and what is wished for it.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterReference {
    /// Which.
    pub cluster: String,
    /// What is wished for it.
    pub preferences: Preferences,
}

/// What is wished for a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Preferences {
    /// At least so many replicas.
    pub min_replicas: u64,
    /// At most so many.
    pub max_replicas: Option<u64>,
    /// Its part, compared with others'. Where no cluster has one, all weigh by what is free.
    pub weight: Option<u64>,
    /// Which is filled first; higher ones are.
    pub priority: Option<i64>,
}

/// What happens with what runs when it is scheduled again.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ReschedulePolicy {
    /// How replicas move.
    pub replica_rescheduling: ReplicaRescheduling,
}

/// How replicas move.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplicaRescheduling {
    /// As few as can be.
    pub avoid_disruption: bool,
}

/// What happens with replicas that cannot run.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct AutoMigration {
    /// They stay where they are, though others stand in for them.
    pub keep_unschedulable_replicas: bool,
}

impl Default for ReplicaRescheduling {
    fn default() -> Self {
        Self {
            avoid_disruption: true,
        }
    }
}

impl PropagationPolicy {
    /// The planner with this policy's flags.
    pub fn planner(&self) -> Planner {
        Planner::KubeAdmiral {
            avoid_disruption: self.reschedule_policy.replica_rescheduling.avoid_disruption,
            keep_unschedulable: self
                .auto_migration
                .is_some_and(|migration| migration.keep_unschedulable_replicas),
        }
    }

    /// What is wished for a cluster. None: it is not meant.
    pub fn preference(&self, cluster: &str) -> Option<Preferences> {
        if self.placement.is_empty() {
            return Some(Preferences::default());
        }
        let mut named = self.placement.iter();
        named
            .find(|reference| reference.cluster == cluster)
            .map(|reference| reference.preferences)
    }

    /// What `KubeAdmiral` asks of each cluster, overflow too, where weights are given; clusters that are asked for
    /// nothing are left out. Where none are given, `weights` are by name, such as those of
    /// [`dynamic_weights`](super::dynamic_weights).
    ///
    /// # Errors
    /// Clusters that are named twice, minimums above maximums, and counts beyond all measure.
    pub fn plan(
        &self,
        clusters: &[Member<'_>],
        weights: &BTreeMap<String, u64>,
        replicas: u64,
        key: &str,
    ) -> Result<BTreeMap<String, u64>, DivideError> {
        let has_weights = self.has_weights();
        let parties = clusters.iter().filter_map(|member| {
            let wished = self.preference(member.name)?;
            let weight = match has_weights {
                true => wished.weight.unwrap_or(0),
                false => weights.get(member.name).copied().unwrap_or(0),
            };
            let party = member.party().weight(weight);
            Some(party.min(wished.min_replicas).max(wished.max_replicas))
        });
        let parties: Vec<Party<'_>> = parties.collect();
        asked(&parties, replicas, key, self.planner())
    }

    /// The same as a target.
    ///
    /// # Errors
    /// When clusters that meet one of several affinities are meant.
    pub fn target(&self, replicas: u64) -> Result<Target, PolicyError> {
        let target = match self.scheduling_mode {
            SchedulingMode::Duplicate => Target::each(replicas),
            SchedulingMode::Divide => {
                let by = match self.replicas_strategy {
                    ReplicasStrategy::Binpack => DivideBy::Fewest,
                    ReplicasStrategy::Spread if self.has_weights() => DivideBy::Weight,
                    ReplicasStrategy::Spread => DivideBy::Capacity,
                };
                let divided = Target::replicas(replicas).divided_by(by);
                self.placement
                    .iter()
                    .map(|reference| self.bound(reference))
                    .fold(divided, Target::bound)
            }
        };
        let target = match self.max_clusters {
            Some(max) => target.over_clusters(None, Some(max)),
            None => target,
        };
        let mut selector = match &self.cluster_affinity[..] {
            [] => ClusterSelector::everything(),
            [one] => one.clone(),
            _ => {
                let what = "several cluster affinities are alternatives, which a target has not; use one";
                return Err(PolicyError::Unsupported(what.to_owned()));
            }
        };
        for (key, value) in &self.cluster_selector {
            selector = selector.and(Requirement::new(Fact::Label, key, Operator::In, [value]));
        }
        if !self.placement.is_empty() {
            let names = self.placement.iter().map(|reference| &reference.cluster);
            selector = selector.and(Requirement::name(Operator::In, names));
        }
        Ok(target.within(selector))
    }

    /// A workload of so many replicas that goes where this says; what it needs is to be added.
    ///
    /// # Errors
    /// As [`target`](Self::target).
    pub fn workload(&self, name: impl Into<WorkloadId>, replicas: u64) -> Result<Workload, PolicyError> {
        let mut workload = Workload::new(name, [self.target(replicas)?]);
        workload.tolerations.clone_from(&self.tolerations);
        workload.moves.pinned =
            self.sticky_cluster || self.reschedule_policy.replica_rescheduling.avoid_disruption;
        if self.replicas_strategy == ReplicasStrategy::Binpack {
            for reference in &self.placement {
                let priority = reference.preferences.priority.unwrap_or(0).clamp(-100, 100);
                let weight = i32::try_from(priority).unwrap_or(0);
                if weight != 0 {
                    workload = workload.prefer(ClusterSelector::named([&reference.cluster]), weight);
                }
            }
        }
        Ok(workload)
    }

    fn has_weights(&self) -> bool {
        self.placement
            .iter()
            .any(|reference| reference.preferences.weight.is_some())
    }

    fn bound(&self, reference: &ClusterReference) -> Bound {
        let wished = reference.preferences;
        let weight = if self.has_weights() {
            wished.weight.unwrap_or(0)
        } else {
            1
        };
        let bound = Bound::cluster(&reference.cluster)
            .weight(weight)
            .min(wished.min_replicas);
        match wished.max_replicas {
            Some(max) => bound.max(max),
            None => bound,
        }
    }
}
