//! `spec` of a `Placement`.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use serde::Deserialize;

use super::{
    DecisionStrategy, Mode, Predicates, Prioritize, Prioritizer, PrioritizerPolicy, TotalScore,
    groups::{NamedGroup, PerGroup},
};
use crate::{
    filter::{InService, Kinds, Relations, Taints},
    model::{
        ClusterInfo, ClusterSelector, Fact, Operator, Requirement, Target, Toleration, Workload, WorkloadId,
    },
    schedule::{Scheduler, SchedulerBuilder},
};

/// The label that says which cluster set a cluster is in.
pub const CLUSTER_SET: &str = "cluster.open-cluster-management.io/clusterset";

/// Which clusters are decided on: `spec` of a `Placement`.
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Placement {
    /// Only clusters of these sets. Empty: of any, or of none.
    pub cluster_sets: Vec<String>,
    /// So many clusters. None: all that pass.
    pub number_of_clusters: Option<u32>,
    /// Only clusters that meet one of these. Empty: any.
    pub predicates: Vec<ClusterPredicate>,
    /// Which of them are the best.
    pub prioritizer_policy: PrioritizerPolicy,
    /// The taints it bears.
    #[serde(deserialize_with = "crate::presets::tolerations::read")]
    pub tolerations: Vec<Toleration>,
    /// How the clusters are put into groups.
    pub decision_strategy: DecisionStrategy,
    /// In what order they are put there.
    pub sort_by: SortBy,
}

/// In what order clusters are put into groups.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
pub enum SortBy {
    /// By name.
    #[default]
    #[serde(alias = "")]
    Name,
    /// The best first.
    Score,
}

/// What a cluster must meet: requirements on its labels and its claims, all of which must hold.
#[derive(Clone, PartialEq, Eq, Hash, Debug, Default, Deserialize)]
#[serde(from = "WrittenPredicate")]
#[non_exhaustive]
pub struct ClusterPredicate {
    /// The requirements; claims are properties.
    pub selector: ClusterSelector,
}

impl From<ClusterSelector> for ClusterPredicate {
    fn from(selector: ClusterSelector) -> Self {
        Self { selector }
    }
}

impl Placement {
    /// All clusters.
    pub fn new() -> Self {
        Self::default()
    }

    /// So many clusters.
    #[must_use]
    pub fn clusters(mut self, count: u32) -> Self {
        self.number_of_clusters = Some(count);
        self
    }

    /// Only clusters of this set, or of those given before.
    #[must_use]
    pub fn cluster_set(mut self, name: impl Into<String>) -> Self {
        self.cluster_sets.push(name.into());
        self
    }

    /// Only clusters that meet this, or what was given before.
    #[must_use]
    pub fn predicate(mut self, selector: ClusterSelector) -> Self {
        self.predicates.push(selector.into());
        self
    }

    /// What counts that is not said.
    #[must_use]
    pub fn mode(mut self, mode: Mode) -> Self {
        self.prioritizer_policy.mode = mode;
        self
    }

    /// This counts so many times, from -10 to 10; 0: not at all.
    #[must_use]
    pub fn prioritizer(mut self, prioritizer: Prioritizer, weight: i32) -> Self {
        self.prioritizer_policy.weights.insert(prioritizer, weight);
        self
    }

    /// Bears this.
    #[must_use]
    pub fn tolerate(mut self, toleration: Toleration) -> Self {
        self.tolerations.push(toleration);
        self
    }

    /// Puts clusters that meet this into a group of their own, after the groups given before.
    #[must_use]
    pub fn group(mut self, name: impl Into<String>, selector: ClusterSelector) -> Self {
        self.decision_strategy
            .group_strategy
            .decision_groups
            .push(NamedGroup::new(name, selector));
        self
    }

    /// Puts so many clusters into a group.
    #[must_use]
    pub fn clusters_per_group(mut self, per_group: PerGroup) -> Self {
        self.decision_strategy.group_strategy.clusters_per_decision_group = per_group;
        self
    }

    /// A workload of one replica on each cluster that is decided on; what it needs is to be added. The name is
    /// `namespace/name` of the placement.
    pub fn workload(&self, name: impl Into<WorkloadId>) -> Workload {
        let mut workload = Workload::new(name, [self.target()]);
        workload.tolerations.clone_from(&self.tolerations);
        // Any better score is worth it, as in the original; `Steady` says what staying is worth.
        workload.moves.price = 0;
        workload
    }

    /// The same as a target, without predicates and prioritizers, which are the scheduler's.
    pub fn target(&self) -> Target {
        let target = Target::each(1).over_clusters(None, self.number_of_clusters);
        if self.cluster_sets.is_empty() {
            return target;
        }
        let sets = Requirement::new(Fact::Label, CLUSTER_SET, Operator::In, &self.cluster_sets);
        target.within(ClusterSelector::everything().and(sets))
    }

    /// A scheduler that decides on every workload as this placement says. For several placements see
    /// [`Placements::scheduler`].
    pub fn scheduler(&self) -> Scheduler {
        Policies::One(self.clone()).scheduler()
    }

    /// Whether a cluster meets one of the predicates.
    pub fn is_met_by(&self, cluster: &ClusterInfo) -> bool {
        self.predicates.is_empty() || self.predicates.iter().any(|one| one.selector.matches(cluster))
    }
}

/// Placements by `namespace/name`, for a scheduler that decides on all of them.
#[derive(Clone, Debug, Default)]
pub struct Placements {
    by_name: BTreeMap<WorkloadId, Placement>,
}

impl Placements {
    /// None.
    pub fn new() -> Self {
        Self::default()
    }

    /// With this placement.
    #[must_use]
    pub fn with(mut self, name: impl Into<WorkloadId>, placement: Placement) -> Self {
        self.by_name.insert(name.into(), placement);
        self
    }

    /// A workload for each placement.
    pub fn workloads(&self) -> impl Iterator<Item = Workload> {
        self.by_name
            .iter()
            .map(|(name, placement)| placement.workload(name.clone()))
    }

    /// A scheduler that decides on each of these workloads as its placement says, and on others by filters alone.
    pub fn scheduler(&self) -> Scheduler {
        Policies::ByName(self.by_name.clone()).scheduler()
    }
}

/// Which placement is for which workload.
#[derive(Debug)]
pub(super) enum Policies {
    /// One for all.
    One(Placement),
    /// By the workload's name.
    ByName(BTreeMap<WorkloadId, Placement>),
}

impl Policies {
    pub(super) fn of(&self, workload: &Workload) -> Option<&Placement> {
        match self {
            Self::One(placement) => Some(placement),
            Self::ByName(placements) => placements.get(&workload.name),
        }
    }

    fn scheduler(self) -> Scheduler {
        let all: Vec<&Placement> = match &self {
            Self::One(placement) => vec![placement],
            Self::ByName(placements) => placements.values().collect(),
        };
        let used: BTreeSet<Prioritizer> = all
            .into_iter()
            .flat_map(|placement| placement.prioritizer_policy.effective().into_keys())
            .collect();
        let policies = Arc::new(self);
        let builder = SchedulerBuilder::bare()
            .filter(InService)
            .filter(Kinds)
            .filter(Predicates::new(Arc::clone(&policies)))
            .filter(Taints)
            .filter(Relations)
            .rebalancer(TotalScore::new(Arc::clone(&policies)));
        used.into_iter()
            .fold(builder, |builder, prioritizer| {
                builder.scorer(Prioritize::new(prioritizer, Arc::clone(&policies)), 1)
            })
            .build()
    }
}

#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct WrittenPredicate {
    required_cluster_selector: WrittenSelector,
}

/// A selector by labels and claims, as it is written.
#[derive(Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct WrittenSelector {
    label_selector: ClusterSelector,
    claim_selector: ClusterSelector,
}

impl From<WrittenSelector> for ClusterSelector {
    fn from(written: WrittenSelector) -> Self {
        let claims = written.claim_selector.requirements().iter();
        let claims = claims.map(|claim| {
            let values = claim.values.iter().map(String::as_str);
            Requirement::new(Fact::Property, claim.key.as_str(), claim.operator, values)
        });
        claims.fold(written.label_selector, ClusterSelector::and)
    }
}

impl From<WrittenPredicate> for ClusterPredicate {
    fn from(written: WrittenPredicate) -> Self {
        ClusterSelector::from(written.required_cluster_selector).into()
    }
}
