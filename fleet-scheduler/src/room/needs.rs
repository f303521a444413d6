//! What one replica asks for, by the numbers of a fleet's resources.

use std::{collections::HashMap, sync::Arc};

use fleet_core::Resources;

/// What one replica asks for, or several that come together, by the numbers of a fleet's resources. Amounts of 0 are left
/// out.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// What all of them ask for.
    parts: Vec<(usize, i64)>,
    /// What one of them asks for: all of that must be free on one node.
    replica: Vec<(usize, i64)>,
    /// The resources that no cluster of the fleet has.
    unknown: Vec<Arc<str>>,
}

impl Needs {
    pub(super) fn of(needs: &Resources, numbers: &HashMap<Arc<str>, usize>) -> Self {
        let mut compiled = Self::default();
        for (name, amount) in needs.iter().filter(|(_, amount)| *amount > 0) {
            match numbers.get(name) {
                Some(number) => compiled.parts.push((*number, amount)),
                None => compiled.unknown.push(Arc::clone(name)),
            }
        }
        compiled.replica.clone_from(&compiled.parts);
        compiled
    }

    /// What so many replicas ask for that come to a cluster together, each to a node of its own or not. What is too much to
    /// be counted is [`i64::MAX`], which fits nowhere.
    #[must_use]
    pub fn together(mut self, replicas: u64) -> Self {
        let replicas = i64::try_from(replicas).unwrap_or(i64::MAX);
        for ((_, all), (_, one)) in self.parts.iter_mut().zip(&self.replica) {
            *all = one.saturating_mul(replicas.max(1));
        }
        self
    }

    /// Whether it asks for nothing.
    pub fn is_nothing(&self) -> bool {
        self.parts.is_empty() && self.unknown.is_empty()
    }

    /// The resources it asks for that no cluster has, by name.
    pub fn unknown(&self) -> impl ExactSizeIterator<Item = &str> {
        self.unknown.iter().map(|name| &**name)
    }

    pub(super) fn parts(&self) -> &[(usize, i64)] {
        &self.parts
    }

    /// How many replicas come together.
    pub(super) fn replicas(&self) -> u64 {
        let pair = self.parts.first().zip(self.replica.first());
        let times = pair.map_or(1, |((_, all), (_, one))| all / one);
        u64::try_from(times).unwrap_or(1).max(1)
    }

    /// What one replica asks for, in the order of [`parts`](Self::parts).
    pub(super) fn replica(&self) -> &[(usize, i64)] {
        &self.replica
    }
}
