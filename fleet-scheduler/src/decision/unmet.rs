//! Limits of a target that its placement does not meet.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A limit of a target that its placement does not meet: what is there stays, and where there are few replicas not every
/// minimum can be met. None of this keeps replicas away: what does is a [`Limit`](crate::Limit).
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Unmet {
    /// Of what.
    pub of: Limited,
    /// How many there are: replicas on a cluster, else clusters or domains.
    pub got: u64,
    /// At least so many, where it is fewer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub min: Option<u64>,
    /// At most so many, where it is more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
}

/// What a limit is of.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Limited {
    /// Replicas on this cluster.
    Cluster(String),
    /// Clusters that it is on.
    Clusters,
    /// Domains of this label that it is in; of an inner level, those within the domain of the level above that has fewest,
    /// or, where there are too many, most.
    Domains(String),
    /// Replicas by which one domain of this label has more than another, both with something on them; of an inner level,
    /// within the same domain of the level above.
    Skew(String),
}

impl Unmet {
    /// What is not met of these limits; none: both are.
    pub(crate) fn of(of: Limited, got: u64, min: Option<u64>, max: Option<u64>) -> Option<Self> {
        let (min, max) = (min.filter(|min| got < *min), max.filter(|max| got > *max));
        (min.is_some() || max.is_some()).then_some(Self { of, got, min, max })
    }
}

impl fmt::Display for Unmet {
    /// `in 1 domain of region, at least 2 asked for`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (got, s) = (self.got, if self.got == 1 { "" } else { "s" });
        match &self.of {
            Limited::Cluster(name) => write!(f, "{got} replica{s} on {name}")?,
            Limited::Clusters => write!(f, "on {got} cluster{s}")?,
            Limited::Domains(label) => write!(f, "in {got} domain{s} of {label}")?,
            Limited::Skew(label) => write!(f, "{got} replica{s} more in one {label} than in another")?,
        }
        match (self.min, self.max) {
            (Some(min), _) => write!(f, ", at least {min} asked for"),
            (_, Some(max)) => write!(f, ", at most {max} asked for"),
            _ => Ok(()),
        }
    }
}
