//! `spec.placement` of a `PropagationPolicy`.

use serde::Deserialize;

use super::{ClusterAffinity, REGION};
use crate::{
    model::{
        Bound, ClusterInfo, ClusterSelector, DivideBy, Spread, Target, Toleration, Workload, WorkloadId,
    },
    presets::PolicyError,
};

/// Where resources go: `spec.placement` of a `PropagationPolicy`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Placement {
    /// The clusters it may be on. None, and no groups either: any.
    pub cluster_affinity: Option<ClusterAffinity>,
    /// Groups of clusters, tried in order.
    pub cluster_affinities: Vec<ClusterAffinity>,
    /// The taints it bears.
    #[serde(deserialize_with = "crate::presets::tolerations::read")]
    pub cluster_tolerations: Vec<Toleration>,
    /// Over how many clusters and regions.
    pub spread_constraints: Vec<SpreadConstraint>,
    /// How replicas are divided. None: each cluster has all of them.
    pub replica_scheduling: Option<ReplicaScheduling>,
}

/// Over how many clusters, or regions.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct SpreadConstraint {
    /// Over what.
    pub spread_by_field: SpreadByField,
    /// Over the values of this label instead; Karmada does not do so yet.
    pub spread_by_label: String,
    /// At most so many. 0: no maximum.
    pub max_groups: u32,
    /// At least so many. 0 counts as 1.
    pub min_groups: u32,
}

/// Over what resources are spread.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub enum SpreadByField {
    /// Over clusters.
    #[default]
    Cluster,
    /// Over regions, and clusters within them.
    Region,
    /// Over zones; Karmada does not do so yet.
    Zone,
    /// Over providers; Karmada does not do so yet.
    Provider,
}

/// How replicas are divided.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ReplicaScheduling {
    /// Whether they are.
    pub replica_scheduling_type: ReplicaSchedulingType,
    /// By what.
    pub replica_division_preference: ReplicaDivisionPreference,
    /// The weights. None: all clusters weigh the same.
    pub weight_preference: Option<ClusterPreferences>,
}

/// Whether replicas are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum ReplicaSchedulingType {
    /// Each cluster has all of them.
    Duplicated,
    /// They are divided.
    #[default]
    Divided,
}

/// By what replicas are divided.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum ReplicaDivisionPreference {
    /// Over as few clusters as can carry them.
    Aggregated,
    /// By weights.
    #[default]
    Weighted,
}

/// Weights of clusters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterPreferences {
    /// Weights that are given. Where several are for one cluster, the largest counts.
    pub static_weight_list: Vec<StaticClusterWeight>,
    /// By what fits instead.
    pub dynamic_weight: Option<DynamicWeight>,
}

/// A weight that is given to some clusters.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct StaticClusterWeight {
    /// Which.
    pub target_cluster: ClusterAffinity,
    /// How much.
    pub weight: u64,
}

/// What weighs where weights are not given.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum DynamicWeight {
    /// How many replicas fit.
    AvailableReplicas,
}

/// The four ways there are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Strategy {
    Duplicated,
    StaticWeight,
    DynamicWeight,
    Aggregated,
}

impl Placement {
    /// Anywhere, all replicas on each cluster.
    pub fn new() -> Self {
        Self::default()
    }

    /// Only on these clusters.
    #[must_use]
    pub fn affinity(mut self, affinity: ClusterAffinity) -> Self {
        self.cluster_affinity = Some(affinity);
        self
    }

    /// Only on clusters of this group; said again, of this one where the groups before cannot carry everything.
    #[must_use]
    pub fn group(mut self, affinity: ClusterAffinity) -> Self {
        self.cluster_affinities.push(affinity);
        self
    }

    /// Over at least and at most so many.
    #[must_use]
    pub fn spread(mut self, by: SpreadByField, min: u32, max: u32) -> Self {
        self.spread_constraints.push(SpreadConstraint {
            spread_by_field: by,
            min_groups: min,
            max_groups: max,
            ..SpreadConstraint::default()
        });
        self
    }

    /// Divided by these weights; clusters that none is for get nothing.
    #[must_use]
    pub fn static_weights(mut self, weights: impl IntoIterator<Item = (ClusterAffinity, u64)>) -> Self {
        let weight = |(target_cluster, weight)| StaticClusterWeight {
            target_cluster,
            weight,
        };
        self.replica_scheduling = Some(ReplicaScheduling {
            weight_preference: Some(ClusterPreferences {
                static_weight_list: weights.into_iter().map(weight).collect(),
                dynamic_weight: None,
            }),
            ..ReplicaScheduling::default()
        });
        self
    }

    /// Divided by what fits.
    #[must_use]
    pub fn dynamic_weight(mut self) -> Self {
        self.replica_scheduling = Some(ReplicaScheduling {
            weight_preference: Some(ClusterPreferences {
                static_weight_list: Vec::new(),
                dynamic_weight: Some(DynamicWeight::AvailableReplicas),
            }),
            ..ReplicaScheduling::default()
        });
        self
    }

    /// Divided over as few clusters as can carry everything.
    #[must_use]
    pub fn aggregated(mut self) -> Self {
        self.replica_scheduling = Some(ReplicaScheduling {
            replica_division_preference: ReplicaDivisionPreference::Aggregated,
            ..ReplicaScheduling::default()
        });
        self
    }

    /// A workload of so many replicas that goes where this says; what it needs is to be added.
    ///
    /// # Errors
    /// When the policy asks for something that Karmada's scheduler or this preset does not do.
    pub fn workload(&self, name: impl Into<WorkloadId>, replicas: u64) -> Result<Workload, PolicyError> {
        let mut workload = Workload::new(name, [self.target(replicas)?]);
        workload.tolerations.clone_from(&self.cluster_tolerations);
        Ok(workload)
    }

    /// The same as a target.
    ///
    /// # Errors
    /// As [`workload`](Self::workload).
    pub fn target(&self, replicas: u64) -> Result<Target, PolicyError> {
        let (cluster, region) = self.constraints()?;
        let groups = self.groups()?;
        if groups.iter().any(|group| !group.overflow_affinities.is_empty()) {
            return Err(PolicyError::Unsupported(
                "overflow tiers are divided by `schedule` alone; name the tiers as groups".to_owned(),
            ));
        }
        let most = |constraint: Option<&SpreadConstraint>| {
            let most = constraint.map(|constraint| constraint.max_groups);
            most.filter(|most| *most > 0)
        };
        // Each region gets a cluster, however few clusters are asked for.
        let least_regions = region.map_or(0, SpreadConstraint::least);
        let clusters = most(cluster).map(|most| most.max(least_regions));
        let least = cluster.map(SpreadConstraint::least);
        let strategy = self.strategy();
        let divided = |by| Target::replicas(replicas).divided_by(by);
        let mut target = match strategy {
            Strategy::Duplicated => Target::each(replicas).over_clusters(None, clusters),
            Strategy::StaticWeight => self
                .bounds()
                .into_iter()
                .fold(divided(DivideBy::Weight), Target::bound),
            Strategy::DynamicWeight => divided(DivideBy::Capacity).over_clusters(least, clusters),
            Strategy::Aggregated => divided(DivideBy::Fewest).over_clusters(least, clusters),
        };
        if let Some(region) = region {
            let mut spread = Spread::over(REGION);
            if strategy != Strategy::StaticWeight {
                (spread.min, spread.max) = (Some(region.least()), most(Some(region)));
            }
            target = target.spread(spread);
        }
        Ok(groups
            .into_iter()
            .map(ClusterAffinity::selector)
            .fold(target, Target::within))
    }

    /// The groups of clusters, in order; none: any cluster.
    pub(super) fn groups(&self) -> Result<Vec<&ClusterAffinity>, PolicyError> {
        match (&self.cluster_affinity, &self.cluster_affinities[..]) {
            (Some(one), []) => Ok(vec![one]),
            (None, groups) => Ok(groups.iter().collect()),
            _ => Err(PolicyError::Exclusive("clusterAffinity", "clusterAffinities")),
        }
    }

    /// The constraints by cluster and by region.
    pub(super) fn constraints(
        &self,
    ) -> Result<(Option<&SpreadConstraint>, Option<&SpreadConstraint>), PolicyError> {
        let unsupported = |what: &str| Err(PolicyError::Unsupported(what.to_owned()));
        let by = |field| {
            let mut all = self.spread_constraints.iter();
            all.find(|constraint| constraint.spread_by_field == field)
        };
        if self
            .spread_constraints
            .iter()
            .any(|constraint| !constraint.spread_by_label.is_empty())
            || by(SpreadByField::Zone).is_some()
            || by(SpreadByField::Provider).is_some()
        {
            return unsupported("Karmada spreads over clusters and regions alone; use a target's `spread`");
        }
        let (cluster, region) = (by(SpreadByField::Cluster), by(SpreadByField::Region));
        if cluster.is_none() && region.is_some() {
            return unsupported("a spread over regions needs one over clusters, too");
        }
        if self.spread_constraints.len() > usize::from(cluster.is_some()) + usize::from(region.is_some()) {
            return unsupported("two spread constraints are over the same field");
        }
        Ok((cluster, region))
    }

    pub(super) fn strategy(&self) -> Strategy {
        let Some(scheduling) = &self.replica_scheduling else {
            return Strategy::Duplicated;
        };
        let is_dynamic = scheduling
            .weight_preference
            .as_ref()
            .is_some_and(|weights| weights.dynamic_weight.is_some());
        match (
            scheduling.replica_scheduling_type,
            scheduling.replica_division_preference,
        ) {
            (ReplicaSchedulingType::Duplicated, _) => Strategy::Duplicated,
            (_, ReplicaDivisionPreference::Aggregated) => Strategy::Aggregated,
            _ if is_dynamic => Strategy::DynamicWeight,
            _ => Strategy::StaticWeight,
        }
    }

    fn static_weight_list(&self) -> &[StaticClusterWeight] {
        let weights = self
            .replica_scheduling
            .as_ref()
            .and_then(|scheduling| scheduling.weight_preference.as_ref());
        weights.map_or(&[], |weights| &weights.static_weight_list)
    }

    /// The weight of a cluster: the largest of those that are for it, 0 where none is. Without any list all weigh 1.
    pub fn static_weight(&self, cluster: &ClusterInfo) -> u64 {
        let list = self.static_weight_list();
        if list.is_empty() {
            return 1;
        }
        let weights = list
            .iter()
            .filter(|one| one.target_cluster.selector().matches(cluster))
            .map(|one| one.weight);
        weights.max().unwrap_or(0)
    }

    /// The static weights as bounds, the largest first: the first that matches counts.
    fn bounds(&self) -> Vec<Bound> {
        let mut list: Vec<&StaticClusterWeight> = self.static_weight_list().iter().collect();
        list.sort_by_key(|one| std::cmp::Reverse(one.weight));
        // Where all weigh nothing, all weigh the same.
        if list.iter().all(|one| one.weight == 0) {
            return Vec::new();
        }
        let rest = Bound::of(ClusterSelector::everything()).weight(0);
        list.into_iter()
            .map(|one| Bound::of(one.target_cluster.selector()).weight(one.weight))
            .chain([rest])
            .collect()
    }
}

impl SpreadConstraint {
    /// At least so many.
    pub(super) fn least(&self) -> u32 {
        self.min_groups.max(1)
    }
}
