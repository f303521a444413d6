//! What one replica asks for, by the numbers of a fleet's resources.

use std::{collections::HashMap, sync::Arc};

use fleet_core::Resources;

/// The resource that pods are counted in.
pub(crate) const PODS: &str = "pods";

/// What one replica asks for, or several that come together, by the numbers of a fleet's resources. Amounts of 0 are left
/// out.
///
/// A replica takes a slot for a pod, whatever else it asks for: where it does not name `pods`, it asks for one of the
/// clusters that say how many pods they carry, as kube-scheduler counts pods against a node's allocatable `pods`. A cluster
/// that does not say so has no such limit. What is several pods names how many; what is none names 0.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Needs {
    /// What all of them ask for. A slot that is not named comes last.
    parts: Vec<(usize, i64)>,
    /// What one of them asks for: all of that must be free on one node.
    replica: Vec<(usize, i64)>,
    /// Whether the last part is a slot that is not named.
    has_slot: bool,
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
        if let Some(pods) = numbers.get(PODS).filter(|_| !needs.names(PODS)) {
            compiled.parts.push((*pods, 1));
            compiled.has_slot = true;
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

    /// Whether it asks for nothing of any cluster, not even a slot for a pod.
    pub fn is_nothing(&self) -> bool {
        self.parts.is_empty() && self.unknown.is_empty()
    }

    /// The resources it asks for that no cluster has, by name.
    pub fn unknown(&self) -> impl ExactSizeIterator<Item = &str> {
        self.unknown.iter().map(|name| &**name)
    }

    /// How much of a resource all of them ask for.
    pub(crate) fn at(&self, number: usize) -> i64 {
        let part = self.parts.iter().find(|(of, _)| *of == number);
        part.map_or(0, |(_, amount)| *amount)
    }

    /// What all of them ask for: of clusters that count pods, or of those that do not.
    pub(super) fn parts(&self, counts_pods: bool) -> &[(usize, i64)] {
        &self.parts[..self.count(counts_pods)]
    }

    /// How many replicas come together.
    pub(super) fn replicas(&self) -> u64 {
        let pair = self.parts.first().zip(self.replica.first());
        let times = pair.map_or(1, |((_, all), (_, one))| all / one);
        u64::try_from(times).unwrap_or(1).max(1)
    }

    /// What one replica asks for, in the order of [`parts`](Self::parts).
    pub(super) fn replica(&self, counts_pods: bool) -> &[(usize, i64)] {
        &self.replica[..self.count(counts_pods)]
    }

    fn count(&self, counts_pods: bool) -> usize {
        self.parts.len() - usize::from(self.has_slot && !counts_pods)
    }
}
