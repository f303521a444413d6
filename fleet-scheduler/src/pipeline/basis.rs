//! What an answer of a part depends on, so that it need not be asked again.

use std::hash::{DefaultHasher, Hash, Hasher};

use fleet_core::Tick;

/// What the answer of a filter or scorer for a workload depends on. Saying less than is true gives wrong answers; the
/// conformance suite notices.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub enum Basis {
    /// On anything a [`Candidate`](super::Candidate) has: it is asked each time.
    Anything,
    /// On what the fleet says of the cluster, on time by way of [`Pass::Until`], and on what the key stands for. Two
    /// workloads with one key get one answer for a cluster where neither runs; where one runs, a filter is asked, and a
    /// scorer is not: it must say the same there.
    Cluster(Key),
    /// On nothing: it lets this workload pass everywhere, or scores all clusters 0.
    Nothing,
}

/// Stands for what a part looks at in a workload: equal keys, equal answers.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Key(u64, u64);

impl Key {
    /// The key of some values: two hashes of 64 bits, the same in every process.
    pub fn of(values: impl Hash) -> Self {
        let hash = |seed: u8| {
            let mut hasher = DefaultHasher::new();
            seed.hash(&mut hasher);
            values.hash(&mut hasher);
            hasher.finish()
        };
        Self(hash(0), hash(1))
    }
}

/// A filter lets a cluster pass.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Pass {
    /// Up to and without this moment; then it must be asked again.
    Until(Tick),
    /// As long as nothing changes.
    Always,
}

impl Pass {
    /// When it must be asked again.
    pub fn until(self) -> Option<Tick> {
        match self {
            Self::Until(tick) => Some(tick),
            Self::Always => None,
        }
    }
}
