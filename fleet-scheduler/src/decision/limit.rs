//! What keeps a target from more.

use std::fmt;

use serde::{Deserialize, Serialize};

/// What keeps a target from more replicas than it got.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(
    rename_all = "kebab-case",
    rename_all_fields = "camelCase",
    tag = "is",
    content = "why"
)]
#[non_exhaustive]
pub enum Limit {
    /// No cluster passes all filters.
    NoCluster,
    /// What is free on the clusters that pass.
    Room,
    /// The most that single clusters may have.
    ClusterMax,
    /// It may be on no more clusters, and others have room.
    MostClusters {
        /// On how many it may be.
        most: u32,
    },
    /// It may be in no more domains, and others have room.
    MostDomains {
        /// The label whose values are the domains.
        over: String,
        /// In how many it may be.
        most: u32,
    },
    /// Too few clusters for what it must be on.
    Clusters {
        /// How many pass.
        have: usize,
        /// How many it needs.
        need: usize,
    },
    /// It may be on so few clusters that it cannot be spread over all domains that it must be on.
    MoreClusters {
        /// On how many it may be.
        most: usize,
        /// On how many it would have to be.
        need: usize,
    },
    /// Too few domains for what it must be spread over.
    Domains {
        /// The label whose values are the domains.
        over: String,
        /// How many have clusters that pass.
        have: usize,
        /// How many it needs.
        need: usize,
    },
    /// One domain would get too many more than another.
    Skew,
    /// Clusters of the target that are not there, or cannot take it.
    Named {
        /// Which.
        clusters: Vec<String>,
    },
    /// Room that is kept, or would have to be, so that something may vanish.
    Spare,
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoCluster => f.write_str("no cluster passes all filters"),
            Self::Room => f.write_str("the clusters that pass have no more room"),
            Self::ClusterMax => f.write_str("single clusters may have no more"),
            Self::MostClusters { most } => {
                write!(
                    f,
                    "it may be on {most} clusters at most, and these have no more room"
                )
            }
            Self::MostDomains { over, most } => write!(
                f,
                "it may be in {most} domains of {over} at most, and these have no more room"
            ),
            Self::Clusters { have, need } => write!(f, "it must be on {need} clusters, {have} can take it"),
            Self::MoreClusters { most, need } => write!(
                f,
                "it may be on {most} clusters at most, and its domains need {need}"
            ),
            Self::Domains { over, have, need } => {
                write!(
                    f,
                    "it must be spread over {need} domains of {over}, {have} can take it"
                )
            }
            Self::Skew => f.write_str("one domain would get too many more than another"),
            Self::Named { clusters } => write!(f, "{} cannot take it", clusters.join(", ")),
            Self::Spare => f.write_str("no room can be kept for more in case a cluster vanishes"),
        }
    }
}
