//! Suites that show whether a filter, scorer, selector, divider, estimator, rebalancer, gate, or a whole scheduler keeps its
//! promises. For tests of implementations; not covered by the promise of stable versions.
//!
//! A suite draws fleets and workloads from a seed, ordinary ones and hostile ones (empty fleets, the largest and smallest
//! numbers, requests above what is offered), asks the part about them, and returns the promises that were broken:
//!
//! ```
//! use fleet_core::Reason;
//! use fleet_scheduler::{conformance::Suite, filter_fn};
//!
//! let no_lab = filter_fn("no-lab", |candidate| match candidate.label("tier") {
//!     Some("lab") => Err(Reason::new("lab", "it is a lab cluster")),
//!     _ => Ok(()),
//! });
//! let violations = Suite::default().filter(&no_lab);
//! assert!(violations.is_empty(), "{violations:#?}");
//! ```
//!
//! What is drawn has labels `region`, `zone` and `tier`, the property `gpu-memory-gb`, the resources `cpu`, `memory` and
//! `nvidia.com/gpu`, scores `carbon` and data `orders`. A part that looks at something else tells the suite so that it is
//! drawn, too ([`Suite::label`] and so on), or brings whole clusters and workloads.

mod answers;
mod dice;
mod divider;
mod estimator;
mod filter;
mod findings;
mod gate;
mod policy;
mod rebalancer;
mod scorer;
mod selector;
mod shares;
mod sketch;

use std::collections::BTreeMap;

use dice::Dice;
use findings::Findings;
pub use findings::Violation;
use sketch::Sketch;

use crate::model::{ClusterInfo, Workload};

/// What fleets and workloads are drawn from, and how many.
#[derive(Clone, Debug)]
pub struct Suite {
    seed: u64,
    draws: usize,
    labels: BTreeMap<String, Vec<String>>,
    properties: BTreeMap<String, Vec<String>>,
    resources: Vec<String>,
    scores: Vec<String>,
    data: Vec<String>,
    clusters: Vec<ClusterInfo>,
    workloads: Vec<Workload>,
    is_renaming: bool,
}

/// How many hostile fleets there are at least: of no cluster, of one, and so on.
const HOSTILE: usize = 6;

impl Default for Suite {
    fn default() -> Self {
        let suite = Self {
            seed: 1,
            draws: 12,
            labels: BTreeMap::new(),
            properties: BTreeMap::new(),
            resources: ["cpu", "memory", "nvidia.com/gpu"].map(str::to_owned).into(),
            scores: vec!["carbon".to_owned()],
            data: vec!["orders".to_owned()],
            clusters: Vec::new(),
            workloads: Vec::new(),
            is_renaming: true,
        };
        suite
            .label("region", ["ap", "eu", "us"])
            .label("zone", ["a", "b"])
            .label("tier", ["lab", "prod"])
            .property("gpu-memory-gb", ["40", "80", "many", "-1"])
    }
}

impl Suite {
    /// Draws other fleets and workloads.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Draws so many fleets, 12 by default; hostile ones come on top.
    #[must_use]
    pub fn draws(mut self, draws: usize) -> Self {
        self.draws = draws.max(1);
        self
    }

    /// Some clusters have this label, with one of these values.
    #[must_use]
    pub fn label(
        mut self,
        key: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.labels.insert(key.into(), values);
        self
    }

    /// Some clusters have this property, with one of these values.
    #[must_use]
    pub fn property(
        mut self,
        key: impl Into<String>,
        values: impl IntoIterator<Item = impl Into<String>>,
    ) -> Self {
        let values = values.into_iter().map(Into::into).collect();
        self.properties.insert(key.into(), values);
        self
    }

    /// Some clusters have this resource, and some workloads need it.
    #[must_use]
    pub fn resource(mut self, name: impl Into<String>) -> Self {
        self.resources.push(name.into());
        self
    }

    /// Some clusters have a score from outside of this name.
    #[must_use]
    pub fn score(mut self, name: impl Into<String>) -> Self {
        self.scores.push(name.into());
        self
    }

    /// This data is on some clusters, and some workloads work on it.
    #[must_use]
    pub fn data(mut self, name: impl Into<String>) -> Self {
        self.data.push(name.into());
        self
    }

    /// This cluster is in every fleet that is not hostile, as it is.
    #[must_use]
    pub fn cluster(mut self, cluster: ClusterInfo) -> Self {
        self.clusters.retain(|one| one.name() != cluster.name());
        self.clusters.push(cluster);
        self
    }

    /// This workload is asked about on every fleet that is not hostile, and variants of it.
    #[must_use]
    pub fn workload(mut self, workload: Workload) -> Self {
        self.workloads.retain(|one| one.name != workload.name);
        self.workloads.push(workload);
        self
    }

    /// The part looks at clusters' names, so that clusters with other names may get other answers.
    #[must_use]
    pub fn names_matter(mut self) -> Self {
        self.is_renaming = false;
        self
    }

    /// The fleets and workloads that a part is asked about, ordinary ones first, and whether each is hostile.
    fn sketches(&self) -> impl Iterator<Item = (Sketch, Dice, bool)> + '_ {
        let hostile = self.draws.div_ceil(2).max(HOSTILE);
        (0..self.draws + hostile).map(move |at| {
            let is_hostile = at >= self.draws;
            let mut dice = Dice::new(self.seed, at);
            let sketch = match is_hostile {
                true => Sketch::hostile(self, &mut dice, at - self.draws),
                false => Sketch::ordinary(self, &mut dice),
            };
            (sketch, dice, is_hostile)
        })
    }
}
