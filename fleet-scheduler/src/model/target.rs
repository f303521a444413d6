//! Where a workload is to run: on named clusters, on a group of them, or on whichever fit.

use serde::{Deserialize, Serialize};

use super::ClusterSelector;

/// One wish of a workload: on which clusters, how many replicas, and how they are divided.
///
/// The clusters are those that are named, or those of a group, or, where neither is said, all of them; constraints and
/// scores pick among them.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(try_from = "Written", into = "Written")]
#[non_exhaustive]
pub struct Target {
    /// What it is called in decisions; unique in the workload. Empty: its place in the list, from 1.
    pub name: String,
    /// Only these clusters, by name. Empty: any.
    pub clusters: Vec<String>,
    /// Only these clusters. Several groups are tried in order: the first that can carry everything is taken. Where none can,
    /// all are filled in order; with limits on clusters or domains it is divided over all of them at once, the clusters of
    /// earlier groups first. What is to be on every cluster is on those of the first group of which any can take it.
    pub groups: Vec<ClusterSelector>,
    /// How many replicas.
    pub take: Take,
    /// Over which domains they are spread, outermost first: the second counts within each domain of the first.
    pub spread: Vec<Spread>,
    /// What it says that has no meaning for it: it has the same number on each cluster.
    undivided: Undivided,
}

/// What goes with [`Take::Divided`] alone, as it was said of [`Take::Each`].
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
struct Undivided {
    min: Option<u32>,
    by: Option<DivideBy>,
    bounds: Vec<Bound>,
}

/// How many replicas.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[non_exhaustive]
pub enum Take {
    /// The same number on each cluster.
    Each {
        /// How many on each.
        replicas: u64,
        /// On the best so many clusters. None: on every one.
        clusters: Option<u32>,
    },
    /// A number in all, divided over clusters.
    Divided {
        /// How many in all.
        replicas: u64,
        /// On how many clusters.
        clusters: Clusters,
        /// How they are divided.
        by: DivideBy,
        /// Limits and weights of single clusters; the first that matches counts.
        bounds: Vec<Bound>,
    },
}

/// On how many clusters.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Clusters {
    /// At least so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// At most so many.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
}

/// How replicas are divided over the clusters that are taken.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum DivideBy {
    /// Over as few clusters as can carry them, the best first.
    #[default]
    Fewest,
    /// By the weights in `bounds` (1 where none is given), by Webster's method: one replica more takes from nobody.
    Weight,
    /// By what is free, by Webster's method.
    Capacity,
    /// For the least cost: the cheapest clusters and domains are taken, and the cheapest of them filled first; scores only
    /// say which of two that cost the same is better.
    Cost,
}

/// Limits and weight of the clusters it matches.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Bound {
    /// Only these clusters, by name. Empty: any.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub clusters: Vec<String>,
    /// Only these clusters.
    #[serde(default, rename = "where")]
    pub selector: ClusterSelector,
    /// Their share, compared with others'. Default: 1.
    #[serde(default = "one")]
    pub weight: u64,
    /// At least so many replicas on each that is taken. Where there are too few replicas for that, the decision says so
    /// ([`TargetDecision::unmet`](crate::TargetDecision::unmet)).
    #[serde(default)]
    pub min: u64,
    /// At most so many replicas on each. Nothing that is there moves for it: where there are more already, the decision
    /// says so ([`TargetDecision::unmet`](crate::TargetDecision::unmet)).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

fn one() -> u64 {
    1
}

impl Bound {
    /// For these clusters: weight 1, no limits.
    pub fn of(selector: ClusterSelector) -> Self {
        Self {
            clusters: Vec::new(),
            selector,
            weight: 1,
            min: 0,
            max: None,
        }
    }

    /// For one cluster.
    pub fn cluster(name: impl Into<String>) -> Self {
        Self {
            clusters: vec![name.into()],
            ..Self::of(ClusterSelector::everything())
        }
    }

    /// With this weight.
    #[must_use]
    pub fn weight(mut self, weight: u64) -> Self {
        self.weight = weight;
        self
    }

    /// With at least so many.
    #[must_use]
    pub fn min(mut self, min: u64) -> Self {
        self.min = min;
        self
    }

    /// With at most so many.
    #[must_use]
    pub fn max(mut self, max: u64) -> Self {
        self.max = Some(max);
        self
    }
}

/// Over which domains replicas are spread. A cluster without the label is not taken.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
#[non_exhaustive]
pub struct Spread {
    /// The label whose values are the domains.
    pub over: String,
    /// Over at least so many domains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min: Option<u32>,
    /// Over at most so many domains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u32>,
    /// At most so many replicas more in one taken domain than in another, 1 at least.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub skew: Option<u64>,
}

impl Spread {
    /// Over the domains of this label.
    pub fn over(label: impl Into<String>) -> Self {
        Self {
            over: label.into(),
            min: None,
            max: None,
            skew: None,
        }
    }

    /// Over at least so many.
    #[must_use]
    pub fn min(mut self, min: u32) -> Self {
        self.min = Some(min);
        self
    }

    /// Over at most so many.
    #[must_use]
    pub fn max(mut self, max: u32) -> Self {
        self.max = Some(max);
        self
    }

    /// With at most so many replicas more in one than in another.
    #[must_use]
    pub fn skew(mut self, skew: u64) -> Self {
        self.skew = Some(skew);
        self
    }
}

impl Target {
    fn taking(take: Take) -> Self {
        Self {
            name: String::new(),
            clusters: Vec::new(),
            groups: Vec::new(),
            take,
            spread: Vec::new(),
            undivided: Undivided::default(),
        }
    }

    /// So many replicas on every cluster.
    pub fn each(replicas: u64) -> Self {
        Self::taking(Take::Each {
            replicas,
            clusters: None,
        })
    }

    /// One replica on the best so many clusters.
    pub fn some(clusters: u32) -> Self {
        Self::taking(Take::Each {
            replicas: 1,
            clusters: Some(clusters),
        })
    }

    /// So many replicas in all, over as few clusters as can carry them.
    pub fn replicas(replicas: u64) -> Self {
        Self::taking(Take::Divided {
            replicas,
            clusters: Clusters::default(),
            by: DivideBy::default(),
            bounds: Vec::new(),
        })
    }

    /// Whether it may be on any number of clusters and domains.
    pub(crate) fn is_unlimited(&self) -> bool {
        let is_free = match &self.take {
            Take::Each { clusters, .. } => clusters.is_none(),
            Take::Divided { clusters, .. } => *clusters == Clusters::default(),
        };
        is_free && self.spread.is_empty()
    }

    /// Called so.
    #[must_use]
    pub fn named(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// Only on these clusters.
    #[must_use]
    pub fn on(mut self, clusters: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.clusters.extend(clusters.into_iter().map(Into::into));
        self
    }

    /// Only on clusters of this group; said again, of this one where the groups before cannot carry everything.
    #[must_use]
    pub fn within(mut self, group: ClusterSelector) -> Self {
        self.groups.push(group);
        self
    }

    /// Spread over domains, within those given before.
    #[must_use]
    pub fn spread(mut self, spread: Spread) -> Self {
        self.spread.push(spread);
        self
    }

    /// Divided so. Where each cluster has the same number, the workload is [invalid](crate::InvalidWorkload::NotDivided).
    #[must_use]
    pub fn divided_by(mut self, divide_by: DivideBy) -> Self {
        match &mut self.take {
            Take::Divided { by, .. } => *by = divide_by,
            Take::Each { .. } => self.undivided.by = Some(divide_by),
        }
        self
    }

    /// On at least and at most so many clusters. Where each cluster has the same number, it is on as many clusters as may be
    /// anyhow: with a limit at least, the workload is [invalid](crate::InvalidWorkload::NotDivided).
    #[must_use]
    pub fn over_clusters(mut self, min: Option<u32>, max: Option<u32>) -> Self {
        match &mut self.take {
            Take::Divided { clusters, .. } => *clusters = Clusters { min, max },
            Take::Each { clusters, .. } => {
                *clusters = max;
                self.undivided.min = min;
            }
        }
        self
    }

    /// With limits and weights of single clusters. Where each cluster has the same number, the workload is
    /// [invalid](crate::InvalidWorkload::NotDivided).
    #[must_use]
    pub fn bound(mut self, bound: Bound) -> Self {
        match &mut self.take {
            Take::Divided { bounds, .. } => bounds.push(bound),
            Take::Each { .. } => self.undivided.bounds.push(bound),
        }
        self
    }

    /// What it says that goes with replicas that are divided, where they are not.
    pub(crate) fn undivided(&self) -> Option<&'static str> {
        let Undivided { min, by, bounds } = &self.undivided;
        let said = [
            (min.is_some(), "a number of clusters at least"),
            (by.is_some(), "how they are divided"),
            (!bounds.is_empty(), "a bound of single clusters"),
        ];
        let is_each = matches!(self.take, Take::Each { .. });
        said.into_iter()
            .find_map(|(is_said, what)| (is_said && is_each).then_some(what))
    }
}

/// As people write it.
#[derive(Clone, Default, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
struct Written {
    #[serde(skip_serializing_if = "String::is_empty")]
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    clusters: Option<Vec<String>>,
    #[serde(rename = "where", skip_serializing_if = "Option::is_none")]
    selector: Option<ClusterSelector>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    else_where: Vec<ClusterSelector>,
    #[serde(skip_serializing_if = "Option::is_none")]
    each: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    replicas: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    over_clusters: Option<Clusters>,
    #[serde(skip_serializing_if = "Option::is_none")]
    divide_by: Option<DivideBy>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    bounds: Vec<Bound>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    spread: Vec<Spread>,
}

/// Why a target cannot be understood.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidTarget {
    /// It does not say how many.
    #[error("a target needs either `each` (replicas on each cluster) or `replicas` (in all)")]
    HowMany,
    /// It says what belongs to `replicas`.
    #[error("`divideBy`, `bounds` and `overClusters.min` go with `replicas`, not with `each`")]
    NotDivided,
    /// It lists clusters, and there is none in the list.
    #[error("`clusters` is an empty list: leave it out where any cluster will do")]
    NoClusters,
    /// It says where else, but not where.
    #[error("`elseWhere` needs `where`")]
    ElseWithoutWhere,
}

impl TryFrom<Written> for Target {
    type Error = InvalidTarget;

    fn try_from(written: Written) -> Result<Self, InvalidTarget> {
        if written.clusters.as_ref().is_some_and(Vec::is_empty) {
            return Err(InvalidTarget::NoClusters);
        }
        let over = written.over_clusters.unwrap_or_default();
        let take = match (written.each, written.replicas) {
            (Some(_), None)
                if written.divide_by.is_some() || !written.bounds.is_empty() || over.min.is_some() =>
            {
                return Err(InvalidTarget::NotDivided);
            }
            (Some(replicas), None) => Take::Each {
                replicas,
                clusters: over.max,
            },
            (None, Some(replicas)) => Take::Divided {
                replicas,
                clusters: over,
                by: written.divide_by.unwrap_or_default(),
                bounds: written.bounds,
            },
            _ => return Err(InvalidTarget::HowMany),
        };
        if written.selector.is_none() && !written.else_where.is_empty() {
            return Err(InvalidTarget::ElseWithoutWhere);
        }
        Ok(Self {
            name: written.name,
            clusters: written.clusters.unwrap_or_default(),
            groups: written.selector.into_iter().chain(written.else_where).collect(),
            take,
            spread: written.spread,
            undivided: Undivided::default(),
        })
    }
}

impl From<Target> for Written {
    fn from(target: Target) -> Self {
        let mut groups = target.groups.into_iter();
        let mut written = Self {
            name: target.name,
            clusters: (!target.clusters.is_empty()).then_some(target.clusters),
            selector: groups.next(),
            else_where: groups.collect(),
            spread: target.spread,
            ..Self::default()
        };
        match target.take {
            Take::Each { replicas, clusters } => {
                let Undivided { min, by, bounds } = target.undivided;
                let over = Clusters { min, max: clusters };
                written.each = Some(replicas);
                written.over_clusters = (over != Clusters::default()).then_some(over);
                (written.divide_by, written.bounds) = (by, bounds);
            }
            Take::Divided {
                replicas,
                clusters,
                by,
                bounds,
            } => {
                written.replicas = Some(replicas);
                written.over_clusters = (clusters != Clusters::default()).then_some(clusters);
                written.divide_by = Some(by);
                written.bounds = bounds;
            }
        }
        written
    }
}
