//! The clusters of a moment, checked and indexed.

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
};

use fixedbitset::FixedBitSet;
use fleet_core::{Reason, Resources, Tick};

use super::{ClusterInfo, ClusterSelector, Fact, Requirement};

/// The place of a cluster in a [`FleetView`]: clusters are in the order of their names.
pub type Slot = usize;

/// The clusters of a moment, checked and indexed. Cheap to clone; everything is decided on one of these.
///
/// ```
/// # use fleet_scheduler::{ClusterInfo, FleetView};
/// # use fleet_core::Cluster;
/// let fleet = FleetView::new([ClusterInfo::new(Cluster::new("eu-1")), ClusterInfo::new(Cluster::new("us-1"))])?;
/// assert_eq!(fleet.len(), 2);
/// # Ok::<(), fleet_scheduler::InvalidFleet>(())
/// ```
#[derive(Clone, Debug, Default)]
pub struct FleetView {
    clusters: Vec<Arc<ClusterInfo>>,
    slots: HashMap<Arc<str>, Slot>,
    labels: HashMap<Arc<str>, Column>,
    properties: HashMap<Arc<str>, Column>,
    /// By what a cost is for: what each cluster asks, by slot.
    costs: BTreeMap<Arc<str>, Vec<i64>>,
    data: BTreeMap<String, DataSet>,
    scores: BTreeMap<String, BTreeMap<String, ExternalScore>>,
}

/// What each cluster says of one label or property.
#[derive(Clone, Debug, Default)]
pub(crate) struct Column {
    /// By slot: 0 where it is not there, else the value's number from 1, in the order of values.
    pub(crate) numbers: Vec<u32>,
    pub(crate) values: Vec<Arc<str>>,
}

impl Column {
    /// What a cluster says.
    pub(crate) fn value(&self, slot: Slot) -> Option<&str> {
        let at = (self.numbers[slot] as usize).checked_sub(1)?;
        Some(&self.values[at])
    }

    /// The number of the domain it is in: a cluster that says nothing is in the domain without a name.
    pub(crate) fn domain(&self, slot: Slot) -> u32 {
        match self.numbers[slot] {
            1 if self.values[0].is_empty() => 0,
            number => number,
        }
    }
}

/// Where some data is, until when that is sure.
#[derive(Clone, Debug, Default)]
struct DataSet {
    /// What was said, of clusters that are not there, too.
    said: BTreeMap<String, Tick>,
    /// The same by slot.
    until: Vec<Option<Tick>>,
}

/// A score that somebody else has given a cluster.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct ExternalScore {
    /// Higher is better.
    pub score: i64,
    /// From then on it does not count.
    pub until: Tick,
}

/// Why nothing can be decided on these clusters.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InvalidFleet {
    /// Two clusters have one name.
    #[error("cluster {0} is listed twice: which of the two is meant is not known")]
    Twice(String),
    /// A cluster has no name.
    #[error("a cluster has no name")]
    Unnamed,
    /// Something is said of a cluster that is not there.
    #[error("cluster {0} is not in the fleet")]
    Unknown(String),
}

impl From<InvalidFleet> for Reason {
    fn from(error: InvalidFleet) -> Self {
        Self::new("invalid-fleet", error.to_string())
    }
}

impl FleetView {
    /// These clusters, in any order.
    ///
    /// # Errors
    /// When a cluster has no name, or two have one.
    pub fn new(clusters: impl IntoIterator<Item = ClusterInfo>) -> Result<Self, InvalidFleet> {
        let mut clusters: Vec<Arc<ClusterInfo>> = clusters.into_iter().map(Arc::new).collect();
        clusters.sort_by(|a, b| a.name().cmp(b.name()));
        if clusters.first().is_some_and(|cluster| cluster.name().is_empty()) {
            return Err(InvalidFleet::Unnamed);
        }
        if let Some(pair) = clusters.windows(2).find(|pair| pair[0].name() == pair[1].name()) {
            return Err(InvalidFleet::Twice(pair[0].name().to_owned()));
        }
        let slots = clusters
            .iter()
            .enumerate()
            .map(|(slot, cluster)| (cluster.name().into(), slot))
            .collect();
        let mut view = Self {
            clusters,
            slots,
            ..Self::default()
        };
        view.index_facts();
        view.index_costs();
        Ok(view)
    }

    /// Says on which clusters some data is, until when that is sure.
    #[must_use]
    pub fn data(
        mut self,
        name: impl Into<String>,
        clusters: impl IntoIterator<Item = (impl Into<String>, Tick)>,
    ) -> Self {
        let clusters = clusters
            .into_iter()
            .map(|(cluster, until)| (cluster.into(), until));
        let set = self.data.entry(name.into()).or_default();
        set.said.extend(clusters);
        set.index(&self.clusters);
        self
    }

    /// Gives a cluster a score from outside, under a name that scorers know it by.
    #[must_use]
    pub fn score(
        mut self,
        name: impl Into<String>,
        cluster: impl Into<String>,
        score: i64,
        until: Tick,
    ) -> Self {
        let scores = self.scores.entry(name.into()).or_default();
        scores.insert(cluster.into(), ExternalScore { score, until });
        self
    }

    /// How many clusters.
    pub fn len(&self) -> usize {
        self.clusters.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.clusters.is_empty()
    }

    /// All clusters by name.
    pub fn clusters(&self) -> impl Iterator<Item = &ClusterInfo> {
        self.clusters.iter().map(|cluster| &**cluster)
    }

    /// A cluster by its place.
    pub fn at(&self, slot: Slot) -> &ClusterInfo {
        &self.clusters[slot]
    }

    /// A cluster's place.
    pub fn slot(&self, name: &str) -> Option<Slot> {
        self.slots.get(name).copied()
    }

    /// A cluster by its name.
    pub fn get(&self, name: &str) -> Option<&ClusterInfo> {
        self.slot(name).map(|slot| self.at(slot))
    }

    /// The same fleet, with another state of a cluster that is in it.
    ///
    /// # Errors
    /// When no cluster has this name.
    pub fn replace(&mut self, cluster: ClusterInfo) -> Result<Slot, InvalidFleet> {
        let slot = self
            .slot(cluster.name())
            .ok_or_else(|| InvalidFleet::Unknown(cluster.name().to_owned()))?;
        let old = std::mem::replace(&mut self.clusters[slot], Arc::new(cluster));
        let new = Arc::clone(&self.clusters[slot]);
        if old.cluster.labels != new.cluster.labels || old.cluster.properties != new.cluster.properties {
            self.index_facts();
        }
        if old.cluster.cost != new.cluster.cost {
            self.index_costs();
        }
        Ok(slot)
    }

    /// The fleet without this cluster.
    ///
    /// # Errors
    /// When no cluster has this name.
    pub fn without(&self, name: &str) -> Result<Self, InvalidFleet> {
        self.get(name)
            .ok_or_else(|| InvalidFleet::Unknown(name.to_owned()))?;
        let rest = self.clusters().filter(|cluster| cluster.name() != name).cloned();
        self.with_clusters(rest)
    }

    /// The fleet with this cluster, too.
    ///
    /// # Errors
    /// When there is one of this name.
    pub fn with(&self, cluster: ClusterInfo) -> Result<Self, InvalidFleet> {
        self.with_clusters(self.clusters().cloned().chain([cluster]))
    }

    fn with_clusters(&self, clusters: impl IntoIterator<Item = ClusterInfo>) -> Result<Self, InvalidFleet> {
        let mut view = Self {
            data: self.data.clone(),
            scores: self.scores.clone(),
            ..Self::new(clusters)?
        };
        for set in view.data.values_mut() {
            set.index(&view.clusters);
        }
        Ok(view)
    }

    /// Whether some data is known to be on a cluster, and until when. None: nothing is known of this data at all.
    pub fn data_on(&self, data: &str, cluster: &str, now: Tick) -> Option<Option<Tick>> {
        let set = self.data.get(data)?;
        Some(set.said.get(cluster).copied().filter(|until| *until > now))
    }

    /// The same for all clusters, by slot.
    pub(crate) fn data_by_slot(&self, data: &str) -> Option<&[Option<Tick>]> {
        self.data.get(data).map(|set| &*set.until)
    }

    /// What somebody else has given a cluster, if that still counts.
    pub fn external_score(&self, name: &str, cluster: &str, now: Tick) -> Option<i64> {
        let score = self.scores.get(name)?.get(cluster)?;
        (score.until > now).then_some(score.score)
    }

    /// What clusters say of a label or property. None: none of them says anything.
    pub(crate) fn column(&self, fact: Fact, key: &str) -> Option<&Column> {
        match fact {
            Fact::Label => self.labels.get(key),
            Fact::Property => self.properties.get(key),
            // Each has its own.
            Fact::Name => None,
        }
    }

    /// What clusters cost: for each thing that costs something, its costs by slot; 0 where it has none.
    pub(crate) fn costs(&self) -> impl Iterator<Item = (&str, &[i64])> {
        self.costs.iter().map(|(of, costs)| (&**of, &**costs))
    }

    /// The clusters that meet a requirement.
    pub(crate) fn meeting(&self, requirement: &Requirement) -> FixedBitSet {
        let mut meeting = FixedBitSet::with_capacity(self.len());
        if requirement.fact == Fact::Name {
            for (slot, cluster) in self.clusters().enumerate() {
                meeting.set(slot, requirement.matches(cluster));
            }
            return meeting;
        }
        let absent = requirement.holds(None);
        let Some(column) = self.column(requirement.fact, &requirement.key) else {
            meeting.set_range(.., absent);
            return meeting;
        };
        let by_number: Vec<bool> = std::iter::once(absent)
            .chain(column.values.iter().map(|value| requirement.holds(Some(value))))
            .collect();
        for (slot, number) in column.numbers.iter().enumerate() {
            meeting.set(slot, by_number[*number as usize]);
        }
        meeting
    }

    /// The clusters that a selector matches.
    pub(crate) fn matching(&self, selector: &ClusterSelector) -> FixedBitSet {
        let mut matching = FixedBitSet::with_capacity(self.len());
        matching.set_range(.., true);
        for requirement in selector.requirements() {
            matching.intersect_with(&self.meeting(requirement));
        }
        matching
    }

    /// All resources that some cluster offers, by name.
    pub(crate) fn resources(&self) -> Resources {
        let mut all = Resources::new();
        for capacity in self.clusters().filter_map(|cluster| cluster.capacity.as_ref()) {
            for (name, _) in capacity.allocatable.iter() {
                if !all.names(name) {
                    // Zero is never negative.
                    let _ = all.set(name, 0);
                }
            }
        }
        all
    }

    fn index_facts(&mut self) {
        self.labels = columns(&self.clusters, |cluster| &cluster.cluster.labels);
        self.properties = columns(&self.clusters, |cluster| &cluster.cluster.properties);
    }

    fn index_costs(&mut self) {
        self.costs.clear();
        for (slot, cluster) in self.clusters.iter().enumerate() {
            for (of, cost) in &cluster.cluster.cost {
                let costs = match self.costs.get_mut(of.as_str()) {
                    Some(costs) => costs,
                    None => self.costs.entry(of.as_str().into()).or_default(),
                };
                costs.resize(self.clusters.len(), 0);
                costs[slot] = *cost;
            }
        }
    }
}

impl DataSet {
    fn index(&mut self, clusters: &[Arc<ClusterInfo>]) {
        let until = clusters
            .iter()
            .map(|cluster| self.said.get(cluster.name()).copied());
        self.until = until.collect();
    }
}

/// What clusters say, turned round: by key, what each cluster says of it.
fn columns(
    clusters: &[Arc<ClusterInfo>],
    facts: fn(&ClusterInfo) -> &BTreeMap<String, String>,
) -> HashMap<Arc<str>, Column> {
    let mut by_key: HashMap<&str, Vec<(&str, Slot)>> = HashMap::new();
    for (slot, cluster) in clusters.iter().enumerate() {
        for (key, value) in facts(cluster) {
            by_key.entry(key).or_default().push((value, slot));
        }
    }
    let column = |(key, mut said): (&str, Vec<(&str, Slot)>)| {
        let mut column = Column {
            numbers: vec![0; clusters.len()],
            values: Vec::new(),
        };
        said.sort_unstable();
        for (value, slot) in said {
            if column.values.last().is_none_or(|last| **last != *value) {
                column.values.push(value.into());
            }
            column.numbers[slot] = u32::try_from(column.values.len()).unwrap_or(u32::MAX);
        }
        (key.into(), column)
    };
    by_key.into_iter().map(column).collect()
}
