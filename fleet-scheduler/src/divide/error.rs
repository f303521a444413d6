//! What cannot be divided.

/// Why nothing was divided. Only [`DivideError::Insufficient`] depends on the state of the clusters; the others mean
/// that the input is wrong, and no retry helps.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DivideError {
    /// A minimum is above the maximum of the same cluster or domain: correct the policy.
    #[error("{holder}: the minimum {min} is above the maximum {max}")]
    MinOverMax {
        /// The cluster, or the domain's path.
        holder: String,
        /// Its minimum.
        min: u64,
        /// Its maximum.
        max: u64,
    },
    /// Two parties have one name: pass each cluster once.
    #[error("{name}: named twice")]
    DuplicateParty {
        /// The name.
        name: String,
    },
    /// Two limits are given for one domain, or one for a path that no level has: correct the policy.
    #[error("{domain}: limits for a domain given twice, or for no level")]
    DomainPath {
        /// The path.
        domain: String,
    },
    /// A count is larger than this module takes.
    #[error("{what}: {count} is above {most}")]
    TooMany {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        count: u64,
        /// How many are taken.
        most: u64,
    },
    /// A skew of zero would let no domain take the first replica: use one or more.
    #[error("{level}: a skew must be at least 1")]
    ZeroSkew {
        /// The level.
        level: String,
    },
    /// A cluster has no domain on a level: label it, or leave it out.
    #[error("{party}: in no domain of the level {level}")]
    MissingDomain {
        /// The cluster.
        party: String,
        /// The level.
        level: String,
    },
    /// The clusters do not have room for all, and this method places all or nothing. Keep what runs, and try again when
    /// capacity changes.
    #[error("{asked} replicas asked for, {available} fit")]
    Insufficient {
        /// Replicas to be placed.
        asked: u64,
        /// Replicas that fit.
        available: u64,
    },
}
