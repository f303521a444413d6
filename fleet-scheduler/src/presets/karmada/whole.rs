//! All of Karmada's scheduler for one resource, in plain numbers.

use std::collections::BTreeMap;

use super::{
    ClusterAffinity, ClusterLocality, Detail, Groups, Placement, REGION, SelectError, SpreadConstraint,
    best_first, policy::Strategy, score_divided, score_duplicated, select_by_cluster, select_by_region,
};
use crate::{
    divide::{DivideError, Division, Mode, Party, Ties, karmada},
    model::ClusterInfo,
    presets::PolicyError,
};

/// A cluster that passes all filters but the policy's affinity.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Member<'a> {
    /// The cluster.
    pub cluster: &'a ClusterInfo,
    /// How many replicas it can have besides those it has. None: not known, which counts as all of them.
    pub allocatable: Option<u64>,
    /// How many it has.
    pub current: u64,
}

impl<'a> Member<'a> {
    /// A cluster where nothing runs, and of which nothing is known.
    pub fn new(cluster: &'a ClusterInfo) -> Self {
        Self {
            cluster,
            allocatable: None,
            current: 0,
        }
    }

    /// So many more fit.
    #[must_use]
    pub fn allocatable(mut self, replicas: u64) -> Self {
        self.allocatable = Some(replicas);
        self
    }

    /// It has so many.
    #[must_use]
    pub fn current(mut self, replicas: u64) -> Self {
        self.current = replicas;
        self
    }
}

/// Why Karmada would place nothing.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Unschedulable {
    /// The policy cannot be taken over.
    #[error(transparent)]
    Policy(#[from] PolicyError),
    /// No cluster is meant.
    #[error("no cluster matches the affinity")]
    NoCluster,
    /// Clusters cannot be selected.
    #[error(transparent)]
    Select(#[from] SelectError),
    /// Replicas cannot be divided.
    #[error(transparent)]
    Divide(#[from] DivideError),
}

impl Placement {
    /// What Karmada's scheduler answers: replicas by cluster, those with none left out. The first group of clusters
    /// that carries everything is taken. `uid` is the binding's; it breaks ties.
    ///
    /// # Errors
    /// Why no group carries everything: the reason of the last.
    pub fn schedule(
        &self,
        members: &[Member<'_>],
        replicas: u64,
        uid: &str,
        mode: Mode,
    ) -> Result<BTreeMap<String, u64>, Unschedulable> {
        let groups = self.groups()?;
        self.constraints()?;
        let has_tiers = groups.iter().any(|group| !group.overflow_affinities.is_empty());
        if has_tiers && self.strategy() != Strategy::DynamicWeight {
            let what = "overflow tiers need replicas that are divided by what fits";
            return Err(PolicyError::Unsupported(what.to_owned()).into());
        }
        if groups.is_empty() {
            return self.schedule_group(&ClusterAffinity::default(), members, replicas, uid, mode);
        }
        let mut last = Unschedulable::NoCluster;
        for group in groups {
            match self.schedule_group(group, members, replicas, uid, mode) {
                Ok(placed) => return Ok(placed),
                Err(error) => last = error,
            }
        }
        Err(last)
    }

    fn schedule_group(
        &self,
        group: &ClusterAffinity,
        members: &[Member<'_>],
        replicas: u64,
        uid: &str,
        mode: Mode,
    ) -> Result<BTreeMap<String, u64>, Unschedulable> {
        let (_, region) = self.constraints()?;
        let mut clusters: Vec<(Member<'_>, Detail<'_>)> = Vec::new();
        for member in members {
            let Some(tier) = group.tier(member.cluster) else {
                continue;
            };
            let in_region = member.cluster.cluster.labels.get(REGION).map(String::as_str);
            if region.is_some() && in_region.is_none() {
                continue;
            }
            let score = if member.current > 0 {
                ClusterLocality::HERE
            } else {
                0
            };
            let available = member
                .allocatable
                .unwrap_or(replicas)
                .saturating_add(member.current);
            let detail = Detail::new(member.cluster.name(), score, available);
            clusters.push((*member, detail.region(in_region).tier(tier)));
        }
        if clusters.is_empty() {
            return Err(Unschedulable::NoCluster);
        }
        let details: Vec<Detail<'_>> = clusters.iter().map(|(_, detail)| *detail).collect();
        let selected = self.select(&details, replicas)?;
        let chosen: Vec<(Member<'_>, usize)> = selected
            .into_iter()
            .map(|at| (clusters[at].0, clusters[at].1.tier))
            .collect();
        let tiers = chosen.iter().map(|(_, tier)| *tier).max().unwrap_or(0);
        let mut placed = BTreeMap::new();
        let mut rest = replicas;
        for tier in 0..=tiers {
            let tier: Vec<&Member<'_>> = chosen
                .iter()
                .filter(|(_, of)| *of == tier)
                .map(|(member, _)| member)
                .collect();
            let holds = tier.iter().fold(0_u64, |sum, member| {
                sum.saturating_add(member.allocatable.unwrap_or(replicas))
                    .saturating_add(member.current)
            });
            let count = if tiers == 0 { rest } else { rest.min(holds) };
            let division = self.assign(&tier, count, uid, mode)?;
            rest -= count.min(rest);
            let pairs = tier.iter().zip(division.replicas);
            placed.extend(
                pairs
                    .filter(|(_, count)| *count > 0)
                    .map(|(member, count)| (member.cluster.name().to_owned(), count)),
            );
        }
        if rest > 0 {
            let error = DivideError::Insufficient {
                asked: replicas,
                available: replicas - rest,
            };
            return Err(error.into());
        }
        Ok(placed)
    }

    fn select(&self, details: &[Detail<'_>], replicas: u64) -> Result<Vec<usize>, Unschedulable> {
        let strategy = self.strategy();
        let (cluster, region) = self.constraints()?;
        let groups = |constraint: &SpreadConstraint| {
            let count = |count: u32| usize::try_from(count).unwrap_or(usize::MAX);
            Groups {
                min: count(constraint.least()),
                max: count(constraint.max_groups),
            }
        };
        let (Some(cluster), false) = (cluster.map(groups), strategy == Strategy::StaticWeight) else {
            return Ok(best_first(details));
        };
        let is_duplicated = strategy == Strategy::Duplicated;
        let Some(region) = region.map(groups) else {
            let need = (!is_duplicated).then_some(replicas);
            return Ok(select_by_cluster(details, cluster, need)?);
        };
        let score = |members: &[Detail<'_>]| match is_duplicated {
            true => score_duplicated(members, replicas),
            false => score_divided(members, replicas, region.min, cluster.min),
        };
        Ok(select_by_region(details, region, cluster, score)?)
    }

    fn assign(
        &self,
        members: &[&Member<'_>],
        replicas: u64,
        uid: &str,
        mode: Mode,
    ) -> Result<Division, DivideError> {
        let ties = Ties::of_uid(uid);
        let parties = members.iter().map(|member| {
            let capacity = member
                .allocatable
                .map(|allocatable| allocatable.saturating_add(member.current));
            Party::new(member.cluster.cluster.name.as_str())
                .weight(self.static_weight(member.cluster))
                .capacity(capacity)
                .current(member.current)
        });
        let parties: Vec<Party<'_>> = parties.collect();
        match self.strategy() {
            Strategy::Duplicated => karmada::duplicated(&parties, replicas),
            Strategy::StaticWeight => karmada::static_weight(&parties, replicas, ties),
            Strategy::DynamicWeight => karmada::dynamic_weight(&parties, replicas, mode, ties),
            Strategy::Aggregated => karmada::aggregated(&parties, replicas, mode, ties),
        }
    }
}
