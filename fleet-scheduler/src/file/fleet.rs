//! A whole fleet as people write it.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
};

use fleet_core::{Millis, Tick};
use serde::{
    Deserialize, Deserializer,
    de::{self, Error as _},
};

use super::{WrittenCluster, optional_moment, range, span};
use crate::{
    model::{ClusterInfo, FleetView, InvalidFleet},
    moves::{Budgets, Calm, Rate, StormBreaker},
    planner::PlannerOptions,
    schedule::SchedulerBuilder,
    score::External,
};

/// A file with the clusters of a fleet, what is said of them, and limits of what may move.
///
/// `clusters` is a list, or a mapping by name, as registry files of `fleet-kube` have it. Unknown fields are refused.
///
/// ```
/// use fleet_scheduler::{ClusterFile, Planner, Scheduler};
///
/// let file: ClusterFile = serde_json::from_str(r#"{
///     "clusters": [
///         {"name": "eu-1", "labels": {"region": "eu"}, "allocatable": {"cpu": "64", "memory": "256Gi"}},
///         {"name": "us-1", "labels": {"region": "us"}, "allocatable": {"cpu": "32", "memory": "128Gi"}}
///     ],
///     "data": [{"name": "orders", "clusters": ["eu-1"], "until": "2027-01-01T00:00:00Z"}],
///     "scores": [{"name": "latency", "weight": 4, "clusters": {"us-1": 80}, "until": "2026-12-01T00:00:00Z"}],
///     "budgets": {"fleet": {"limit": 100, "per": "1h"}, "cluster": {"limit": 20, "per": "1h"}},
///     "storm": {"domain": "region", "atLeast": 3, "percent": 33},
///     "calm": {"rest": "30m", "tolerance": 10}
/// }"#)?;
/// let scheduler = file.scorers(Scheduler::builder()).build();
/// let (fleet, options) = file.build()?;
/// assert_eq!((fleet.len(), options.budgets.fleet.limit), (2, 100));
/// let planner = Planner::new(scheduler, fleet, options);
/// # drop(planner);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct ClusterFile {
    /// The clusters.
    #[serde(deserialize_with = "clusters")]
    pub clusters: Vec<WrittenCluster>,
    /// Which data is where.
    pub data: Vec<WrittenData>,
    /// Scores from outside.
    pub scores: Vec<WrittenScore>,
    /// How many replicas may move in a time.
    pub budgets: Option<WrittenBudgets>,
    /// When too much looks lost at once.
    #[serde(deserialize_with = "storm")]
    pub storm: Option<StormBreaker>,
    /// When something better is worth a move.
    pub calm: Option<WrittenCalm>,
}

/// Some data is on these clusters.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WrittenData {
    /// Its name, as workloads ask for it.
    pub name: String,
    /// The clusters it is on.
    pub clusters: Vec<String>,
    /// Until when that is sure. Default: for ever.
    #[serde(default, deserialize_with = "optional_moment")]
    pub until: Option<Tick>,
}

/// Scores of clusters from outside, such as a latency or the carbon of a region's power.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WrittenScore {
    /// What they are called.
    pub name: String,
    /// How often they count, compared with other scorers; below 0: a higher score is worse. Default: 2.
    #[serde(default = "two")]
    pub weight: i32,
    /// The score of each cluster; higher is better. One that is not named is as bad as the worst.
    pub clusters: BTreeMap<String, i64>,
    /// Until when they count. Default: for ever.
    #[serde(default, deserialize_with = "optional_moment")]
    pub until: Option<Tick>,
}

fn two() -> i32 {
    2
}

/// How many replicas may move in a time: [`Budgets`] as people write them.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WrittenBudgets {
    /// Over the whole fleet.
    pub fleet: Option<WrittenRate>,
    /// Away from and to each cluster, together.
    pub cluster: Option<WrittenRate>,
}

/// So many replicas in so long.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct WrittenRate {
    /// How many replicas.
    pub limit: u64,
    /// In how long, such as `1h`; not in no time.
    #[serde(deserialize_with = "range::some_time")]
    pub per: Millis,
}

/// How calm a fleet is kept: [`Calm`] as people write it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[non_exhaustive]
pub struct WrittenCalm {
    /// For how long a workload stays after it has moved because another place was better, such as `30m`.
    #[serde(deserialize_with = "span::deserialize")]
    pub rest: Millis,
    /// How many of a hundred replicas may be at the wrong place before shares are put right.
    #[serde(deserialize_with = "range::percent")]
    pub tolerance: u8,
}

impl Default for WrittenCalm {
    fn default() -> Self {
        let Calm { rest, tolerance, .. } = Calm::default();
        Self { rest, tolerance }
    }
}

/// Why nothing can be decided on a file's clusters.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidClusterFile {
    /// The clusters are no fleet.
    #[error(transparent)]
    Fleet(#[from] InvalidFleet),
    /// Something is said of a cluster that is not listed.
    #[error("{what} names cluster {cluster}, which is not listed")]
    NotListed {
        /// Which entry.
        what: String,
        /// The cluster.
        cluster: String,
    },
    /// Two files, or two documents of one, say what may be said once.
    #[error("`{0}` is said twice: which of the two is meant is not known")]
    SaidTwice(String),
}

impl ClusterFile {
    /// Both together.
    ///
    /// # Errors
    /// When both say `budgets`, `storm`, or `calm`.
    pub fn join(mut self, other: Self) -> Result<Self, InvalidClusterFile> {
        if self.budgets.is_some() && other.budgets.is_some() {
            return Err(InvalidClusterFile::SaidTwice("budgets".to_owned()));
        }
        if self.storm.is_some() && other.storm.is_some() {
            return Err(InvalidClusterFile::SaidTwice("storm".to_owned()));
        }
        if self.calm.is_some() && other.calm.is_some() {
            return Err(InvalidClusterFile::SaidTwice("calm".to_owned()));
        }
        self.clusters.extend(other.clusters);
        self.data.extend(other.data);
        self.scores.extend(other.scores);
        self.budgets = self.budgets.or(other.budgets);
        self.storm = self.storm.or(other.storm);
        self.calm = self.calm.or(other.calm);
        Ok(self)
    }

    /// These parts, and a scorer for each of the file's `scores`.
    pub fn scorers(&self, parts: SchedulerBuilder) -> SchedulerBuilder {
        let scores = self.scores.iter();
        scores.fold(parts, |parts, scores| {
            parts.scorer(External::new(&scores.name), scores.weight)
        })
    }

    /// The fleet, and what limits moves.
    ///
    /// # Errors
    /// When two clusters have one name, one has none, scores are said twice, or data or scores name a cluster that is
    /// not listed: whoever wrote the file must correct it.
    pub fn build(self) -> Result<(FleetView, PlannerOptions), InvalidClusterFile> {
        let mut fleet = FleetView::new(self.clusters.into_iter().map(ClusterInfo::from))?;
        let listed = |fleet: &FleetView, what: String, cluster: &str| match fleet.slot(cluster) {
            Some(_) => Ok(()),
            None => Err(InvalidClusterFile::NotListed {
                what,
                cluster: cluster.to_owned(),
            }),
        };
        for data in self.data {
            for cluster in &data.clusters {
                listed(&fleet, format!("data {}", data.name), cluster)?;
            }
            let until = data.until.unwrap_or(FOR_EVER);
            fleet = fleet.data(
                data.name,
                data.clusters.into_iter().map(|cluster| (cluster, until)),
            );
        }
        let mut names = BTreeSet::new();
        for scores in self.scores {
            if !names.insert(scores.name.clone()) {
                return Err(InvalidClusterFile::SaidTwice(format!("scores {}", scores.name)));
            }
            let until = scores.until.unwrap_or(FOR_EVER);
            for (cluster, score) in scores.clusters {
                listed(&fleet, format!("score {}", scores.name), &cluster)?;
                fleet = fleet.score(scores.name.clone(), cluster, score, until);
            }
        }
        let mut options = PlannerOptions::default();
        if let Some(written) = self.budgets {
            let rate = |rate: WrittenRate| Rate::new(rate.limit, rate.per);
            let usual = Budgets::default();
            options.budgets = Budgets::new(
                written.fleet.map_or(usual.fleet, rate),
                written.cluster.map_or(usual.cluster, rate),
            );
        }
        options.storm = self.storm.unwrap_or_default();
        if let Some(written) = self.calm {
            options.calm.rest = written.rest;
            options.calm.tolerance = written.tolerance;
        }
        Ok((fleet, options))
    }
}

const FOR_EVER: Tick = Tick(u64::MAX);

/// A breaker that can trip, and does not without a loss.
fn storm<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<StormBreaker>, D::Error> {
    #[derive(Deserialize)]
    #[serde(default, rename_all = "camelCase", deny_unknown_fields)]
    struct Written {
        domain: Option<String>,
        #[serde(deserialize_with = "range::at_least_one")]
        at_least: usize,
        #[serde(deserialize_with = "range::percent")]
        percent: u8,
    }

    impl Default for Written {
        fn default() -> Self {
            let StormBreaker {
                domain,
                at_least,
                percent,
            } = StormBreaker::default();
            Self {
                domain,
                at_least,
                percent,
            }
        }
    }

    let written = Option::<Written>::deserialize(deserializer)?;
    Ok(written.map(|written| StormBreaker {
        domain: written.domain,
        at_least: written.at_least,
        percent: written.percent,
    }))
}

/// A list, or a mapping by name.
fn clusters<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<WrittenCluster>, D::Error> {
    struct Clusters;

    impl<'de> de::Visitor<'de> for Clusters {
        type Value = Vec<WrittenCluster>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of clusters, or a mapping of clusters by name")
        }

        fn visit_seq<A: de::SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
            let mut found = Vec::new();
            while let Some(Listed(cluster)) = list.next_element()? {
                found.push(cluster);
            }
            Ok(found)
        }

        fn visit_map<A: de::MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
            let mut found: BTreeMap<String, WrittenCluster> = BTreeMap::new();
            while let Some(name) = map.next_key::<String>()? {
                let mut cluster = map.next_value::<Option<WrittenCluster>>()?.unwrap_or_default();
                if !cluster.name.is_empty() && cluster.name != name {
                    let other = cluster.name;
                    return Err(A::Error::custom(format!("it is called {name} and {other}")));
                }
                cluster.name.clone_from(&name);
                if found.insert(name.clone(), cluster).is_some() {
                    return Err(A::Error::custom(InvalidFleet::Twice(name)));
                }
            }
            Ok(found.into_values().collect())
        }
    }

    deserializer.deserialize_any(Clusters)
}

/// A cluster that must say its name itself.
struct Listed(WrittenCluster);

impl<'de> Deserialize<'de> for Listed {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let cluster = WrittenCluster::deserialize(deserializer)?;
        if cluster.name.is_empty() {
            return Err(D::Error::missing_field("name"));
        }
        Ok(Self(cluster))
    }
}
